"""The maximum over descendants, against the closure written out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hmc.hierarchy import from_edges
from hmc.metrics.grouped import incoherent_share
from hmc.scores import coherent
from tests.strategies import dense_closure, hierarchies


@given(hierarchies(), st.integers(0, 2**31), st.sampled_from([np.float32, np.float64]))
def test_a_node_has_the_largest_score_of_its_descendants(hierarchy, seed, dtype):
    scores = np.random.default_rng(seed).random((4, len(hierarchy))).astype(dtype)
    before = scores.copy()
    found = coherent(scores, hierarchy)
    expected = np.where(dense_closure(hierarchy), scores[:, None, :], -np.inf).max(axis=2)
    assert found.dtype == dtype
    assert (found == expected).all()
    assert (scores == before).all()
    assert incoherent_share(found, hierarchy) == 0
    assert (coherent(found, hierarchy) == found).all()


@pytest.mark.parametrize("shape", [(3,), (2, 3), (1, 2, 2)])
def test_scores_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match=r"scores must have shape \[rows, 2\], got "):
        coherent(np.zeros(shape), from_edges(["root", "a"], [("root", "a")]))
