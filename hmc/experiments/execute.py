"""Running the cells of a plan: in this process, or several at a time in processes of their own.

Every cell saves its own record, so whatever stops a run (Ctrl-C, a kill, a power cut) costs the cells in flight and nothing else.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.connection import wait as wait_for_handles

from tqdm import tqdm

from hmc.experiments.plan import ExecutorSettings
from hmc.experiments.run import run_cells
from hmc.settings import Cell, RuntimeSettings


@dataclass(frozen=True)
class Outcome:
    """What became of one cell: ``error`` is empty where its record was saved."""

    cell: Cell
    error: str


def execute(cells: Sequence[Cell], runtime: RuntimeSettings, executor: ExecutorSettings) -> list[Outcome]:
    """Run cells; one that fails is reported and does not stop the others.

    Shows a progress bar on a terminal. KeyboardInterrupt stops at once and keeps what was complete.
    """
    run = _in_processes if executor.name == "processes" and len(cells) > 1 else _inline
    outcomes = []
    with tqdm(total=len(cells), unit="cell", disable=None if runtime.progress else True) as bar:
        for outcome in run(cells, runtime, executor):
            outcomes.append(outcome)
            bar.set_postfix_str(str(outcome.cell))
            bar.update()
            if outcome.error:
                tqdm.write(f"failed: {outcome.cell}: {outcome.error}")
            elif bar.disable:
                print(f"done: {outcome.cell} ({len(outcomes)} of {len(cells)})", flush=True)
    return outcomes


def _inline(cells: Sequence[Cell], runtime: RuntimeSettings, executor: ExecutorSettings) -> Iterator[Outcome]:
    for cell in cells:
        yield _attempt(cell, runtime)


def _attempt(cell: Cell, runtime: RuntimeSettings) -> Outcome:
    try:
        run_cells([cell], runtime, on_epoch=epoch_bar(cell, runtime))
    except (ValueError, OSError, RuntimeError) as error:
        return Outcome(cell, str(error))
    return Outcome(cell, "")


def epoch_bar(cell: Cell, runtime: RuntimeSettings) -> _EpochBar:
    """A progress bar over a cell's epochs, silent where the output is no terminal."""
    return _EpochBar(cell, runtime)


class _EpochBar:
    def __init__(self, cell: Cell, runtime: RuntimeSettings) -> None:
        epochs = cell.settings.checked().training.epochs
        quiet = None if runtime.progress else True
        self.bar = tqdm(total=epochs, desc=str(cell), unit="epoch", leave=False, disable=quiet)

    def __call__(self, epoch: int, steps: int) -> None:
        self.bar.update(epoch - self.bar.n)
        if epoch == self.bar.total:
            self.bar.close()


def _in_processes(cells: Sequence[Cell], runtime: RuntimeSettings, executor: ExecutorSettings) -> Iterator[Outcome]:
    workers = min(executor.workers or os.cpu_count() or 1, len(cells))
    quiet = RuntimeSettings(**{**vars(runtime), "progress": False})
    waiting = list(cells)
    while waiting:
        # A killed worker breaks the whole pool: what it had in hand is reported, the rest goes to a new pool.
        with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"), initializer=_end_with_parent) as pool:
            running: dict[Future[Outcome], Cell] = {}
            try:
                broken = False
                while (waiting or running) and not broken:
                    while waiting and len(running) < workers:
                        cell = waiting.pop(0)
                        running[pool.submit(_attempt, cell, quiet)] = cell
                    finished, _ = wait(running, return_when=FIRST_COMPLETED)
                    for future in finished:
                        cell = running.pop(future)
                        try:
                            yield future.result()
                        except BrokenProcessPool:
                            broken = True
                            yield Outcome(cell, "its process, or one beside it, was killed; the same command runs it again")
            except BaseException:
                for process in pool._processes.values():
                    process.terminate()
                raise


def _end_with_parent() -> None:
    """End this worker when its parent is gone, so that a killed reproduction leaves nothing running."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_exit_after, args=(parent.sentinel,), daemon=True).start()


def _exit_after(sentinel: int) -> None:
    wait_for_handles([sentinel])
    os._exit(1)
