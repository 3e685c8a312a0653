import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.metrics import accuracy_score, precision_recall_fscore_support

from hmc.metrics import nodes
from hmc.metrics.checks import MetricError

PAIRS = hnp.array_shapes(min_dims=2, max_dims=2, min_side=2, max_side=12).flatmap(
    lambda shape: st.tuples(hnp.arrays(np.bool_, shape), hnp.arrays(np.bool_, shape))
)


def reference(labels, predictions, average):
    return precision_recall_fscore_support(labels, predictions, average=average, zero_division=0)[:3]


@settings(deadline=None)
@given(PAIRS)
def test_equals_scikit_learn(data):
    labels, predictions = data
    counts = nodes.count(labels, predictions)
    for ours, theirs in zip((counts.precision, counts.recall, counts.f1), reference(labels, predictions, None), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-12)
    averages = nodes.macro(counts) | nodes.micro(counts)
    for average in ("macro", "micro"):
        for name, theirs in zip(("precision", "recall", "f1"), reference(labels, predictions, average), strict=True):
            assert averages[f"{average}_{name}"] == pytest.approx(theirs, abs=1e-12)
    assert nodes.exact_match(labels, predictions) == pytest.approx(accuracy_score(labels, predictions))


@settings(deadline=None)
@given(PAIRS)
def test_seen_averages_leave_out_nodes_without_positives(data):
    labels, predictions = data
    seen = labels.any(axis=0)
    averages = nodes.macro(nodes.count(labels, predictions))
    if not seen.any():
        assert "macro_f1_seen" not in averages
        return
    only_seen = nodes.macro(nodes.count(labels[:, seen], predictions[:, seen]))
    for name in ("macro_precision", "macro_recall", "macro_f1"):
        assert averages[f"{name}_seen"] == pytest.approx(only_seen[name])


def test_by_hand():
    #                    found twice of 3, never predicted, never there
    labels = np.array([[1, 1, 0], [1, 0, 0], [1, 0, 0], [0, 0, 0]])
    predictions = np.array([[1, 0, 1], [1, 0, 0], [0, 0, 0], [1, 0, 0]])
    counts = nodes.count(labels, predictions)
    assert counts.true_positives.tolist() == [2, 0, 0]
    assert counts.false_positives.tolist() == [1, 0, 1]
    assert counts.false_negatives.tolist() == [1, 1, 0]
    assert counts.positives.tolist() == [3, 1, 0]
    assert counts.f1.tolist() == pytest.approx([2 / 3, 0, 0])
    averages = nodes.macro(counts)
    assert averages["macro_f1"] == pytest.approx(2 / 9)
    assert averages["macro_f1_seen"] == pytest.approx(1 / 3)
    assert nodes.micro(counts) == {"micro_precision": 0.5, "micro_recall": 0.5, "micro_f1": 0.5}
    assert nodes.exact_match(labels, predictions) == 0.25


def test_refuses_arrays_that_do_not_fit():
    with pytest.raises(MetricError, match=r"\(2, 2\), but labels have \(2, 3\)"):
        nodes.count(np.ones((2, 3), dtype=bool), np.ones((2, 2), dtype=bool))
    with pytest.raises(MetricError, match="at least one row"):
        nodes.count(np.ones((0, 3), dtype=bool), np.ones((0, 3), dtype=bool))
