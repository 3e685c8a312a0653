"""The same cell gives the same record, whatever the surroundings; threads and stacks stay within a stated tolerance."""

from __future__ import annotations

import dataclasses
import json
import locale
import os
import statistics
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hmc.experiments.run import run_cells
from hmc.results.record import Record
from hmc.results.store import COMPLETE
from hmc.settings import Cell, RunSettings, build, identifying, identity_of, to_mapping
from tests.experiments.examples import make_cell, runtime_in
from tests.processes import PROJECT

METHODS = ("chmcnn", "weighted_focal_bbma", "lpros_weighted_focal_bbma", "hros_pd", "dropout_focal_gmu", "focal_gmu")
SOME_METHODS = (
    "weighted_focal_bbma",
    "focal_gmu",
    *(pytest.param(method, marks=pytest.mark.torture) for method in ("chmcnn", "dropout_focal_gmu")),
)
SAME = 2e-6
"""The largest difference of any metric or loss (relative, for losses) between one and two threads, alone and stacked."""
CODE = """
import sys
from pathlib import Path
from hmc.experiments.run import run_cells
from tests.experiments.examples import make_cell, runtime_in
folder, *methods = sys.argv[1:]
for method in methods:
    run_cells([make_cell(method=method)], runtime_in(Path(folder)))
"""

SURROUNDINGS: dict[str, dict[str, str]] = {
    "hash seed 1, Kathmandu, C": {"PYTHONHASHSEED": "1", "TZ": "Asia/Kathmandu", "LC_ALL": "C"},
    "hash seed 4242, Kiritimati, Turkish": {"PYTHONHASHSEED": "4242", "TZ": "Pacific/Kiritimati", "LC_ALL": "tr_TR.UTF-8"},
    "hash seed 7, Marquesas, German": {"PYTHONHASHSEED": "7", "TZ": "Pacific/Marquesas", "LC_ALL": "de_DE.UTF-8"},
    "no hash seed, UTC, no locale": {"PYTHONHASHSEED": "random", "TZ": "UTC", "LC_ALL": "", "LANG": ""},
}


def documents(folder: Path) -> dict[str, dict[str, Any]]:
    """Every record below the folder without times and environment, by its path in the store."""
    found = {}
    for path in sorted((folder / "runs").rglob(COMPLETE)):
        document = json.loads(path.read_text(encoding="utf-8"))
        del document["times"], document["environment"], document["checksum"]
        found[str(path.relative_to(folder))] = document
    return found


@pytest.mark.parametrize(
    ("names", "methods"),
    [
        pytest.param(list(SURROUNDINGS)[1:2], METHODS[:3], id="one"),
        pytest.param(list(SURROUNDINGS), METHODS, id="all", marks=pytest.mark.torture),
    ],
)
def test_surroundings_change_no_byte(tmp_path: Path, names: list[str], methods: tuple[str, ...]) -> None:
    """Hash seed, time zone, locale, working directory, and a process of its own against a long-lived one."""
    for method in methods:
        run_cells([make_cell(method=method)], runtime_in(tmp_path / "here"))
    expected = documents(tmp_path / "here")
    assert len(expected) == len(methods)
    for place, name in enumerate(names):
        elsewhere = tmp_path / f"working directory {place}"
        elsewhere.mkdir()
        variables = {**os.environ, **SURROUNDINGS[name], "PYTHONPATH": str(PROJECT)}
        folder = tmp_path / name
        subprocess.run([sys.executable, "-c", CODE, str(folder), *methods], cwd=elsewhere, env=variables, check=True)
        assert json.dumps(documents(folder)) == json.dumps(expected), name
        assert not list(elsewhere.iterdir())


def test_a_locale_with_a_decimal_comma_changes_no_byte(tmp_path: Path) -> None:
    """A person's own program may have set it before it calls ours."""
    run_cells([make_cell()], runtime_in(tmp_path / "point"))
    before = locale.setlocale(locale.LC_ALL)
    try:
        locale.setlocale(locale.LC_ALL, "de_DE.UTF-8")
    except locale.Error:
        pytest.skip("this machine has no German locale")
    try:
        run_cells([make_cell()], runtime_in(tmp_path / "comma"))
    finally:
        locale.setlocale(locale.LC_ALL, before)
    assert documents(tmp_path / "comma") == documents(tmp_path / "point")


def backwards(document: Any) -> Any:
    """The same document with the keys of all mappings in reverse order."""
    if isinstance(document, Mapping):
        return {key: backwards(document[key]) for key in reversed(document)}
    return document


def test_the_order_of_settings_changes_no_byte(tmp_path: Path) -> None:
    cell = make_cell(method="weighted_focal_bbma")
    settings = build(RunSettings, backwards(to_mapping(cell.settings)))
    reversed_cell = Cell(settings, cell.data_sha256, cell.departed)
    assert identity_of(identifying(settings), cell.data_sha256) == cell.identity
    run_cells([cell], runtime_in(tmp_path / "forwards"))
    run_cells([reversed_cell], runtime_in(tmp_path / "backwards"))
    assert json.dumps(documents(tmp_path / "forwards")) == json.dumps(documents(tmp_path / "backwards"))


# --- again, threads, stacks -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("threads", [1, pytest.param(2, marks=pytest.mark.torture)])
def test_the_same_cell_again_gives_the_same_record(tmp_path: Path, threads: int) -> None:
    cells = [make_cell(method=method) for method in METHODS]
    first = [run_cells([cell], runtime_in(tmp_path / "first", threads=threads))[0] for cell in cells]
    again = [run_cells([cell], runtime_in(tmp_path / "again", threads=threads))[0] for cell in cells]
    for one, other in zip(first, again, strict=True):
        assert without_times(one) == without_times(other)


def without_times(record: Record) -> Record:
    return dataclasses.replace(record, times=dict.fromkeys(record.times))


def difference(one: Record, other: Record) -> float:
    """The largest difference of a metric, or relative difference of a loss."""
    assert one.metrics.keys() == other.metrics.keys()
    metrics = max(abs(one.metrics[name] - other.metrics[name]) for name in one.metrics)
    losses = np.array(one.learning_curve), np.array(other.learning_curve)
    return max(metrics, float((np.abs(losses[0] - losses[1]) / np.abs(losses[0])).max()))


@pytest.mark.parametrize("method", SOME_METHODS)
def test_two_threads_give_what_one_gives(tmp_path: Path, method: str) -> None:
    cell = make_cell(method=method)
    (one,) = run_cells([cell], runtime_in(tmp_path / "one"))
    (two,) = run_cells([cell], runtime_in(tmp_path / "two", threads=2))
    assert difference(one, two) <= SAME


@pytest.mark.parametrize("method", SOME_METHODS)
def test_a_stack_gives_what_its_cells_give_alone(tmp_path: Path, method: str) -> None:
    cells = [make_cell(seed, method=method) for seed in range(3)]
    alone = [run_cells([cell], runtime_in(tmp_path / "alone"))[0] for cell in cells]
    stacked = run_cells(cells, runtime_in(tmp_path / "stacked"))
    assert max(difference(one, other) for one, other in zip(alone, stacked, strict=True)) <= SAME


FULL_SIZE = [("synthetic_tree", 5), ("synthetic_dag", 5), ("cellcycle_fun", 2), ("cellcycle_go", 1)]


@pytest.mark.torture
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(("dataset", "epochs"), FULL_SIZE)
def test_threads_and_stacks_at_full_size(tmp_path: Path, dataset: str, epochs: int, request: pytest.FixtureRequest) -> None:
    """The paper's networks, shorter; what it prints is in the README."""
    from hmc.configs import run_settings
    from hmc.data.identity import data_sha256
    from hmc.settings import RuntimeSettings

    if not dataset.startswith("synthetic"):
        request.getfixturevalue("benchmark_files")
    made = []
    for seed in range(2):
        settings = run_settings(dataset, "weighted_focal_bbma", seed, overrides=[f"training.epochs={epochs}", "method.members=2"])
        made.append(Cell(settings, data_sha256(settings.dataset, RuntimeSettings()), (("training.epochs", epochs),)))
    (again,) = run_cells(made[:1], runtime_in(tmp_path / "again", cache_dir=str(tmp_path / "cache")))
    alone = [run_cells([cell], runtime_in(tmp_path / "alone", cache_dir=str(tmp_path / "cache")))[0] for cell in made]
    (threads,) = run_cells(made[:1], runtime_in(tmp_path / "threads", threads=2, cache_dir=str(tmp_path / "cache")))
    stacked = run_cells(made, runtime_in(tmp_path / "stacked", cache_dir=str(tmp_path / "cache")))
    assert without_times(again) == without_times(alone[0])
    by_threads = difference(alone[0], threads)
    by_stack = max(difference(one, other) for one, other in zip(alone, stacked, strict=True))
    print(f"{dataset}: 1 against 2 threads {by_threads:.1e}, alone against stacked {by_stack:.1e}")
    assert by_threads <= SAME
    assert by_stack <= SAME


def test_strict_changes_no_bit_on_a_cpu(tmp_path: Path) -> None:
    cells = [make_cell(method=method) for method in METHODS]
    for cell in cells:
        (fast,) = run_cells([cell], runtime_in(tmp_path / "fast"))
        (strict,) = run_cells([cell], runtime_in(tmp_path / "strict", determinism="strict"))
        assert (fast.environment["determinism"], strict.environment["determinism"]) == ("fast", "strict")
        assert without_times(strict) == dataclasses.replace(without_times(fast), environment=strict.environment)


@pytest.mark.torture
@pytest.mark.timeout(3600)
def test_what_strict_costs(tmp_path: Path) -> None:
    """Fast and strict in turns, so that a noisy neighbour falls on both; the median ratio of step times is in the README."""
    cell = make_cell(0, "training.hidden=1000", "training.epochs=30", method="weighted_focal_bbma")
    ratios = []
    for place in range(9):
        steps = {}
        for determinism in ("fast", "strict"):
            (record,) = run_cells([cell], runtime_in(tmp_path / f"{place}", determinism=determinism, force=True))
            steps[determinism] = record.times["step_milliseconds"]
        ratios.append(steps["strict"] / steps["fast"])
    print(f"a step with determinism=strict takes {statistics.median(ratios):.3f} of one with fast, on this CPU")
    assert len(ratios) == 9
