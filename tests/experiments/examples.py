"""Cells of a fraction of a second, and objectives that misbehave on purpose, importable by worker processes."""

from __future__ import annotations

import dataclasses
import os
import signal
from pathlib import Path
from typing import Any

from torch import Tensor

from hmc.configs import run_settings
from hmc.data.identity import data_sha256
from hmc.losses.objective import Objective, ObjectiveContext
from hmc.losses.schedule import Progress
from hmc.results.record import Record
from hmc.results.store import Store
from hmc.settings import Cell, RuntimeSettings, departures

SIZES = (
    "dataset.synthetic.nodes=12",
    "dataset.synthetic.depth=2",
    "dataset.synthetic.features=5",
    "dataset.synthetic.rows_train=60",
    "dataset.synthetic.rows_valid=20",
    "dataset.synthetic.rows_test=40",
    "training.hidden=16",
)
SMALL = (*SIZES, "training.epochs=6")


def make_cell(seed: int = 0, *overrides: str, method: str = "chmcnn", dataset: str = "synthetic_tree") -> Cell:
    """A cell of about a tenth of a second."""
    settings = run_settings(dataset, method, seed, overrides=[*SMALL, *overrides])
    departed = departures(settings, run_settings(dataset, method, seed, overrides=SMALL))
    return Cell(settings, data_sha256(settings.dataset, RuntimeSettings()), departed)


def runtime_in(folder: Path, **settings: Any) -> RuntimeSettings:
    return RuntimeSettings(**{"results_dir": str(folder), "device": "cpu", "progress": False, **settings})


def content(record: Record) -> dict[str, Any]:
    """All of a record that must not depend on how it came about."""
    parts = dataclasses.asdict(record)
    del parts["times"]
    # A person may commit, or save a file, while the tests run.
    del parts["environment"]["commit"], parts["environment"]["dirty"]
    return parts


def contents(cells: list[Cell], runtime: RuntimeSettings) -> list[dict[str, Any]]:
    store = Store(runtime.results_dir)
    return [content(store.load(cell)) for cell in cells]


class Misbehaving(Objective):
    """Does what ``method.options`` says in the third epoch: raise, or kill its process; ``once``: a file that says it did."""

    def __init__(self, context: ObjectiveContext) -> None:
        super().__init__(context)
        self.options = context.method.options

    def __call__(self, logits: Tensor, labels: Tensor, progress: Progress, peer_logits: Tensor | None = None) -> Tensor:
        marker = Path(self.options["once"]) if "once" in self.options else None
        if progress.epoch == 2 and not (marker and marker.exists()):
            if marker:
                marker.touch()
            if self.options["does"] == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            raise {"memory": MemoryError, "division": ZeroDivisionError}[self.options["does"]]("on purpose")
        return super().__call__(logits, labels, progress, peer_logits)


def misbehaving(does: str, seed: int = 0, once: Path | None = None) -> Cell:
    """A cell that raises (memory, division) or kills its process (kill), always or once."""
    options = f"method.options={{does: {does}{f', once: {once}' if once else ''}}}"
    return make_cell(seed, "method.objective=tests.experiments.examples:Misbehaving", options)
