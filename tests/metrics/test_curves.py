"""Precision-recall curves of many lists, against a loop over thresholds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hmc.metrics.curves import curves

SHAPES = hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=14)
TIED = st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0])


@st.composite
def scored_labels(draw, dtype=np.float32, elements=None):
    shape = draw(SHAPES)
    chosen = elements if elements is not None else draw(st.sampled_from([TIED, st.floats(0, 1, width=32)]))
    return draw(hnp.arrays(np.bool_, shape)), draw(hnp.arrays(dtype, shape, elements=chosen))


def points_by_hand(labels, scores):
    """(list, positives above, positives from it up, entries above, entries from it up) of each score that a positive has."""
    found = []
    for owner, (own, values) in enumerate(zip(labels, scores, strict=True)):
        for value in sorted({float(one) for one in values[own]}, reverse=True):
            higher, reached = values > value, values >= value
            found.append((owner, int(own[higher].sum()), int(own[reached].sum()), int(higher.sum()), int(reached.sum())))
    return found


def points(found):
    return list(zip(*(getattr(found, name).tolist() for name in ("owners", "before", "at", "above", "reached")), strict=True))


@given(scored_labels())
def test_points_are_the_thresholds_that_a_positive_has(data):
    labels, scores = data
    found = curves(labels, scores)
    assert points(found) == points_by_hand(labels, scores)
    assert found.positives.tolist() == labels.sum(axis=1).tolist()


@given(scored_labels(np.float64, st.sampled_from([-3.0, -0.0, 0.0, 1e-12, 2.5, 7.0])))
def test_scores_of_any_range_and_precision_are_ordered(data):
    labels, scores = data
    assert points(curves(labels, scores)) == points_by_hand(labels, scores)


@given(scored_labels(np.float32, st.sampled_from([-1.0, 0.5, 1.5, 2.0, 3e38])))
def test_float32_scores_beyond_their_bits_order_are_ordered_too(data):
    labels, scores = data
    assert points(curves(labels, scores)) == points_by_hand(labels, scores)


def test_a_negative_zero_ties_with_zero():
    found = curves(np.array([[True, False]]), np.array([[-0.0, 0.0]], dtype=np.float32))
    assert points(found) == [(0, 0, 1, 0, 2)]


def test_equal_scores_of_neighbouring_lists_are_no_run():
    """The last negative of one list and the first of the next have the same score."""
    labels = np.array([[True, False, False], [False, False, True]])
    scores = np.array([[0.9, 0.5, 0.5], [0.5, 0.5, 0.5]], dtype=np.float32)
    assert points(curves(labels, scores)) == [(0, 0, 1, 0, 1), (1, 0, 1, 0, 3)]


def test_without_a_positive_there_is_no_point():
    found = curves(np.zeros((3, 4), dtype=bool), np.ones((3, 4), dtype=np.float32))
    assert points(found) == []
    assert found.positives.tolist() == [0, 0, 0]
    assert np.isnan(found.sums(np.array([]))).all()


def test_sums_are_shared_by_the_positives_of_each_list():
    labels = np.array([[True, True, False], [False, False, False], [True, False, False]])
    scores = np.array([[0.9, 0.1, 0.5]] * 3, dtype=np.float32)
    totals = curves(labels, scores).sums(np.array([3.0, 5.0, 7.0]))
    assert totals[[0, 2]].tolist() == [4.0, 7.0]
    assert np.isnan(totals[1])


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_the_scores_are_compared_in_their_own_precision_and_left_as_they_were(dtype):
    low = dtype(0.5)
    scores = np.array([[np.nextafter(low, dtype(1)), low]])
    before = scores.copy()
    assert points(curves(np.array([[False, True]]), scores)) == [(0, 0, 1, 1, 2)]
    assert (scores == before).all()
