"""Tables of decision rules, and of what a method costs beside what it reaches."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from hmc.report import notes
from hmc.report.grid import (
    GROUPS,
    HELD_OUT,
    OVER_DATASETS,
    SECONDS,
    by_dataset,
    compared,
    complete_places,
    has_values,
    marked,
    mean_std,
    means_over_datasets,
    on_train_alone,
    places,
    widest,
    with_metric,
)
from hmc.report.metric import AU_PRC, HALF, MACRO_AP, MACRO_F1, Metric, metric
from hmc.report.render import slug
from hmc.report.significance import ranking_of
from hmc.report.table import DASH, Entry, MeanStd, Number, Table
from hmc.report.testing import ALPHA
from hmc.rules import RULES, needs_held_out_rows
from hmc.settings import column_name, variant
from hmc.stats.frames import cells_of
from hmc.stats.pairwise import number
from hmc.stats.ranks import Ranking, rank

_COST = (
    "Seconds: of training one cell, median over these datasets and seeds, beside other work on the machine that ran it; a "
    "mixture's are without those of its parts."
)


def rules(grid: pd.DataFrame, group: str) -> Table:
    """Macro F1 of each method on each dataset under every rule that some cell has, with macro AP beside it, which needs none.

    A row is a dataset and a method that has more than ``half`` there.
    """
    shown = [MACRO_F1.under(rule) for rule in RULES if has_values(grid, MACRO_F1.under(rule))]
    metrics = [MACRO_AP, *shown]
    others = [one.name for one in shown if one != MACRO_F1]
    known = places(grid[grid[others].notna().any(axis=1)] if others else grid[:0])
    order = {dataset: place for place, dataset in enumerate(by_dataset(grid))}
    rows: list[tuple[Entry, ...]] = [
        (marked(dataset, values), column, *(mean_std(values, one) for one in metrics))
        for (dataset, column), values in sorted(places(grid).items(), key=lambda item: order[item[0][0]])
        if (dataset, column) in known
    ]
    held_out = [name for one in shown if needs_held_out_rows(name := _rule(one))]
    return Table(
        name=slug(f"{group}_rules"),
        title=f"Macro F1 (percent) by decision rule, {GROUPS[group]}, with macro AP (percent) beside it: mean ± standard "
        f"deviation over seeds, n in brackets{notes.progress(grid)}",
        header=("dataset", "method", MACRO_AP.title, *map(_rule, shown)),
        rows=tuple(rows),
        notes=(
            f"Fitted on held-out rows: {', '.join(held_out)}. They are the cell's own rows with training.holdout=valid, else "
            "those of the same cell trained on train alone (refit).",
            *notes.signs(rows),
            *notes.about(grid),
        ),
        with_seeds=True,
        keys=2,
    )


def _rule(one: Metric) -> str:
    return one.name.partition("@")[2] or HALF


def overviews(grid: pd.DataFrame, group: str, tuned: str) -> list[Table]:
    """One line a method: of those trained on train and valid, and of those trained on train alone."""
    held_out = on_train_alone(grid)
    both = [_overview(grid[held_out == alone], group, tuned, alone) for alone in (False, True)]
    return [table for table in both if len(table.rows) > 1]


def _overview(grid: pd.DataFrame, group: str, tuned: str, alone: bool) -> Table:
    """Means over the datasets on which most methods are complete; the best macro AP first."""
    done, _ = complete_places(with_metric(grid, MACRO_AP.name))
    have = done.groupby("column", sort=False)["dataset"].agg(frozenset)
    datasets = widest(have)
    columns = [column for column in have.index if datasets <= have[column]]
    part = done[done["column"].isin(columns) & done["dataset"].isin(datasets)]
    metrics = [
        one for one in dict.fromkeys((MACRO_AP, AU_PRC, metric("fmax"), MACRO_F1, MACRO_F1.under(tuned))) if one.name in part
    ]
    ranked = [one for one in dict.fromkeys((MACRO_AP, MACRO_F1.under(tuned))) if one in metrics]
    # What training costs on generated data is of no interest, and differs from run to run.
    costs = group in OVER_DATASETS
    means = {one: _means(part, columns, one) for one in metrics}
    rankings = {one: _ranking(part, one, means[one]) for one in ranked}
    columns.sort(key=lambda column: -(means[MACRO_AP][column] or 0.0))
    rows = [
        (
            marked(_without_holdout(part[part["column"] == column]), part[part["column"] == column]),
            *(_shown(means[one][column], one) for one in metrics),
            *(_rank(rankings[one], column) for one in ranked),
            *([_seconds(part[part["column"] == column])] if costs else []),
        )
        for column in columns
    ]
    where = "trained on train alone" if alone else "trained on train and valid"
    names = ", ".join(name for name in by_dataset(grid) if name in datasets)
    return Table(
        name=slug(f"{group}_overview{'_holdout' if alone else ''}"),
        title=f"One line a method, {GROUPS[group]}, {where}: means over {_count(datasets)}, {notes.seeds(part)}" if rows else "",
        header=(
            "method",
            *(f"{one.title} ({one.unit})" for one in metrics),
            *(f"rank by {one.in_sentence}" for one in ranked),
            *(["seconds"] if costs else []),
        ),
        rows=tuple(rows),
        notes=(
            f"Datasets: {names}.",
            *(_tested(one, rankings[one], p) for one in ranked if (p := rankings[one].p) is not None),
            "Rank: mean over datasets, 1 is best; reference predictors are not ranked.",
            *([_COST] if costs else []),
            *notes.signs(rows),
            *notes.about(part),
        ),
    )


def _without_holdout(values: pd.DataFrame) -> str:
    """The column's name without what the table's title says of all of them."""
    one = values.iloc[0]
    return column_name(one["method"], one["protocol"], variant(tuple(part for part in one["departed"] if part not in HELD_OUT)))


def _tested(one: Metric, ranking: Ranking, p: float) -> str:
    difference = (
        "" if ranking.critical_difference is None else f"; Nemenyi critical difference {ranking.critical_difference:.2f} ranks"
    )
    return (
        f"{one.title}: Friedman over {_count(ranking.datasets)} and {len(ranking.methods)} methods, "
        f"p = {number(p)}{difference} at {ranking.alpha:g}."
    )


def _count(datasets: Iterable[str]) -> str:
    count = len(list(datasets))
    return f"{count} datasets" if count != 1 else "1 dataset"


def _means(part: pd.DataFrame, columns: Sequence[str], one: Metric) -> dict[str, float | None]:
    """By column the mean over datasets of the mean over seeds; None where a cell lacks the metric."""
    found = means_over_datasets(with_metric(part, one.name), columns, [one.name])
    return {column: values[one.name] for column, values in found.items()}


def _ranking(part: pd.DataFrame, one: Metric, means: Mapping[str, float | None]) -> Ranking:
    """Of the columns that have the metric in every cell. means: of the metric, by column."""
    cells = compared(part)
    columns = [column for column in dict.fromkeys(cells["column"]) if means[column] is not None]
    return ranking_of(cells_of(cells, columns, one.name), columns) if columns else rank({}, alpha=ALPHA)


def _rank(ranking: Ranking, column: str) -> Entry:
    place = dict(zip(ranking.methods, ranking.ranks, strict=True)).get(column)
    return DASH if place is None else Number(place, ".1f")


def _shown(mean: float | None, one: Metric) -> Entry:
    return DASH if mean is None else MeanStd(mean * one.scale, digits=one.digits)


def _seconds(values: pd.DataFrame) -> Entry:
    known = values[SECONDS].dropna().to_list() if SECONDS in values else []
    return Number(statistics.median(known), ".3g") if known else DASH
