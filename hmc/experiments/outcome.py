"""One try at a stack of cells, whose every end is an outcome; what all executors do, wherever they do it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hmc.experiments.lock import LockedError
from hmc.results.record import Record
from hmc.results.store import Store
from hmc.settings import Cell, RuntimeSettings


@dataclass(frozen=True)
class Outcome:
    """What became of one cell.

    error: why it failed. holder: the other process that runs it. Both are empty where its record is in the store.
    """

    cell: Cell
    error: str = ""
    holder: str = ""


def run_stack(
    cells: Sequence[Cell], runtime: RuntimeSettings, on_epoch: Callable[[int, int], None] = lambda epoch, steps: None
) -> list[Outcome]:
    """Run a stack; what another process runs is taken out of it, and if the stack fails, each of its cells is tried alone."""
    # torch takes seconds to import; a process that only hands out cells does without.
    from hmc.experiments.run import run_cells

    theirs: list[Outcome] = []
    mine = list(cells)
    error = ""
    try:
        run_cells(mine, runtime, on_epoch=on_epoch)
    except LockedError as claimed:
        store = Store(runtime.results_dir)
        theirs = [Outcome(cell, holder=claimed.holder) for cell in mine if store.path(cell) == claimed.folder]
        mine = [cell for cell in mine if store.path(cell) != claimed.folder]
    except Exception as problem:
        error = described(problem)
    # Not in the handlers: there, the error keeps alive what a stack too large had in memory.
    if theirs:
        return [*theirs, *(run_stack(mine, runtime, on_epoch) if mine else [])]
    if error and len(mine) > 1:
        return [outcome for cell in mine for outcome in run_stack([cell], runtime, on_epoch)]
    return [Outcome(cell, error) for cell in mine]


def lost(cell: Cell, store: Store, error: str, environment: Mapping[str, Any]) -> Outcome:
    """The outcome of a cell whose process was killed, recorded in its place unless it had finished the cell."""
    if store.state(cell).name == "done":
        return Outcome(cell)
    # Where it cannot be recorded it is reported all the same, and the others go on.
    with contextlib.suppress(OSError):
        store.save(Record.failed(cell, error, environment=environment))
    return Outcome(cell, error)


def described(error: BaseException) -> str:
    """An error as one line: ours as they are written, others after their type's name."""
    text = " ".join(str(error).split())
    if isinstance(error, (ValueError, OSError, RuntimeError)) and text:
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
