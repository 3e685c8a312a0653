"""All metrics of one set of scores together: names, definitions, and what is refused. The rule is ``half``."""

import json
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hmc.hierarchy import Adjacency, Hierarchy, from_edges
from hmc.metrics import nodes
from hmc.metrics.cafa import cafa
from hmc.metrics.checks import MetricError
from hmc.metrics.evaluate import (
    LOWER_IS_BETTER,
    NAMESPACES,
    RULE_METRICS,
    SCORE_METRICS,
    TrainingSummary,
    meaning,
    rule_metrics,
    score_metrics,
    scored,
    training_summary,
)
from hmc.rules import decide
from hmc.scores import coherent
from tests.strategies import hierarchies

GOLDEN = sorted((Path(__file__).parents[1] / "golden").glob("objective_*.npz"))
TREE = from_edges(["root", "a", "b", "a/1"], [("root", "a"), ("root", "b"), ("a", "a/1")])


def evaluate(probabilities, labels, hierarchy, training):
    """(metrics of the scores and of label sets at 0.5, counts of nodes)."""
    checked = scored(probabilities, labels, hierarchy, training)
    decided = rule_metrics(checked, decide(checked.scores, np.full(len(hierarchy), 0.5), hierarchy).labels)
    return {**score_metrics(checked), **decided.metrics}, decided.counts


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
        training = training_summary(golden["Y_train"] != 0, hierarchy)
        assert training.counts.tolist() == golden["Y_train"].sum(axis=0, dtype=np.int64).tolist()
        metrics, counts = evaluate(probabilities, golden["Y"], hierarchy, training)
        expected = {"au_prc": "micro_ap_scores", "micro_ap_of_predictions": "micro_ap_thresholded"}
        expected |= {name: name for name in ("macro_precision", "macro_recall", "macro_f1")}
        for ours, theirs in expected.items():
            assert metrics[ours] == pytest.approx(float(golden[theirs]), abs=1e-6), ours
        for name in ("precision", "recall", "f1"):
            np.testing.assert_allclose(getattr(counts, name), golden[f"node_{name}"], atol=1e-6)
    assert metrics["incoherent_share"] == 0


def example():
    probabilities = np.array([[1, 0.9, 0.2, 0.5], [1, 0.6, 0.7, 0.6], [1, 0.1, 0.4, 0.1]], dtype=np.float32)
    labels = np.array([[1, 1, 0, 1], [1, 1, 0, 1], [1, 0, 1, 0]], dtype=bool)
    # 20 rows, 12 with a, 7 with b, 2 with a/1: log2 of 21/13, 21/8, 13/3.
    information = np.log2([1, 21 / 13, 21 / 8, 13 / 3])
    return probabilities, labels, TREE, TrainingSummary(np.array([20, 12, 7, 2]), 20, information)


def test_by_hand():
    metrics, counts = evaluate(*example())
    assert counts.true_positives.tolist() == [2, 0, 1]
    assert counts.false_positives.tolist() == [0, 1, 0]
    assert counts.false_negatives.tolist() == [0, 1, 1]
    # A probability of exactly 0.5 is no prediction. Ranked: hits .9, miss .7, hits .6 .6, .5, .4, then misses.
    precisions = (1 / 1, 3 / 4, 3 / 4, 4 / 5, 5 / 6)
    expected = {
        "au_prc": sum(precisions) / 5,
        "micro_ap_of_predictions": 3 / 4 * 3 / 5 + 2 / 5 * 5 / 9,
        "macro_precision": 2 / 3,
        "macro_recall": 0.5,
        "macro_f1": (1 + 0 + 2 / 3) / 3,
        "macro_f1_of_means": 2 * (2 / 3) * 0.5 / (2 / 3 + 0.5),
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
        "labels_added": 0.0,
        "incoherent_share": 0.0,
        # Of a: .9 .6 hit, .1 miss. Of b: .7 miss, .4 hit, .2 miss. Of a/1: .6 .5 hit, .1 miss.
        "macro_ap": (1 + 0.5 + 1) / 3,
        "macro_ap_frequency_1_3": 1.0,
        "macro_ap_frequency_4_10": 0.5,
        "macro_ap_frequency_11_100": 1.0,
        "macro_ap_depth_1": 0.75,
        "macro_ap_depth_2": 1.0,
        # Rows: hits .9 .5; b .7 before the hits .6 .6, which are one threshold; hit .4.
        "example_ap": (1 + 2 / 3 + 1) / 3,
    }
    others = {name: metrics.pop(name) for name in metrics.keys() - expected.keys()}
    assert metrics == pytest.approx(expected)
    # Those have worked examples of their own, in test_clus.py and test_cafa.py.
    assert set(others) == {"clus_pooled_area", "clus_average_area", "clus_weighted_area", "fmax", "smin", "smin_seen"}


def test_result_is_plain_json_and_every_metric_is_documented():
    metrics, counts = evaluate(*example())
    assert json.loads(json.dumps([metrics, counts.true_positives.tolist()], allow_nan=False))[0] == metrics
    assert all(type(value) is float for value in metrics.values())
    assert all(meaning(name) for name in metrics)
    assert not set(SCORE_METRICS) & set(RULE_METRICS)
    assert {*SCORE_METRICS, *RULE_METRICS} >= LOWER_IS_BETTER
    with pytest.raises(MetricError, match=r"metric must be one of au_prc, .*, got 'f1'"):
        meaning("f1")


@pytest.mark.parametrize(
    ("metric", "words"),
    [
        ("macro_ap_depth_3", "average precision of evaluated nodes in test that are 3 edges from the root"),
        ("recall_depth_12", "recall of evaluated nodes in test that are 12 edges"),
        ("smin_cellular_component", "Smin over the cellular component part"),
        ("fmax_molecular_function", "Fmax over the molecular function part"),
    ],
)
def test_metrics_that_depend_on_the_hierarchy_say_what_they_are(metric, words):
    assert words in meaning(metric)


@pytest.mark.parametrize("metric", ["recall_depth_", "macro_ap_depth_x", "fmax_everything", "au_prc_depth_1", ""])
def test_a_metric_that_does_not_exist_has_no_meaning(metric):
    with pytest.raises(MetricError, match="metric must be one of"):
        meaning(metric)


def test_without_any_positive_nothing_is_nan():
    probabilities, labels, hierarchy, training = example()
    metrics, _ = evaluate(probabilities, np.zeros_like(labels), hierarchy, training)
    assert metrics["au_prc"] == metrics["macro_f1"] == metrics["micro_f1"] == metrics["macro_f1_of_means"] == 0
    gone = ("recall_", "macro_ap", "example_ap", "clus_", "fmax", "smin")
    assert not any(name.endswith("_seen") or name.startswith(gone) for name in metrics)


def test_nodes_that_training_has_not_seen_leave_smin_over_seen_nodes_undefined():
    probabilities, labels, hierarchy, _ = example()
    unseen = training_summary(np.tile([True, False, False, False], (5, 1)), hierarchy)
    metrics, _ = evaluate(probabilities, labels, hierarchy, unseen)
    assert "smin_seen" not in metrics
    assert metrics["smin"] > 0
    assert metrics["macro_ap_frequency_0"] == metrics["macro_ap"]


def test_smin_over_seen_nodes_leaves_the_others_out():
    probabilities, labels, hierarchy, _ = example()
    training = training_summary(np.array([[1, 1, 0, 0], [1, 1, 0, 1], [1, 0, 0, 0]], dtype=bool), hierarchy)
    metrics, _ = evaluate(probabilities, labels, hierarchy, training)
    seen = [1, 3]
    assert metrics["smin_seen"] == cafa(labels[:, seen], probabilities[:, seen], training.information[seen]).smin
    assert metrics["smin"] == cafa(labels[:, 1:], probabilities[:, 1:], training.information[1:]).smin
    assert metrics["smin_seen"] < metrics["smin"]


def test_an_unevaluated_node_is_never_scored_but_must_be_coherent():
    probabilities, labels, hierarchy, training = example()
    before, _ = evaluate(probabilities, labels, hierarchy, training)
    changed, relabelled = probabilities.copy(), labels.copy()
    changed[:, 0], relabelled[:, 0] = 0, False
    after, _ = evaluate(changed, relabelled, hierarchy, training)
    assert after.pop("incoherent_share") == pytest.approx(6 / 9)
    assert before.pop("incoherent_share") == 0
    assert before == after


@given(hierarchies(max_nodes=8), st.integers(0, 2**31))
def test_macro_f1_of_means_is_never_below_macro_f1(hierarchy, seed):
    random = np.random.default_rng(seed)
    labels, chosen = (random.random((6, len(hierarchy))) < 0.4 for _ in range(2))
    averages = nodes.macro(nodes.count(labels, chosen))
    assert averages["macro_f1_of_means"] >= averages["macro_f1"] - 1e-12


@given(hierarchies(max_nodes=8), st.integers(0, 2**31))
def test_micro_metrics_of_closed_sets_are_the_hierarchical_ones(hierarchy, seed):
    """Kiritchenko 2006: precision and recall of the labels together with all their ancestors."""
    random = np.random.default_rng(seed)
    true, guessed = (random.random((5, len(hierarchy))) < 0.2 for _ in range(2))
    places = np.flatnonzero(hierarchy.evaluated)

    def ancestors(row):
        return {int(above) for node in np.flatnonzero(row) for above in hierarchy.ancestors.of(node)} & set(places.tolist())

    pairs = [(ancestors(one), ancestors(other)) for one, other in zip(true, guessed, strict=True)]
    common = sum(len(one & other) for one, other in pairs)
    found = nodes.micro(nodes.count(hierarchy.close(true)[:, places], hierarchy.close(guessed)[:, places]))
    guessed_count, true_count = (sum(len(pair[side]) for pair in pairs) for side in (1, 0))
    assert found["micro_precision"] == pytest.approx(common / guessed_count if guessed_count else 0)
    assert found["micro_recall"] == pytest.approx(common / true_count if true_count else 0)


ONTOLOGY = from_edges(
    ["root", *NAMESPACES, "f1", "f2", "c1", "p1"],
    [
        *(("root", name) for name in NAMESPACES),
        ("GO0003674", "f1"),
        ("GO0003674", "f2"),
        ("GO0005575", "c1"),
        ("GO0008150", "p1"),
        ("f1", "p1"),
    ],
    unevaluated=["root", *NAMESPACES],
)


def test_the_gene_ontology_has_fmax_and_smin_a_namespace():
    random = np.random.default_rng(0)
    scores = coherent(random.random((12, len(ONTOLOGY))), ONTOLOGY)
    labels = ONTOLOGY.close(random.random((12, len(ONTOLOGY))) < 0.3)
    training = training_summary(ONTOLOGY.close(random.random((30, len(ONTOLOGY))) < 0.2), ONTOLOGY)
    metrics = score_metrics(scored(scores, labels, ONTOLOGY, training))
    below = {"molecular_function": ["f1", "f2", "p1"], "cellular_component": ["c1"], "biological_process": ["p1"]}
    for namespace, names in below.items():
        places = [ONTOLOGY.index[name] for name in names]
        alone = cafa(labels[:, places], scores[:, places], training.information[places])
        assert (metrics[f"fmax_{namespace}"], metrics[f"smin_{namespace}"]) == (alone.fmax, alone.smin), namespace
    assert len({metrics[name] for name in ("fmax", *(f"fmax_{namespace}" for namespace in below))}) > 1
    assert all(meaning(name) for name in metrics)


def test_a_namespace_without_an_evaluated_node_or_a_label_has_no_metric():
    alone = from_edges(
        ["root", "GO0003674", "GO0005575", "f1", "c1"],
        [("root", "GO0003674"), ("root", "GO0005575"), ("GO0003674", "f1"), ("GO0005575", "c1")],
        unevaluated=["root", "GO0003674", "GO0005575", "c1"],
    )
    labels = alone.close(np.array([[0, 0, 0, 1, 0], [0, 0, 0, 0, 1]]))
    metrics = score_metrics(scored(np.full((2, 5), 0.4), labels, alone, training_summary(labels, alone)))
    assert metrics["fmax_molecular_function"] == metrics["fmax"]
    assert "fmax_cellular_component" not in metrics
    assert "smin_cellular_component" not in metrics
    assert "fmax_biological_process" not in metrics
    unlabelled = score_metrics(scored(np.full((2, 5), 0.4), labels & False, alone, training_summary(labels, alone)))
    assert "fmax_molecular_function" not in unlabelled


def test_namespaces_are_found_whether_ids_have_a_colon_or_not():
    for term in ("GO0003674", "GO:0003674"):
        found = from_edges(["root", term, "f1"], [("root", term), (term, "f1")], unevaluated=["root", term])
        labels = found.close(np.array([[0, 0, 1], [0, 0, 0]]))
        assert "fmax_molecular_function" in score_metrics(
            scored(np.full((2, 3), 0.4), labels, found, training_summary(labels, found))
        )


def test_a_tree_without_the_roots_of_the_gene_ontology_has_no_namespaces():
    assert not [name for name in evaluate(*example())[0] if name.endswith(tuple(NAMESPACES.values()))]


def seconds_of(checked):
    began = time.process_time()
    assert score_metrics(checked)["fmax_biological_process"] > 0
    return time.process_time() - began


def test_all_metrics_of_a_gene_ontology_set_take_less_than_two_seconds():
    random = np.random.default_rng(0)
    count, rows = 4125, 1155
    names = ["root", *NAMESPACES, *(f"n{node}" for node in range(4, count))]
    above = [(names[0], names[node]) for node in (1, 2, 3)]
    above += [(names[int(random.integers(1, node))], names[node]) for node in range(4, count) for _ in range(1 + (node % 4 == 0))]
    hierarchy = from_edges(names, above, unevaluated=names[:4])
    labels = hierarchy.close(random.random((rows, count)) < 0.0008)
    training = training_summary(hierarchy.close(random.random((2000, count)) < 0.001), hierarchy)
    for scores in (random.random((rows, count)) ** 16, np.round(random.random((rows, count)) ** 16, 2)):
        checked = scored(coherent(scores.astype(np.float32), hierarchy), labels, hierarchy, training)
        # The machine may be busy otherwise.
        assert any(seconds_of(checked) < 2 for _ in range(3))


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (0, np.full((3, 4), np.nan, dtype=np.float32), "NaN, first in row 0, node 0"),
        (0, np.full((3, 4), -0.5), r"-0.5, outside \[0, 1\]; pass probabilities, not logits"),
        (0, np.full((3, 4), 1.5), r"1.5, outside \[0, 1\]"),
        (0, np.ones((4, 3)), r"shape \(4, 3\), but labels have \(3, 4\)"),
        (1, np.ones((3, 5), dtype=bool), "labels must have the hierarchy's 4 nodes, got 5"),
        (1, np.ones((0, 4), dtype=bool), "at least one row"),
        (1, np.ones(4, dtype=bool), r"expected \[rows, nodes\]"),
        (3, TrainingSummary(np.array([1, 2, 3]), 3, np.ones(4)), r"training counts must have shape \(4,\), got \(3,\)"),
    ],
)
def test_refuses_what_cannot_be_scored(place, value, message):
    arguments = list(example())
    arguments[place] = value
    with pytest.raises(MetricError, match=message):
        evaluate(*arguments)


def test_training_labels_of_another_hierarchy_are_refused():
    with pytest.raises(MetricError, match="labels must have the hierarchy's 4 nodes, got 3"):
        training_summary(np.ones((2, 3), dtype=bool), TREE)


def test_the_training_summary_counts_rows_and_shares():
    labels = np.array([[1, 1, 0, 1], [1, 1, 0, 0], [1, 0, 1, 0], [1, 0, 0, 0]], dtype=bool)
    training = training_summary(labels, TREE)
    assert (training.counts.tolist(), training.rows) == ([4, 2, 1, 1], 4)
    assert training.rate.tolist() == [1, 0.5, 0.25, 0.25]
    np.testing.assert_allclose(training.information, np.log2([1, 5 / 3, 5 / 2, 3 / 2]))


def test_refuses_a_hierarchy_without_evaluated_nodes():
    probabilities, labels, _, training = example()
    nothing = from_edges(TREE.names, [("root", "a"), ("root", "b"), ("a", "a/1")], unevaluated=TREE.names)
    with pytest.raises(MetricError, match="no evaluated node"):
        evaluate(probabilities, labels, nothing, training)
