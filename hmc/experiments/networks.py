"""Networks: a stack of cells, from settings to scores. With :mod:`hmc.experiments.features`, all that knows torch here."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np
import torch

from hmc.data.dataset import Dataset, Split
from hmc.experiments.checkpoint import CheckpointFile
from hmc.experiments.features import with_features
from hmc.experiments.made import Made
from hmc.models.constraint import Constraint
from hmc.results.store import Store
from hmc.settings import Cell, RuntimeSettings
from hmc.training.stack import scores, train_stack
from hmc.training.trainer import Trained, TrainingError

OnEpoch = Callable[[int, int], None]


def trained_scores(
    cells: Sequence[Cell], dataset: Dataset, runtime: RuntimeSettings, store: Store, device: torch.device, on_epoch: OnEpoch
) -> list[Made]:
    """Train cells that differ in their seed only, as one stack, and score the test rows and the held-out ones.

    Goes on from the stack's checkpoint where there is one. Raises TrainingError where the loss is not finite, and then the
    checkpoint is removed: the training would diverge again. What failed for want of memory or disk goes on from where it was.
    """
    settings, clock = cells[0].settings, time.perf_counter()
    checkpoint = CheckpointFile([store.path(cell) for cell in cells], cells, device.type, runtime.checkpoint_seconds)
    dataset, inputs = with_features(dataset, settings, runtime, device)
    constraint = Constraint(dataset.hierarchy, device)
    seeds = [cell.seed for cell in cells]
    data_seconds = time.perf_counter() - clock
    try:
        trained = train_stack(
            dataset,
            settings.method,
            settings.training,
            settings.protocol,
            seeds,
            constraint,
            inputs=inputs,
            on_epoch=on_epoch,
            checkpoint=checkpoint,
        )
    except TrainingError:
        checkpoint.remove()
        raise

    def of_cells(split: Split | None) -> Sequence[np.ndarray | None]:
        """float32 [rows, nodes] for each cell; None for each where there is no such split."""
        return [None] * len(cells) if split is None else list(scores(trained, split.features, constraint, len(cells)))

    layers = _layers(trained, len(cells)) if runtime.save_model else [()] * len(cells)
    parts = zip(of_cells(dataset.test), of_cells(dataset.held_out), trained.losses, layers, strict=True)
    return [
        Made(test, held_out, losses.tolist(), _times(trained, len(cells)), data_seconds, own)
        for test, held_out, losses, own in parts
        if test is not None
    ]


def _layers(trained: Trained, cells: int) -> list[tuple[np.ndarray, ...]]:
    """Each cell's own part of the stack's layers."""
    split = [layer.cpu().chunk(cells) for layer in trained.networks.layers]
    return [tuple(layer[cell].numpy() for layer in split) for cell in range(cells)]


def _times(trained: Trained, cells: int) -> dict[str, float]:
    return {
        "train_seconds": round(trained.seconds / cells, 3),
        "step_milliseconds": round(1000 * trained.seconds / cells / max(trained.steps, 1), 4),
        "steps": trained.steps,
        "stacked_cells": cells,
    }
