import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hmc.data import catalog, subsample
from hmc.data.load import load
from hmc.settings import ProtocolSettings, RuntimeSettings


def generator(seed=0):
    return np.random.Generator(np.random.PCG64(seed))


def label_sets(groups):
    """A row a label, one label set a number."""
    return np.eye(max(groups, default=0) + 1, dtype=bool)[np.array(groups, dtype=int)] if groups else np.zeros((0, 3), dtype=bool)


@given(st.lists(st.integers(0, 4), max_size=60), st.floats(0.01, 1), st.integers(0, 50))
def test_so_many_rows_stay_and_every_label_set_keeps_its_share(groups, fraction, seed):
    kept = subsample.sampled_rows(label_sets(groups), fraction, generator(seed))
    assert len(kept) == (max(1, round(fraction * len(groups))) if groups else 0)
    assert (np.diff(kept) > 0).all()
    share = len(kept) / max(1, len(groups))
    for group in set(groups):
        size = groups.count(group)
        assert abs(sum(groups[row] == group for row in kept) - share * size) <= 2


@given(st.lists(st.integers(0, 4), min_size=1, max_size=60), st.integers(0, 50))
def test_a_smaller_share_is_part_of_a_larger_one(groups, seed):
    labels = label_sets(groups)
    smaller, larger, whole = (
        set(subsample.sampled_rows(labels, fraction, generator(seed)).tolist()) for fraction in (0.1, 0.5, 1.0)
    )
    assert smaller <= larger <= whole == set(range(len(groups)))


def test_a_row_of_its_own_label_set_stays_as_often_as_its_share():
    labels = label_sets([0] * 39 + [1])
    stayed = sum(39 in subsample.sampled_rows(labels, 0.25, generator(seed)) for seed in range(400))
    assert 70 < stayed < 130


@pytest.mark.parametrize("name", ["synthetic_tree", "digits"])
def test_training_rows_are_left_out_before_anything_is_computed_from_them(name):
    card, runtime = catalog.card(name), RuntimeSettings()
    whole = load(card, ProtocolSettings(), runtime)
    tenth = dataclasses.replace(card, fraction=0.1)
    part = load(tenth, ProtocolSettings(), runtime, seed=1)
    assert len(part.train) == round(0.1 * len(whole.train))
    assert len(part.valid) == round(0.1 * len(whole.valid))
    assert np.array_equal(part.test.labels, whole.test.labels)
    if name == "synthetic_tree":
        # Standardised by what is left.
        assert np.allclose(part.training.features.mean(0), 0, atol=1e-5)
        assert not np.allclose(part.test.features, whole.test.features)
    other = load(tenth, ProtocolSettings(), runtime, seed=2)
    assert not np.array_equal(part.train.labels, other.train.labels) or not np.array_equal(
        part.train.features, other.train.features
    )
    assert np.array_equal(load(tenth, ProtocolSettings(), runtime, seed=1).train.features, part.train.features)
