"""Mixtures: the mean of scores, equal or weighted by how well each part ranks held-out rows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hmc.estimators import mixed, mixture_weights
from hmc.hierarchy import from_edges
from hmc.metrics.grouped import incoherent_share
from hmc.scores import coherent
from tests.strategies import hierarchies

TREE = from_edges(["root", "a", "b"], [("root", "a"), ("root", "b")])


@given(hierarchies(), st.integers(2, 5), st.integers(0, 2**31))
def test_a_mixture_is_the_mean_and_coherent_again(hierarchy, parts, seed):
    random = np.random.default_rng(seed)
    scores = [coherent(random.random((3, len(hierarchy)), dtype=np.float32), hierarchy) for _ in range(parts)]
    weights = random.random(parts).tolist()
    found = mixed(scores, weights)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, np.average(np.stack(scores).astype(float), axis=0, weights=weights), atol=1e-7)
    assert ((found >= 0) & (found <= 1)).all()
    assert incoherent_share(found, hierarchy) == 0


def test_only_the_proportion_of_weights_counts():
    one, other = (np.random.default_rng(seed).random((2, 3), dtype=np.float32) for seed in (0, 1))
    np.testing.assert_allclose(mixed([one, other], [1, 3]), mixed([one, other], [10, 30]), atol=1e-7)
    assert (mixed([one, other], [1, 0]) == one).all()


def test_parts_of_one_are_one():
    """No rounding may lift a score above 1."""
    ones = [np.ones((2, 3), dtype=np.float32)] * 3
    assert (mixed(ones, [0.1, 0.2, 0.7]) == 1).all()


def test_a_weight_a_part_is_needed():
    with pytest.raises(ValueError, match=r"zip\(\) argument 2 is shorter"):
        mixed([np.ones((1, 1))] * 2, [1])


def test_equal_weights_need_no_held_out_rows():
    assert mixture_weights("equal", [None, None, None], None, TREE) == [1, 1, 1]


def test_weights_by_macro_average_precision_on_held_out_rows():
    labels = np.array([[1, 1, 0], [1, 0, 1], [1, 0, 0], [1, 0, 0]], dtype=bool)
    right = labels.astype(np.float32)
    # a: misses .9 .8, then the hit: 1/3; b: likewise 1/3. The root is not evaluated.
    wrong = np.array([[1, 0.1, 0.9], [1, 0.9, 0.1], [1, 0.8, 0.8], [1, 0.0, 0.0]], dtype=np.float32)
    assert mixture_weights("macro_ap", [right, wrong], labels, TREE) == [1, pytest.approx(1 / 3)]


def test_without_a_held_out_positive_all_parts_count_the_same():
    labels = np.array([[1, 0, 0]], dtype=bool)
    assert mixture_weights("macro_ap", [np.ones((1, 3)), np.zeros((1, 3))], labels, TREE) == [1, 1]


@pytest.mark.parametrize(
    ("held_out", "labels"), [([None, np.ones((1, 3))], np.ones((1, 3), dtype=bool)), ([np.ones((1, 3))], None)]
)
def test_weights_by_ranking_need_held_out_scores_of_every_part(held_out, labels):
    with pytest.raises(
        ValueError, match=r"method\.mixture_weights=macro_ap needs held-out scores of every part; set training\.holdout"
    ):
        mixture_weights("macro_ap", held_out, labels, TREE)
