import json
from pathlib import Path

import numpy as np
import pytest

from hmc.hierarchy import Adjacency, Hierarchy, from_edges
from hmc.metrics import evaluate as module
from hmc.metrics.checks import MetricError
from hmc.metrics.evaluate import LOWER_IS_BETTER, METRICS, evaluate, meaning

GOLDEN = sorted((Path(__file__).parents[1] / "golden").glob("objective_*.npz"))
TREE = from_edges(["root", "a", "b", "a/1"], [("root", "a"), ("root", "b"), ("a", "a/1")])


def test_golden_files_are_there():
    assert len(GOLDEN) == 6


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_equals_the_released_program(path):
    with np.load(path) as golden:
        hierarchy = Hierarchy(
            names=tuple(map(str, range(len(golden["evaluated"])))),
            parents=Adjacency(golden["parents_indptr"].astype(np.int64), golden["parents_indices"].astype(np.int64)),
            evaluated=golden["evaluated"].astype(bool),
        )
        probabilities = golden["constrained"].mean(axis=0)
        result = evaluate(probabilities, golden["Y"], hierarchy, golden["Y_train"].sum(axis=0, dtype=np.int64))
        expected = {"au_prc": "micro_ap_scores", "micro_ap_of_predictions": "micro_ap_thresholded"}
        expected |= {name: name for name in ("macro_precision", "macro_recall", "macro_f1")}
        for ours, theirs in expected.items():
            assert result.metrics[ours] == pytest.approx(float(golden[theirs]), abs=1e-6), ours
        counts = module.nodes.NodeCounts(
            *(np.array(result.nodes[name]) for name in ("true_positives", "false_positives", "false_negatives"))
        )
        for name in ("precision", "recall", "f1"):
            np.testing.assert_allclose(getattr(counts, name), golden[f"node_{name}"], atol=1e-6)
    assert result.metrics["incoherent_share"] == 0


def example():
    probabilities = np.array([[1, 0.9, 0.2, 0.5], [1, 0.6, 0.7, 0.6], [1, 0.1, 0.4, 0.1]], dtype=np.float32)
    labels = np.array([[1, 1, 0, 1], [1, 1, 0, 1], [1, 0, 1, 0]], dtype=bool)
    return probabilities, labels, TREE, np.array([20, 12, 7, 2])


def test_by_hand():
    result = evaluate(*example())
    assert result.nodes == {
        "true_positives": [2, 0, 1],
        "false_positives": [0, 1, 0],
        "false_negatives": [0, 1, 1],
        "training_count": [12, 7, 2],
    }
    # A probability of exactly 0.5 is no prediction. Ranked: hits .9, miss .7, hits .6 .6, .5, .4, then misses.
    precisions = (1 / 1, 3 / 4, 3 / 4, 4 / 5, 5 / 6)
    assert result.metrics == pytest.approx(
        {
            "au_prc": sum(precisions) / 5,
            "micro_ap_of_predictions": 3 / 4 * 3 / 5 + 2 / 5 * 5 / 9,
            "macro_precision": 2 / 3,
            "macro_recall": 0.5,
            "macro_f1": (1 + 0 + 2 / 3) / 3,
            "macro_precision_seen": 2 / 3,
            "macro_recall_seen": 0.5,
            "macro_f1_seen": 5 / 9,
            "micro_precision": 0.75,
            "micro_recall": 0.6,
            "micro_f1": 2 / 3,
            "exact_match": 0.0,
            "recall_frequency_1_3": 0.5,
            "recall_frequency_4_10": 0.0,
            "recall_frequency_11_100": 1.0,
            "recall_depth_1": 0.5,
            "recall_depth_2": 0.5,
            "incoherent_share": 0.0,
        }
    )


def test_result_is_plain_json_and_every_metric_is_documented():
    result = evaluate(*example())
    assert json.loads(json.dumps([result.metrics, result.nodes], allow_nan=False)) == [result.metrics, result.nodes]
    assert all(type(value) is float for value in result.metrics.values())
    assert all(meaning(name) for name in result.metrics)
    assert set(METRICS) >= LOWER_IS_BETTER
    with pytest.raises(MetricError, match="'f1' is no metric; known are au_prc"):
        meaning("f1")


def test_without_any_positive_nothing_is_nan():
    probabilities, labels, hierarchy, training = example()
    result = evaluate(probabilities, np.zeros_like(labels), hierarchy, training)
    assert result.metrics["au_prc"] == result.metrics["macro_f1"] == result.metrics["micro_f1"] == 0
    assert not any(name.endswith("_seen") or name.startswith("recall_") for name in result.metrics)


def test_an_unevaluated_node_is_never_scored_but_must_be_coherent():
    probabilities, labels, hierarchy, training = example()
    before = evaluate(probabilities, labels, hierarchy, training).metrics
    changed, relabelled = probabilities.copy(), labels.copy()
    changed[:, 0], relabelled[:, 0] = 0, False
    after = evaluate(changed, relabelled, hierarchy, training).metrics
    assert after.pop("incoherent_share") == pytest.approx(6 / 9)
    assert before.pop("incoherent_share") == 0
    assert before == after


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (0, np.full((3, 4), np.nan, dtype=np.float32), "NaN, first in row 0, node 0"),
        (0, np.full((3, 4), -0.5), r"-0.5, outside \[0, 1\]; pass probabilities, not logits"),
        (0, np.full((3, 4), 1.5), r"1.5, outside \[0, 1\]"),
        (0, np.ones((4, 3)), r"shape \(4, 3\), but labels have \(3, 4\)"),
        (1, np.ones((3, 5), dtype=bool), "labels have 5 nodes, but the hierarchy has 4"),
        (1, np.ones((0, 4), dtype=bool), "at least one row"),
        (1, np.ones(4, dtype=bool), r"expected \[rows, nodes\]"),
        (3, np.array([1, 2, 3]), r"of shape \(3,\)"),
        (3, np.array([1.0, 2.0, 3.0, 4.0]), "float64"),
        (3, np.array([1, 2, 3, -4]), "0 or more"),
    ],
)
def test_refuses_what_cannot_be_scored(place, value, message):
    arguments = list(example())
    arguments[place] = value
    with pytest.raises(MetricError, match=message):
        evaluate(*arguments)


def test_refuses_a_hierarchy_without_evaluated_nodes():
    probabilities, labels, _, training = example()
    nothing = from_edges(TREE.names, [("root", "a"), ("root", "b"), ("a", "a/1")], unevaluated=TREE.names)
    with pytest.raises(MetricError, match="no evaluated node"):
        evaluate(probabilities, labels, nothing, training)
