"""How many seeds of a cell are trained together when the number is left to the program."""

from pathlib import Path

import pytest

from hmc.experiments import cost
from hmc.experiments.execute import execute
from hmc.experiments.stacks import CELL_BYTES, SHARE, UPDATE_BYTES_PER_PARAMETER, fit, fitting
from hmc.settings import ExecutorSettings, SettingsError
from tests.experiments.examples import make_cell, runtime_in


def test_a_stack_fills_the_free_memory_and_no_more() -> None:
    cell = make_cell(0)
    parameters = cost.parameters(cell)
    assert parameters
    one = parameters * UPDATE_BYTES_PER_PARAMETER + CELL_BYTES
    assert fit(cell, int(10.5 * one / SHARE)) == 10
    assert fit(cell, 1) == 1


def test_more_members_leave_room_for_fewer_seeds() -> None:
    free = 8 * 2**30
    assert fit(make_cell(0, "method.members=500"), free) < fit(make_cell(0), free)


def test_on_a_cpu_cells_stay_alone(tmp_path: Path) -> None:
    assert fitting(runtime_in(tmp_path))(make_cell(0)) == 1
    outcomes = execute([make_cell(0), make_cell(1)], runtime_in(tmp_path), ExecutorSettings(stack=0))
    assert [outcome.error for outcome in outcomes] == ["", ""]


def test_slurm_is_told_a_number(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"executor\.stack=0 asks this machine's memory"):
        execute([make_cell(0)], runtime_in(tmp_path), ExecutorSettings(name="slurm", stack=0))
