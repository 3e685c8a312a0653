"""The tables of a suite, from its grid: an expected cell without a complete record is a dash, and so is every mean of it."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from hmc.report import verdicts
from hmc.report.grid import (
    AU_PRC,
    BASELINE,
    BENCHMARK,
    FREQUENCIES,
    GROUPS,
    MACRO_F1,
    MACRO_RECALL,
    METRICS,
    Metric,
    compared_datasets,
    estimate,
    marked,
    means_over_datasets,
)
from hmc.report.near_best import ALPHA, NearBest, near_best
from hmc.report.render import DASH, RECONSTRUCTED, Entry, Estimate, Table
from hmc.results.published import Published, PublishedValue
from hmc.results.runs_csv import natural

_INCOMPLETE = (
    f"{DASH}: not planned or not run, or, in brackets, the seeds done of those planned. "
    "No mean is taken over the cells that happen to exist."
)
SPREAD_NOTE = "±: standard deviation over seeds (n - 1)."
_RATIO = f"A ratio over a recall of zero is a dash. Baseline: {BASELINE}, released protocol."
_BEST = "Bold (* in plain text): the best method on the dataset, once all are complete."
_CLOSE = (
    "Italic (~ in plain text), of one dataset: not significantly different from the best method (Wilcoxon signed-rank over the "
    f"seeds that both have, two-sided, Holm over the methods, {ALPHA:g}); not shown to be as good."
)

_COMPARISON = ("dataset", "method", "ours", "n", "published", "difference", "verdict")


def tables(grid: pd.DataFrame, published: Published) -> list[Table]:
    """Every table of the grid: ours against published, then, per group of datasets, results and recall of rare nodes."""
    if grid.empty:
        return []
    made = [published_au_prc(grid, published), published_macro_f1(grid, published)]
    for group in (name for name in GROUPS if name in set(grid["group"])):
        part = grid[grid["group"] == group]
        one = part["dataset"].nunique() == 1
        made += [results_of_one(part, group)] if one else [results(part, group, metric) for metric in METRICS]
        if BASELINE in set(part["column"]) and part["column"].nunique() > 1:
            made += [recall_by_dataset(part, group), *recall_profiles(part, group)]
    return [table for table in made if table.rows]


# --- ours against published -----------------------------------------------------------------------------------------


def published_au_prc(grid: pd.DataFrame, published: Published) -> Table:
    """AU(PRC) of each column for whose method a value is published; datasets without any are listed with a dash.

    Images are left out: no table of the papers at hand has any.
    """
    grid = grid[grid["group"] != "images"]
    known = {dataset for dataset, _ in published.au_prc}
    rows: list[tuple[Entry, ...]] = []
    shown = []
    for (dataset, column), values in _places(grid):
        # Others have no published counterpart, whatever they are called.
        comparable = values["group"].isin(BENCHMARK).all()
        value = published.au_prc.get((dataset, str(values["method"].iloc[0]))) if comparable else None
        if value is not None or dataset not in known or not comparable:
            rows.append(_comparison(dataset, column, values, AU_PRC, value, verdicts.AU_PRC))
            shown.append(values)
    grid = pd.concat(shown) if shown else grid[:0]
    return Table(
        name="published_au_prc",
        title="AU(PRC) (micro-averaged average precision, fraction), ours against published: "
        f"mean ± standard deviation over n seeds{_runs(grid)}",
        header=_COMPARISON,
        rows=tuple(rows),
        notes=(*_legend(rows), verdicts.AU_PRC.why, *_marks(grid)),
    )


def published_macro_f1(grid: pd.DataFrame, published: Published) -> Table:
    """Macro F1 of every column against the paper's one cell for the dataset, whose method is not named; the nearest is marked."""
    rows: list[tuple[Entry, ...]] = []
    strong = set()
    grid = grid[grid["dataset"].isin(list(published.macro_f1)) & grid["group"].isin(BENCHMARK)]
    for dataset, part in _datasets(grid).items():
        value = published.macro_f1[dataset]
        places = [(column, values) for (_, column), values in _places(part)]
        estimates = [estimate(values, MACRO_F1) for _, values in places]
        if all(one.mean is not None for one in estimates):
            nearest = min(range(len(places)), key=lambda place: abs((estimates[place].mean or 0) - value.value))
            strong.add((len(rows) + nearest, 1))
        rows += [_comparison(dataset, column, values, MACRO_F1, value, verdicts.MACRO_F1) for column, values in places]
    return Table(
        name="published_macro_f1",
        title="Macro F1 (percent), each of our methods against the paper's cell, whose method is not named: "
        f"mean ± standard deviation over n seeds{_runs(grid)}",
        header=_COMPARISON,
        rows=tuple(rows),
        notes=(
            *_legend(rows),
            verdicts.MACRO_F1.why,
            "Bold (* in plain text): the method nearest to the paper's cell, once all methods of the dataset are complete.",
            *_marks(grid),
        ),
        strong=frozenset(strong),
    )


def _comparison(
    dataset: str, column: str, values: pd.DataFrame, metric: Metric, value: PublishedValue | None, tolerance: verdicts.Tolerance
) -> tuple[Entry, ...]:
    ours = (values[metric.name].dropna() * metric.scale).tolist() if metric.name in values else []
    judged = verdicts.verdict(ours, value, tolerance, planned=len(values))
    shown = estimate(values, metric)
    name = marked(dataset, values)
    if value is None:
        return name, column, shown, str(shown.seeds), DASH, DASH, DASH
    paper = f"{value.value:.{value.digits}f}"
    if value.spread is not None:
        paper += f" ± {value.spread:.{value.digits}f}"
    if value.seeds is not None:
        paper += f" (n={value.seeds})"
    difference = DASH if judged.difference is None else f"{judged.difference:+z.{metric.digits + 1}f}"
    return name, column, shown, str(shown.seeds), paper, difference, marked(judged.name, values)


# --- results of a group ---------------------------------------------------------------------------------------------


def results(grid: pd.DataFrame, group: str, metric: Metric) -> Table:
    """One metric: rows are datasets, columns are methods, the last row is the mean over all these datasets."""
    columns = list(dict.fromkeys(grid["column"]))
    estimates = {place: estimate(values, metric) for place, values in _places(grid)}
    datasets = _datasets(grid)
    rows: list[list[Entry]] = [
        [marked(dataset, values), *(estimates.get((dataset, column), DASH) for column in columns)]
        for dataset, values in datasets.items()
    ]
    if len(datasets) > 1:
        means = (_mean_of([estimates.get((dataset, column)) for dataset in datasets], metric) for column in columns)
        rows.append([marked(f"mean of {len(datasets)} datasets", grid), *means])
    counts = {one.planned for one in estimates.values()}
    planned = f"n = {counts.pop()}" if len(counts) == 1 else "n in brackets"
    strong = frozenset((place, column) for place, row in enumerate(rows) for column in best(row))
    found = {
        place: _near_best(values, metric)
        for place, values in enumerate(datasets.values())
        if any(line == place for line, _ in strong)
    }
    close = {(place, 1 + columns.index(column)) for place, one in found.items() for column in one.close}
    return Table(
        name=f"{group}_{metric.name}",
        title=f"{metric.title} ({metric.unit}), {GROUPS[group]}: mean ± standard deviation over seeds, {planned}{_runs(grid)}",
        header=("dataset", *columns),
        rows=tuple(tuple(row) for row in rows),
        notes=(*_legend(rows), *([_BEST] if strong else []), *_told(found.values()), *_marks(grid)),
        strong=strong,
        close=frozenset(close) - strong,
        with_seeds=planned == "n in brackets",
    )


def results_of_one(grid: pd.DataFrame, group: str) -> Table:
    """A group's only dataset: rows are methods, columns are metrics."""
    (dataset,) = set(grid["dataset"])
    places = {column: values for (_, column), values in _places(grid)}
    rows: list[tuple[Entry, ...]] = [
        (column, *(estimate(values, metric) for metric in METRICS)) for column, values in places.items()
    ]
    strong, close, found = set(), set(), []
    for place, metric in enumerate(METRICS, 1):
        winners = {row - 1 for row in best([dataset, *(row[place] for row in rows)])}
        strong |= {(row, place) for row in winners}
        if winners:
            told = _near_best(grid, metric)
            close |= {(list(places).index(column), place) for column in told.close}
            found.append(told)
    counts = sorted(set(grid.groupby("column").size()))
    planned = f"n = {counts[0]}" if len(counts) == 1 else "n in brackets"
    return Table(
        name=f"{group}_results",
        title=f"{marked(dataset, grid)}, {GROUPS[group]}: mean ± standard deviation over seeds, {planned}{_runs(grid)}",
        header=("method", *(f"{metric.title} ({metric.unit})" for metric in METRICS)),
        rows=tuple(rows),
        notes=(*_legend(rows), *([_BEST] if strong else []), *_told(found), *_marks(grid)),
        strong=frozenset(strong),
        close=frozenset(close) - strong,
        with_seeds=planned == "n in brackets",
    )


def _mean_of(parts: Sequence[Estimate | None], metric: Metric) -> Entry:
    """The mean over datasets, without a spread; a dash unless every dataset has its number."""
    means = [part.mean for part in parts if part is not None and part.mean is not None]
    if len(means) < len(parts):
        return DASH
    return Estimate(float(np.mean(means)), digits=metric.digits)


def best(row: Sequence[Entry], shift: int = 0) -> list[int]:
    """Columns of the largest mean, as shown; none while the row is incomplete or there is nothing to compare.

    row: the first entry is a name. shift: what to add to each column's place.
    """
    shown = {place: entry for place, entry in enumerate(row) if isinstance(entry, Estimate)}
    if len(shown) < 2 or len(shown) < len(row) - 1 or any(entry.mean is None for entry in shown.values()):
        return []
    rounded = {place: round(entry.mean or 0.0, entry.digits) for place, entry in shown.items()}
    return [place + shift for place, value in rounded.items() if value == max(rounded.values())]


def _near_best(values: pd.DataFrame, metric: Metric) -> NearBest:
    """Of one dataset's complete row, against the column of the largest mean; of equal means, the first."""
    by_column = {
        str(column): dict(zip(part["seed"].tolist(), part[metric.name].tolist(), strict=True))
        for column, part in values.groupby("column", sort=False)
    }
    means = {column: math.fsum(by_seed.values()) / len(by_seed) for column, by_seed in by_column.items()}
    return near_best(by_column, max(means, key=means.__getitem__))


def _told(found: Collection[NearBest]) -> tuple[str, ...]:
    """Notes on the mark of close entries, and on the seeds that are too few for it."""
    few = sorted({(count, one.needed) for one in found for count in one.few})
    words = [f"{count} {'seed' if count == 1 else 'seeds'} cannot tell: at least {needed} are needed" for count, needed in few]
    notes = [_CLOSE] if any(one.told for one in found) else []
    if words:
        notes.append(
            f"What is not significantly different from the best is not marked where seeds are too few: {'; '.join(words)}."
        )
    return tuple(notes)


# --- recall of rare nodes -------------------------------------------------------------------------------------------


def recall_by_dataset(grid: pd.DataFrame, group: str) -> Table:
    """Macro recall of each column as a multiple of the baseline's, per dataset."""
    columns = list(dict.fromkeys(grid["column"]))
    means = {place: estimate(values, MACRO_RECALL).mean for place, values in _places(grid)}
    rows: list[tuple[Entry, ...]] = []
    for dataset, values in _datasets(grid).items():
        baseline = means.get((dataset, BASELINE))
        rows.append((marked(dataset, values), *(_ratio(means.get((dataset, column)), baseline) for column in columns)))
    return Table(
        name=f"{group}_recall_ratio",
        title=f"Macro recall as a multiple of {BASELINE}'s (ratio of means over seeds), {GROUPS[group]}, "
        f"{_seeds(grid)}{_runs(grid)}",
        header=("dataset", *columns),
        rows=tuple(rows),
        notes=(_RATIO, *_legend(rows), *_marks(grid)),
    )


def recall_profiles(grid: pd.DataFrame, group: str) -> list[Table]:
    """Recall by the nodes' frequency in training and by their depth, each column as a multiple of the baseline's.

    A row is of the same datasets as every other; a column that is not planned on all of them has none.
    """
    grid = grid[grid["dataset"].isin(compared_datasets(grid, BASELINE))]
    depths = sorted((name for name in grid.columns if name.startswith("recall_depth_")), key=natural)
    by_depth = {name: f"depth {name.rpartition('_')[2]}" for name in depths}
    return [
        _profile(grid, group, "recall_frequency", "by number of positive training rows", FREQUENCIES),
        _profile(grid, group, "recall_depth", "by depth below the root", by_depth),
    ]


def _profile(grid: pd.DataFrame, group: str, name: str, words: str, ranges: Mapping[str, str]) -> Table:
    """Rows are columns of the results, columns are ranges of nodes. The first row is the baseline's recall itself, in percent."""
    ranges = {metric: label for metric, label in ranges.items() if metric in grid and grid[metric].notna().any()}
    columns = [BASELINE, *(column for column in dict.fromkeys(grid["column"]) if column != BASELINE)]
    means = means_over_datasets(grid, columns, list(ranges))
    baseline = means[BASELINE]
    first = tuple(DASH if value is None else f"{100 * value:.2f}" for value in baseline.values())
    labels = {str(column): marked(str(column), values) for column, values in grid.groupby("column")}
    datasets = _datasets(grid)
    these = f"{len(datasets)} datasets" if len(datasets) > 1 else next(iter(datasets))
    rows = [(labels[column], *(_ratio(means[column][metric], baseline[metric]) for metric in ranges)) for column in columns[1:]]
    return Table(
        name=f"{group}_{name}",
        title=f"Mean node recall {words}, {GROUPS[group]} ({these}): {BASELINE} in percent, "
        f"the others as a multiple of it, {_seeds(grid)}{_runs(grid)}",
        header=("method", *ranges.values()),
        rows=((f"{labels[BASELINE]} (percent)", *first), *rows) if ranges else (),
        notes=(
            "Mean over seeds, then over the datasets that have such nodes with a positive in test; ratio of these means.",
            f"Of the datasets on which most can be compared: {', '.join(datasets)}.",
            _RATIO,
            *_legend([first, *rows]),
            *_marks(grid),
        ),
    )


def _ratio(value: float | None, baseline: float | None) -> str:
    return DASH if value is None or not baseline else f"{value / baseline:.2f}"


# --- parts ----------------------------------------------------------------------------------------------------------


def _places(grid: pd.DataFrame) -> list[tuple[tuple[str, str], pd.DataFrame]]:
    """The cells of each (dataset, column), in the plan's order."""
    groups = grid.groupby(["dataset", "column"], sort=False)
    return [((str(dataset), str(column)), values) for (dataset, column), values in groups]


def _datasets(grid: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The cells of each dataset, in the plan's order."""
    return {str(dataset): values for dataset, values in grid.groupby("dataset", sort=False)}


def _legend(rows: Iterable[Sequence[Entry]]) -> tuple[str, ...]:
    """Notes on the signs that the rows show."""
    shown = " ".join(entry if isinstance(entry, str) else entry.text() for row in rows for entry in row)
    return tuple(note for sign, note in (("±", SPREAD_NOTE), (DASH, _INCOMPLETE)) if sign in shown)


def _marks(grid: pd.DataFrame) -> tuple[str, ...]:
    """Notes that the plan's data make necessary."""
    words = sorted(set(grid["reconstructed"]) - {""})
    notes = []
    if words:
        notes.append(f"{RECONSTRUCTED} wholly or partly on reconstructed data ({'; '.join(words)}), not the published dataset.")
    if (grid["group"] == "synthetic").any():
        notes.append("Synthetic datasets are generated by this program and have no published numbers.")
    return tuple(notes)


def _seeds(grid: pd.DataFrame) -> str:
    counts = sorted(set(grid.groupby(["dataset", "column"]).size()))
    return f"n = {counts[0]} seeds" if len(counts) == 1 else f"n = {counts[0]} to {counts[-1]} seeds"


def _runs(grid: pd.DataFrame) -> str:
    """How much of the grid is there."""
    done, planned = int(grid["done"].sum()), len(grid)
    return "" if done == planned else f" ({done} of {planned} cells done)"
