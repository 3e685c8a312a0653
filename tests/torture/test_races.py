"""Many processes on one store and one cache at once: every cell is trained once, nothing is lost, doubled or torn."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from hmc.experiments.execute import execute
from hmc.results.runs_csv import read_csv
from hmc.results.store import Store
from hmc.settings import ExecutorSettings
from tests.doors.conftest import PROJECT
from tests.doors.suites import block, left, tables
from tests.experiments.examples import contents, runtime_in
from tests.torture.racing import counted_cells, race, reported, reproduce_and_report


@pytest.mark.parametrize("count", [10, pytest.param(200, marks=[pytest.mark.torture, pytest.mark.timeout(3600)])])
def test_eight_processes_on_one_store_and_one_cache(tmp_path: Path, count: int) -> None:
    cells = counted_cells(count, tmp_path / "shared")
    runtime = runtime_in(tmp_path / "raced", cache_dir=str(tmp_path / "cache"), checkpoint_seconds=0)
    race(8, reproduce_and_report, cells, runtime)
    assert len(list((tmp_path / "shared" / "trainings").iterdir())) == count
    assert left(tmp_path / "raced") == ["record.json"] * count
    assert [path.suffix for path in (tmp_path / "cache").iterdir()] == [".npz"]
    assert len(read_csv(tmp_path / "raced" / "runs.csv")) == count
    alone = runtime_in(tmp_path / "alone", cache_dir=str(tmp_path / "cache"))
    execute(cells, alone, ExecutorSettings())
    assert contents(cells, runtime) == contents(cells, alone)
    assert reported(cells, Store(tmp_path / "raced")) == reported(cells, Store(tmp_path / "alone"))
    assert not list(tmp_path.rglob("*.tmp"))


@pytest.mark.torture
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("count", [2, 8])
def test_reproductions_of_one_suite_at_once(tmp_path: Path, count: int) -> None:
    """As commands, with process workers, each of which shares the store with all others'."""
    some = f"suite.blocks=[{block('chmcnn,weighted_focal_bbma', 20, 'training.epochs=20')}]"
    command = [sys.executable, str(PROJECT / "scripts" / "reproduce.py"), some, "executor.workers=2", "checkpoint_seconds=0"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    running = [subprocess.Popen([*command, f"results_dir={tmp_path / 'raced'}"], **pipes) for _ in range(count)]  # type: ignore[call-overload]
    shown = [one.communicate(timeout=600) for one in running]
    assert [one.returncode for one in running] == [0] * count, shown
    assert all(output.endswith("all is done\n") and not errors for output, errors in shown)
    assert left(tmp_path / "raced") == ["record.json"] * 40
    subprocess.run([*command, f"results_dir={tmp_path / 'whole'}"], check=True, stdout=subprocess.DEVNULL)
    assert tables(tmp_path / "raced") == tables(tmp_path / "whole")
