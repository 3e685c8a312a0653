"""From scores and thresholds to label sets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hmc.hierarchy import Hierarchy
from hmc.rules.evidence import close_columns


@dataclass(frozen=True, eq=False)
class Decisions:
    """labels: bool [rows, nodes], closed under ancestors. added: the share of the evaluated ones that closing added."""

    labels: np.ndarray
    added: float


def decide(scores: np.ndarray, thresholds: np.ndarray, hierarchy: Hierarchy) -> Decisions:
    """The label sets of scores under thresholds: every node whose score is above its threshold, and the ancestors of these.

    scores: float [rows, nodes]; thresholds: float [nodes].

    >>> from hmc.hierarchy import from_edges
    >>> hierarchy = from_edges(["root", "animal", "cat"], [("root", "animal"), ("animal", "cat")])
    >>> found = decide(np.array([[1.0, 0.6, 0.4]]), np.array([0.5, 0.7, 0.3]), hierarchy)
    >>> found.labels.tolist(), found.added
    ([[True, True, True]], 0.5)
    """
    if scores.ndim != 2 or scores.shape[1] != len(hierarchy) or thresholds.shape != (len(hierarchy),):
        raise ValueError(
            f"scores must have shape [rows, {len(hierarchy)}] and thresholds ({len(hierarchy)},), got {scores.shape} and "
            f"{thresholds.shape}"
        )
    columns = np.ascontiguousarray((scores > thresholds).T)
    before = int(np.count_nonzero(columns[hierarchy.evaluated]))
    after = int(np.count_nonzero(close_columns(columns, hierarchy)[hierarchy.evaluated]))
    return Decisions(np.ascontiguousarray(columns.T), (after - before) / after if after else 0.0)
