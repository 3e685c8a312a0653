"""Counts per node and what follows from them: precision, recall and F1, macro and micro, and exact match.

An undefined ratio (nothing predicted, nothing to find) is 0, as in the released program.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hmc.metrics.checks import MetricError, as_labels


@dataclass(frozen=True, eq=False)
class NodeCounts:
    """What happened at each node over all rows, int64 [nodes] each."""

    true_positives: np.ndarray
    false_positives: np.ndarray
    false_negatives: np.ndarray

    @property
    def positives(self) -> np.ndarray:
        """Rows that carry each node, int64 [nodes]."""
        return self.true_positives + self.false_negatives

    @property
    def precision(self) -> np.ndarray:
        """Share of the rows predicted that carry the node, float64 [nodes]; 0 where none was predicted."""
        return ratio(self.true_positives, self.true_positives + self.false_positives)

    @property
    def recall(self) -> np.ndarray:
        """Share of the rows with the node that were predicted, float64 [nodes]; 0 where no row has it."""
        return ratio(self.true_positives, self.positives)

    @property
    def f1(self) -> np.ndarray:
        """Harmonic mean of precision and recall, float64 [nodes]; 0 where the node was neither there nor predicted."""
        return ratio(2 * self.true_positives, 2 * self.true_positives + self.false_positives + self.false_negatives)


def ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """part / whole, and 0 where whole is 0, float64 of the same shape."""
    return np.divide(part, whole, out=np.zeros(np.shape(whole)), where=np.asarray(whole) != 0)


def count(labels: np.ndarray, predictions: np.ndarray) -> NodeCounts:
    """True positives, false positives and false negatives of each node.

    labels, predictions: bool [rows, nodes]. Raises MetricError for different shapes and for values other than 0 and 1.
    """
    positive, predicted = as_labels(labels), as_labels(predictions, "predictions")
    if positive.shape != predicted.shape:
        raise MetricError(f"predictions have shape {predicted.shape}, but labels have {positive.shape}; they must be the same")
    hits = np.count_nonzero(positive & predicted, axis=0)
    return NodeCounts(hits, np.count_nonzero(predicted, axis=0) - hits, np.count_nonzero(positive, axis=0) - hits)


def macro(counts: NodeCounts) -> dict[str, float]:
    """Plain means over nodes of the nodes' precision, recall and F1.

    ``macro_*`` over all nodes (released program), ``macro_*_seen`` over those with a positive in test, absent where there is
    none. ``macro_f1`` is the mean of the nodes' F1; ``macro_f1_of_means`` is the F1 of mean precision and mean recall, which
    other papers call macro F1 and which is never lower (Opitz and Burst 2019).
    """
    values = {"macro_precision": counts.precision, "macro_recall": counts.recall, "macro_f1": counts.f1}
    seen = counts.positives > 0
    averages = {name: float(value.mean()) for name, value in values.items()}
    if seen.any():
        averages |= {f"{name}_seen": float(value[seen].mean()) for name, value in values.items()}
    total = averages["macro_precision"] + averages["macro_recall"]
    product = averages["macro_precision"] * averages["macro_recall"]
    averages["macro_f1_of_means"] = 2 * product / total if total else 0.0
    return averages


def micro(counts: NodeCounts) -> dict[str, float]:
    """Precision, recall and F1 of all (row, node) pairs together."""
    total = NodeCounts(counts.true_positives.sum(), counts.false_positives.sum(), counts.false_negatives.sum())
    return {"micro_precision": float(total.precision), "micro_recall": float(total.recall), "micro_f1": float(total.f1)}


def exact_match(labels: np.ndarray, predictions: np.ndarray) -> float:
    """Share of rows in which every node is predicted right. labels, predictions: bool [rows, nodes]."""
    return float((labels == predictions).all(axis=1).mean())
