"""Networks: a stack of cells, from settings to scores. With :mod:`hmc.training` and what it needs, all that knows torch here."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence

import numba
import numpy as np
import torch

from hmc.data import resample
from hmc.data.dataset import Dataset, Split
from hmc.data.random import resampling_generator
from hmc.experiments.checkpoint import CheckpointFile
from hmc.experiments.features import with_features
from hmc.experiments.made import Made
from hmc.losses.objective import ObjectiveContext
from hmc.models.constraint import Constraint
from hmc.results.store import Store
from hmc.settings import Cell, RuntimeSettings, SettingsError, named_object
from hmc.training.trainer import TrainingError, TrainingObjective, predict, train

OnEpoch = Callable[[int, int], None]


def device_for(runtime: RuntimeSettings) -> torch.device:
    """The device that ``runtime.device`` asks for; ``auto`` takes a GPU where there is one.

    Raises SettingsError where the device does not exist.
    """
    wanted = runtime.device
    if wanted == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(wanted)
    except RuntimeError:
        raise SettingsError(f"device={wanted!r} is not known; use auto, cpu, cuda or cuda:N") from None
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        count = torch.cuda.device_count()
        raise SettingsError(f"device={wanted!r}: this machine has {count} GPUs that torch can use; use device=cpu")
    return device


def limit_threads(count: int) -> None:
    """Let torch and the compiled kernels use this many threads, no more than the machine has."""
    torch.set_num_threads(count)
    most: int = numba.config.NUMBA_NUM_THREADS  # type: ignore[attr-defined]
    numba.set_num_threads(min(count, most))


def require_determinism(runtime: RuntimeSettings, device: torch.device) -> None:
    """Let torch use only kernels that repeat their sums in the same order, or any, as ``runtime.determinism`` says."""
    strict = runtime.determinism == "strict"
    if strict and device.type == "cuda":
        # cuBLAS reads it when it is first used; without it torch refuses every product.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(strict)
    # What is drawn or computed fills every tensor here; filling each with NaN first only takes time.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]


def prepared_device(runtime: RuntimeSettings) -> torch.device:
    """The device to train on, with threads and determinism set as ``runtime`` says. Raises SettingsError."""
    limit_threads(runtime.threads)
    device = device_for(runtime)
    require_determinism(runtime, device)
    return device


def trained_scores(
    cells: Sequence[Cell], dataset: Dataset, runtime: RuntimeSettings, store: Store, device: torch.device, on_epoch: OnEpoch
) -> list[Made]:
    """Train cells that differ in their seed only, as one stack, and score the test rows and the held-out ones.

    Goes on from the stack's checkpoint where there is one. Raises TrainingError where the loss is not finite, and then the
    checkpoint is removed: the training would diverge again. What failed for want of memory or disk goes on from where it was.
    """
    first, clock = cells[0], time.perf_counter()
    checkpoint = CheckpointFile([store.path(cell) for cell in cells], cells, device.type, runtime.checkpoint_seconds)
    dataset, inputs = with_features(dataset, first.settings, runtime, device)
    rows = training_rows(dataset, first)
    constraint = Constraint(dataset.hierarchy, device)
    features, labels = torch.from_numpy(rows.features).to(device), torch.from_numpy(rows.labels).to(device)
    objective = build_objective(dataset, rows, first, constraint)
    method, training = first.settings.method, first.settings.training
    seeds = [cell.seed for cell in cells]
    data_seconds = time.perf_counter() - clock
    try:
        trained = train(
            features, labels, objective, method, training, seeds, inputs=inputs, on_epoch=on_epoch, checkpoint=checkpoint
        )
    except TrainingError:
        checkpoint.remove()
        raise

    def scores(split: Split | None) -> Sequence[np.ndarray | None]:
        """float32 [rows, nodes] for each cell; None for each where there is no such split."""
        if split is None:
            return [None] * len(cells)
        return list(predict(trained, torch.from_numpy(split.features).to(device), constraint, len(cells)).numpy())

    count = len(cells)
    made = []
    for test, held_out, losses in zip(scores(dataset.test), scores(dataset.held_out), trained.losses, strict=True):
        assert test is not None, "every dataset has test rows"
        times = {
            "train_seconds": round(trained.seconds / count, 3),
            "step_milliseconds": round(1000 * trained.seconds / count / max(trained.steps, 1), 4),
            "steps": trained.steps,
            "stacked_cells": count,
        }
        made.append(Made(test, held_out, losses.tolist(), times, data_seconds))
    return made


def training_rows(dataset: Dataset, cell: Cell) -> Split:
    """The training rows (train, then valid), and after them those that the method's resampling adds.

    Resampling looks at the same rows that are trained on.
    """
    training = dataset.training
    settings = cell.settings.method.resampling
    if settings.name == "none":
        return training
    generator = resampling_generator(cell.seed)
    added = resample.resample(settings.name, training.features, training.labels, dataset.hierarchy, settings.fraction, generator)
    return Split(
        np.concatenate([training.features, training.features[added.rows]]), np.concatenate([training.labels, added.labels])
    )


def build_objective(dataset: Dataset, rows: Split, cell: Cell, constraint: Constraint) -> TrainingObjective:
    """The method's objective (the class that ``method.objective`` names), told to count nodes on the rows that
    ``protocol.weights_from`` names.

    Rows added by resampling are counted too: the weights see the training set that the network sees.
    Raises SettingsError where the class cannot be imported.
    """
    settings = cell.settings
    counted = dataset.train.labels if settings.protocol.weights_from == "train" else dataset.training.labels
    added = rows.labels[len(dataset.training.labels) :]
    context = ObjectiveContext(
        hierarchy=dataset.hierarchy,
        constraint=constraint,
        method=settings.method,
        protocol=settings.protocol,
        training_labels=np.concatenate([counted, added]),
        device=constraint.device,
    )
    objective: TrainingObjective = named_object("method.objective", settings.method.objective)(context)
    return objective
