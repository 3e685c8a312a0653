"""scripts/reproduce.py: plan, run, go on, and nothing left to do."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hmc.console import INTERRUPTED
from tests.doors.conftest import PROJECT, Door
from tests.doors.suites import block, tables
from tests.processes import alive, descendants, wait_for


def test_a_suite_is_planned_run_and_then_done(door: Door, tmp_path: Path) -> None:
    some = f"suite.blocks=[{block('chmcnn,ensemble', 2)}]"
    planned = door("reproduce", some, "plan=true").stdout
    assert "4 cells (0 done, 4 missing)" in planned
    assert "to run: 4 cells, " in planned
    assert "disk: " in planned
    assert not (tmp_path / "results" / "runs").exists()
    first = door("reproduce", some).stdout
    assert "to run: 4 cells, " in first
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


def test_what_is_recorded_is_computed_again_and_compared_or_reused(door: Door, tmp_path: Path) -> None:
    two, three = (f"suite.blocks=[{block('chmcnn', seeds)}]" for seeds in (2, 3))
    results = tmp_path / "results"
    assert "recorded:" not in door("reproduce", two).stdout
    assert f"wrote {results / 'runs.csv'}\n" in door("tables", two, f"export={results / 'runs.csv'}").stdout
    elsewhere = tmp_path / "clone" / "results"
    elsewhere.mkdir(parents=True)
    (elsewhere / "runs.csv").write_bytes((results / "runs.csv").read_bytes())
    here = f"results_dir={elsewhere}"
    planned = door("reproduce", three, here, "plan=true").stdout
    assert "recorded: 2 of the cells that are not done here have a result in " in planned
    assert "runs.csv; they are computed again and then compared (recorded=reuse takes them as they stand)\n" in planned
    assert "to run: 3 cells" in planned
    assert "to run: 1 cells" in door("reproduce", three, here, "plan=true", "recorded=reuse").stdout
    reusing = door("reproduce", two, here, "recorded=reuse").stdout
    assert "recorded: 2 of the cells that are not done here have a result in " in reusing
    assert "; they are reused\n" in reusing
    assert reusing.endswith("all is done\n")
    assert not (elsewhere / "runs").exists()
    assert tables(elsewhere) == tables(results)
    again = door("reproduce", two, here).stdout
    assert "2 of these results are also in runs.csv, and equal it to the last digit\nall is done" in again
    compared = {name: content for name, content in tables(elsewhere).items() if not name.startswith("reproduced.")}
    assert compared == tables(results)
    assert b",2,2," in tables(elsewhere)["reproduced.csv"]


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


@pytest.mark.parametrize("executor", ["inline", "processes"])
def test_a_scheduler_may_end_it(tmp_path: Path, executor: str) -> None:
    """``timeout`` and Slurm send SIGTERM: one line that says how to go on, and nothing left running."""
    some = f"suite.blocks=[{block('chmcnn', 2, 'training.epochs=100000')}]"
    places = [f"results_dir={tmp_path}", f"executor={executor}", "executor.workers=2"]
    command = [sys.executable, str(PROJECT / "scripts" / "reproduce.py"), some, *places]
    running = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    try:
        wait_for(lambda: list(tmp_path.rglob("lock")))
        started = descendants(running.pid)
        running.send_signal(signal.SIGTERM)
        _, errors = running.communicate(timeout=60)
        assert (running.returncode, errors) == (
            INTERRUPTED,
            "interrupted: what was complete is kept; the same command goes on from there\n",
        )
        wait_for(lambda: not [process for process in started if alive(process)])
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)
