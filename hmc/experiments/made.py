"""What running a cell gives, whatever kind of method it has: scores, and what it took."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hmc.results.store import Store
from hmc.settings import Cell, RuntimeSettings, SettingsError
from hmc.training.saved import MODEL


@dataclass(frozen=True, eq=False)
class Made:
    """test, held_out: coherent scores, float32 [rows, nodes], held_out None where no rows are. learning_curve: a loss an epoch,
    empty where there are none. times: train_seconds, step_milliseconds, steps, stacked_cells. data_seconds: of making features.
    layers: of a network, its parameters, see :class:`hmc.models.mlp.Networks`.
    """

    test: np.ndarray
    held_out: np.ndarray | None
    learning_curve: Sequence[float]
    times: Mapping[str, Any]
    data_seconds: float = 0.0
    layers: Sequence[np.ndarray] = ()


def is_finished(cell: Cell, store: Store, runtime: RuntimeSettings) -> bool:
    """Whether nothing is left to run of a cell: its record is there, and what ``runtime`` asks for besides."""
    return store.is_done(cell, with_scores=runtime.require_scores) and (
        not runtime.save_model or (store.model_path(cell) / MODEL).is_file()
    )


def require_savable(cell: Cell, runtime: RuntimeSettings) -> None:
    """Raises SettingsError where save_model=true asks for what cannot be kept."""
    if not runtime.save_model:
        return
    if cell.settings.method.kind != "network":
        raise SettingsError(
            f"save_model=true keeps networks, and {cell.method} is not one; use hmc.HierarchicalClassifier and pickle it, or "
            "leave save_model out"
        )
    if cell.settings.dataset.holds_images:
        raise SettingsError("save_model=true keeps networks of tables; for images, leave save_model out")
