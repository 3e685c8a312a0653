"""The tables of a suite, from its expected cells and the records that exist.

What a table should hold is decided by the cells, never by the records: an expected cell without a complete record is a dash,
and so is every mean that would need it. Records and cells meet by identity, so a record with other settings or data never
fills a cell.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from hmc.metrics.grouped import FREQUENCY_BANDS
from hmc.report import verdicts
from hmc.report.near_best import ALPHA, Closeness, closeness
from hmc.report.render import DASH, RECONSTRUCTED, Entry, Estimate, Table
from hmc.results.published import Published, PublishedValue
from hmc.results.store import natural
from hmc.settings import Cell

BASELINE = "chmcnn"

BENCHMARK = ("others", "fun", "go")
"""Groups of datasets with published counterparts: those of the paper's claims on datasets."""
OVER_DATASETS = (*BENCHMARK, "own")
"""Groups that tests over datasets take: generated data prove nothing about real ones, images are compared over conditions."""

GROUPS = {
    "others": "other datasets",
    "fun": "FunCat",
    "go": "Gene Ontology",
    "images": "images",
    "own": "own datasets",
    "synthetic": "synthetic datasets",
}

FREQUENCIES = {
    f"recall_frequency_{band}": f"over {least - 1}" if most is None else f"{least} to {most}" if least < most else str(least)
    for band, least, most in FREQUENCY_BANDS
}
"""How the recalls of ranges of training frequency are shown."""


@dataclass(frozen=True)
class Metric:
    """How a metric of the records is shown. scale: from the record's fraction to the unit."""

    name: str
    title: str
    unit: str
    scale: float
    digits: int


AU_PRC = Metric("au_prc", "AU(PRC)", "fraction", 1, 3)
MACRO_F1 = Metric("macro_f1", "Macro F1", "percent", 100, 2)
MACRO_RECALL = Metric("macro_recall", "Macro recall", "percent", 100, 2)
METRICS = (MACRO_F1, Metric("macro_precision", "Macro precision", "percent", 100, 2), MACRO_RECALL, AU_PRC)

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


def tables(cells: Iterable[Cell], frame: pd.DataFrame, published: Published) -> list[Table]:
    """Every table of the expected cells: ours against published, then, per group of datasets, results and recall of rare nodes.

    frame: as :func:`hmc.results.store.frame` makes it. Raises ValueError when two different cells claim one place.
    """
    plan = grid(cells, frame)
    if plan.empty:
        return []
    made = [published_au_prc(plan, published), published_macro_f1(plan, published)]
    for group in (name for name in GROUPS if name in set(plan["group"])):
        part = plan[plan["group"] == group]
        one = part["dataset"].nunique() == 1
        made += [results_of_one(part, group)] if one else [results(part, group, metric) for metric in METRICS]
        if BASELINE in set(part["column"]) and part["column"].nunique() > 1:
            made += [recall_by_dataset(part, group), *recall_profiles(part, group)]
    return [table for table in made if table.rows]


def grid(cells: Iterable[Cell], frame: pd.DataFrame) -> pd.DataFrame:
    """One row an expected cell, in the order given: dataset, group, column, method, seed, identity, done, reconstructed, metrics.

    A metric is NaN where the cell is not done. Raises ValueError when two different cells claim one place.
    """
    places: dict[tuple[str, str, int], tuple[str, ...]] = {}
    for cell in cells:
        place, content = (cell.dataset, cell.column, cell.seed), (cell.settings.dataset.group, cell.method, cell.identity)
        if places.setdefault(place, content) != content:
            raise ValueError(f"two cells with different settings are both called {cell!s}; give one a variant or another name")
    plan = pd.DataFrame(
        [(*place, *content) for place, content in places.items()],
        columns=["dataset", "column", "seed", "group", "method", "identity"],
    )
    complete = frame[frame["status"] == "complete"].drop_duplicates("identity").set_index("identity")
    metrics = [name for name in complete.columns if "." not in name and pd.api.types.is_float_dtype(complete[name])]
    joined = plan.join(complete[["reconstructed", *metrics]], on="identity")
    joined["done"] = joined["identity"].isin(complete.index)
    joined["reconstructed"] = joined["reconstructed"].fillna("")
    return joined


def complete_places(plan: pd.DataFrame) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The cells of complete places (column on dataset: all planned seeds done), and words on each place that is not."""
    places = plan.groupby(["dataset", "column"], sort=False)["done"]
    left_out = [
        f"{column} on {dataset} ({done} of {wanted} seeds)"
        for (dataset, column), done, wanted in zip(places.sum().index, places.sum(), places.size(), strict=True)
        if done < wanted
    ]
    return plan[places.transform("all").astype(bool)], tuple(left_out)


def widest(datasets: Iterable[frozenset[str]]) -> frozenset[str]:
    """Of the sets of datasets that the single columns have, the one with the most datasets times columns that have all of them,
    the one with more columns where two are equal; empty without any.

    So neither a dataset with a few columns nor a column with a few datasets hides what the others say side by side.
    """
    every = list(datasets)
    counts = {one: sum(one <= other for other in every) for one in every}
    return max(counts, key=lambda one: (len(one) * counts[one], counts[one]), default=frozenset())


# --- ours against published -----------------------------------------------------------------------------------------


def published_au_prc(plan: pd.DataFrame, published: Published) -> Table:
    """AU(PRC) of each column for whose method a value is published; datasets without any are listed with a dash.

    Images are left out: no table of the papers at hand has any.
    """
    plan = plan[plan["group"] != "images"]
    known = {dataset for dataset, _ in published.au_prc}
    rows: list[tuple[Entry, ...]] = []
    shown = []
    for (dataset, column), values in _places(plan):
        # Others have no published counterpart, whatever they are called.
        comparable = values["group"].isin(BENCHMARK).all()
        value = published.au_prc.get((dataset, str(values["method"].iloc[0]))) if comparable else None
        if value is not None or dataset not in known or not comparable:
            rows.append(_comparison(dataset, column, values, AU_PRC, value, verdicts.AU_PRC))
            shown.append(values)
    plan = pd.concat(shown) if shown else plan[:0]
    return Table(
        name="published_au_prc",
        title="AU(PRC) (micro-averaged average precision, fraction), ours against published: "
        f"mean ± standard deviation over n seeds{_runs(plan)}",
        header=_COMPARISON,
        rows=tuple(rows),
        notes=(*_legend(rows), verdicts.AU_PRC.why, *_marks(plan)),
    )


def published_macro_f1(plan: pd.DataFrame, published: Published) -> Table:
    """Macro F1 of every column against the paper's one cell for the dataset, whose method is not named; the nearest is marked."""
    rows: list[tuple[Entry, ...]] = []
    strong = set()
    plan = plan[plan["dataset"].isin(list(published.macro_f1)) & plan["group"].isin(BENCHMARK)]
    for dataset, part in _datasets(plan).items():
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
        f"mean ± standard deviation over n seeds{_runs(plan)}",
        header=_COMPARISON,
        rows=tuple(rows),
        notes=(
            *_legend(rows),
            verdicts.MACRO_F1.why,
            "Bold (* in plain text): the method nearest to the paper's cell, once all methods of the dataset are complete.",
            *_marks(plan),
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


def results(plan: pd.DataFrame, group: str, metric: Metric) -> Table:
    """One metric: rows are datasets, columns are methods, the last row is the mean over all these datasets."""
    columns = list(dict.fromkeys(plan["column"]))
    estimates = {place: estimate(values, metric) for place, values in _places(plan)}
    datasets = _datasets(plan)
    rows: list[list[Entry]] = [
        [marked(dataset, values), *(estimates.get((dataset, column), DASH) for column in columns)]
        for dataset, values in datasets.items()
    ]
    if len(datasets) > 1:
        means = (_mean_of([estimates.get((dataset, column)) for dataset in datasets], metric) for column in columns)
        rows.append([marked(f"mean of {len(datasets)} datasets", plan), *means])
    counts = {one.planned for one in estimates.values()}
    planned = f"n = {counts.pop()}" if len(counts) == 1 else "n in brackets"
    strong = frozenset((place, column) for place, row in enumerate(rows) for column in best(row))
    found = {
        place: _closeness(values, metric)
        for place, values in enumerate(datasets.values())
        if any(line == place for line, _ in strong)
    }
    close = {(place, 1 + columns.index(column)) for place, one in found.items() for column in one.close}
    return Table(
        name=f"{group}_{metric.name}",
        title=f"{metric.title} ({metric.unit}), {GROUPS[group]}: mean ± standard deviation over seeds, {planned}{_runs(plan)}",
        header=("dataset", *columns),
        rows=tuple(tuple(row) for row in rows),
        notes=(*_legend(rows), *([_BEST] if strong else []), *_told(found.values()), *_marks(plan)),
        strong=strong,
        close=frozenset(close) - strong,
        with_seeds=planned == "n in brackets",
    )


def results_of_one(plan: pd.DataFrame, group: str) -> Table:
    """A group's only dataset: rows are methods, columns are metrics."""
    (dataset,) = set(plan["dataset"])
    places = {column: values for (_, column), values in _places(plan)}
    rows: list[tuple[Entry, ...]] = [
        (column, *(estimate(values, metric) for metric in METRICS)) for column, values in places.items()
    ]
    strong, close, found = set(), set(), []
    for place, metric in enumerate(METRICS, 1):
        winners = {row - 1 for row in best([dataset, *(row[place] for row in rows)])}
        strong |= {(row, place) for row in winners}
        if winners:
            told = _closeness(plan, metric)
            close |= {(list(places).index(column), place) for column in told.close}
            found.append(told)
    counts = sorted(set(plan.groupby("column").size()))
    planned = f"n = {counts[0]}" if len(counts) == 1 else "n in brackets"
    return Table(
        name=f"{group}_results",
        title=f"{marked(dataset, plan)}, {GROUPS[group]}: mean ± standard deviation over seeds, {planned}{_runs(plan)}",
        header=("method", *(f"{metric.title} ({metric.unit})" for metric in METRICS)),
        rows=tuple(rows),
        notes=(*_legend(rows), *([_BEST] if strong else []), *_told(found), *_marks(plan)),
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


def _closeness(values: pd.DataFrame, metric: Metric) -> Closeness:
    """Of one dataset's complete row, against the column of the largest mean; of equal means, the first."""
    by_column = {
        str(column): dict(zip(part["seed"].tolist(), part[metric.name].tolist(), strict=True))
        for column, part in values.groupby("column", sort=False)
    }
    means = {column: math.fsum(by_seed.values()) / len(by_seed) for column, by_seed in by_column.items()}
    return closeness(by_column, max(means, key=means.__getitem__))


def _told(found: Collection[Closeness]) -> tuple[str, ...]:
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


def recall_by_dataset(plan: pd.DataFrame, group: str) -> Table:
    """Macro recall of each column as a multiple of the baseline's, per dataset."""
    columns = list(dict.fromkeys(plan["column"]))
    means = {place: estimate(values, MACRO_RECALL).mean for place, values in _places(plan)}
    rows: list[tuple[Entry, ...]] = []
    for dataset, values in _datasets(plan).items():
        baseline = means.get((dataset, BASELINE))
        rows.append((marked(dataset, values), *(_ratio(means.get((dataset, column)), baseline) for column in columns)))
    return Table(
        name=f"{group}_recall_ratio",
        title=f"Macro recall as a multiple of {BASELINE}'s (ratio of means over seeds), {GROUPS[group]}, "
        f"{_seeds(plan)}{_runs(plan)}",
        header=("dataset", *columns),
        rows=tuple(rows),
        notes=(_RATIO, *_legend(rows), *_marks(plan)),
    )


def recall_profiles(plan: pd.DataFrame, group: str) -> list[Table]:
    """Recall by the nodes' frequency in training and by their depth, each column as a multiple of the baseline's.

    A row is of the same datasets as every other; a column that is not planned on all of them has none.
    """
    plan = plan[plan["dataset"].isin(compared_datasets(plan, BASELINE))]
    depths = sorted((name for name in plan.columns if name.startswith("recall_depth_")), key=natural)
    by_depth = {name: f"depth {name.rpartition('_')[2]}" for name in depths}
    return [
        _profile(plan, group, "recall_frequency", "by number of positive training rows", FREQUENCIES),
        _profile(plan, group, "recall_depth", "by depth below the root", by_depth),
    ]


def compared_datasets(plan: pd.DataFrame, baseline: str) -> frozenset[str]:
    """The datasets on which columns are best compared side by side, see :func:`widest`; the baseline's, where it is planned."""
    planned = plan.groupby("column", sort=False)["dataset"].agg(frozenset)
    if baseline not in planned:
        return widest(planned)
    return widest(planned.drop(baseline).map(planned[baseline].__and__)) or planned[baseline]


def _profile(plan: pd.DataFrame, group: str, name: str, words: str, ranges: Mapping[str, str]) -> Table:
    """Rows are columns of the results, columns are ranges of nodes. The first row is the baseline's recall itself, in percent."""
    ranges = {metric: label for metric, label in ranges.items() if metric in plan and plan[metric].notna().any()}
    columns = [BASELINE, *(column for column in dict.fromkeys(plan["column"]) if column != BASELINE)]
    means = means_over_datasets(plan, columns, list(ranges))
    baseline = means[BASELINE]
    first = tuple(DASH if value is None else f"{100 * value:.2f}" for value in baseline.values())
    labels = {str(column): marked(str(column), values) for column, values in plan.groupby("column")}
    datasets = _datasets(plan)
    these = f"{len(datasets)} datasets" if len(datasets) > 1 else next(iter(datasets))
    rows = [(labels[column], *(_ratio(means[column][metric], baseline[metric]) for metric in ranges)) for column in columns[1:]]
    return Table(
        name=f"{group}_{name}",
        title=f"Mean node recall {words}, {GROUPS[group]} ({these}): {BASELINE} in percent, "
        f"the others as a multiple of it, {_seeds(plan)}{_runs(plan)}",
        header=("method", *ranges.values()),
        rows=((f"{labels[BASELINE]} (percent)", *first), *rows) if ranges else (),
        notes=(
            "Mean over seeds, then over the datasets that have such nodes with a positive in test; ratio of these means.",
            f"Of the datasets on which most can be compared: {', '.join(datasets)}.",
            _RATIO,
            *_legend([first, *rows]),
            *_marks(plan),
        ),
    )


def means_over_datasets(plan: pd.DataFrame, columns: Sequence[str], metrics: Sequence[str]) -> dict[str, dict[str, float | None]]:
    """Per column and metric the mean over datasets of the mean over seeds; None unless every cell of every dataset is done.

    A dataset without such nodes has no value in any of its cells and is left out: that is the data's doing, not a missing run.
    """
    grouped = plan.groupby("column")
    whole = grouped["done"].all() & (grouped["dataset"].nunique() == plan["dataset"].nunique())
    means = plan.groupby(["column", "dataset"], sort=False)[list(metrics)].mean().groupby("column").mean()
    return {
        column: {metric: _known(float(means[metric][column])) if whole.get(column, False) else None for metric in metrics}
        for column in columns
    }


def _known(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


def _ratio(value: float | None, baseline: float | None) -> str:
    return DASH if value is None or not baseline else f"{value / baseline:.2f}"


# --- parts ----------------------------------------------------------------------------------------------------------


def estimate(values: pd.DataFrame, metric: Metric) -> Estimate:
    """Mean and standard deviation over the seeds of one place; no mean while a planned seed is missing."""
    numbers = (values[metric.name].to_numpy(float) if metric.name in values else np.full(len(values), math.nan)) * metric.scale
    known = numbers[~np.isnan(numbers)]
    shown = Estimate(None, None, len(known), len(values), metric.digits)
    if len(known) < len(values):
        return shown
    return dataclasses.replace(shown, mean=float(known.mean()), spread=float(known.std(ddof=1)) if len(known) > 1 else None)


def _places(plan: pd.DataFrame) -> list[tuple[tuple[str, str], pd.DataFrame]]:
    """The cells of each (dataset, column), in the plan's order."""
    groups = plan.groupby(["dataset", "column"], sort=False)
    return [((str(dataset), str(column)), values) for (dataset, column), values in groups]


def _datasets(plan: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The cells of each dataset, in the plan's order."""
    return {str(dataset): values for dataset, values in plan.groupby("dataset", sort=False)}


def marked(text: str, values: pd.DataFrame) -> str:
    """A name or a verdict, with the mark where any of these cells is on reconstructed data."""
    return f"{text} {RECONSTRUCTED}" if (values["reconstructed"] != "").any() else text


def _legend(rows: Iterable[Sequence[Entry]]) -> tuple[str, ...]:
    """Notes on the signs that the rows show."""
    shown = " ".join(entry if isinstance(entry, str) else entry.text() for row in rows for entry in row)
    return tuple(note for sign, note in (("±", SPREAD_NOTE), (DASH, _INCOMPLETE)) if sign in shown)


def _marks(plan: pd.DataFrame) -> tuple[str, ...]:
    """Notes that the plan's data make necessary."""
    words = sorted(set(plan["reconstructed"]) - {""})
    notes = []
    if words:
        notes.append(f"{RECONSTRUCTED} wholly or partly on reconstructed data ({'; '.join(words)}), not the published dataset.")
    if (plan["group"] == "synthetic").any():
        notes.append("Synthetic datasets are generated by this program and have no published numbers.")
    return tuple(notes)


def _seeds(plan: pd.DataFrame) -> str:
    counts = sorted(set(plan.groupby(["dataset", "column"]).size()))
    return f"n = {counts[0]} seeds" if len(counts) == 1 else f"n = {counts[0]} to {counts[-1]} seeds"


def _runs(plan: pd.DataFrame) -> str:
    """How much of the plan is there."""
    done, planned = int(plan["done"].sum()), len(plan)
    return "" if done == planned else f" ({done} of {planned} cells done)"
