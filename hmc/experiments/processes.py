"""Several stacks at a time, each in a process of its own on this machine.

Not concurrent.futures' pool nor joblib's: with those, one killed worker ends all of them.
"""

from __future__ import annotations

import contextlib
import dataclasses
import multiprocessing
import os
import signal
import tempfile
import threading
import time
import warnings
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from multiprocessing import forkserver, resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.connection import wait as wait_for
from typing import Any

from hmc.experiments import pool
from hmc.experiments.outcome import Outcome, run_stack
from hmc.experiments.pool import Ended, Stack
from hmc.files.utf8 import warning_line
from hmc.results.provenance import cores
from hmc.results.store import Store
from hmc.settings import ExecutorSettings, RuntimeSettings

STARTS = 5
"""So often is a process started before the reproduction gives up."""

LONGEST_FOLDER = 70
"""Of a temporary folder's path, in bytes: a socket's path has room for 104 or 108, and multiprocessing adds some 30."""

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


def run(waiting: Sequence[Stack], runtime: RuntimeSettings, executor: ExecutorSettings) -> Generator[Outcome, None, None]:
    """Run stacks, as many at a time as there are cores for; outcomes come as they are.

    A stack whose process is killed goes on from its checkpoint in another one, once; the second time it has failed.
    Closing the iterator, or an error in it, kills the processes.
    """
    quiet = dataclasses.replace(runtime, progress=False)
    with _Workers(min(count(runtime, executor), len(waiting)), quiet) as workers:
        yield from pool.run(waiting, workers, Store(runtime.results_dir))


def count(runtime: RuntimeSettings, executor: ExecutorSettings) -> int:
    """How many processes: as set, but no more than the cores that this process may use have room for."""
    room = max(1, cores() // runtime.threads)
    return min(executor.workers or room, room)


class _Workers:
    """Processes that serve stacks. Each has a pipe of its own, so that the end of one says nothing about the others."""

    def __init__(self, most: int, runtime: RuntimeSettings) -> None:
        self.most, self.runtime = most, runtime
        self.idle: list[tuple[Any, Connection]] = []
        self.running: dict[Connection, tuple[Any, Stack]] = {}

    def __enter__(self) -> _Workers:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        # A second Ctrl-C must not leave half of them running; it is delivered afterwards.
        with _interrupts_blocked():
            for process, connection in self.idle:
                # Its end of the pipe is closed: a worker that waits for work ends by itself.
                connection.close()
                if kind is None:
                    process.join(5)
            for process in [process for process, _ in [*self.idle, *self.running.values()]]:
                process.kill()
                process.join()
            if kind is not None:
                _kill_server()

    def busy(self) -> bool:
        return bool(self.running)

    def start(self, left: deque[Stack]) -> None:
        """Give a stack to each process that has none, and to new ones while there is room."""
        while left and len(self.running) < self.most:
            process, connection = self.idle.pop() if self.idle else _spawn(self.runtime)
            stack = left.popleft()
            self.running[connection] = (process, stack)
            # A worker that is gone already is noticed where the others are.
            with contextlib.suppress(OSError):
                connection.send(list(stack))

    def ended(self) -> Iterator[Ended]:
        """Waits for one at least."""
        for connection in wait_for(list(self.running)):
            assert isinstance(connection, Connection)
            process, stack = self.running.pop(connection)
            try:
                outcomes = connection.recv()
            except (EOFError, OSError):
                connection.close()
                # Its lock is released only when the process is gone.
                process.join()
                remedy = "if memory ran out, set executor.workers or executor.stack lower"
                yield Ended(stack, killed=f"its process {_ending(process.exitcode)}, twice; {remedy}")
            else:
                self.idle.append((process, connection))
                yield Ended(stack, outcomes)


def _ending(code: int) -> str:
    if code < 0:
        return f"was killed by {signal.Signals(-code).name}"
    return f"ended with status {code}"


def _spawn(runtime: RuntimeSettings) -> tuple[Any, Connection]:
    # Forked from a server that has torch loaded and nothing started: in place in milliseconds, and sharing torch's memory.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["__main__", "hmc.experiments.run", "hmc.experiments.networks"])
    for _ in range(STARTS):
        ours, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(theirs, runtime), daemon=True)
        try:
            with _environment(dict.fromkeys(THREADS, str(runtime.threads))):
                # The server and its workers inherit what is blocked: their parent decides what an interrupt ends. To start it
                # takes no time; until it is ready takes seconds, in which an interrupt is heard.
                # (Its own helper first: to start that one unblocks.)
                resource_tracker.ensure_running()
                with _interrupts_blocked(), _short_temporary_folder():
                    forkserver.ensure_running()
                process.start()
        # The server was killed (by the kernel, for its memory) while it was asked; the next question starts another one.
        except (EOFError, ConnectionError) as error:
            ours.close()
            problem = error
            time.sleep(0.1)
            continue
        finally:
            theirs.close()
        return process, ours
    raise RuntimeError(
        f"no process could be started, in {STARTS} tries ({type(problem).__name__}); if memory ran out, lower executor.workers"
    )


@contextlib.contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """For libraries that read their number of threads when they are loaded."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextlib.contextmanager
def _short_temporary_folder() -> Iterator[None]:
    """For the server's socket, whose path may have some hundred characters, no more; a temporary folder may have a longer one."""
    before = tempfile.gettempdir()
    if len(os.fsencode(before)) > LONGEST_FOLDER and os.access("/tmp", os.W_OK):
        tempfile.tempdir = "/tmp"
    try:
        yield
    finally:
        tempfile.tempdir = before


@contextlib.contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """Ctrl-C and SIGTERM wait until the end of the block."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _kill_server() -> None:
    """End the server of the processes, which looks at nothing while it loads torch; the next start makes another one."""
    # multiprocessing has no public name for it.
    pid = forkserver._forkserver._forkserver_pid  # type: ignore[attr-defined]
    if pid is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _serve(connection: Connection, runtime: RuntimeSettings) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # SIGTERM ends a worker, as it ends any program.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    # Locks that libraries make here (numba, tqdm) then have no name that outlives a killed process, with a warning at the end.
    multiprocessing.set_start_method("fork", force=True)
    _end_with_parent()
    warnings.formatwarning = warning_line
    while True:
        try:
            stack = connection.recv()
        except (EOFError, OSError):
            return
        connection.send(run_stack(stack, runtime))


def _end_with_parent() -> None:
    """End this process when its parent is gone, so that a killed reproduction leaves nothing running."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_exit_after, args=(parent.sentinel,), daemon=True).start()


def _exit_after(sentinel: int) -> None:
    wait_for([sentinel])
    os._exit(1)
