"""Means over groups of nodes: by frequency in training and by depth; and whether scores respect the hierarchy."""

from __future__ import annotations

import numpy as np

from hmc.hierarchy import Hierarchy
from hmc.metrics.nodes import ratio

FREQUENCY_BANDS: tuple[tuple[str, int, int | None], ...] = (
    ("0", 0, 0),
    ("1_3", 1, 3),
    ("4_10", 4, 10),
    ("11_100", 11, 100),
    ("over_100", 101, None),
)
"""Name, least and most training positives of each band (ours); None: no limit."""


def by_frequency(name: str, values: np.ndarray, training_counts: np.ndarray) -> dict[str, float]:
    """The mean of a node's value in each band of training frequency, under ``<name>_frequency_<band>``.

    values: float [nodes], NaN for nodes that do not count. training_counts: int [nodes], positives in the training rows. A band
    without a node that counts is absent.

    >>> by_frequency("recall", np.array([0.5, 1.0, np.nan]), np.array([2, 3, 50]))
    {'recall_frequency_1_3': 0.75}
    """
    counts = np.asarray(training_counts)
    averages = {}
    for band, least, most in FREQUENCY_BANDS:
        inside = (counts >= least) & ~np.isnan(values)
        if most is not None:
            inside &= counts <= most
        if inside.any():
            averages[f"{name}_frequency_{band}"] = float(values[inside].mean())
    return averages


def by_depth(name: str, values: np.ndarray, depth: np.ndarray) -> dict[str, float]:
    """The mean of a node's value at each depth, under ``<name>_depth_<depth>``, shallowest first.

    values: float [nodes], NaN for nodes that do not count. depth: int [nodes], the shortest distance from the root in edges. A
    depth without a node that counts is absent.
    """
    known = ~np.isnan(values)
    return {f"{name}_depth_{level}": float(values[known & (depth == level)].mean()) for level in np.unique(depth[known])}


def recall_where_seen(true_positives: np.ndarray, false_negatives: np.ndarray) -> np.ndarray:
    """Each node's recall, float64 [nodes]; NaN where no row scored has the node. Both: int [nodes]."""
    found, positives = np.asarray(true_positives), np.asarray(true_positives) + np.asarray(false_negatives)
    return np.where(positives > 0, ratio(found, positives), np.nan)


def incoherent_share(probabilities: np.ndarray, hierarchy: Hierarchy) -> float:
    """Share of (row, edge) pairs in which the child's probability is above its parent's; 0 for constrained predictions.

    probabilities: float [rows, nodes], roots included. Lower is better; 0 for a hierarchy without edges.
    """
    if not hierarchy.edges:
        return 0.0
    columns = np.ascontiguousarray(probabilities.T)
    children, parents = hierarchy.parents.owners, hierarchy.parents.indices
    # In pieces, so that ten thousand edges do not need a copy of every probability for each.
    pieces = range(0, hierarchy.edges, 512)
    above = sum(
        int(np.count_nonzero(columns[children[start : start + 512]] > columns[parents[start : start + 512]])) for start in pieces
    )
    return above / (hierarchy.edges * len(probabilities))
