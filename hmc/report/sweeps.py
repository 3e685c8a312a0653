"""Sweeps: methods compared at several levels of one setting, such as the encoder's noise or the share of training rows.

A level counts for a method only when every seed planned there is done, as everywhere.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pandas as pd

from hmc.report.grid import AU_PRC, MACRO_F1, MACRO_RECALL, Metric, complete_places, estimate
from hmc.report.near_best import QUICK
from hmc.report.pair_table import BALANCE, balance, difference, p_value
from hmc.report.render import Entry, Table, slug
from hmc.report.tables import SPREAD_NOTE, best
from hmc.settings import Departures, column_name, variant
from hmc.stats.frames import cells_of, over_datasets
from hmc.stats.pairwise import Comparison, family, number

METRICS = (MACRO_RECALL, MACRO_F1, AU_PRC)
FEWEST_LEVELS = 3


@dataclass(frozen=True)
class Swept:
    """A setting whose levels are compared. default: the level of cells that do not name it. word: for the name of a condition."""

    key: str
    title: str
    word: str
    default: float
    logarithmic: bool


SWEPT = (
    Swept("encoder.noise", "share of random weights in the encoder", "noise", 0.0, False),
    Swept("dataset.fraction", "share of the training rows", "fraction", 1.0, True),
)


@dataclass(frozen=True, eq=False)
class Sweep:
    """One setting's levels on one dataset under one protocol.

    others: the settings, as typed, in which all its cells depart from their files besides. cells: rows of the grid, with the
    columns ``level`` and ``label`` (of the method). name: of its figure and table.
    """

    dataset: str
    protocol: str
    swept: Swept
    others: str
    cells: pd.DataFrame
    name: str

    @property
    def levels(self) -> list[float]:
        return sorted(set(self.cells["level"]))

    @property
    def labels(self) -> list[str]:
        return list(dict.fromkeys(self.cells["label"]))

    @property
    def where(self) -> str:
        others = f" ({self.others})" if self.others else ""
        return f"{self.dataset}{others}, protocol {self.protocol}"

    def at(self, label: str, level: float) -> pd.DataFrame:
        """The planned cells of one method at one level."""
        return self.cells[(self.cells["label"] == label) & (self.cells["level"] == level)]


def sweeps(grid: pd.DataFrame) -> list[Sweep]:
    """All sweeps of a grid: settings with at least three levels in cells that are alike in all else but method and seed.

    grid: as :func:`hmc.report.build_grid` makes it.
    """
    found = []
    for swept in SWEPT:
        rest = [variant(_without(departed, swept.key)) for departed in grid["departed"]]
        part = grid.assign(level=[_level(departed, swept) for departed in grid["departed"]], others=rest)
        for (dataset, protocol, others), cells in part.groupby(["dataset", "protocol", "others"], sort=False):
            if cells["level"].nunique() >= FEWEST_LEVELS:
                name = slug(f"sweep_{swept.word}_{dataset}_{protocol}")
                found.append(Sweep(str(dataset), str(protocol), swept, str(others), cells.assign(label=cells["method"]), name))
    counts = Counter(one.name for one in found)
    return [one if counts[one.name] == 1 else replace(one, name=slug(f"{one.name}_{one.others}")) for one in found]


def _level(departed: Departures, swept: Swept) -> float:
    return float(dict(departed).get(swept.key, swept.default))


def _without(departed: Departures, *keys: str) -> Departures:
    return tuple((key, value) for key, value in departed if key not in keys)


# --- conditions -----------------------------------------------------------------------------------------------------


def conditions(grid: pd.DataFrame) -> pd.DataFrame:
    """The cells of all sweeps with the condition in place of the dataset and the method without its variant as column.

    A condition is a dataset at one level of every swept setting: "digits, noise 0.5". So what compares methods over datasets
    compares them over conditions.
    """
    every = sweeps(grid)
    part = grid[grid["identity"].isin({identity for one in every for identity in one.cells["identity"]})].copy()
    if part.empty:
        return part
    others = [variant(_without(departed, *(swept.key for swept in SWEPT))) for departed in part["departed"]]
    named = []
    for dataset, departed, rest in zip(part["dataset"], part["departed"], others, strict=True):
        levels = [(swept, _level(departed, swept)) for swept in SWEPT]
        words = [f"{swept.word} {level:g}" for swept, level in levels if level != swept.default]
        named.append(", ".join([dataset, *words, *([rest] if len(set(others)) > 1 and rest else [])]))
    part["dataset"] = named
    part["column"] = [
        column_name(method, protocol, "") for method, protocol in zip(part["method"], part["protocol"], strict=True)
    ]
    return part


def over_conditions(grid: pd.DataFrame, metric: Metric) -> list[Comparison]:
    """Every pair of methods of one protocol's conditions, by means over seeds, Holm over the pairs; complete conditions only."""
    whole, _ = complete_places(grid)
    if metric.name not in whole or whole.empty:
        return []
    columns = list(dict.fromkeys(whole["column"]))
    cells = cells_of(whole, columns, metric.name)
    pairs = itertools.combinations(columns, 2)
    return list(family(over_datasets(cells, a, b, QUICK, over="conditions", missing=()) for a, b in pairs))


# --- tables ---------------------------------------------------------------------------------------------------------


def tables(grid: pd.DataFrame) -> list[Table]:
    """Of each sweep its numbers; then, per protocol, every pair of methods over all conditions."""
    made = [_numbers(one) for one in sweeps(grid)]
    part = conditions(grid)
    return [*made, *(_tests(part[part["protocol"] == protocol], str(protocol)) for protocol in dict.fromkeys(part["protocol"]))]


def _numbers(sweep: Sweep) -> Table:
    rows: list[tuple[Entry, ...]] = []
    for metric in METRICS:
        for level in sweep.levels:
            entries = [estimate(sweep.at(label, level), metric) for label in sweep.labels]
            rows.append((f"{metric.title} ({metric.unit})", f"{level:g}", *entries))
    strong = frozenset((place, column) for place, row in enumerate(rows) for column in best(row[1:], shift=1))
    return Table(
        name=sweep.name,
        title=f"By the {sweep.swept.title}, {sweep.where}: mean ± standard deviation over seeds",
        header=("metric", sweep.swept.word, *sweep.labels),
        rows=tuple(rows),
        notes=(SPREAD_NOTE, "Bold (* in plain text): the best of its row, once the row is complete."),
        strong=strong,
    )


def _tests(part: pd.DataFrame, protocol: str) -> Table:
    rows = []
    least = 1.0
    for metric in METRICS:
        for pair in over_conditions(part, metric):
            least = min(least, pair.test.least_p)
            rows.append(
                (
                    metric.title,
                    pair.a,
                    pair.b,
                    str(pair.test.n),
                    balance(pair),
                    difference(pair),
                    p_value(pair.test.p),
                    p_value(pair.p_holm),
                )
            )
    datasets = ", ".join(dict.fromkeys(name.partition(", ")[0] for name in part["dataset"]))
    return Table(
        name=f"conditions_{protocol}",
        title=f"Every pair of methods over the conditions of {datasets} (noise, limited data), protocol {protocol}",
        header=("metric", "a", "b", "n", BALANCE, "difference a - b (points)", "p", "p after Holm"),
        rows=tuple(rows),
        notes=(
            "Wilcoxon signed-rank, two-sided, a pair a condition (means over seeds), Holm over the metric's pairs; difference: "
            "Hodges-Lehmann. Conditions of a dataset share its test rows: this speaks of other conditions on these images, "
            "not of other images.",
            *([f"So few conditions cannot give p below {number(least)}."] if 0.05 < least < 1 else []),
        ),
    )


def shown_levels(sweep: Sweep, label: str) -> Sequence[float]:
    """The levels at which every planned seed of a method is done."""
    return [level for level in sweep.levels if len(sweep.at(label, level)) and sweep.at(label, level)["done"].all()]
