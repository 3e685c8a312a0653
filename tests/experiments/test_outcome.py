"""Every end of a cell is an outcome, and one cell's end is no other's."""

from __future__ import annotations

from pathlib import Path

import pytest

from hmc.data import load as loading
from hmc.experiments import run
from hmc.experiments.lock import locked
from hmc.experiments.outcome import Outcome, described, lost, run_stack
from hmc.files import UnwritableError
from hmc.results.record import Record
from hmc.results.store import Store
from hmc.training import stack
from tests.experiments.examples import contents, make_cell, misbehaving, runtime_in


@pytest.mark.parametrize(
    ("does", "error"), [("memory", "MemoryError: on purpose"), ("division", "ZeroDivisionError: on purpose")]
)
def test_any_error_is_recorded_and_reported(tmp_path: Path, does: str, error: str) -> None:
    cell = misbehaving(does)
    assert run_stack([cell], runtime_in(tmp_path)) == [Outcome(cell, error)]
    state = Store(tmp_path).state(cell)
    assert (state.name, state.reason) == ("failed", error)


def test_an_error_in_loading_is_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def too_large(*_: object, **__: object) -> loading.Dataset:
        raise MemoryError

    monkeypatch.setattr(run, "load", too_large)
    cell = make_cell()
    assert run_stack([cell], runtime_in(tmp_path)) == [Outcome(cell, "MemoryError")]
    assert Store(tmp_path).state(cell).reason == "MemoryError"


def test_an_error_in_predicting_keeps_the_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def too_large(*_: object) -> None:
        raise MemoryError

    cell, runtime = make_cell(), runtime_in(tmp_path, checkpoint_seconds=0)
    with monkeypatch.context() as patched:
        patched.setattr(stack, "predict", too_large)
        assert run_stack([cell], runtime)[0].error == "MemoryError"
    epochs: list[int] = []
    assert run_stack([cell], runtime, lambda epoch, steps: epochs.append(epoch)) == [Outcome(cell)]
    assert epochs == [6]
    assert Store(tmp_path).state(cell).name == "done"


def test_a_failing_stack_is_tried_cell_by_cell(tmp_path: Path) -> None:
    once = tmp_path / "once"
    cells = [misbehaving("memory", seed, once) for seed in range(3)]
    assert run_stack(cells, runtime_in(tmp_path)) == [Outcome(cell) for cell in cells]
    assert [Store(tmp_path).state(cell).name for cell in cells] == ["done"] * 3


def test_a_claimed_cell_is_left_out_of_its_stack(tmp_path: Path) -> None:
    cells, runtime = [make_cell(seed) for seed in range(3)], runtime_in(tmp_path)
    with locked(Store(tmp_path).path(cells[1])):
        outcomes = run_stack(cells, runtime)
    assert [outcome.cell for outcome in outcomes] == [cells[1], cells[0], cells[2]]
    assert outcomes[0].holder.startswith("process ")
    assert [Store(tmp_path).state(cell).name for cell in cells] == ["done", "missing", "done"]


def test_what_was_done_meanwhile_is_not_run_again(tmp_path: Path) -> None:
    cells, runtime = [make_cell(seed) for seed in range(2)], runtime_in(tmp_path)
    run_stack(cells[:1], runtime)
    before = Store(tmp_path).load(cells[0])
    run_stack(cells, runtime)
    assert Store(tmp_path).load(cells[0]) == before
    assert Store(tmp_path).load(cells[1]).times["stacked_cells"] == 1


def test_a_forced_cell_is_run_again_to_the_same_numbers(tmp_path: Path) -> None:
    cell, runtime = make_cell(), runtime_in(tmp_path)
    run_stack([cell], runtime)
    before, numbers = Store(tmp_path).load(cell), contents([cell], runtime)
    run_stack([cell], runtime_in(tmp_path, force=True))
    assert contents([cell], runtime) == numbers
    assert Store(tmp_path).load(cell).times != before.times


def test_what_a_killed_process_had_not_finished_has_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done, recorded, unrecorded = (make_cell(seed) for seed in range(3))
    store = Store(tmp_path)
    run_stack([done], runtime_in(tmp_path))
    assert lost(done, store, "killed", {}) == Outcome(done)
    assert lost(recorded, store, "killed", {"log": "a.err"}) == Outcome(recorded, "killed")
    (failure,) = (record for record in store.records() if record.status == "failed")
    assert (failure.error, failure.environment) == ("killed", {"log": "a.err"})

    def full(record: Record) -> Path:
        raise UnwritableError("No space left on device")

    monkeypatch.setattr(store, "save", full)
    assert lost(unrecorded, store, "killed", {}) == Outcome(unrecorded, "killed")


def test_interrupts_are_not_outcomes(tmp_path: Path) -> None:
    def interrupt(epoch: int, steps: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_stack([make_cell()], runtime_in(tmp_path), interrupt)
    assert Store(tmp_path).state(make_cell()).name == "missing"


def test_errors_in_words() -> None:
    assert described(ValueError("too\n  large")) == "too large"
    assert described(KeyError("name")) == "KeyError: 'name'"
    assert described(MemoryError()) == "MemoryError"
