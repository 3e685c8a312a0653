"""From thresholds to label sets: closed under ancestors, with a count of what closing added."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hmc.hierarchy import from_edges
from hmc.rules import decide
from hmc.rules.evidence import close_columns
from tests.rules import slowly
from tests.strategies import hierarchies

DIAMOND = from_edges(["root", "a", "b", "c"], [("root", "a"), ("root", "b"), ("a", "c"), ("b", "c")])


@given(hierarchies(), st.integers(0, 2**31))
def test_label_sets_are_those_above_the_thresholds_with_their_ancestors(hierarchy, seed):
    random = np.random.default_rng(seed)
    scores, thresholds = random.random((5, len(hierarchy))), random.random(len(hierarchy))
    before = scores > thresholds
    found = decide(scores, thresholds, hierarchy)
    assert (found.labels == slowly.closed(before, hierarchy)).all()
    assert hierarchy.is_closed(found.labels)
    counted, after = (int(labels[:, hierarchy.evaluated].sum()) for labels in (before, found.labels))
    assert found.added == pytest.approx((after - counted) / after if after else 0)


@given(hierarchies(), st.integers(0, 2**31))
def test_closing_columns_is_the_hierarchys_own_closure(hierarchy, seed):
    predicted = np.random.default_rng(seed).random((4, len(hierarchy))) < 0.2
    assert (hierarchy.close(predicted) == close_columns(np.ascontiguousarray(predicted.T), hierarchy).T).all()


def test_a_score_at_its_threshold_is_not_above_it():
    assert not decide(np.full((1, 4), 0.5), np.full(4, 0.5), DIAMOND).labels.any()


def test_infinite_thresholds_predict_nothing_or_everything():
    scores = np.array([[1, 1, 0, 0]])
    thresholds = np.array([np.inf, np.inf, -np.inf, np.inf])
    assert decide(scores, thresholds, DIAMOND).labels.tolist() == [[True, False, True, False]]


def test_all_parents_of_a_node_are_added_and_counted_but_not_the_root():
    scores, thresholds = np.array([[1.0, 0.3, 0.2, 0.2]]), np.array([2.0, 0.5, 0.5, 0.1])
    found = decide(scores, thresholds, DIAMOND)
    assert found.labels.tolist() == [[True, True, True, True]]
    # c was predicted, a and b were added; the root is never evaluated.
    assert found.added == pytest.approx(2 / 3)


def test_nothing_predicted_is_nothing_added():
    assert decide(np.zeros((3, 4)), np.full(4, 0.5), DIAMOND).added == 0


def test_scores_stored_in_float32_are_compared_exactly():
    """A threshold between two neighbouring float32 numbers, which float32 itself could not hold."""
    low = np.float32(0.3)
    high = np.nextafter(low, np.float32(1))
    between = (float(low) + float(high)) / 2
    scores = np.array([[1, low, high, low]], dtype=np.float32)
    assert decide(scores, np.full(4, between), DIAMOND).labels[0, 1:].tolist() == [False, True, False]


@pytest.mark.parametrize(("scores", "thresholds"), [((2, 3), 4), ((2, 4), 3), ((4,), 4)])
def test_arrays_that_do_not_fit_the_hierarchy_are_refused(scores, thresholds):
    with pytest.raises(ValueError, match=r"scores must have shape \[rows, 4\] and thresholds \(4,\), got "):
        decide(np.zeros(scores), np.zeros(thresholds), DIAMOND)
