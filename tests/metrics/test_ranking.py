import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.metrics import average_precision_score

from hmc.metrics.checks import MetricError
from hmc.metrics.ranking import (
    example_average_precision,
    mean_defined,
    micro_average_precision,
    micro_average_precision_of_predictions,
    node_average_precision,
)

SHAPES = hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=12)


@st.composite
def scored_labels(draw, scores):
    shape = draw(SHAPES)
    return draw(hnp.arrays(np.bool_, shape)), draw(hnp.arrays(np.float32, shape, elements=scores))


def reference(labels, scores):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # no positive class
        return average_precision_score(labels.ravel(), scores.ravel())


@settings(deadline=None)
@given(scored_labels(st.floats(0, 1, width=32)))
def test_equals_scikit_learn(data):
    labels, scores = data
    assert micro_average_precision(labels, scores) == pytest.approx(reference(labels, scores), abs=1e-12)


@settings(deadline=None)
@given(scored_labels(st.sampled_from([0.0, 0.25, 0.5, 1.0])))
def test_equals_scikit_learn_with_many_ties(data):
    labels, scores = data
    assert micro_average_precision(labels, scores) == pytest.approx(reference(labels, scores), abs=1e-12)


@settings(deadline=None)
@given(SHAPES.flatmap(lambda shape: st.tuples(hnp.arrays(np.bool_, shape), hnp.arrays(np.bool_, shape))))
def test_predictions_equal_scikit_learn(data):
    labels, predictions = data
    expected = reference(labels, predictions.astype(float))
    assert micro_average_precision_of_predictions(labels, predictions) == pytest.approx(expected, abs=1e-12)
    assert micro_average_precision(labels, predictions.astype(float)) == pytest.approx(expected, abs=1e-12)


@settings(deadline=None)
@given(scored_labels(st.floats(0, 1, width=32)) | scored_labels(st.sampled_from([0.0, 0.25, 0.5, 1.0])))
def test_average_precision_of_nodes_and_rows_equals_scikit_learn(data):
    labels, scores = data
    for found, columns in ((node_average_precision(labels, scores), 1), (example_average_precision(labels, scores), 0)):
        lists = zip(*(np.moveaxis(array, columns, 0) for array in (labels, scores)), strict=True)
        expected = [reference(own, values) if own.any() else np.nan for own, values in lists]
        np.testing.assert_allclose(found, expected, atol=1e-12, equal_nan=True)


def test_average_precision_of_nodes_and_rows_by_hand():
    labels = np.array([[True, False], [False, True], [True, False], [False, False]])
    scores = np.array([[0.9, 0.2], [0.8, 0.8], [0.7, 0.9], [0.1, 0.1]])
    # First node: hit, miss, hit: 1/2 + 1/2 * 2/3. Second: miss, hit.
    assert node_average_precision(labels, scores) == pytest.approx([5 / 6, 1 / 2])
    # Rows: hit on top; a tie of hit and miss; hit below; no label.
    assert example_average_precision(labels, scores)[:3] == pytest.approx([1, 1 / 2, 1 / 2])
    assert np.isnan(example_average_precision(labels, scores)[3])


def test_constant_scores_rank_by_chance():
    labels = np.array([[True, False], [False, False], [False, False], [True, False]])
    assert node_average_precision(labels, np.full((4, 2), 0.3))[0] == 0.5
    assert np.isnan(node_average_precision(labels, np.full((4, 2), 0.3))[1])


def test_the_mean_leaves_out_what_is_undefined():
    assert mean_defined(np.array([0.2, np.nan, 0.6])) == pytest.approx(0.4)
    assert mean_defined(np.array([np.nan, np.nan])) is None
    assert mean_defined(np.array([])) is None


def test_scikit_learns_own_micro_average_of_a_matrix_is_meant():
    random = np.random.default_rng(0)
    labels, scores = random.random((30, 7)) < 0.2, random.random((30, 7))
    expected = average_precision_score(labels, scores, average="micro")
    assert micro_average_precision(labels, scores) == pytest.approx(expected, abs=1e-12)


def test_by_hand():
    # Ranked: hit, miss, then a tie of one hit and one miss: 1/2 * 1/1 + 1/2 * 2/4.
    labels = np.array([[True, False], [True, False]])
    assert micro_average_precision(labels, np.array([[0.9, 0.8], [0.1, 0.1]])) == pytest.approx(0.75)
    # Predictions {first hit, miss}: 1/2 * 1/2, then everything: 1/2 * 2/4.
    assert micro_average_precision_of_predictions(labels, np.array([[True, True], [False, False]])) == pytest.approx(0.5)


def test_scores_differing_in_the_last_bit_are_no_tie():
    labels = np.array([[True, False]])
    low = np.float32(0.5)
    high = np.nextafter(low, np.float32(1))
    assert micro_average_precision(labels, np.array([[high, low]])) == 1
    assert micro_average_precision(labels, np.array([[low, high]])) == 0.5


def test_without_positives_is_zero():
    nothing = np.zeros((3, 2), dtype=bool)
    assert micro_average_precision(nothing, np.full((3, 2), 0.5)) == 0
    assert micro_average_precision_of_predictions(nothing, ~nothing) == 0


def test_refuses_what_cannot_be_ranked():
    labels = np.ones((2, 3), dtype=bool)
    with pytest.raises(MetricError, match=r"shape \(3, 2\), but labels have \(2, 3\)"):
        micro_average_precision(labels, np.ones((3, 2)))
    with pytest.raises(MetricError, match="row 1, node 2"):
        micro_average_precision(labels, np.array([[0.1, 0.2, 0.3], [0.1, 0.2, np.nan]]))
    with pytest.raises(MetricError, match=r"predictions must have the labels' shape \(2, 3\), got \(3, 2\)"):
        micro_average_precision_of_predictions(labels, np.ones((3, 2), dtype=bool))
    with pytest.raises(MetricError, match="other than 0 and 1"):
        micro_average_precision(labels * 2, np.ones((2, 3)))
    for measure in (node_average_precision, example_average_precision):
        with pytest.raises(MetricError, match=r"shape \(3, 2\), but labels have \(2, 3\)"):
            measure(labels, np.ones((3, 2)))
    with pytest.raises(MetricError, match="floating-point"):
        micro_average_precision(labels, np.ones((2, 3), dtype=int))
