"""All metrics of one set of predictions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from hmc.hierarchy import Hierarchy
from hmc.metrics import grouped, nodes, ranking
from hmc.metrics.checks import MetricError, as_labels, as_probabilities

METRICS: Mapping[str, str] = {
    "au_prc": "AU(PRC): micro-averaged average precision of the probabilities over evaluated nodes",
    "micro_ap_of_predictions": "micro-averaged average precision of the 0/1 predictions over evaluated nodes",
    "macro_precision": "mean over all evaluated nodes of the node's precision at 0.5, 0 where nothing was predicted",
    "macro_recall": "mean over all evaluated nodes of the node's recall at 0.5, 0 where no test row has the node",
    "macro_f1": "mean over all evaluated nodes of the node's F1 at 0.5, 0 where it is undefined",
    "macro_precision_seen": "mean precision over evaluated nodes with a positive in test",
    "macro_recall_seen": "mean recall over evaluated nodes with a positive in test",
    "macro_f1_seen": "mean F1 over evaluated nodes with a positive in test",
    "micro_precision": "precision of all (row, evaluated node) pairs together at 0.5",
    "micro_recall": "recall of all (row, evaluated node) pairs together at 0.5",
    "micro_f1": "F1 of all (row, evaluated node) pairs together at 0.5",
    "exact_match": "share of test rows with every evaluated node right at 0.5",
    "recall_frequency_0": "mean recall of evaluated nodes in test that no training row has",
    "recall_frequency_1_3": "mean recall of evaluated nodes in test that 1 to 3 training rows have",
    "recall_frequency_4_10": "mean recall of evaluated nodes in test that 4 to 10 training rows have",
    "recall_frequency_11_100": "mean recall of evaluated nodes in test that 11 to 100 training rows have",
    "recall_frequency_over_100": "mean recall of evaluated nodes in test that more than 100 training rows have",
    "incoherent_share": "share of (row, edge) pairs in which the child's probability is above the parent's; must be 0",
}
"""What each metric means. All are fractions. ``recall_depth_<n>`` come on top: see :func:`meaning`."""

LOWER_IS_BETTER = frozenset({"incoherent_share"})


def meaning(metric: str) -> str:
    """One line on what a metric is. Raises MetricError for an unknown name."""
    if metric in METRICS:
        return METRICS[metric]
    depth = re.fullmatch(r"recall_depth_(\d+)", metric)
    if depth:
        return f"mean recall of evaluated nodes in test that are {depth[1]} edges from the root"
    raise MetricError(f"{metric!r} is no metric; known are {', '.join(METRICS)} and recall_depth_<n>")


@dataclass(frozen=True)
class Evaluation:
    """metrics: fractions by name, as in ``METRICS``; one that is undefined for these data is absent, never NaN.

    nodes: true_positives, false_positives, false_negatives and training_count, one entry per evaluated node in node order.
    """

    metrics: dict[str, float]
    nodes: dict[str, list[int]]


def evaluate(probabilities: np.ndarray, labels: np.ndarray, hierarchy: Hierarchy, training_counts: np.ndarray) -> Evaluation:
    """Score constrained probabilities against closed labels.

    probabilities: float [rows, nodes] in [0, 1]; labels: bool [rows, nodes]; training_counts: int [nodes], positives in the
    training rows, without those that resampling added. All over every node of the hierarchy; only evaluated ones are scored.

    Raises MetricError for shapes that do not fit the hierarchy or each other, NaN, a value outside [0, 1], no row, or no
    evaluated node.
    """
    positive = as_labels(labels)
    if positive.shape[1] != len(hierarchy):
        raise MetricError(f"labels have {positive.shape[1]} nodes, but the hierarchy has {len(hierarchy)}")
    values = as_probabilities(probabilities, positive.shape)
    training = np.asarray(training_counts)
    if training.shape != (len(hierarchy),) or not np.issubdtype(training.dtype, np.integer) or (training < 0).any():
        raise MetricError(
            f"training counts are {training.dtype} of shape {training.shape}; expected whole numbers, 0 or more, "
            f"of shape ({len(hierarchy)},)"
        )
    scored = np.flatnonzero(hierarchy.evaluated)
    if scored.size == 0:
        raise MetricError("the hierarchy has no evaluated node; take a name out of dataset.unevaluated")
    positive, training, scores = positive[:, scored], training[scored], values[:, scored]
    predicted = scores > nodes.THRESHOLD
    counts = nodes.count(positive, predicted)
    metrics = {
        "au_prc": ranking.micro_average_precision(positive, scores),
        "micro_ap_of_predictions": ranking.micro_average_precision_of_predictions(positive, predicted),
        **nodes.macro(counts),
        **nodes.micro(counts),
        "exact_match": nodes.exact_match(positive, predicted),
        **grouped.recall_by_frequency(counts.true_positives, counts.false_negatives, training),
        **grouped.recall_by_depth(counts.true_positives, counts.false_negatives, hierarchy.depth[scored]),
        "incoherent_share": grouped.incoherent_share(values, hierarchy),
    }
    return Evaluation(
        metrics,
        {
            "true_positives": counts.true_positives.tolist(),
            "false_positives": counts.false_positives.tolist(),
            "false_negatives": counts.false_negatives.tolist(),
            "training_count": training.tolist(),
        },
    )
