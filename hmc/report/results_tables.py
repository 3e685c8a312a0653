"""Tables of results: a metric of every method on every dataset of a group."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd

from hmc.report import notes
from hmc.report.grid import GROUPS, by_dataset, has_values, marked, mean_std, places
from hmc.report.metric import HALF, METRICS, Metric, suffix, under
from hmc.report.render import slug
from hmc.report.table import DASH, Entry, MeanStd, Table


def results(grid: pd.DataFrame, group: str, metric: Metric) -> Table:
    """One metric: rows are datasets, columns are methods, the last row is the mean over all these datasets."""
    columns = list(dict.fromkeys(grid["column"]))
    known = {place: mean_std(values, metric) for place, values in places(grid).items()}
    datasets = by_dataset(grid)
    rows: list[list[Entry]] = [
        [marked(dataset, values), *(known.get((dataset, column), DASH) for column in columns)]
        for dataset, values in datasets.items()
    ]
    if len(datasets) > 1:
        means = (_mean_of([known.get((dataset, column)) for dataset in datasets], metric) for column in columns)
        rows.append([marked(f"mean of {len(datasets)} datasets", grid), *means])
    strong = frozenset((place, column) for place, row in enumerate(rows) for column in best(row, _rivals(grid, columns, row)))
    n = _n(grid)
    return Table(
        name=slug(f"{group}_{metric.name}"),
        title=f"{metric.title} ({metric.unit}), {GROUPS[group]}: mean ± standard deviation over seeds, {n}{notes.progress(grid)}",
        header=("dataset", *columns),
        rows=tuple(tuple(row) for row in rows),
        notes=(*notes.signs(rows), *([notes.BEST] if strong else []), *notes.about(grid)),
        strong=strong,
        with_seeds=n == _VARYING,
        turn_to="method",
    )


def results_of_one(grid: pd.DataFrame, group: str, rule: str = HALF) -> Table:
    """A group's only dataset: rows are methods, columns are metrics."""
    (dataset,) = set(grid["dataset"])
    of_column = {column: values for (_, column), values in places(grid).items()}
    metrics = shown_metrics(grid, rule)
    rows: list[tuple[Entry, ...]] = [
        (column, *(mean_std(values, metric) for metric in metrics)) for column, values in of_column.items()
    ]
    strong = set()
    for place in range(1, len(metrics) + 1):
        entries = [dataset, *(row[place] for row in rows)]
        strong |= {(row - 1, place) for row in best(entries, _rivals(grid, list(of_column), entries))}
    n = _n(grid)
    return Table(
        name=slug(f"{group}_results{suffix(rule)}"),
        title=f"{marked(dataset, grid)}, {GROUPS[group]}: mean ± standard deviation over seeds, {n}{notes.progress(grid)}",
        header=("method", *(f"{metric.title} ({metric.unit})" for metric in metrics)),
        rows=tuple(rows),
        notes=(*notes.signs(rows), *([notes.BEST] if strong else []), *notes.about(grid)),
        strong=frozenset(strong),
        with_seeds=n == _VARYING,
    )


def shown_metrics(grid: pd.DataFrame, rule: str) -> list[Metric]:
    """The metrics of results under a rule, without those that cells are done for and no cell has."""
    metrics = under(METRICS, rule)
    return [metric for metric in metrics if has_values(grid, metric) or not grid["done"].any()]


_VARYING = "n in brackets"


def _n(grid: pd.DataFrame) -> str:
    """The number of seeds of a place, in words; a reference predictor has none."""
    counts = set(grid[~grid["reference"]].groupby(["dataset", "column"]).size())
    return f"n = {counts.pop()}" if len(counts) == 1 else _VARYING


def _rivals(grid: pd.DataFrame, columns: Sequence[str], row: Sequence[Entry]) -> list[int]:
    """The places in a row, which begins with a name, of the methods among which the best is sought.

    Those that the suite plans, and of the others those that have a value there.
    """
    references = set(grid.loc[grid["reference"], "column"])
    guests = set(grid.loc[~grid["planned"], "column"])
    return [
        place
        for place, column in enumerate(columns, 1)
        if column not in references and (column not in guests or _has_mean(row[place]))
    ]


def _has_mean(entry: Entry) -> bool:
    return isinstance(entry, MeanStd) and entry.mean is not None


def _mean_of(parts: Sequence[MeanStd | None], metric: Metric) -> Entry:
    """The mean over datasets, without a spread; a dash unless every dataset has its number."""
    means = [part.mean for part in parts if part is not None and part.mean is not None]
    if len(means) < len(parts):
        return DASH
    return MeanStd(float(np.mean(means)), digits=metric.digits)


def best(row: Sequence[Entry], rivals: Collection[int]) -> list[int]:
    """Places of the largest mean, as shown, among the rivals; none while one of them has none, or with fewer than two.

    >>> best(["enron", MeanStd(0.5), MeanStd(0.75), MeanStd(0.75)], [1, 2, 3])
    [2, 3]
    """
    shown = {place: entry for place in rivals if isinstance(entry := row[place], MeanStd) and entry.mean is not None}
    if len(shown) < 2 or len(shown) < len(rivals):
        return []
    rounded = {place: round(entry.mean or 0.0, entry.digits) for place, entry in shown.items()}
    return [place for place, value in rounded.items() if value == max(rounded.values())]
