"""The protein-centric metrics of CAFA (Radivojac et al. 2013, Jiang et al. 2016): Fmax and Smin.

At each threshold t = 0.01, 0.02, ..., 0.99 a row's predictions are the nodes with a score of t or more. Precision is averaged
over the rows with at least one prediction, recall over all rows with a label; Fmax is the largest harmonic mean of the two. Smin
is the least sqrt(ru^2 + mi^2): remaining uncertainty ru (information of labels that are not predicted) and misinformation mi
(information of predictions that are not labels), both means over the rows with a label.
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
    :func:`information_accretion`. Pass evaluated nodes only. Rows without a label count for precision alone, as in CAFA.

    Raises MetricError for arrays that do not fit.

    >>> labels = np.array([[True, True, False], [True, False, True]])
    >>> found = cafa(labels, np.array([[0.9, 0.4, 0.2], [0.8, 0.5, 0.3]]), np.array([0.0, 1.0, 1.0]))
    >>> round(found.fmax, 4), found.threshold, round(found.smin, 4)
    (0.9091, 0.21, 0.5)
    """
    positive = as_labels(labels)
    values = as_scores(scores, positive.shape)
    if information.shape != positive.shape[1:]:
        raise MetricError(f"information must have shape {positive.shape[1:]}, got {information.shape}")
    carried = np.count_nonzero(positive, axis=1)
    labelled = carried > 0
    if not labelled.any():
        return Cafa(None, None, None)
    # How many thresholds a score reaches; most reach none, and are left out.
    limits = THRESHOLDS.astype(values.dtype)
    rows, nodes = np.nonzero(values >= limits[0])
    reached = np.searchsorted(limits, values[rows, nodes], side="right")
    places = rows * (len(limits) + 1) + reached
    right = positive[rows, nodes]

    def at_thresholds(chosen: np.ndarray | slice, weights: np.ndarray | None = None) -> np.ndarray:
        """Per row and threshold the number (or weight) of these predictions, float64 [rows, thresholds]."""
        counted = np.bincount(places[chosen], weights, minlength=len(values) * (len(limits) + 1))
        by_row = counted.reshape(len(values), -1)
        return by_row[:, ::-1].cumsum(axis=1)[:, ::-1][:, 1:].astype(np.float64)

    predicted, hits = at_thresholds(slice(None)), at_thresholds(right)
    some = predicted > 0
    precision = np.divide(hits, predicted, out=np.zeros_like(hits), where=some).sum(axis=0)
    precision = np.divide(precision, some.sum(axis=0), out=np.zeros(len(limits)), where=some.any(axis=0))
    recall = (hits[labelled] / carried[labelled, None]).mean(axis=0)
    total = precision + recall
    f1 = np.divide(2 * precision * recall, total, out=np.zeros(len(limits)), where=total > 0)
    wrong = at_thresholds(~right, information[nodes[~right]])[labelled].mean(axis=0)
    known = at_thresholds(right, information[nodes[right]])[labelled]
    remaining = ((positive[labelled] @ information)[:, None] - known).mean(axis=0)
    best = int(f1.argmax())
    return Cafa(float(f1[best]), float(np.sqrt(np.square(remaining) + np.square(wrong)).min()), float(THRESHOLDS[best]))
