"""Scores from outside as a cell's result: read, checked, evaluated and recorded like any other, and marked."""

from __future__ import annotations

import dataclasses
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from hmc import configs
from hmc.data.identity import data_sha256
from hmc.data.load import load_labels
from hmc.experiments.made import Made
from hmc.experiments.run import recorded
from hmc.results.provenance import environment
from hmc.results.store import Store
from hmc.rules import require_known
from hmc.scores import ScoresError
from hmc.scores.outside import COHERENT, has_held_out, read_outside
from hmc.settings import (
    Cell,
    DatasetSettings,
    MethodSettings,
    ProtocolSettings,
    RunSettings,
    RuntimeSettings,
    SettingsError,
    TrainingSettings,
    setting,
)


@dataclass(frozen=True)
class OutsideSettings:
    """scores: the file, .npz or .csv. held_out_scores: a second .csv, of held-out rows.
    coherent: what becomes of a child above its parent.
    """

    scores: str = setting()
    held_out_scores: str = setting()
    coherent: str = setting(choices=COHERENT)


def outside_cell(name: str, dataset: DatasetSettings, seed: int, settings: OutsideSettings, runtime: RuntimeSettings) -> Cell:
    """The cell of a file's scores: a dataset, a seed, and a method that is nothing but its name and the file.

    Held-out scores in it say that these rows were held out of training. Raises SettingsError for a name that a method of this
    program has, ScoresError where the file is not there.
    """
    if name in configs.names("method"):
        raise SettingsError(
            f"method.name={name!r} is a method of configs/method; give scores from outside a name of their own: method.name=mine"
        )
    file_hash = file_sha256(settings)
    held_out = bool(settings.held_out_scores) or has_held_out(Path(settings.scores).expanduser())
    training = TrainingSettings(hidden=1, epochs=0, learning_rate=1.0, holdout="valid" if held_out else "none")
    method = MethodSettings(name, outside=file_hash)
    departed = (("training.holdout", "valid"),) if held_out else ()
    return Cell(RunSettings(dataset, method, training, ProtocolSettings(), seed), data_sha256(dataset, runtime), departed)


def file_sha256(settings: OutsideSettings) -> str:
    """What tells the scores apart: the sha256 of their file, or of both. Raises ScoresError where one is not there."""
    digest = hashlib.sha256()
    for name in filter(None, (settings.scores, settings.held_out_scores)):
        path = Path(name).expanduser()
        if not path.is_file():
            raise ScoresError(f"{path} must be a file of scores, but there is no such file; correct the path")
        digest.update(path.read_bytes())
    return digest.hexdigest()


def evaluate_outside(cell: Cell, settings: OutsideSettings, runtime: RuntimeSettings) -> str:
    """Record the scores of a file as the result of a cell with ``method.outside``; what to print.

    Raises ScoresError where the file cannot be used.
    """
    store = Store(runtime.results_dir)
    store.require_writable()
    require_known(runtime.rules)
    began = datetime.now(UTC).isoformat(timespec="seconds")
    dataset = load_labels(cell.settings.dataset, runtime, seed=cell.seed, holdout=cell.settings.training.holdout)
    held_out = dataset.held_out
    rows = {"test": len(dataset.test)} | ({} if held_out is None else {"held_out": len(held_out)})
    named = {"test": dataset.ids["test"], "held_out": dataset.ids["valid"]}
    ids = {split: named[split] or [str(row) for row in range(count)] for split, count in rows.items()}
    path = Path(settings.scores).expanduser()
    second = Path(settings.held_out_scores).expanduser() if settings.held_out_scores else None
    found = read_outside(path, dataset.hierarchy, rows, ids, incoherent=settings.coherent, held_out_path=second)
    made = Made(
        found["test"],
        found.get("held_out"),
        (),
        {"train_seconds": 0.0, "step_milliseconds": 0.0, "steps": 0, "stacked_cells": 1},
    )
    record = recorded(
        cell,
        made,
        dataset,
        dataclasses.replace(runtime, keep_scores=True),
        store,
        times={**made.times, "started": began, "finished": datetime.now(UTC).isoformat(timespec="seconds"), "data_seconds": 0.0},
        about=environment("outside", runtime.threads),
        origin=f"scores from outside, file sha256 {cell.settings.method.outside}",
    )
    saved = store.save(record)
    return f"{record.text()}\n  from outside: {path.name}; record: {saved.parent}"
