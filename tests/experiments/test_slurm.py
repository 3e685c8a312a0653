"""Twelve cells on a real Slurm of one node, one of them killed; what tasks leave behind, without a Slurm."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest

from hmc.configs import CONFIGS
from hmc.experiments import slurm
from hmc.experiments.execute import execute
from hmc.experiments.lock import locked
from hmc.experiments.outcome import Outcome
from hmc.files import UnwritableError
from hmc.results.record import Record
from hmc.results.store import Store
from hmc.settings import Cell, ExecutorSettings, SlurmSettings
from tests.experiments.examples import contents, make_cell, runtime_in

SCRIPT = CONFIGS.parent / "scripts" / "slurm_local.sh"


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A Slurm that answers: the machine's own, or else one that is started for the test."""
    if shutil.which("sbatch") is None:
        pytest.skip("no sbatch on this machine; Debian: apt-get install slurm-wlm munge")
    pytest.importorskip("submitit", reason="submitit is not installed: pip install '.[slurm]'")
    if subprocess.run(["sinfo"], capture_output=True).returncode == 0:
        yield
        return
    if os.geteuid() != 0 or shutil.which("munged") is None:
        pytest.skip("no Slurm answers, and starting one needs root and munged")
    folder = tmp_path / "slurm_local"
    started = subprocess.run([str(SCRIPT), "start", str(folder)], capture_output=True, text=True)
    try:
        assert started.returncode == 0, started.stderr
        monkeypatch.setenv("SLURM_CONF", str(folder / "slurm.conf"))
        yield
    finally:
        subprocess.run([str(SCRIPT), "stop", str(folder)], check=False)


class Tasks:
    """In Slurm's place: tasks that end where the file ``result`` is there, and are lost where it is not."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, result: Path) -> None:
        self.result, self.submitted = result, 0
        self.cancelled: list[str] = []
        monkeypatch.setattr(slurm, "POLL_SECONDS", 0)
        monkeypatch.setattr(slurm, "_submit", self.submit)
        monkeypatch.setattr(slurm, "_slurm", self.answer)

    def submit(self, waiting: Sequence[slurm.Stack], *_: object) -> dict[str, tuple[SimpleNamespace, slurm.Stack]]:
        numbers = [f"{self.submitted + place}_0" for place in range(len(waiting))]
        self.submitted += len(waiting)
        paths = SimpleNamespace(result_pickle=self.result, stderr=Path("log.err"))
        return {number: (paths, stack) for number, stack in zip(numbers, waiting, strict=True)}

    def answer(self, program: str, *arguments: str) -> str:
        if program == "scancel":
            self.cancelled += arguments
        return ""


def outcomes_of(cells: Sequence[Cell], folder: Path) -> list[Outcome]:
    executor = ExecutorSettings(name="slurm", slurm=SlurmSettings(lost_seconds=0))
    return list(slurm.run([[cell] for cell in cells], runtime_in(folder), executor))


def test_a_claimed_cell_is_left_to_its_holder_whatever_became_of_it_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    claimed, failed = cells = [make_cell(seed) for seed in range(2)]
    for cell in cells:
        Store(tmp_path).save(Record.failed(cell, "yesterday's failure"))
    ended = tmp_path / "result.pkl"
    ended.touch()
    Tasks(monkeypatch, ended)
    with locked(Store(tmp_path).path(claimed)):
        outcomes = outcomes_of(cells, tmp_path)
    assert outcomes == [Outcome(claimed, holder="another reproduction"), Outcome(failed, "yesterday's failure")]


def test_a_lost_task_that_cannot_be_recorded_ends_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Store, record: Record) -> Path:
        raise UnwritableError("No space left on device")

    tasks = Tasks(monkeypatch, tmp_path / "never")
    monkeypatch.setattr(Store, "save", full)
    cells = [make_cell(seed) for seed in range(2)]
    outcomes = outcomes_of(cells, tmp_path)
    assert outcomes == [
        Outcome(cell, f"its Slurm task was killed twice; see slurm/{number}_0_0_log.err")
        for number, cell in enumerate(cells, start=2)
    ]
    assert tasks.submitted == 4
    assert tasks.cancelled == []


@pytest.mark.slow
def test_twelve_cells_with_one_killed_end_complete(tmp_path: Path, cluster: None) -> None:
    cells = [make_cell(seed, "training.epochs=200") for seed in range(12)]
    runtime = runtime_in(tmp_path / "results", checkpoint_seconds=1)
    killed: list[str] = []
    killer = threading.Thread(target=kill_one, args=(tmp_path / "results", killed), daemon=True)
    killer.start()
    executor = ExecutorSettings(name="slurm", workers=0, slurm=SlurmSettings(memory_gb=1, lost_seconds=3))
    outcomes = execute(cells, runtime, executor)
    assert killed
    assert sorted(outcome.cell.seed for outcome in outcomes) == list(range(12))
    assert [outcome for outcome in outcomes if outcome.error or outcome.holder] == []
    logs = [Store(tmp_path / "results").load(cell).environment["log"] for cell in cells]
    assert len(set(logs)) == 12
    assert all((tmp_path / "results" / log).exists() for log in logs)
    # The killed one was submitted again, as a job of its own.
    assert len({log.split("/")[1].split("_")[0] for log in logs}) == 2
    here = runtime_in(tmp_path / "here")
    execute(cells[:2], here, ExecutorSettings())
    for theirs, ours in zip(contents(cells[:2], runtime), contents(cells[:2], here), strict=True):
        assert (theirs["metrics"], theirs["learning_curve"]) == (ours["metrics"], ours["learning_curve"])


def kill_one(results: Path, killed: list[str]) -> None:
    """Kill a task that is in the middle of its cell."""
    end = time.monotonic() + 300
    while time.monotonic() < end:
        for lock in results.rglob("lock"):
            time.sleep(0.5)
            task = running_task()
            if task and lock.exists():
                subprocess.run(["scancel", "--signal=KILL", task], check=True)
                killed.append(task)
                return
        time.sleep(0.1)


def running_task() -> str:
    command = ["squeue", "--me", "--noheader", "--array", "--states=R", "--format=%i"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.partition("\n")[0].strip()
