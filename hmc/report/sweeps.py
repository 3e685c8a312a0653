"""Sweeps: methods compared at several levels of one setting, such as the encoder's noise or the share of training rows.

A level counts for a method only when every seed planned there is done, as everywhere.
"""

from __future__ import annotations

import functools
import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from hmc.report import notes
from hmc.report.grid import complete_places, has_values, mean_std, planned, with_metric
from hmc.report.metric import AU_PRC, HALF, MACRO_AP, MACRO_F1, MACRO_RECALL, Metric, suffix, under
from hmc.report.pair_table import pair_table
from hmc.report.render import slug
from hmc.report.results_tables import best
from hmc.report.table import Entry, Number, Table
from hmc.report.testing import QUICK
from hmc.settings import Departures, column_name, variant
from hmc.stats.frames import cells_of, over_datasets
from hmc.stats.pairwise import Comparison, family, number

METRICS = (MACRO_RECALL, MACRO_F1, MACRO_AP, AU_PRC)
FEWEST_LEVELS = 3


@dataclass(frozen=True)
class Swept:
    """A setting whose levels are compared. default: the level of cells that leave it alone. word: for the name of a condition."""

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

    others: the other settings in which all its cells depart from their files, as text. cells: rows of the grid, with the columns
    ``level`` and ``label`` (of the method). name: of its figure and table.
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
        return self._places.get((label, level), self.cells[:0])

    @functools.cached_property
    def _places(self) -> dict[tuple[str, Any], pd.DataFrame]:
        return {(str(label), level): cells for (label, level), cells in self.cells.groupby(["label", "level"])}


def sweeps(grid: pd.DataFrame) -> list[Sweep]:
    """All sweeps of a grid: settings with at least three levels in planned cells that are alike in all but method and seed.

    grid: as :func:`hmc.report.grid.build_grid` makes it.
    """
    grid = planned(grid)
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
    compares them over conditions. The dataset's own name is in the column ``images``.
    """
    every = sweeps(grid)
    part = grid[grid["identity"].isin({identity for one in every for identity in one.cells["identity"]})].copy()
    if part.empty:
        return part
    others = [variant(_without(departed, *(swept.key for swept in SWEPT))) for departed in part["departed"]]
    different = len(set(others)) > 1
    conditions = []
    for dataset, departed, rest in zip(part["dataset"], part["departed"], others, strict=True):
        levels = [(swept, _level(departed, swept)) for swept in SWEPT]
        words = [f"{swept.word} {level:g}" for swept, level in levels if level != swept.default]
        conditions.append(", ".join([dataset, *words, *([rest] if different and rest else [])]))
    part["images"], part["dataset"] = part["dataset"], conditions
    part["column"] = [
        column_name(method, protocol, "") for method, protocol in zip(part["method"], part["protocol"], strict=True)
    ]
    return part


def over_conditions(grid: pd.DataFrame, metric: Metric) -> list[Comparison]:
    """Every pair of methods of one protocol's conditions, by means over seeds, Holm over the pairs; complete conditions only."""
    whole, _ = complete_places(with_metric(grid, metric.name))
    if whole.empty:
        return []
    columns = list(dict.fromkeys(whole["column"]))
    cells = cells_of(whole, columns, metric.name)
    pairs = itertools.combinations(columns, 2)
    return list(family(over_datasets(cells, a, b, QUICK, over="conditions", missing=()) for a, b in pairs))


# --- tables ---------------------------------------------------------------------------------------------------------


def tables(grid: pd.DataFrame, rule: str = HALF) -> list[Table]:
    """The numbers of each sweep; then, per protocol, every pair of methods over all conditions."""
    numbers = [_numbers(one, rule) for one in sweeps(grid)]
    part = conditions(grid)
    protocols = dict.fromkeys(part["protocol"])
    return [*numbers, *(_tests(part[part["protocol"] == protocol], str(protocol), rule) for protocol in protocols)]


def shown_metrics(cells: pd.DataFrame, rule: str) -> list[Metric]:
    """The metrics of sweeps under a rule that some of these cells have; all while no cell is done."""
    return [metric for metric in under(METRICS, rule) if has_values(cells, metric) or not cells["done"].any()]


def _numbers(sweep: Sweep, rule: str) -> Table:
    rows: list[tuple[Entry, ...]] = []
    for metric in shown_metrics(sweep.cells, rule):
        for level in sweep.levels:
            means = [mean_std(sweep.at(label, level), metric) for label in sweep.labels]
            rows.append((f"{metric.title} ({metric.unit})", Number(level), *means))
    methods = range(2, len(sweep.labels) + 2)
    strong = frozenset((place, column) for place, row in enumerate(rows) for column in best(row, methods))
    return Table(
        name=slug(f"{sweep.name}{suffix(rule)}"),
        title=f"By the {sweep.swept.title}, {sweep.where}: mean ± standard deviation over seeds",
        header=("metric", sweep.swept.word, *sweep.labels),
        rows=tuple(rows),
        notes=(notes.SPREAD, notes.BEST),
        strong=strong,
        keys=2,
    )


def _tests(part: pd.DataFrame, protocol: str, rule: str) -> Table:
    pairs = [pair for metric in shown_metrics(part, rule) for pair in over_conditions(part, metric)]
    least = min((pair.test.least_p for pair in pairs), default=1.0)
    datasets = ", ".join(dict.fromkeys(part["images"]))
    return pair_table(
        slug(f"conditions_{protocol}{suffix(rule)}"),
        f"Every pair of methods over the conditions of {datasets} (noise, limited data), protocol {protocol}",
        pairs,
        (
            "Wilcoxon signed-rank, two-sided, a pair a condition (means over seeds), Holm over the metric's pairs. Conditions of "
            "a dataset share its test rows: this speaks of other conditions on these images, not of other images.",
            *([f"So few conditions cannot give p below {number(least)}."] if 0.05 < least < 1 else []),
        ),
    )


def shown_levels(sweep: Sweep, label: str, metric: Metric) -> Sequence[float]:
    """The levels at which every planned seed of a method is done and has the metric."""
    cells = with_metric(sweep.cells[sweep.cells["label"] == label], metric.name)
    done = cells.groupby("level")["done"].all()
    return [level for level in sweep.levels if done.get(level, False)]
