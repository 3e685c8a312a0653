"""The protein-centric metrics of CAFA (Radivojac et al. 2013, Jiang et al. 2016): Fmax and Smin.

Rows are those that have a label among the nodes looked at; others are left out, as in CAFA, and what is predicted for them does
not count. At each threshold t = 0.01, 0.02, ..., 0.99 a row's predictions are the nodes with a score of t or more. Precision is
averaged over the rows with at least one prediction, recall over all rows; Fmax is the largest harmonic mean of the two. Smin is
the least sqrt(ru^2 + mi^2): remaining uncertainty ru (information of labels that are not predicted) and misinformation mi
(information of predictions that are not labels), both means over all rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hmc.hierarchy import Hierarchy
from hmc.metrics.checks import MetricError, as_labels, as_scores

THRESHOLDS = np.arange(1, 100) / 100
"""CAFA's."""


@dataclass(frozen=True)
class Cafa:
    """fmax, smin: see the module; None where no row has a label. threshold: where Fmax is reached, the lowest of equal ones."""

    fmax: float | None
    smin: float | None
    threshold: float | None


def information_accretion(labels: np.ndarray, hierarchy: Hierarchy) -> np.ndarray:
    """The information that a node adds to its parents, in bits, float64 [nodes], 0 or more: -log2 P(node | all its parents).

    labels: bool [rows, nodes] of the training rows, closed under ancestors. P is (rows with the node + 1) / (rows with all its
    parents + 1); the two ones are ours, without which a node that training has not seen would be infinitely informative. 0 for
    the root.
    """
    columns = np.ascontiguousarray(as_labels(labels).T)
    if len(columns) != len(hierarchy):
        raise MetricError(f"labels must have the hierarchy's {len(hierarchy)} nodes, got {len(columns)}")
    counts = np.count_nonzero(columns, axis=1)
    with_parents = np.empty(len(hierarchy), dtype=np.int64)
    for node in range(len(hierarchy)):
        parents = hierarchy.parents.of(node)
        if len(parents) == 0:
            with_parents[node] = counts[node]
        else:
            with_parents[node] = counts[parents[0]] if len(parents) == 1 else np.count_nonzero(columns[parents].all(axis=0))
    return np.log2((with_parents + 1) / (counts + 1))


def cafa(labels: np.ndarray, scores: np.ndarray, information: np.ndarray) -> Cafa:
    """Fmax and Smin.

    labels: bool [rows, nodes], closed; scores: float [rows, nodes] in [0, 1]; information: float [nodes], see
    :func:`information_accretion`. Pass evaluated nodes only, of one namespace or all.

    Raises MetricError for arrays that do not fit.

    >>> labels = np.array([[True, True, False], [True, False, True]])
    >>> found = cafa(labels, np.array([[0.9, 0.4, 0.2], [0.8, 0.5, 0.3]]), np.array([0.0, 1.0, 1.0]))
    >>> round(found.fmax, 4), found.threshold, round(found.smin, 4)
    (0.9091, 0.21, 0.5)
    """
    positive = as_labels(labels)
    if information.shape != positive.shape[1:]:
        raise MetricError(f"information must have shape {positive.shape[1:]}, got {information.shape}")
    return predictions(positive, scores).cafa(information, np.ones(positive.shape[1], dtype=bool))


@dataclass(frozen=True, eq=False)
class Pairs:
    """(row, node) pairs that are predicted at the lowest threshold. places: int64, row * (thresholds + 1) + thresholds reached.
    nodes: int64.
    """

    places: np.ndarray
    nodes: np.ndarray

    def among(self, chosen: np.ndarray) -> Pairs:
        """Those of some nodes. chosen: bool [nodes]."""
        if chosen.all():
            return self
        kept = chosen[self.nodes]
        return Pairs(self.places[kept], self.nodes[kept])

    def at_thresholds(self, rows: int, information: np.ndarray | None = None) -> np.ndarray:
        """Per row and threshold how many there are, or how much information they have, float64 [rows, thresholds]."""
        weights = None if information is None else information[self.nodes]
        counted = np.bincount(self.places, weights, minlength=rows * (len(THRESHOLDS) + 1)).reshape(rows, -1)
        return counted[:, ::-1].cumsum(axis=1)[:, ::-1][:, 1:].astype(np.float64)


@dataclass(frozen=True, eq=False)
class Predictions:
    """What is predicted, kept for the metrics of several sets of nodes. labels: bool [rows, nodes]; hits, misses: the predicted
    pairs that are labels, and those that are not.
    """

    labels: np.ndarray
    hits: Pairs
    misses: Pairs

    def cafa(self, information: np.ndarray, chosen: np.ndarray) -> Cafa:
        """Fmax and Smin over some nodes. information: float [nodes]; chosen: bool [nodes]."""
        labels = self.labels[:, chosen]
        carried = np.count_nonzero(labels, axis=1)
        targets = carried > 0
        if not targets.any():
            return Cafa(None, None, None)
        right, wrong = self.hits.among(chosen), self.misses.among(chosen)
        hits = right.at_thresholds(len(labels))[targets]
        predicted = hits + wrong.at_thresholds(len(labels))[targets]
        some = predicted > 0
        precision = np.divide(hits, predicted, out=np.zeros_like(hits), where=some).sum(axis=0)
        precision /= np.maximum(1, np.count_nonzero(some, axis=0))
        recall = (hits / carried[targets, None]).mean(axis=0)
        total = precision + recall
        f1 = np.divide(2 * precision * recall, total, out=np.zeros(len(THRESHOLDS)), where=total > 0)
        misinformation = wrong.at_thresholds(len(labels), information)[targets].mean(axis=0)
        known = right.at_thresholds(len(labels), information)[targets]
        remaining = ((labels[targets] @ information[chosen])[:, None] - known).mean(axis=0)
        best = int(f1.argmax())
        smin = float(np.sqrt(np.square(remaining) + np.square(misinformation)).min())
        return Cafa(float(f1[best]), smin, float(THRESHOLDS[best]))


def predictions(labels: np.ndarray, scores: np.ndarray) -> Predictions:
    """Arguments and errors as of :func:`cafa`."""
    positive = as_labels(labels)
    values = as_scores(scores, positive.shape)
    limits = THRESHOLDS.astype(values.dtype)
    # Most scores reach no threshold, and are left out.
    rows, nodes = np.nonzero(values >= limits[0])
    places = rows * (len(THRESHOLDS) + 1) + np.searchsorted(limits, values[rows, nodes], side="right")
    right = positive[rows, nodes]
    return Predictions(positive, Pairs(places[right], nodes[right]), Pairs(places[~right], nodes[~right]))
