"""Scores that respect the hierarchy: no child above its parent."""

from __future__ import annotations

import numpy as np

from hmc.hierarchy import Hierarchy


def coherent(scores: np.ndarray, hierarchy: Hierarchy) -> np.ndarray:
    """The maximum over descendants, as C-HMCNN's constraint takes it: a node's score is the largest of its descendants', itself
    included.

    scores: float [rows, nodes]. Returns the same shape and type.

    >>> from hmc.hierarchy import from_edges
    >>> hierarchy = from_edges(["root", "animal", "cat"], [("root", "animal"), ("animal", "cat")])
    >>> coherent(np.array([[0.1, 0.2, 0.7]]), hierarchy).tolist()
    [[0.7, 0.7, 0.7]]
    """
    if scores.ndim != 2 or scores.shape[1] != len(hierarchy):
        raise ValueError(f"scores must have shape [rows, {len(hierarchy)}], got {scores.shape}")
    columns = scores.T.copy()
    for node in hierarchy.topological_order[::-1]:
        for parent in hierarchy.parents.of(node):
            np.maximum(columns[parent], columns[node], out=columns[parent])
    return np.ascontiguousarray(columns.T)
