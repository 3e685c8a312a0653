"""CLUS's areas, against numerical integration of the interpolated curve and a worked example."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hmc.metrics.checks import MetricError
from hmc.metrics.clus import area, areas
from hmc.metrics.curves import curves
from hmc.metrics.ranking import micro_average_precision

SHAPES = hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=8)


@st.composite
def scored_labels(draw):
    shape = draw(SHAPES)
    elements = draw(st.sampled_from([st.sampled_from([0.0, 0.25, 0.5, 1.0]), st.floats(0, 1, width=32)]))
    return draw(hnp.arrays(np.bool_, shape)), draw(hnp.arrays(np.float32, shape, elements=elements))


def integrated(labels, scores, parts=4000):
    """The area by the definition of Davis and Goadrich (2006): one point a distinct score, from TP = FP = 0, false positives
    linear in true positives between points, precision integrated over recall by the midpoint rule.
    """
    points = [(0, 0)]
    for value in sorted(set(scores.tolist()), reverse=True):
        chosen = scores >= value
        points.append((int(labels[chosen].sum()), int((~labels)[chosen].sum())))
    total = 0.0
    for (before, wrong), (after, more) in itertools.pairwise(points):
        if after > before:
            true = before + (after - before) * (np.arange(parts) + 0.5) / parts
            false = wrong + (more - wrong) * (true - before) / (after - before)
            total += (true / (true + false)).mean() * (after - before)
    return total / labels.sum()


@settings(max_examples=150)
@given(scored_labels())
def test_areas_equal_numerical_integration(data):
    labels, scores = data
    known = labels.any(axis=0)
    if not known.any():
        assert areas(labels, scores) == {}
        return
    single = [integrated(labels[:, node], scores[:, node]) for node in np.flatnonzero(known)]
    found = areas(labels, scores)
    assert list(found) == ["clus_pooled_area", "clus_average_area", "clus_weighted_area"]
    assert found["clus_pooled_area"] == pytest.approx(integrated(labels[:, known].ravel(), scores[:, known].ravel()), abs=1e-3)
    assert found["clus_average_area"] == pytest.approx(np.mean(single), abs=1e-3)
    weights = labels[:, known].sum(axis=0)
    assert found["clus_weighted_area"] == pytest.approx(np.dot(single, weights) / weights.sum(), abs=1e-3)
    assert all(0 < value <= 1 + 1e-12 for value in found.values())


@given(scored_labels(), st.integers(0, 2**31))
def test_areas_are_a_matter_of_order_alone(data, seed):
    """Neither the order of rows nor a transformation that keeps the order of scores changes an area."""
    labels, scores = data
    order = np.random.default_rng(seed).permutation(len(labels))
    assert areas(labels[order], scores[order]) == pytest.approx(areas(labels, scores), abs=1e-12)
    ranks = np.unique(scores, return_inverse=True)[1].reshape(scores.shape)
    assert areas(labels, 5.0 * ranks**3 - 7) == pytest.approx(areas(labels, scores), abs=1e-12)


def test_by_hand():
    """Hit, miss, then a tie of one hit and one miss.

    TP 0 to 1 with FP 0: precision 1. Then a miss: FP 1. From (1, 1) to (2, 2): t / (t + t) = 1/2. Area (1 + 1/2) / 2.
    """
    found = area(curves(np.array([[True, False, True, False]]), np.array([[0.9, 0.8, 0.3, 0.3]])))
    assert found == pytest.approx([0.75])


def test_by_hand_where_the_interpolation_is_no_straight_line():
    """One hit on top, then a tie of two hits and two misses: from (1, 0) to (3, 2), FP(t) = t - 1, precision t / (2t - 1).

    Its integral from 1 to 3 is 1 + log(5) / 4. The step function has 1/3 + 2/3 * 3/5 instead.
    """
    labels, scores = np.array([[True, True, True, False, False]]), np.array([[0.9, 0.4, 0.4, 0.4, 0.4]])
    assert area(curves(labels, scores)) == pytest.approx([(1 + 1 + np.log(5) / 4) / 3])
    assert micro_average_precision(labels.T, scores.T) == pytest.approx(1 / 3 + 2 / 3 * 3 / 5)


def test_misses_above_the_first_hit_count_from_the_origin():
    """Two misses, then a hit: the curve rises from (0, 2) to (1, 2), where precision is t / (t + 2): 1 - 2 log(3/2)."""
    found = area(curves(np.array([[False, False, True]]), np.array([[0.9, 0.8, 0.1]])))
    assert found == pytest.approx([1 - 2 * np.log(3 / 2)])


def test_a_curve_of_one_point_is_the_share_of_positives():
    labels = np.array([[True, False, False, True, False]])
    assert area(curves(labels, np.full((1, 5), 0.5))) == pytest.approx([0.4])


def test_nodes_without_a_positive_are_left_out_of_the_pool_too():
    labels = np.array([[True, False], [False, False]])
    scores = np.array([[0.5, 0.9], [0.1, 0.9]])
    assert areas(labels, scores) == {"clus_pooled_area": 1.0, "clus_average_area": 1.0, "clus_weighted_area": 1.0}
    assert micro_average_precision(labels, scores) == pytest.approx(1 / 3)


def test_the_weights_are_the_frequencies_among_the_rows_scored():
    labels = np.array([[True, False], [True, False], [True, True], [False, False]])
    scores = np.array([[0.9, 0.9], [0.8, 0.8], [0.7, 0.1], [0.6, 0.0]])
    found = areas(labels, scores)
    rare = 1 - 2 * np.log(3 / 2)
    assert found["clus_average_area"] == pytest.approx((1 + rare) / 2)
    assert found["clus_weighted_area"] == pytest.approx((3 + rare) / 4)


def test_a_perfect_ranking_has_area_one_and_the_worst_has_more_than_none():
    labels = np.array([[True], [True], [False], [False]])
    assert areas(labels, np.array([[0.9], [0.8], [0.2], [0.1]]))["clus_pooled_area"] == pytest.approx(1)
    worst = areas(labels, np.array([[0.1], [0.2], [0.8], [0.9]]))["clus_pooled_area"]
    # t / (t + 2) from 0 to 2, halved.
    assert worst == pytest.approx(1 - np.log(2))


def test_arrays_that_do_not_fit_are_refused():
    with pytest.raises(MetricError, match=r"shape \(2, 1\), but labels have \(1, 2\)"):
        areas(np.ones((1, 2), dtype=bool), np.ones((2, 1)))
    with pytest.raises(MetricError, match="NaN"):
        areas(np.ones((1, 1), dtype=bool), np.array([[np.nan]]))
