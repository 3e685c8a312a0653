"""Stacks, and reproductions that meet in one store."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from hmc.experiments import execute as executing
from hmc.experiments.execute import execute, stacks
from hmc.experiments.lock import locked
from hmc.experiments.outcome import Outcome
from hmc.results.record import Record
from hmc.results.store import Store
from hmc.settings import ExecutorSettings
from tests.experiments.examples import make_cell, misbehaving, runtime_in

INLINE = ExecutorSettings()


@pytest.fixture(autouse=True)
def look_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executing, "POLL_SECONDS", 0.02)


def test_stacks_hold_the_seeds_of_one_method_and_dataset() -> None:
    cells = [make_cell(seed, method=method) for method in ("chmcnn", "weighted") for seed in range(5)]
    made = stacks(cells, lambda cell: 2)
    assert [[(cell.method, cell.seed) for cell in stack] for stack in made] == [
        [("chmcnn", 0), ("chmcnn", 1)],
        [("chmcnn", 2), ("chmcnn", 3)],
        [("chmcnn", 4)],
        [("weighted", 0), ("weighted", 1)],
        [("weighted", 2), ("weighted", 3)],
        [("weighted", 4)],
    ]
    assert stacks(cells, lambda cell: 1) == [[cell] for cell in cells]


def test_stacks_mix_neither_settings_nor_resampled_rows() -> None:
    different = [make_cell(0), make_cell(1, "training.epochs=5"), make_cell(2, dataset="synthetic_dag")]
    resampled = [make_cell(seed, method="lpros") for seed in range(2)]
    assert stacks([*different, *resampled], lambda cell: 9) == [[cell] for cell in [*different, *resampled]]


def test_a_failing_cell_does_not_stop_the_others(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cells = [misbehaving("division"), make_cell(1), make_cell(2)]
    outcomes = execute(cells, runtime_in(tmp_path), ExecutorSettings(stack=3))
    assert [outcome.error for outcome in outcomes] == ["ZeroDivisionError: on purpose", "", ""]
    shown = capsys.readouterr().out
    assert "failed: synthetic_tree, chmcnn" in shown
    assert "(3 of 3)" in shown


def release_after(held: list[object], action: object = None) -> None:
    """Let go of a claim a little later, after what its holder does meanwhile."""

    def later() -> None:
        if callable(action):
            action()
        for one in held:
            one.__exit__(None, None, None)  # type: ignore[attr-defined]

    threading.Timer(0.3, later).start()


def test_a_cell_that_another_one_finishes_is_done(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cells, store = [make_cell(0), make_cell(1)], Store(tmp_path)
    execute(cells[:1], runtime_in(tmp_path / "theirs"), INLINE)
    record = Store(tmp_path / "theirs").load(cells[0])
    held = locked(store.path(cells[0]))
    held.__enter__()
    release_after([held], lambda: store.save(record))
    outcomes = execute(cells, runtime_in(tmp_path), INLINE)
    assert outcomes == [Outcome(cells[1]), Outcome(cells[0])]
    assert store.load(cells[0]) == record
    assert "left to process" in capsys.readouterr().out


def test_a_cell_that_another_one_gave_up_is_run(tmp_path: Path) -> None:
    cell, store = make_cell(0), Store(tmp_path)
    held = locked(store.path(cell))
    held.__enter__()
    release_after([held])
    assert execute([cell], runtime_in(tmp_path), INLINE) == [Outcome(cell)]
    assert store.state(cell).name == "done"


def test_a_cell_that_failed_elsewhere_is_not_run_again(tmp_path: Path) -> None:
    cell, store = make_cell(0), Store(tmp_path)
    held = locked(store.path(cell))
    held.__enter__()
    release_after([held], lambda: store.save(Record.failed(cell, "their error")))
    assert execute([cell], runtime_in(tmp_path), INLINE) == [Outcome(cell, "their error")]


def test_two_reproductions_share_the_work(tmp_path: Path) -> None:
    """Both see all cells done at their end, and no cell was trained twice."""
    code = f"""
from pathlib import Path
from tests.experiments.examples import make_cell, runtime_in
from hmc.experiments.execute import execute
from hmc.settings import ExecutorSettings
cells = [make_cell(seed, "training.epochs=30") for seed in range(8)]
runtime = runtime_in(Path({str(tmp_path)!r}))
outcomes = execute(cells, runtime, ExecutorSettings())
assert sorted(o.cell.seed for o in outcomes) == list(range(8)) and not any(o.error or o.holder for o in outcomes), outcomes
"""
    running = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    shown = [one.communicate(timeout=120)[0] for one in running]
    assert [one.returncode for one in running] == [0, 0]
    cells = [make_cell(seed, "training.epochs=30") for seed in range(8)]
    assert [Store(tmp_path).state(cell).name for cell in cells] == ["done"] * 8
    assert all(output.count("done: ") == 8 for output in shown)
    assert not list(tmp_path.rglob("lock"))
