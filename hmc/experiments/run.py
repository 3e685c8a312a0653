"""One cell, or a stack of cells, from settings to saved records."""

from __future__ import annotations

import contextlib
import math
import os
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import numba
import numpy as np
import torch

from hmc.data import resample
from hmc.data.catalog import DataError
from hmc.data.dataset import Dataset, Split
from hmc.data.identity import data_sha256
from hmc.data.load import load
from hmc.data.random import resampling_generator
from hmc.experiments.checkpoint import CheckpointFile
from hmc.experiments.features import embedded
from hmc.experiments.leftovers import keep_only_the_record
from hmc.experiments.lock import claim
from hmc.experiments.trackers import tracker
from hmc.losses.objective import ObjectiveContext
from hmc.metrics.evaluate import evaluate
from hmc.models.constraint import Constraint
from hmc.results.provenance import environment
from hmc.results.record import Record
from hmc.results.store import Store
from hmc.scores import SCORES, Scores, save_scores
from hmc.settings import Cell, RuntimeSettings, SettingsError, named_object
from hmc.training.trainer import Objective, TrainingError, predict, train

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


def run_cells(cells: Sequence[Cell], runtime: RuntimeSettings, *, on_epoch: OnEpoch = lambda epoch, steps: None) -> list[Record]:
    """Train, evaluate and save cells that differ in their seed only, as one stack; several where the rows do not depend on the
    seed.

    Goes on from the stack's checkpoint where there is one. A cell that another process finished meanwhile is not run again.
    Whatever ends the run (an Exception, MemoryError included) is saved as each cell's failure and raised again. Returns the
    cells' records. Raises LockedError where another process runs one of the cells; then nothing is run.
    """
    if len(cells) > 1 and cells[0].settings.rows_depend_on_seed:
        raise ValueError("cells that train on rows of their own cannot share a stack")
    store, track = Store(runtime.results_dir), tracker(runtime)
    with contextlib.ExitStack() as held:
        for cell in cells:
            held.enter_context(claim(store.path(cell)))
        waiting = [cell for cell in cells if runtime.force or store.state(cell).name != "done"]
        if waiting:
            for record in _run_claimed(waiting, runtime, store, on_epoch):
                track(record)
        for cell in cells:
            keep_only_the_record(store.path(cell))
        return [store.load(cell) for cell in cells]


def _run_claimed(cells: Sequence[Cell], runtime: RuntimeSettings, store: Store, on_epoch: OnEpoch) -> list[Record]:
    limit_threads(runtime.threads)
    device = device_for(runtime)
    require_determinism(runtime, device)
    about = environment(str(device), runtime.threads, runtime.determinism)
    started = _now()
    checkpoint = CheckpointFile([store.path(cell) for cell in cells], cells, device.type, runtime.checkpoint_seconds)
    try:
        records = _train_and_evaluate(cells, runtime, store, device, checkpoint, on_epoch, {"started": started}, about)
    except Exception as error:
        # On a full disk it is this error that counts, not that it cannot be recorded.
        with contextlib.suppress(OSError):
            for cell in cells:
                store.save(Record.failed(cell, error, times={"started": started, "finished": _now()}, environment=about))
        # A training that diverged would do so again; what failed for want of memory or disk goes on from where it was.
        if isinstance(error, TrainingError):
            checkpoint.remove()
        raise
    for record in records:
        store.save(record)
    return records


def _train_and_evaluate(
    cells: Sequence[Cell],
    runtime: RuntimeSettings,
    store: Store,
    device: torch.device,
    checkpoint: CheckpointFile,
    on_epoch: OnEpoch,
    times: dict[str, Any],
    about: dict[str, Any],
) -> list[Record]:
    first, clock = cells[0], time.perf_counter()
    holdout = first.settings.training.holdout
    dataset = load(first.settings.dataset, first.settings.protocol, runtime, seed=first.seed, holdout=holdout)
    if data_sha256(first.settings.dataset, runtime, first.settings.encoder) != first.data_sha256:
        raise DataError(f"{dataset.name}: its files changed since the run was planned; the same command plans it anew")
    dataset, inputs = embedded(dataset, first.settings, runtime, device)
    rows = training_rows(dataset, first)
    data_seconds = time.perf_counter() - clock
    constraint = Constraint(dataset.hierarchy, device)
    features, labels = torch.from_numpy(rows.features).to(device), torch.from_numpy(rows.labels).to(device)
    objective = build_objective(dataset, rows, first, constraint)
    method, training = first.settings.method, first.settings.training
    seeds = [cell.seed for cell in cells]
    trained = train(features, labels, objective, method, training, seeds, inputs=inputs, on_epoch=on_epoch, checkpoint=checkpoint)

    def scores(split: Split | None) -> np.ndarray | list[None]:
        """float32 [cells, rows, nodes], or a None a cell for a split that there is none of."""
        if split is None:
            return [None] * len(cells)
        return predict(trained, torch.from_numpy(split.features).to(device), constraint, len(cells)).numpy()

    records = []
    found = zip(cells, scores(dataset.test), scores(dataset.held_out), trained.losses, strict=True)
    for cell, probabilities, held_out, losses in found:
        clock = time.perf_counter()
        if runtime.keep_scores:
            save_scores(store.path(cell) / SCORES, Scores(cell.identity, probabilities, held_out))
        evaluation = evaluate(probabilities, dataset.test.labels, dataset.hierarchy, dataset.training.labels.sum(0))
        ended = {
            **times,
            "finished": _now(),
            "train_seconds": round(trained.seconds / len(cells), 3),
            "step_milliseconds": round(1000 * trained.seconds / len(cells) / max(trained.steps, 1), 4),
            "steps": trained.steps,
            "stacked_cells": len(cells),
            "data_seconds": round(data_seconds, 3),
            "evaluate_seconds": round(time.perf_counter() - clock, 3),
        }
        records.append(
            Record.complete(
                cell,
                data=_data(dataset),
                metrics=evaluation.metrics,
                nodes=evaluation.nodes,
                learning_curve=losses.tolist(),
                times=ended,
                environment=about,
            )
        )
    return records


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


def build_objective(dataset: Dataset, rows: Split, cell: Cell, constraint: Constraint) -> Objective:
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
    objective: Objective = named_object("method.objective", settings.method.objective)(context)
    return objective


def _data(dataset: Dataset) -> dict[str, Any]:
    return {
        "reconstructed": dataset.reconstructed,
        "rows_train": len(dataset.train.features),
        "rows_valid": len(dataset.valid.features),
        "rows_test": len(dataset.test.features),
        "features": math.prod(dataset.test.features.shape[1:]),
        "nodes": len(dataset.hierarchy),
        "evaluated_nodes": int(dataset.hierarchy.evaluated.sum()),
    }


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
