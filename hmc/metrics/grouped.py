"""Recall where it is hard (rare nodes, deep nodes), and whether predictions respect the hierarchy."""

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
"""Name, least and most training positives of each band (ours); None is no limit."""


def recall_by_frequency(true_positives: np.ndarray, false_negatives: np.ndarray, training_counts: np.ndarray) -> dict[str, float]:
    """Mean node recall in each band of training frequency, under ``recall_frequency_<band>``.

    All three: int [nodes], from a record's node lists or from counts; training_counts are positives in the training rows.
    Only nodes with a positive in test count; a band without such a node is absent.
    """
    found, missed, seen_in_training = (np.asarray(values) for values in (true_positives, false_negatives, training_counts))
    recalls, positives = ratio(found, found + missed), found + missed
    averages = {}
    for band, least, most in FREQUENCY_BANDS:
        inside = (seen_in_training >= least) & (positives > 0)
        if most is not None:
            inside &= seen_in_training <= most
        if inside.any():
            averages[f"recall_frequency_{band}"] = float(recalls[inside].mean())
    return averages


def recall_by_depth(true_positives: np.ndarray, false_negatives: np.ndarray, depth: np.ndarray) -> dict[str, float]:
    """Mean node recall at each depth, under ``recall_depth_<depth>``, shallowest first.

    All three: int [nodes]; depth is the shortest distance from the root in edges. Only nodes with a positive in test
    count; a depth without such a node is absent.
    """
    found, missed, distance = (np.asarray(values) for values in (true_positives, false_negatives, depth))
    seen = found + missed > 0
    recalls = ratio(found, found + missed)
    return {f"recall_depth_{level}": float(recalls[seen & (distance == level)].mean()) for level in np.unique(distance[seen])}


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
