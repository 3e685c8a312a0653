"""What a rule may look at."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from hmc.hierarchy import Hierarchy
from hmc.metrics.nodes import ratio


class RuleError(ValueError):
    """A rule lacks what it needs, or gave thresholds that cannot be used. The message is for the user."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """What thresholds are fitted on. There are no test rows in it.

    hierarchy: of all nodes. rate: float64 [nodes], the share of training rows that have each node. rows: how many training rows
    there are. scores, labels: float and bool [held-out rows, nodes], coherent and closed; None where no rows were held out.
    weights: what a weighted method would let positive and negative labels of each node count, a pair of float64 [nodes]; None
    where they are not known.
    """

    hierarchy: Hierarchy
    rate: np.ndarray
    rows: int
    scores: np.ndarray | None = None
    labels: np.ndarray | None = None
    weights: tuple[np.ndarray, np.ndarray] | None = None

    @property
    def clipped_rate(self) -> np.ndarray:
        """The rate kept within [1/(2N), 1 - 1/(2N)], N being the training rows, where a formula has no value at 0 or 1 (ours)."""
        least = 0.5 / max(1, self.rows)
        return np.clip(self.rate, least, 1 - least)

    @cached_property
    def held_out(self) -> HeldOut:
        """The held-out rows, node by node. Raises RuleError where there are none."""
        if self.scores is None or self.labels is None or not len(self.scores):
            raise RuleError("it needs held-out scores: run the same cell with training.holdout=valid")
        return HeldOut(
            np.ascontiguousarray(self.scores.T), np.ascontiguousarray(self.labels.T), self.hierarchy, self.hierarchy.evaluated
        )


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Held-out rows with nodes first, which rules work through node by node.

    scores: float [nodes, rows]; labels: bool [nodes, rows]; evaluated: bool [nodes].
    """

    scores: np.ndarray
    labels: np.ndarray
    hierarchy: Hierarchy
    evaluated: np.ndarray

    @property
    def rows(self) -> int:
        return int(self.scores.shape[1])

    @cached_property
    def descending(self) -> np.ndarray:
        """Each node's scores, highest first, float [nodes, rows]."""
        return np.ascontiguousarray(np.sort(self.scores, axis=1)[:, ::-1])

    @cached_property
    def positives(self) -> np.ndarray:
        """Rows that have each node, int64 [nodes]."""
        return np.count_nonzero(self.labels, axis=1)

    def part(self, rows: np.ndarray) -> HeldOut:
        """Some of the rows."""
        return HeldOut(
            np.ascontiguousarray(self.scores[:, rows]), np.ascontiguousarray(self.labels[:, rows]), self.hierarchy, self.evaluated
        )

    def midway(self, counts: np.ndarray) -> np.ndarray:
        """The threshold of each node above which so many of its scores lie, midway between neighbouring scores, float64 [nodes].

        counts: int [nodes], 0 to rows. Where scores at the border are equal, all of them lie at the threshold, and so not above
        it. Infinite where none or all are to lie above.
        """
        scores, rows = self.descending, self.rows
        nodes = np.arange(len(scores))
        upper = scores[nodes, np.clip(counts - 1, 0, rows - 1)].astype(np.float64)
        lower = scores[nodes, np.clip(counts, 0, rows - 1)].astype(np.float64)
        return np.where(counts <= 0, np.inf, np.where(counts >= rows, -np.inf, (upper + lower) / 2))

    def decided(self, thresholds: np.ndarray) -> np.ndarray:
        """The label sets, bool [nodes, rows], closed under ancestors. thresholds: float [nodes]."""
        predicted = self.scores > thresholds[:, None]
        return close_columns(predicted, self.hierarchy)

    def macro_f1(self, predicted: np.ndarray) -> float:
        """Mean over evaluated nodes of the node's F1, 0 where it is undefined. predicted: bool [nodes, rows]."""
        hits = np.count_nonzero(predicted & self.labels, axis=1)
        total = np.count_nonzero(predicted, axis=1) + self.positives
        return float(ratio(2 * hits, total)[self.evaluated].mean())


def close_columns(predicted: np.ndarray, hierarchy: Hierarchy) -> np.ndarray:
    """The same label sets with all ancestors, in place. predicted: bool [nodes, rows]."""
    for node in hierarchy.topological_order[::-1]:
        for parent in hierarchy.parents.of(node):
            predicted[parent] |= predicted[node]
    return predicted
