"""Stacks as the tasks of a Slurm array job, through submitit.

What became of a cell is read from the store, and whether a task still exists from squeue: unlike submitit's own state, that
works on clusters without accounting (sacct). Tasks run and claim cells as every executor does, so it does no harm when a
reproduction that was killed left some in the queue. Logs are ``<results>/slurm/<job>_<task>_0_log.out`` and ``.err``.
"""

from __future__ import annotations

import contextlib
import dataclasses
import shlex
import subprocess
import time
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Any

from hmc.experiments import pool
from hmc.experiments.lock import is_locked
from hmc.experiments.outcome import Outcome, run_stack
from hmc.experiments.pool import Ended, Stack
from hmc.results.provenance import CHECKOUT, SLURM_LOGS
from hmc.results.store import Store
from hmc.settings import Cell, ExecutorSettings, RuntimeSettings, SettingsError

POLL_SECONDS = 2.0
LARGEST_ARRAY = 1000
"""Slurm's default MaxArraySize allows 1,000 tasks a job."""


class Task:
    """What a node is given. At its time limit submitit asks for ``checkpoint`` and queues the task again."""

    def __call__(self, stack: Stack, runtime: RuntimeSettings) -> None:
        run_stack(stack, runtime)

    def checkpoint(self, stack: Stack, runtime: RuntimeSettings) -> Any:
        """The same again: the training's own checkpoint is on disk already."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self, stack, runtime)


def run(waiting: Sequence[Stack], runtime: RuntimeSettings, executor: ExecutorSettings) -> Generator[Outcome, None, None]:
    """Submit stacks and wait for them; a task that is killed is submitted once more. Closing the iterator cancels what is left.

    Raises SettingsError where submitit or Slurm is not installed, OSError where Slurm does not take the jobs.
    """
    store = Store(runtime.results_dir)
    tasks = _Tasks(_on_nodes(runtime), executor, store)
    try:
        yield from pool.run(waiting, tasks, store)
    finally:
        tasks.cancel()


class _Tasks:
    """Tasks in Slurm's queue, by number, each with its submitit paths and its stack."""

    def __init__(self, runtime: RuntimeSettings, executor: ExecutorSettings, store: Store) -> None:
        self.runtime, self.executor, self.store = runtime, executor, store
        self.running: dict[str, tuple[Any, Stack]] = {}
        self.gone_since: dict[str, float] = {}

    def busy(self) -> bool:
        return bool(self.running)

    def start(self, left: deque[Stack]) -> None:
        """Submit all of them: Slurm decides how many run at a time."""
        if left:
            self.running |= _submit(list(left), self.runtime, self.executor, self.store.folder / SLURM_LOGS)
            left.clear()

    def ended(self) -> Iterator[Ended]:
        """Those that ended since it was asked last; waits a moment."""
        time.sleep(POLL_SECONDS)
        queued = _queued()
        for number, (paths, stack) in list(self.running.items()):
            if paths.result_pickle.exists():
                del self.running[number]
                yield Ended(stack, [_outcome(cell, self.store, paths.stderr) for cell in stack])
            elif queued is None or number in queued:
                self.gone_since.pop(number, None)
            elif time.monotonic() - self.gone_since.setdefault(number, time.monotonic()) >= self.executor.slurm.lost_seconds:
                del self.running[number]
                log = f"{SLURM_LOGS}/{number}_0_log.err"
                yield Ended(stack, killed=f"its Slurm task was killed twice; see {log}", environment={"log": log})

    def cancel(self) -> None:
        """Take what is left out of the queue."""
        if self.running:
            _slurm("scancel", *sorted({number.partition("_")[0] for number in self.running}))


def _submit(
    waiting: Sequence[Stack], runtime: RuntimeSettings, executor: ExecutorSettings, folder: Path
) -> dict[str, tuple[Any, Stack]]:
    """From each task's number to its submitit paths and its stack."""
    try:
        import submitit
    except ImportError:
        raise SettingsError("executor=slurm needs submitit; install it with: pip install '.[slurm]'") from None
    wanted = executor.slurm
    folder.mkdir(parents=True, exist_ok=True)
    submitted: dict[str, tuple[Any, Stack]] = {}
    try:
        submitter = submitit.AutoExecutor(folder=folder, cluster="slurm", slurm_max_num_timeout=wanted.requeues)
        submitter.update_parameters(
            name="hmc",
            timeout_min=max(1, round(wanted.hours * 60)),
            mem_gb=wanted.memory_gb,
            cpus_per_task=runtime.threads,
            slurm_array_parallelism=executor.workers or LARGEST_ARRAY,
            slurm_setup=[f"export PYTHONPATH={shlex.quote(str(CHECKOUT))}:$PYTHONPATH", *wanted.setup],
            slurm_additional_parameters=dict(wanted.options),
            **({"slurm_partition": wanted.partition} if wanted.partition else {}),
            **({"slurm_account": wanted.account} if wanted.account else {}),
            **({"gpus_per_node": wanted.gpus} if wanted.gpus else {}),
        )
        for begin in range(0, len(waiting), LARGEST_ARRAY):
            part = [list(stack) for stack in waiting[begin : begin + LARGEST_ARRAY]]
            jobs = submitter.map_array(Task(), part, [runtime] * len(part))
            submitted |= {job.job_id: (job.paths, stack) for job, stack in zip(jobs, part, strict=True)}
    except (RuntimeError, ValueError, submitit.core.utils.FailedJobError) as error:
        raise SettingsError(f"Slurm did not take the jobs: {' '.join(str(error).split())}") from error
    print(f"Slurm: {len(waiting)} tasks submitted; their logs are in {folder}/", flush=True)
    return submitted


def _outcome(cell: Cell, store: Store, log: Path) -> Outcome:
    # Asked first: whoever holds the cell may end it in between, and the record is then read that it left.
    claimed = is_locked(store.path(cell))
    state = store.state(cell)
    if state.name == "done":
        return Outcome(cell)
    # Before a failure, which is an older one's: the task that met the claim has written none.
    if claimed:
        return Outcome(cell, holder="another reproduction")
    if state.name == "failed":
        return Outcome(cell, state.reason)
    return Outcome(cell, f"its Slurm task left no result; see {log}")


def _queued() -> set[str] | None:
    """The numbers of this user's tasks that Slurm knows of, None where it does not answer."""
    answer = _slurm("squeue", "--me", "--noheader", "--array", "--format=%i")
    return None if answer is None else set(answer.split())


def _slurm(*command: str) -> str | None:
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    return None


def _on_nodes(runtime: RuntimeSettings) -> RuntimeSettings:
    """The same, understood wherever a task starts."""

    def absolute(folder: str) -> str:
        return str(Path(folder).expanduser().absolute()) if folder else ""

    return dataclasses.replace(
        runtime,
        progress=False,
        results_dir=absolute(runtime.results_dir),
        data_dir=absolute(runtime.data_dir),
        cache_dir=absolute(runtime.cache_dir),
    )
