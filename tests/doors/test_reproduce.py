"""scripts/reproduce.py: plan, run, kill, go on, and nothing left to do."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hmc.experiments.claim import is_claimed
from tests.doors.conftest import PROJECT, Door
from tests.experiments.examples import SIZES


def block(methods: str, seeds: int, *overrides: str) -> str:
    """A block of short cells, as Hydra reads it."""
    quoted = ",".join(f"'{override}'" for override in (*SIZES, *(overrides or ("training.epochs=6",))))
    return f"{{datasets:[synthetic_tree],methods:[{methods}],seeds:{list(range(seeds))},overrides:[{quoted}]}}".replace(" ", "")


def tables(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((folder / "tables" / "quick").iterdir())}


def test_a_suite_is_planned_run_and_then_done(door: Door, tmp_path: Path) -> None:
    some = f"suite.blocks=[{block('chmcnn,ensemble', 2)}]"
    planned = door("reproduce", some, "plan=true").stdout
    assert "4 cells (0 done, 4 missing)" in planned
    assert "to run: 4 cells, " in planned
    assert "disk: " in planned
    assert not (tmp_path / "results" / "runs").exists()
    first = door("reproduce", some).stdout
    assert "(4 of 4)" in first
    assert first.endswith("all is done\n")
    before = tables(tmp_path / "results")
    second = without_torch(some, tmp_path)
    assert "4 cells (4 done, 0 missing)" in second
    assert second.endswith("all is done\nstatus 0 []\n")
    assert tables(tmp_path / "results") == before
    assert "to run" not in door("reproduce", some, "plan=true").stdout


def without_torch(some: str, folder: Path) -> str:
    """What the door prints, and at its end its status and which of the large libraries it has loaded."""
    code = (
        "import runpy, sys\n"
        f"sys.argv = ['reproduce.py', {some!r}, 'results_dir={folder / 'results'}']\n"
        "try:\n"
        f"    runpy.run_path({str(PROJECT / 'scripts' / 'reproduce.py')!r}, run_name='__main__')\n"
        "except SystemExit as end:\n"
        "    print('status', end.code, sorted({'torch', 'numba'} & set(sys.modules)))\n"
    )
    return subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True).stdout


def test_a_failing_cell_gives_the_status_and_the_others_their_records(
    door: Door, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my_methods.py").write_text(
        "class Broken:\n    def __init__(self, context):\n        raise ZeroDivisionError('on purpose')\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    broken = block("chmcnn", 2, "training.epochs=6", "method.objective=my_methods:Broken")
    shown = door("reproduce", f"suite.blocks=[{broken},{block('weighted', 2)}]", status=1).stdout
    assert shown.count("seed 0: ZeroDivisionError: on purpose") == 2
    assert "not all is done" in shown
    assert len(list(tmp_path.rglob("record.json"))) == 2
    assert len(list(tmp_path.rglob("failure.json"))) == 2


@pytest.mark.parametrize(
    ("kills", "cells"), [pytest.param(5, 16, id="five"), pytest.param(20, 60, id="twenty", marks=pytest.mark.slow)]
)
def test_kills_at_random_moments_change_no_byte_of_the_tables(tmp_path: Path, kills: int, cells: int) -> None:
    """Each kill comes at most half a second after a run has begun to write."""
    chance = random.Random(kills)
    some = f"suite.blocks=[{block('chmcnn,weighted_focal_bbma', cells // 2, 'training.epochs=20')}]"
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    command = [sys.executable, str(PROJECT / "scripts" / "reproduce.py"), some, "executor.workers=2"]
    killed_at_work = 0
    for place in range(kills):
        ending = [signal.SIGKILL, signal.SIGINT, signal.SIGTERM][place % 3]
        before = written(killed)
        running = subprocess.Popen(
            [*command, f"results_dir={killed}", "checkpoint_seconds=0"], start_new_session=True, stdout=subprocess.DEVNULL
        )
        try:
            # From the first thing that it writes on, so that slow machines too are killed at work.
            while running.poll() is None and written(killed) == before:
                time.sleep(0.01)
            time.sleep(chance.uniform(0, 0.5))
            killed_at_work += running.poll() is None
            running.send_signal(ending)
        finally:
            running.wait(60)
            wait_until_unclaimed(killed)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(running.pid, signal.SIGKILL)
    assert killed_at_work > kills // 2
    for folder in (killed, whole):
        done = subprocess.run([*command, f"results_dir={folder}"], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    assert tables(killed) == tables(whole)
    left = [path.name for path in killed.rglob("*") if path.is_file() and "runs" in path.parts]
    assert set(left) == {"record.json"}
    assert len(left) == cells


def written(folder: Path) -> set[tuple[Path, int]]:
    """The files of a store with their times of change."""
    found = set()
    for path in folder.rglob("*.*"):
        with contextlib.suppress(FileNotFoundError):
            found.add((path, path.stat().st_mtime_ns))
    return found


def wait_until_unclaimed(folder: Path) -> None:
    end = time.monotonic() + 30
    while any(is_claimed(path.parent) for path in folder.rglob("lock")):
        assert time.monotonic() < end, "a worker survived"
        time.sleep(0.05)
