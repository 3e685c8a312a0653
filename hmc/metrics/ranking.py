"""Micro-averaged average precision: one ranking of all (row, node) pairs together.

Two metrics that the literature has both called "average precision": of the probabilities (AU(PRC) of C-HMCNN) and of the
0/1 predictions. Both equal ``sklearn.metrics.average_precision_score(average="micro")``.
"""

from __future__ import annotations

import numpy as np

from hmc.metrics.checks import MetricError, as_labels, as_scores


def micro_average_precision(labels: np.ndarray, scores: np.ndarray) -> float:
    """Average precision over all (row, node) pairs, ranked by score: AU(PRC) in C-HMCNN.

    labels: bool [rows, nodes]; scores: float [rows, nodes], compared in their own precision. Equal scores are one
    threshold. 0.0 where there is no positive at all, as in scikit-learn. In [0, 1], higher is better.

    Recall only changes at thresholds that a positive pair has, so only these are visited: the positives are grouped by
    score, and all scores are sorted by value, which is several times faster than ordering pairs.

    Raises MetricError for arrays of different shapes and for NaN.
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
        raise MetricError(f"predictions have shape {predicted.shape}, but labels have {positive.shape}; they must be the same")
    positives, claimed = int(np.count_nonzero(positive)), int(np.count_nonzero(predicted))
    if positives == 0:
        return 0.0
    hits = int(np.count_nonzero(positive & predicted))
    recall = hits / positives
    precision = hits / claimed if claimed else 0.0
    return precision * recall + (1 - recall) * positives / positive.size
