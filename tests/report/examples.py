"""Plans with fabricated numbers for the tests of the report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import pandas as pd

from hmc.report.grid import Results, build_grid, collect
from hmc.report.table import Table
from hmc.results import Record
from hmc.settings import Cell
from tests.results.examples import DATA, make_cell, make_record

Value = Callable[[Cell], float]
METRICS = ("au_prc", "macro_f1", "macro_precision", "macro_recall")


def cells_of(
    methods: Sequence[str], datasets: int = 8, seeds: int = 2, *, group: str = "fun", protocol: str = "released"
) -> list[Cell]:
    return [
        make_cell(f"data_{place}", method, seed, group=group, protocol=protocol)
        for place in range(datasets)
        for method in methods
        for seed in range(seeds)
    ]


def results_of(cells: Iterable[Cell], value: Value, *, reconstructed: Sequence[str] = ()) -> Results:
    """Every metric of a cell has the value, and so has the recall of every frequency."""
    records = []
    for cell in cells:
        number = value(cell)
        metrics = dict.fromkeys((*METRICS, "recall_frequency_0", "recall_frequency_1_3", "recall_frequency_over_100"), number)
        words = "stand-in" if cell.dataset in reconstructed else ""
        records.append(make_record(cell, metrics, reconstructed=words))
    return collect(records)


def plan_of(cells: Sequence[Cell], value: Value, *, done: Sequence[Cell] | None = None, **parts: Sequence[str]) -> pd.DataFrame:
    return build_grid(cells, results_of(cells if done is None else done, value, **parts).frame)


def record_of(cell: Cell, value: float = 0.5, *, metrics: Mapping[str, float] | None = None, reconstructed: str = "") -> Record:
    """A record of which every metric of METRICS has the value, and ``metrics`` besides."""
    return make_record(cell, {**dict.fromkeys(METRICS, value), **(metrics or {})}, reconstructed=reconstructed)


def from_outside(cell: Cell, metrics: Mapping[str, float]) -> Record:
    """A record of scores from outside."""
    return make_record(cell, metrics, data={**DATA, "origin": "scores from outside, file sha256 ab"})


def grid_of(cells: Iterable[Cell], records: Iterable[Record]) -> pd.DataFrame:
    return build_grid(cells, collect(records).frame)


def text_of(table: Table) -> dict[str, list[str]]:
    """The rows as text by their first entries."""
    return {row[0]: row[1:] for row in table.text()}


def place_of(cell: Cell) -> int:
    return int(cell.dataset.rpartition("_")[2])
