"""Running the cells of a plan: in this process, several at a time in processes of their own, or as Slurm jobs.

Every cell saves its own record, so whatever stops a run (Ctrl-C, a kill, a power cut) costs the cells in flight, back to their
checkpoints, and nothing else. This module needs no torch: only what runs a cell imports it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing

from tqdm import tqdm

from hmc.experiments import cost, processes, slurm
from hmc.experiments.lock import is_locked
from hmc.experiments.outcome import Outcome, run_stack
from hmc.experiments.stacks import fitting
from hmc.results.store import FAILED, Store
from hmc.settings import Cell, ExecutorSettings, RuntimeSettings, SettingsError

Stack = list[Cell]

POLL_SECONDS = 2.0
"""Between two looks at cells that another reproduction runs."""


def execute(cells: Sequence[Cell], runtime: RuntimeSettings, executor: ExecutorSettings) -> list[Outcome]:
    """Run cells; one that fails is recorded and reported and does not stop the others.

    A cell that another reproduction runs is left to it, and run at the end if that one did not finish it.
    Shows a progress bar with the time left on a terminal, a line a cell elsewhere. KeyboardInterrupt stops at once and keeps
    what was complete.
    """
    store = Store(runtime.results_dir)
    outcomes: list[Outcome] = []
    elsewhere: dict[str, tuple[Cell, int]] = {}
    with _Progress(cells, runtime) as progress:
        waiting = stacks(cells, _most(cells, runtime, executor))
        while waiting or elsewhere:
            with closing(_run(waiting, runtime, executor)) as results:
                for outcome in results:
                    if outcome.holder:
                        progress.tell(f"left to {outcome.holder}, which runs it: {outcome.cell}")
                        elsewhere[outcome.cell.identity] = outcome.cell, _failure_time(store, outcome.cell)
                    else:
                        outcomes.append(outcome)
                        progress.show(outcome)
            waiting = []
            for identity in _released(elsewhere, store):
                cell, failed_before = elsewhere.pop(identity)
                state = store.state(cell)
                # With force the other's result counts too: it is as new as ours would be.
                if state.name == "done" or _failure_time(store, cell) != failed_before:
                    outcomes.append(Outcome(cell, state.reason))
                    progress.show(outcomes[-1])
                else:
                    waiting.append([cell])
    return outcomes


def stacks(cells: Sequence[Cell], most: Callable[[Cell], int]) -> list[Stack]:
    """The cells in order, those that differ in their seed only together, up to ``most`` of a cell's kind at a time.

    Cells that train on rows of their own (resampling, limited data, an encoder a seed) stay alone.
    """
    made: list[Stack] = []
    last: dict[str, tuple[Stack, int]] = {}
    for cell in cells:
        alike = cost.without_seed(cell)
        open_stack, limit = last.get(alike, ([], 0))
        if len(open_stack) < limit:
            open_stack.append(cell)
            continue
        made.append([cell])
        if not cell.settings.rows_depend_on_seed:
            last[alike] = made[-1], most(cell)
    return made


def _most(cells: Sequence[Cell], runtime: RuntimeSettings, executor: ExecutorSettings) -> Callable[[Cell], int]:
    """How many seeds of a cell's kind are trained together: as told, or as many as suit the device."""
    if executor.stack:
        return lambda cell: executor.stack
    if executor.name == "slurm":
        raise SettingsError("executor.stack=0 asks this machine, but executor=slurm trains on others; set executor.stack=10")
    workers = processes.count(runtime, executor) if executor.name == "processes" else 1
    return fitting(runtime, len(cells), workers)


def _run(waiting: Sequence[Stack], runtime: RuntimeSettings, executor: ExecutorSettings) -> Generator[Outcome, None, None]:
    if executor.name == "slurm":
        return slurm.run(waiting, runtime, executor)
    if executor.name == "processes" and len(waiting) > 1:
        return processes.run(waiting, runtime, executor)
    return _inline(waiting, runtime)


def _inline(waiting: Sequence[Stack], runtime: RuntimeSettings) -> Generator[Outcome, None, None]:
    for stack in waiting:
        yield from run_stack(stack, runtime, epoch_bar(stack[0], runtime))


def _released(elsewhere: dict[str, tuple[Cell, int]], store: Store) -> list[str]:
    """Those that no other process holds any more; waits until there are some."""
    while elsewhere:
        found = [identity for identity, (cell, _) in elsewhere.items() if not is_locked(store.path(cell))]
        if found:
            return found
        time.sleep(POLL_SECONDS)
    return []


def _failure_time(store: Store, cell: Cell) -> int:
    """When the cell's failure was written, in the file system's nanoseconds; 0 where there is none."""
    try:
        return (store.path(cell) / FAILED).stat().st_mtime_ns
    except FileNotFoundError:
        return 0


class _Progress:
    """What a user sees of a run. The time left is estimated from the work done and to do, not from the number of cells."""

    def __init__(self, cells: Sequence[Cell], runtime: RuntimeSettings) -> None:
        self.work = cost.work(cells)
        self.cells, self.ended = len(cells), 0
        self.bar = tqdm(
            total=sum(self.work.values()),
            bar_format="{desc}{percentage:3.0f}%|{bar:30}| {elapsed} passed, {remaining} left{postfix}",
            disable=None if runtime.progress else True,
        )

    def __enter__(self) -> _Progress:
        self._count()
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.close()

    def show(self, outcome: Outcome) -> None:
        self.ended += 1
        self.bar.update(self.work.get(outcome.cell.identity, 0))
        self._count()
        if outcome.error:
            self.tell(f"failed: {outcome.cell}: {outcome.error}")
        elif self.bar.disable:
            self.tell(f"done: {outcome.cell} ({self.ended} of {self.cells})")
        else:
            self.bar.set_postfix_str(str(outcome.cell))

    def tell(self, line: str) -> None:
        if self.bar.disable:
            print(line, flush=True)
        else:
            tqdm.write(line)

    def _count(self) -> None:
        self.bar.set_description_str(f"{self.ended} of {self.cells} cells ")


def epoch_bar(cell: Cell, runtime: RuntimeSettings) -> Callable[[int, int], None]:
    """A progress bar over a cell's epochs, silent where the output is not a terminal."""
    epochs = cell.settings.training.epochs
    bar = tqdm(total=epochs, desc=str(cell), unit="epoch", leave=False, disable=None if runtime.progress else True)

    def show(epoch: int, steps: int) -> None:
        bar.update(epoch - bar.n)
        if epoch == epochs:
            bar.close()

    return show
