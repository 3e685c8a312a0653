"""How many seeds of a cell are trained together when the number is left to the program."""

from pathlib import Path

import numpy as np
import pytest

from hmc.experiments import cost
from hmc.experiments.execute import execute
from hmc.experiments.stacks import CELL_BYTES, MOST_ON_CPU, SHARE, UPDATE_BYTES_PER_PARAMETER, fastest_on_cpu, fit, fitting
from hmc.results.store import Store
from hmc.scores import load_scores
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


def test_on_a_cpu_a_stack_stays_in_cache() -> None:
    one = cost.parameters(make_cell(0))
    assert one
    fast = fastest_on_cpu(make_cell(0, "training.hidden=1000"))
    larger = cost.parameters(make_cell(0, "training.hidden=1000"))
    assert larger
    assert 1 < fast < MOST_ON_CPU
    assert fast * larger <= cost.PARAMETERS_ON_CPU < (fast + 1) * larger
    assert fastest_on_cpu(make_cell(0)) == MOST_ON_CPU
    assert fastest_on_cpu(make_cell(0, "training.hidden=3000")) == 1
    assert fastest_on_cpu(make_cell(0, method="training_rate")) == 1


def test_on_a_cpu_every_worker_has_a_stack(tmp_path: Path) -> None:
    runtime = runtime_in(tmp_path)
    assert [fitting(runtime, cells, 2)(make_cell(0)) for cells in (1, 2, 3, 10, 100)] == [1, 1, 2, 5, MOST_ON_CPU]


def test_cells_that_are_stacked_have_the_numbers_that_they_have_alone_but_for_rounding(tmp_path: Path) -> None:
    cells = [make_cell(seed) for seed in range(3)]
    for stack in (0, 1):
        outcomes = execute(cells, runtime_in(tmp_path / str(stack)), ExecutorSettings(stack=stack))
        assert [outcome.error for outcome in outcomes] == ["", "", ""]
    together, alone = ([Store(tmp_path / name).load(cell) for cell in cells] for name in ("0", "1"))
    assert [record.times["stacked_cells"] for record in (*together, *alone)] == [3, 3, 3, 1, 1, 1]
    scores = [[load_scores(Store(tmp_path / name).scores_path(cell)).test for cell in cells] for name in ("0", "1")]
    for ours, theirs in zip(*scores, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-6)


def test_slurm_is_told_a_number(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"executor\.stack=0 asks this machine"):
        execute([make_cell(0)], runtime_in(tmp_path), ExecutorSettings(name="slurm", stack=0))
