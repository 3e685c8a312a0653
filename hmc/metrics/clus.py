"""The areas under precision-recall curves that CLUS reports (Vens et al., Machine Learning 73, 2008), with its interpolation.

Between two points of a curve, false positives are linear in true positives (Davis and Goadrich, ICML 2006); there is one point a
distinct score, and the curve starts where nothing is predicted. C-HMCNN's AU(PRC) is another number: micro average precision, a
step function (:func:`hmc.metrics.ranking.micro_average_precision`). The published columns of CLUS-HMC and CLUS-Ens are of this
module's kind, those of C-HMCNN and later are of the other.

Nodes without a positive among the rows scored are left out of all three areas, of the pooled one too.
"""

from __future__ import annotations

import numpy as np

from hmc.metrics.checks import as_labels, as_scores
from hmc.metrics.curves import Curves, curves


def areas(labels: np.ndarray, scores: np.ndarray) -> dict[str, float]:
    """All three areas: ``clus_pooled_area`` (CLUS's AU(PRC)), ``clus_average_area`` (mean over nodes) and ``clus_weighted_area``
    (the same, weighted by the nodes' frequency among the rows scored). Empty where there is no positive.

    labels: bool [rows, nodes]; scores: float [rows, nodes]. In [0, 1], higher is better. Raises MetricError for arrays that do
    not fit.

    >>> labels = np.array([[True, False], [True, True], [False, False]])
    >>> found = areas(labels, np.array([[0.9, 0.8], [0.5, 0.5], [0.1, 0.2]]))
    >>> {name: round(value, 4) for name, value in found.items()}
    {'clus_pooled_area': 0.769, 'clus_average_area': 0.6534, 'clus_weighted_area': 0.769}
    """
    positive = as_labels(labels)
    values = as_scores(scores, positive.shape)
    of_nodes = curves(np.ascontiguousarray(positive.T), np.ascontiguousarray(values.T))
    return areas_of(of_nodes, positive, values)


def areas_of(of_nodes: Curves, labels: np.ndarray, scores: np.ndarray) -> dict[str, float]:
    """:func:`areas` from the nodes' curves, where these are known already."""
    known = np.flatnonzero(of_nodes.positives)
    if not known.size:
        return {}
    pooled = curves(labels[:, known].reshape(1, -1), scores[:, known].reshape(1, -1))
    single = area(of_nodes)[known]
    return {
        "clus_pooled_area": float(area(pooled)[0]),
        "clus_average_area": float(single.mean()),
        "clus_weighted_area": float(np.average(single, weights=of_nodes.positives[known])),
    }


def area(found: Curves) -> np.ndarray:
    """The interpolated area under each curve, float64 [lists]; NaN without positives.

    On a stretch from (TP, FP) = (a, c) to (b, d), FP(t) = c + s (t - a) with s = (d - c) / (b - a), and precision is
    t / (t + FP(t)) = t / (A t + B) with A = 1 + s, B = c - s a. Its integral is (b - a) / A - B / A^2 log((A b + B) / (A a + B)).
    """
    a, b = found.before.astype(np.float64), found.at.astype(np.float64)
    c, d = found.above - a, found.reached - b
    slope = (d - c) / (b - a)
    rise, offset = 1 + slope, c - slope * a
    # Where the curve leaves its origin, a and c are 0 and precision is constant.
    inside = found.above > 0
    ratio = np.divide(rise * b + offset, rise * a + offset, out=np.ones(len(b)), where=inside)
    return found.sums((b - a) / rise - offset / rise**2 * np.log(ratio))
