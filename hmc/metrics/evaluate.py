"""All metrics of one set of scores: those of the scores themselves, and those of label sets under a decision rule."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from hmc.hierarchy import Hierarchy
from hmc.metrics import cafa, clus, grouped, nodes, ranking
from hmc.metrics.checks import MetricError, as_labels, as_probabilities
from hmc.metrics.curves import curves

BANDS = {"0": "no", "1_3": "1 to 3", "4_10": "4 to 10", "11_100": "11 to 100", "over_100": "over 100"}

SCORE_METRICS: Mapping[str, str] = {
    "au_prc": "AU(PRC) of C-HMCNN: micro-averaged average precision of the probabilities over evaluated nodes, a step function",
    "macro_ap": "macro average precision: mean over nodes with a positive in test of the node's average precision",
    **{
        f"macro_ap_frequency_{band}": f"macro average precision of the nodes that {words} training rows have"
        for band, words in BANDS.items()
    },
    "example_ap": "mean over test rows of the row's average precision over evaluated nodes",
    "clus_pooled_area": "CLUS's AU(PRC): area under the pooled precision-recall curve, interpolated",
    "clus_average_area": "CLUS's average of the nodes' areas, interpolated",
    "clus_weighted_area": "the same, weighted by the nodes' frequency in test",
    "fmax": "CAFA's protein-centric Fmax over all evaluated nodes",
    "smin": "CAFA's Smin over all evaluated nodes, in bits; lower is better",
    "smin_seen": "the same over the nodes that a training row has",
    "incoherent_share": "share of (row, edge) pairs in which the child's probability is above the parent's; must be 0",
}
"""What each metric of scores means: source and formula are in the modules of :mod:`hmc.metrics`.

``macro_ap_depth_<n>`` come on top, and for the Gene Ontology ``fmax_<namespace>`` and ``smin_<namespace>``; see :func:`meaning`.
"""

RULE_METRICS: Mapping[str, str] = {
    "macro_precision": "mean over all evaluated nodes of the node's precision, 0 where nothing was predicted",
    "macro_recall": "mean over all evaluated nodes of the node's recall, 0 where no test row has the node",
    "macro_f1": "mean over all evaluated nodes of the node's F1, 0 where it is undefined",
    "macro_f1_of_means": "F1 of macro precision and macro recall, which other papers call macro F1",
    "macro_precision_seen": "mean precision over evaluated nodes with a positive in test",
    "macro_recall_seen": "mean recall over evaluated nodes with a positive in test",
    "macro_f1_seen": "mean F1 over evaluated nodes with a positive in test",
    "micro_precision": "precision of all (row, evaluated node) pairs; of closed sets the hierarchical one (Kiritchenko 2006)",
    "micro_recall": "recall of all (row, evaluated node) pairs; of closed sets, the hierarchical recall",
    "micro_f1": "F1 of all (row, evaluated node) pairs; of closed sets, the hierarchical F1",
    "micro_ap_of_predictions": "micro-averaged average precision of the 0/1 predictions over evaluated nodes",
    "exact_match": "share of test rows with every evaluated node right",
    **{
        f"recall_frequency_{band}": f"mean recall of evaluated nodes in test that {words} training rows have"
        for band, words in BANDS.items()
    },
    "labels_added": "share of the predicted labels that closing under ancestors added",
}
"""What each metric of label sets means; ``recall_depth_<n>`` come on top. Fractions, as are those of scores but for Smin."""

LOWER_IS_BETTER = frozenset({"incoherent_share", "smin", "smin_seen", "labels_added"})

NAMESPACES = {"GO0003674": "molecular_function", "GO0005575": "cellular_component", "GO0008150": "biological_process"}
"""The three roots of the Gene Ontology by id, as the benchmark writes it; a colon may stand after GO."""


def meaning(metric: str) -> str:
    """One line on what a metric is. Raises MetricError for an unknown name."""
    known = {**SCORE_METRICS, **RULE_METRICS}
    if metric in known:
        return known[metric]
    if depth := re.fullmatch(r"(recall|macro_ap)_depth_(\d+)", metric):
        what = "recall" if depth[1] == "recall" else "average precision"
        return f"mean {what} of evaluated nodes in test that are {depth[2]} edges from the root"
    if namespace := re.fullmatch(rf"(fmax|smin)_({'|'.join(NAMESPACES.values())})", metric):
        return f"{namespace[1].capitalize()} over the {namespace[2].replace('_', ' ')} part of the Gene Ontology"
    raise MetricError(f"metric must be one of {', '.join(known)}, recall_depth_<n>, macro_ap_depth_<n>, got {metric!r}")


@dataclass(frozen=True, eq=False)
class TrainingSummary:
    """What metrics and rules may know of the training rows (without those that resampling added).

    counts: int64 [nodes], rows with the node. rows: how many there are. information: float64 [nodes], the information accretion.
    """

    counts: np.ndarray
    rows: int
    information: np.ndarray

    @property
    def rate(self) -> np.ndarray:
        """The share of training rows that have each node, float64 [nodes]."""
        return self.counts / max(1, self.rows)


def training_summary(labels: np.ndarray, hierarchy: Hierarchy) -> TrainingSummary:
    """labels: bool [rows, nodes] of the rows that were trained on, closed under ancestors."""
    return TrainingSummary(np.count_nonzero(labels, axis=0), len(labels), cafa.information_accretion(labels, hierarchy))


@dataclass(frozen=True, eq=False)
class Scored:
    """Scores and labels of test rows, checked, and reduced to evaluated nodes.

    scores: float [rows, nodes] and labels: bool [rows, nodes], all nodes. evaluated: int64, the places of the evaluated nodes.
    """

    scores: np.ndarray
    labels: np.ndarray
    hierarchy: Hierarchy
    training: TrainingSummary
    evaluated: np.ndarray


def scored(scores: np.ndarray, labels: np.ndarray, hierarchy: Hierarchy, training: TrainingSummary) -> Scored:
    """Scores that can be evaluated.

    scores: float [rows, nodes] in [0, 1], coherent; labels: bool [rows, nodes], closed under ancestors; all nodes of the
    hierarchy.

    Raises MetricError for shapes that do not fit the hierarchy or each other, NaN, a value outside [0, 1], no row, or no
    evaluated node.
    """
    positive = as_labels(labels)
    if positive.shape[1] != len(hierarchy):
        raise MetricError(f"labels must have the hierarchy's {len(hierarchy)} nodes, got {positive.shape[1]}")
    values = as_probabilities(scores, positive.shape)
    if training.counts.shape != (len(hierarchy),):
        raise MetricError(f"training counts must have shape ({len(hierarchy)},), got {training.counts.shape}")
    evaluated = np.flatnonzero(hierarchy.evaluated)
    if evaluated.size == 0:
        raise MetricError("the hierarchy has no evaluated node; take a name out of dataset.unevaluated")
    return Scored(values, positive, hierarchy, training, evaluated)


def score_metrics(test: Scored) -> dict[str, float]:
    """The metrics of the scores themselves, see SCORE_METRICS; one that is undefined for these data is absent, never NaN."""
    places, hierarchy, training = test.evaluated, test.hierarchy, test.training
    labels, scores = test.labels[:, places], test.scores[:, places]
    of_nodes = curves(np.ascontiguousarray(labels.T), np.ascontiguousarray(scores.T))
    precision = ranking.average_precision_of(of_nodes)
    metrics: dict[str, float | None] = {
        "au_prc": ranking.micro_average_precision(labels, scores),
        "macro_ap": ranking.mean_defined(precision),
        **grouped.by_frequency("macro_ap", precision, training.counts[places]),
        **grouped.by_depth("macro_ap", precision, hierarchy.depth[places]),
        "example_ap": ranking.mean_defined(ranking.example_average_precision(labels, scores)),
        **clus.areas_of(of_nodes, labels, scores),
    }
    predictions = cafa.predictions(labels, scores)

    def of_cafa(suffix: str, nodes: np.ndarray) -> dict[str, float | None]:
        """Fmax and Smin over these nodes."""
        found = predictions.cafa(training.information[places], np.isin(places, nodes))
        return {f"fmax{suffix}": found.fmax, f"smin{suffix}": found.smin}

    metrics |= of_cafa("", places)
    metrics["smin_seen"] = of_cafa("", places[training.counts[places] > 0])["smin"]
    for term, namespace in NAMESPACES.items():
        root = next((name for name in (term, term.replace("GO", "GO:")) if name in hierarchy.index), None)
        if root is not None:
            below = hierarchy.descendants.of(hierarchy.index[root])
            metrics |= of_cafa(f"_{namespace}", below)
    metrics["incoherent_share"] = grouped.incoherent_share(test.scores, hierarchy)
    return {name: value for name, value in metrics.items() if value is not None}


def validation_metrics(held_out: Scored) -> dict[str, float]:
    """What to choose settings by: au_prc, macro_ap, and macro_f1 at 0.5, of held-out rows."""
    places = held_out.evaluated
    labels, scores = held_out.labels[:, places], held_out.scores[:, places]
    metrics = {
        "au_prc": ranking.micro_average_precision(labels, scores),
        "macro_ap": ranking.mean_defined(ranking.node_average_precision(labels, scores)),
        "macro_f1": nodes.macro(nodes.count(labels, scores > 0.5))["macro_f1"],
    }
    return {name: value for name, value in metrics.items() if value is not None}


@dataclass(frozen=True, eq=False)
class Decided:
    """metrics: of label sets, see RULE_METRICS. counts: of each evaluated node, in node order."""

    metrics: dict[str, float]
    counts: nodes.NodeCounts


def rule_metrics(test: Scored, predicted: np.ndarray, added: float = 0.0) -> Decided:
    """The metrics of label sets.

    predicted: bool [rows, nodes], closed under ancestors. added: the share of predicted labels that closing added.
    """
    places = test.evaluated
    labels, chosen = test.labels[:, places], predicted[:, places]
    counts = nodes.count(labels, chosen)
    recall = grouped.recall_where_seen(counts.true_positives, counts.false_negatives)
    metrics = {
        "micro_ap_of_predictions": ranking.micro_average_precision_of_predictions(labels, chosen),
        **nodes.macro(counts),
        **nodes.micro(counts),
        "exact_match": nodes.exact_match(labels, chosen),
        **grouped.by_frequency("recall", recall, test.training.counts[places]),
        **grouped.by_depth("recall", recall, test.hierarchy.depth[places]),
        "labels_added": added,
    }
    return Decided(metrics, counts)
