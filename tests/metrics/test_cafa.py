"""Fmax, Smin and information accretion, against loops over rows and thresholds, and by hand on cases as CAFA-evaluator counts
them: targets are the rows with a label, precision is averaged over those with a prediction, all else over all targets.
"""

from math import log2, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hmc.hierarchy import from_edges
from hmc.metrics.cafa import Cafa, cafa, information_accretion
from hmc.metrics.checks import MetricError
from tests.strategies import closed_labels, hierarchies


def slowly(labels, scores, information):
    """(Fmax, its threshold, Smin) by their definitions."""
    targets = [row for row in range(len(labels)) if labels[row].any()]
    if not targets:
        return None, None, None
    best, least = (-1.0, None), np.inf
    for step in range(1, 100):
        limit = scores.dtype.type(step / 100)
        precisions, recalls, remaining, wrong = [], [], [], []
        for row in targets:
            true = {int(node) for node in np.flatnonzero(labels[row])}
            guessed = {node for node in range(labels.shape[1]) if scores[row, node] >= limit}
            if guessed:
                precisions.append(len(true & guessed) / len(guessed))
            recalls.append(len(true & guessed) / len(true))
            remaining.append(sum(information[node] for node in true - guessed))
            wrong.append(sum(information[node] for node in guessed - true))
        precision, recall = np.mean(precisions) if precisions else 0.0, np.mean(recalls)
        f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
        if f1 > best[0] + 1e-12:
            best = (f1, step / 100)
        least = min(least, sqrt(np.mean(remaining) ** 2 + np.mean(wrong) ** 2))
    return best[0], best[1], least


SHAPES = hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=6)
SCORES = st.sampled_from([0.0, 0.005, 0.01, 0.02, 0.3, 0.5, 0.57, 0.99, 1.0]) | st.floats(0, 1, width=32)


@settings(max_examples=120)
@given(SHAPES.flatmap(lambda shape: st.tuples(hnp.arrays(np.bool_, shape), hnp.arrays(np.float32, shape, elements=SCORES))))
def test_equals_loops_over_rows_and_thresholds(data):
    labels, scores = data
    information = np.linspace(0, 3, labels.shape[1])
    fmax, threshold, smin = slowly(labels, scores, information)
    found = cafa(labels, scores, information)
    if fmax is None:
        assert found == Cafa(None, None, None)
        return
    assert found.fmax == pytest.approx(fmax, abs=1e-12)
    assert found.smin == pytest.approx(smin, abs=1e-9)
    if fmax:
        assert found.threshold == threshold


def test_by_hand():
    """Two targets and nodes a, b, c of 1, 2 and 4 bits.

    From .31 to .6 the predictions are {a} and {c}: precision (1 + 1) / 2, recall (1/2 + 1) / 2, F 6/7; ru 2/2, mi 0.
    Up to .3 they are {a, b} and {b, c}: precision (1 + 1/2) / 2, recall 1, F 6/7 too; ru 0, mi 2/2.
    """
    labels = np.array([[1, 1, 0], [0, 0, 1]], dtype=bool)
    scores = np.array([[0.6, 0.3, 0.0], [0.0, 0.3, 0.6]])
    found = cafa(labels, scores, np.array([1.0, 2.0, 4.0]))
    assert found == Cafa(pytest.approx(6 / 7), pytest.approx(1.0), 0.01)


def test_a_row_without_predictions_counts_for_recall_and_not_for_precision():
    """From .01 to .5 one row of two is predicted, rightly: precision 1, recall 1/2, F 2/3; ru 1/2 bit of the two rows."""
    labels = np.array([[1], [1]], dtype=bool)
    found = cafa(labels, np.array([[0.5], [0.0]]), np.array([1.0]))
    assert found == Cafa(pytest.approx(2 / 3), pytest.approx(0.5), 0.01)


def test_a_row_without_a_label_is_no_target():
    """As in CAFA, where the targets of a namespace are the proteins with an annotation in it."""
    labels = np.array([[1, 0], [0, 0]], dtype=bool)
    scores, information = np.array([[0.8, 0.0], [0.9, 0.9]]), np.array([1.0, 1.0])
    found = cafa(labels, scores, information)
    assert found == cafa(labels[:1], scores[:1], information) == Cafa(1.0, 0.0, 0.01)


def test_without_any_target_there_is_no_metric():
    assert cafa(np.zeros((2, 2), dtype=bool), np.full((2, 2), 0.5), np.ones(2)) == Cafa(None, None, None)


def test_nothing_predicted_leaves_all_information():
    labels = np.array([[1, 1], [0, 1]], dtype=bool)
    found = cafa(labels, np.full((2, 2), 0.009), np.array([2.0, 1.0]))
    assert found == Cafa(0.0, pytest.approx((3 + 1) / 2), 0.01)


def test_a_threshold_is_reached_by_an_equal_score():
    """As in CAFA: predictions have scores of t or more. 0.29 and 0.57 have no exact binary form, in either precision."""
    labels, information = np.array([[1, 0]], dtype=bool), np.ones(2)
    for dtype in (np.float32, np.float64):
        for value in (0.29, 0.57, 0.58, 0.99):
            found = cafa(labels, np.array([[value, value - 0.005]], dtype=dtype), information)
            assert (found.fmax, found.threshold) == (1.0, value), (dtype, value)


def test_of_equal_thresholds_the_lowest_is_named():
    found = cafa(np.array([[True, False]]), np.array([[0.9, 0.4]]), np.ones(2))
    assert (found.fmax, found.threshold) == (1.0, 0.41)


def test_the_first_and_last_threshold_count_and_nothing_beyond():
    labels, information = np.array([[1, 0]], dtype=bool), np.ones(2)
    assert cafa(labels, np.array([[0.99, 0.98]]), information).threshold == 0.99
    # Above 0.99 there is no threshold: both are predicted, or neither.
    assert cafa(labels, np.array([[0.999, 0.995]]), information).fmax == pytest.approx(2 / 3)
    assert cafa(labels, np.array([[0.005, 0.0]]), information).fmax == 0


def test_smin_weighs_by_information_and_fmax_does_not():
    labels = np.array([[1, 0, 0]], dtype=bool)
    scores = np.array([[0.5, 0.6, 0.0]])
    assert cafa(labels, scores, np.array([1.0, 0.1, 1.0])).smin == pytest.approx(0.1)
    assert cafa(labels, scores, np.array([0.1, 1.0, 1.0])).smin == pytest.approx(0.1)
    assert cafa(labels, scores, np.array([1.0, 0.1, 1.0])).fmax == cafa(labels, scores, np.array([0.1, 1.0, 1.0])).fmax


def test_remaining_and_wrong_information_are_joined_by_pythagoras():
    labels = np.array([[1, 0], [1, 0]], dtype=bool)
    # At all thresholds up to .9 the first row has its label and a wrong node, the second nothing.
    found = cafa(labels, np.array([[0.9, 0.9], [0.0, 0.0]]), np.array([4.0, 3.0]))
    assert found.smin == pytest.approx(min(sqrt(2**2 + 1.5**2), 4.0))


def test_arrays_that_do_not_fit_are_refused():
    labels = np.ones((2, 3), dtype=bool)
    with pytest.raises(MetricError, match=r"information must have shape \(3,\), got \(2,\)"):
        cafa(labels, np.full((2, 3), 0.5), np.ones(2))
    with pytest.raises(MetricError, match=r"shape \(3, 2\), but labels have \(2, 3\)"):
        cafa(labels, np.full((3, 2), 0.5), np.ones(3))


# --- information accretion ----------------------------------------------------------------------------------------------


def test_information_accretion_of_a_node_with_two_parents():
    """Rows with both parents count, not those with one of them."""
    hierarchy = from_edges(["root", "a", "b", "c"], [("root", "a"), ("root", "b"), ("a", "c"), ("b", "c")])
    rows = [["a"], ["a"], ["b"], ["a", "b"], ["a", "b"], ["c"], []]
    labels = np.array([[name in row for name in hierarchy.names] for row in rows])
    # 7 rows; a in 5, b in 4, both in 3, c in 1.
    found = information_accretion(hierarchy.close(labels) | np.array([True, False, False, False]), hierarchy)
    assert found == pytest.approx([0, log2(8 / 6), log2(8 / 5), log2(4 / 2)])


def test_information_accretion_is_finite_for_nodes_without_rows():
    chain = from_edges(["root", "a", "b"], [("root", "a"), ("a", "b")])
    labels = np.array([[1, 0, 0]] * 7, dtype=bool)
    # No row has a: log2(8 / 1); none has b, none its parent: log2(1 / 1).
    assert information_accretion(labels, chain) == pytest.approx([0, 3, 0])


@given(hierarchies(max_nodes=10), st.data())
def test_information_accretion_equals_its_definition(hierarchy, data):
    labels = data.draw(closed_labels(hierarchy, rows=data.draw(st.integers(1, 8))))
    expected = []
    for node in range(len(hierarchy)):
        parents = hierarchy.parents.of(node)
        given_parents = [row for row in labels if all(row[parent] for parent in parents)]
        expected.append(
            0.0 if node == hierarchy.root else -log2((sum(row[node] for row in given_parents) + 1) / (len(given_parents) + 1))
        )
    found = information_accretion(labels, hierarchy)
    np.testing.assert_allclose(found, expected, atol=1e-12)
    assert (found >= 0).all()


def test_labels_of_another_hierarchy_have_no_information():
    with pytest.raises(MetricError, match="labels must have the hierarchy's 2 nodes, got 3"):
        information_accretion(np.ones((1, 3), dtype=bool), from_edges(["root", "a"], [("root", "a")]))
