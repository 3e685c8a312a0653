"""The nine rules as METHOD defines them, in loops over rows and nodes, to hold the fast ones against."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from hmc.hierarchy import Hierarchy

SCALES = (0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0)
SUPPORTS = (1, 3, 5, 10, 20, float("inf"))


def closed(predicted: np.ndarray, hierarchy: Hierarchy) -> np.ndarray:
    """bool [rows, nodes] with all ancestors, by following each node's ancestors."""
    whole = predicted.copy()
    for row, node in itertools.product(range(len(predicted)), range(len(hierarchy))):
        if predicted[row, node]:
            whole[row, hierarchy.ancestors.of(node)] = True
    return whole


def node_f1(labels: np.ndarray, predicted: np.ndarray) -> float:
    true, guessed, both = int(labels.sum()), int(predicted.sum()), int((labels & predicted).sum())
    return 2 * both / (true + guessed) if true + guessed else 0.0


def macro_f1(labels: np.ndarray, predicted: np.ndarray, hierarchy: Hierarchy) -> float:
    places = np.flatnonzero(hierarchy.evaluated)
    return float(np.mean([node_f1(labels[:, node], predicted[:, node]) for node in places]))


def midway(scores: np.ndarray, count: int) -> float:
    """The threshold above which ``count`` of a node's scores lie."""
    ordered = sorted((float(score) for score in scores), reverse=True)
    if count <= 0:
        return float("inf")
    if count >= len(ordered):
        return float("-inf")
    return (ordered[count - 1] + ordered[count]) / 2


def at_rate(scores: np.ndarray, rates: np.ndarray, scale: float) -> np.ndarray:
    rows = len(scores)
    shares = [min(scale * rate, 0.999) for rate in rates]
    return np.array([midway(scores[:, node], int(np.floor(share * rows + 0.5))) for node, share in enumerate(shares)])


def scaled_rate(scores: np.ndarray, labels: np.ndarray, rates: np.ndarray, hierarchy: Hierarchy) -> np.ndarray:
    best, chosen = -1.0, np.array([])
    for scale in SCALES:
        thresholds = at_rate(scores, rates, scale)
        value = macro_f1(labels, closed(scores > thresholds, hierarchy), hierarchy)
        # Of equally good ones the lowest scale.
        if value > best:
            best, chosen = value, thresholds
    return chosen


def global_threshold(scores: np.ndarray, labels: np.ndarray, hierarchy: Hierarchy) -> float:
    quantiles = 1 - np.geomspace(0.001, 0.3, 20)
    candidates = [*np.linspace(0.01, 0.6, 60), *np.quantile(scores[:, hierarchy.evaluated], quantiles)]
    best, chosen = -1.0, 0.0
    # Of equally good ones the highest threshold.
    for threshold in sorted(candidates, reverse=True):
        value = macro_f1(labels, closed(scores > threshold, hierarchy), hierarchy)
        if value > best:
            best, chosen = value, float(threshold)
    return chosen


def best_of_node(scores: np.ndarray, labels: np.ndarray) -> float:
    """The threshold with the best F1 of one node, all midways tried; the highest of equally good ones."""
    best, chosen = -1.0, float("inf")
    for count in range(1, len(scores) + 1):
        threshold = midway(scores, count)
        value = node_f1(labels, scores > threshold)
        if value > best:
            best, chosen = value, threshold
    return chosen


def node(scores: np.ndarray, labels: np.ndarray, rates: np.ndarray, hierarchy: Hierarchy, support: float = 1) -> np.ndarray:
    """A node's own threshold where it has so many positives, the shared scale's elsewhere."""
    shared = scaled_rate(scores, labels, rates, hierarchy)
    own = [best_of_node(scores[:, place], labels[:, place]) for place in range(len(hierarchy))]
    return np.where(labels.sum(axis=0) >= support, own, shared)


def node_supported(
    scores: np.ndarray, labels: np.ndarray, rates: np.ndarray, hierarchy: Hierarchy, folds: Sequence[np.ndarray]
) -> np.ndarray:
    best, chosen = -1.0, 0.0
    # Of equally good ones the largest support.
    for support in sorted(SUPPORTS, reverse=True):
        predicted = np.zeros(scores.shape, dtype=bool)
        for fitted, tested in (folds, folds[::-1]):
            thresholds = node(scores[fitted], labels[fitted], rates, hierarchy, support)
            predicted[tested] = closed(scores[tested] > thresholds, hierarchy)
        value = macro_f1(labels, predicted, hierarchy)
        if value > best:
            best, chosen = value, support
    return node(scores, labels, rates, hierarchy, chosen)


def expected_f1(scores: np.ndarray) -> list[float]:
    """Each node's best expected F1 over all sets of its highest scores, were scores probabilities; and the sets' sizes."""
    values = []
    for column in scores.T:
        ordered = np.sort(column.astype(np.float64))[::-1]
        total = ordered.sum()
        values.append(max(2 * ordered[:count].sum() / (count + total) for count in range(1, len(ordered) + 1)))
    return values
