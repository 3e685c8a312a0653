"""Average precision: how well scores rank, without a threshold.

Three averages of it, each under a name of its own: over all (row, node) pairs together (micro, C-HMCNN's AU(PRC)), over nodes
(macro, where rare nodes count as much as common ones), and over rows (per example, the "MAP" of papers on box embeddings). All
are step functions and agree with ``sklearn.metrics.average_precision_score``; CLUS's interpolated areas are in
:mod:`hmc.metrics.clus`.
"""

from __future__ import annotations

import numpy as np

from hmc.metrics.checks import MetricError, as_labels, as_scores
from hmc.metrics.curves import Curves, curves


def micro_average_precision(labels: np.ndarray, scores: np.ndarray) -> float:
    """Average precision over all (row, node) pairs, ranked by score: AU(PRC) in C-HMCNN.

    labels: bool [rows, nodes]; scores: float [rows, nodes], compared in their own precision. Equal scores are one threshold. 0.0
    where there is no positive at all, as in scikit-learn. In [0, 1], higher is better.

    Recall only changes at thresholds that a positive pair has, so only these are visited: the positives are grouped by score, and
    all scores are sorted by value, which is several times faster than ordering pairs.

    Raises MetricError for arrays of different shapes and for NaN.

    >>> micro_average_precision(np.array([[1, 0], [0, 1]]), np.array([[0.9, 0.8], [0.1, 0.7]]))
    0.8333333333333333
    """
    positive = as_labels(labels)
    values = as_scores(scores, positive.shape)
    thresholds, at_threshold = np.unique(values[positive], return_counts=True)
    if thresholds.size == 0:
        return 0.0
    predicted = values.size - np.searchsorted(np.sort(values, axis=None), thresholds, side="left")
    true_positives = np.cumsum(at_threshold[::-1])[::-1]
    return float(np.sum(at_threshold * (true_positives / predicted)) / true_positives[0])


def micro_average_precision_of_predictions(labels: np.ndarray, predictions: np.ndarray) -> float:
    """Average precision over all (row, node) pairs when 0/1 predictions are taken for scores.

    labels, predictions: bool [rows, nodes]. With two scores there are two thresholds, so this is precision * recall of the
    predictions plus the rest of the recall at the share of positives. 0.0 where there is no positive. In [0, 1], higher is
    better.

    Raises MetricError for arrays of different shapes and for values other than 0 and 1.
    """
    positive, predicted = as_labels(labels), as_labels(predictions, "predictions")
    if positive.shape != predicted.shape:
        raise MetricError(f"predictions must have the labels' shape {positive.shape}, got {predicted.shape}")
    positives, claimed = int(np.count_nonzero(positive)), int(np.count_nonzero(predicted))
    if positives == 0:
        return 0.0
    hits = int(np.count_nonzero(positive & predicted))
    recall = hits / positives
    precision = hits / claimed if claimed else 0.0
    return precision * recall + (1 - recall) * positives / positive.size


def node_average_precision(labels: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Each node's average precision over the rows, float64 [nodes]; NaN where no row has the node.

    labels: bool [rows, nodes]; scores: float [rows, nodes]. Equal scores are one threshold.

    Raises MetricError for arrays of different shapes and for NaN.

    >>> labels = np.array([[1, 0], [0, 0], [1, 0]])
    >>> node_average_precision(labels, np.array([[0.9, 0.2], [0.8, 0.1], [0.7, 0.3]])).round(4).tolist()
    [0.8333, nan]
    """
    positive = as_labels(labels)
    values = as_scores(scores, positive.shape)
    return _average_precision(positive.T, values.T)


def example_average_precision(labels: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Each row's average precision over the nodes, float64 [rows]; NaN where the row has no label.

    labels: bool [rows, nodes]; scores: float [rows, nodes]. Raises MetricError for arrays of different shapes and for NaN.
    """
    positive = as_labels(labels)
    return _average_precision(positive, as_scores(scores, positive.shape))


def mean_defined(values: np.ndarray) -> float | None:
    """The mean of what is not NaN; None where all is."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else None


def _average_precision(labels: np.ndarray, scores: np.ndarray) -> np.ndarray:
    return average_precision_of(curves(labels, np.ascontiguousarray(scores)))


def average_precision_of(found: Curves) -> np.ndarray:
    """Each list's average precision, float64 [lists]; NaN without positives."""
    return found.sums((found.at - found.before) * (found.at / found.reached))
