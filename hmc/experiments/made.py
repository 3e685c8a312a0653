"""What running a cell gives, whatever kind of method it has: scores, and what it took."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)
class Made:
    """test, held_out: coherent scores, float32 [rows, nodes], held_out None where no rows are. learning_curve: a loss an epoch,
    empty where there are none. times: train_seconds, step_milliseconds, steps, stacked_cells. data_seconds: of making features
    and objective.
    """

    test: np.ndarray
    held_out: np.ndarray | None
    learning_curve: Sequence[float]
    times: Mapping[str, Any]
    data_seconds: float = 0.0
