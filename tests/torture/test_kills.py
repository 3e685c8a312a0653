"""SIGKILL at random moments, to workers, to what forks them, to the reproduction itself, and SIGTERM to this: nothing is lost or
doubled.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from hmc.console import INTERRUPTED
from hmc.experiments.lock import is_locked
from hmc.results.record import Record
from hmc.results.store import Store
from tests.doors.conftest import PROJECT
from tests.doors.suites import block, left, tables
from tests.processes import alive, children, command_line, wait_for

Kill = tuple[str, signal.Signals]
"""A process by what it is for, and the signal it gets: SIGKILL ends it, SIGTERM asks it to end."""
WORKER: Kill = ("worker", signal.SIGKILL)
KILLS: tuple[Kill, ...] = (
    WORKER,
    ("server", signal.SIGKILL),
    WORKER,
    ("parent", signal.SIGTERM),
    *[WORKER] * 2,
    ("parent", signal.SIGKILL),
    *[WORKER] * 5,
)
"""In turn: a sixth of the kills end a reproduction, half of these by asking it to end; a twelfth end the workers' server."""


@pytest.fixture(autouse=True)
def own_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A killed process cannot remove its sockets; they go with the test's folder."""
    (tmp_path / "t").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "t"))


LONG = [pytest.mark.torture, pytest.mark.timeout(3600)]


@pytest.mark.parametrize(
    ("kills", "cells", "seed"),
    [(7, 8, 0), *(pytest.param(50, 60, seed, id=f"fifty-{seed}", marks=LONG) for seed in range(4))],
)
def test_kills_at_random_moments_lose_and_double_nothing(tmp_path: Path, kills: int, cells: int, seed: int) -> None:
    """A suite is run and killed until it is done, in as many stores as it takes to have all the kills."""
    suite = f"suite.blocks=[{block('chmcnn,weighted_focal_bbma', cells // 2, 'training.epochs=20')}]"
    command = [sys.executable, str(PROJECT / "scripts" / "reproduce.py"), suite, "executor.workers=2", "checkpoint_seconds=0"]
    chance, done = random.Random(seed), Counter[Kill]()
    stores = []
    while done.total() < kills:
        stores.append(tmp_path / f"killed-{len(stores)}")
        finish_under_fire([*command, f"results_dir={stores[-1]}"], stores[-1], chance, done, kills)
    counted = ", ".join(f"{count} {victim} {sent.name}" for (victim, sent), count in done.items())
    print(f"{done.total()} kills ({counted}) in {len(stores)} stores of {cells} cells")
    whole = tmp_path / "whole"
    make_old(tmp_path)
    for folder in (whole, *stores):
        again = subprocess.run([*command, f"results_dir={folder}"], capture_output=True, text=True)
        assert again.returncode == 0, again.stdout + again.stderr
        assert again.stderr == ""
        assert left(folder) == ["record.json"] * cells
        assert len({record.identity for record in Store(folder).records()}) == cells
        assert tables(folder) == tables(whole)
        assert not list(folder.rglob(".*.tmp"))
    for folder in stores:
        assert numbers(folder) == numbers(whole)


def make_old(folder: Path) -> None:
    """What the killed ones left temporary, as it is a day later."""
    for path in folder.rglob(".*.tmp"):
        os.utime(path, (time.time() - 86400,) * 2)


def finish_under_fire(command: list[str], folder: Path, chance: random.Random, done: Counter[Kill], most: int) -> None:
    """Call the command until one call reaches its end, and meanwhile kill, up to so many times."""
    while True:
        running = subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            for kill in kills_left(done, most):
                if not struck(running, kill, folder, chance):
                    break
                done[kill] += 1
                if kill[0] == "parent":
                    break
            # 1: a cell's process was killed twice. -SIGTERM: asked before it could hear.
            if running.wait(300) in (0, 1):
                return
            assert running.returncode in (-signal.SIGKILL, -signal.SIGTERM, INTERRUPTED)
        finally:
            workers_end(running.pid, folder)


def kills_left(done: Counter[Kill], most: int) -> Iterator[Kill]:
    while done.total() < most:
        yield KILLS[done.total() % len(KILLS)]


def struck(running: subprocess.Popen[bytes], kill: Kill, folder: Path, chance: random.Random) -> bool:
    """Send the signal at most half a second after the store changed next; False where the reproduction had ended before."""
    victim, sent = kill
    before = written(folder)
    moment = chance.uniform(0, 0.5)
    while running.poll() is None and written(folder) == before:
        time.sleep(0.01)
    time.sleep(moment)
    while running.poll() is None:
        found = processes_of(running.pid)[victim]
        if found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(chance.choice(found), sent)
                return True
        time.sleep(0.01)
    return False


def processes_of(parent: int) -> dict[str, list[int]]:
    """The processes of a reproduction by what they are for."""
    servers = [child for child in children(parent) if "multiprocessing.forkserver" in command_line(child)]
    return {
        "parent": [parent],
        "server": servers,
        "worker": [worker for server in servers for worker in children(server)],
    }


def workers_end(group: int, folder: Path) -> None:
    """What a reproduction leaves when it is killed ends by itself, and with it every claim."""
    try:
        wait_for(lambda: not any(is_locked(path.parent) for path in folder.rglob("lock")), 30)
        wait_for(lambda: not [process for process in session(group) if alive(process)], 30)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)


def session(group: int) -> list[int]:
    """The processes of a session, whoever their parent is by now."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if int((path / "stat").read_text().rpartition(")")[2].split()[3]) == group:
                found.append(int(path.name))
    return found


def numbers(folder: Path) -> dict[str, tuple[object, ...]]:
    """What was computed, by identity."""
    return {record.identity: computed(record) for record in Store(folder).records()}


def computed(record: Record) -> tuple[object, ...]:
    return record.metrics, record.packed_nodes, record.learning_curve, record.settings, record.data


def written(folder: Path) -> set[tuple[Path, int]]:
    """The files of a store with their times of change."""
    found = set()
    for path in folder.rglob("*.*"):
        with contextlib.suppress(FileNotFoundError):
            found.add((path, path.stat().st_mtime_ns))
    return found
