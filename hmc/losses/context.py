"""What an objective, or a node's loss, may want to know when it is made."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from hmc.hierarchy import Hierarchy
from hmc.models.constraint import Constraint
from hmc.settings import MethodSettings, ProtocolSettings


@dataclass(frozen=True, eq=False)
class ObjectiveContext:
    """What an objective may want to know when it is made, a custom one included.

    training_labels: bool [rows, nodes], closed; the rows to count node weights on, see ``protocol.weights_from``. device: where
    logits will be. trained_on: bool [rows, nodes], closed; all rows that are trained on, None where these are training_labels.
    """

    hierarchy: Hierarchy
    constraint: Constraint
    method: MethodSettings
    protocol: ProtocolSettings
    training_labels: np.ndarray
    device: torch.device
    trained_on: np.ndarray | None = None

    @property
    def rows(self) -> int:
        """How many rows are trained on."""
        return len(self._rows)

    @property
    def positives(self) -> np.ndarray:
        """How many of the rows that are trained on have each node, int64 [nodes]."""
        return np.count_nonzero(self._rows, axis=0)

    @property
    def rate(self) -> np.ndarray:
        """The share of the rows trained on that has each node, within [1/(2N), 1 - 1/(2N)] for N rows, float64 [nodes]."""
        least = 0.5 / max(1, self.rows)
        return np.clip(self.positives / max(1, self.rows), least, 1 - least)

    @property
    def _rows(self) -> np.ndarray:
        return self.training_labels if self.trained_on is None else self.trained_on
