"""Tables of rare nodes: recall and average precision by dataset, training frequency and depth, as multiples of the baseline's."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import pandas as pd

from hmc.report import notes
from hmc.report.grid import (
    BASELINE,
    GROUPS,
    baseline_column,
    by_dataset,
    compared_datasets,
    has_values,
    marked,
    mean_std,
    means_over_datasets,
    on_train_alone,
    places,
    planned,
)
from hmc.report.metric import BANDS, HALF, MACRO_RECALL, metric, suffix
from hmc.report.render import slug
from hmc.report.table import DASH, Entry, Number, Table
from hmc.results.runs_csv import natural

_RATIO = f"A ratio over a zero is a dash. Baseline: {BASELINE}, released protocol."


def rare_nodes(grid: pd.DataFrame, group: str, rule: str = HALF) -> list[Table]:
    """The tables of rare nodes, of cells trained on train and valid and of those trained on train alone, each beside the baseline
    trained alike: how often a node occurs in training depends on it too.
    """
    held_out = on_train_alone(grid)
    found = []
    for alone in (False, True):
        part, baseline = grid[held_out == alone], baseline_column(held_out=alone)
        columns = set(planned(part)["column"])
        if baseline in columns and len(columns) > 1:
            tables = [recall_by_dataset(part, group, rule, baseline), *profiles(part, group, rule, baseline)]
            found += [dataclasses.replace(table, name=f"{table.name}_holdout") if alone else table for table in tables]
    return found


def recall_by_dataset(grid: pd.DataFrame, group: str, rule: str = HALF, baseline_name: str = BASELINE) -> Table:
    """Macro recall of each column as a multiple of the baseline's, per dataset."""
    columns = list(dict.fromkeys(grid["column"]))
    shown = MACRO_RECALL.under(rule)
    means = {place: mean_std(values, shown).mean for place, values in places(grid).items()}
    rows: list[tuple[Entry, ...]] = []
    for dataset, values in by_dataset(grid).items():
        baseline = means.get((dataset, baseline_name))
        rows.append((marked(dataset, values), *(_ratio(means.get((dataset, column)), baseline) for column in columns)))
    return Table(
        name=slug(f"{group}_recall_ratio{suffix(rule)}"),
        title=f"{shown.title} as a multiple of {baseline_name}'s (ratio of means over seeds), {GROUPS[group]}, "
        f"{notes.seeds(grid)}{notes.progress(grid)}",
        header=("dataset", *columns),
        rows=tuple(rows),
        notes=(_RATIO, *notes.signs(rows), *notes.about(grid)),
        turn_to="method",
    )


def profiles(grid: pd.DataFrame, group: str, rule: str = HALF, baseline_name: str = BASELINE) -> list[Table]:
    """Recall and average precision by the nodes' frequency in training, and recall by their depth.

    Each column is a multiple of the baseline's. A row is of the same datasets as every other; a column that is not planned on
    all of them has none.
    """
    grid = grid[grid["dataset"].isin(compared_datasets(planned(grid), baseline_name))]
    depths = sorted((name for name in grid.columns if name.startswith("recall_depth_") and "@" not in name), key=natural)
    by_depth = {name.rpartition("_")[2]: f"depth {name.rpartition('_')[2]}" for name in depths}
    return [
        _profile(grid, group, "recall_frequency", rule, BANDS, baseline_name),
        _profile(grid, group, "recall_depth", rule, by_depth, baseline_name),
        _profile(grid, group, "macro_ap_frequency", rule, BANDS, baseline_name),
    ]


_WORDS = {
    "recall_frequency": ("Mean node recall", "by number of positive training rows"),
    "recall_depth": ("Mean node recall", "by depth below the root"),
    "macro_ap_frequency": ("Mean average precision of nodes", "by number of positive training rows"),
}


def _profile(grid: pd.DataFrame, group: str, kind: str, rule: str, ranges: Mapping[str, str], baseline_name: str) -> Table:
    """Rows are methods, columns are ranges of nodes. The first row is the baseline's value itself, in percent.

    kind: how the metrics' names begin. ranges: how they end, and the heading.
    """
    shown = {metric(f"{kind}_{end}", rule): label for end, label in ranges.items()}
    of_rule = kind.startswith("recall")
    heads = {one.name: label for one, label in shown.items() if has_values(grid, one)}
    columns = [baseline_name, *(column for column in dict.fromkeys(grid["column"]) if column != baseline_name)]
    means = means_over_datasets(grid, columns, list(heads))
    baseline = means[baseline_name]
    first = tuple(DASH if value is None else Number(100 * value, ".2f") for value in baseline.values())
    labels = {str(column): marked(str(column), values) for column, values in grid.groupby("column")}
    datasets = by_dataset(grid)
    these = f"{len(datasets)} datasets" if len(datasets) > 1 else next(iter(datasets))
    rows = [(labels[column], *(_ratio(means[column][name], baseline[name]) for name in heads)) for column in columns[1:]]
    what, by = _WORDS[kind]
    under = f" with rule {rule}" if of_rule and rule != HALF else ""
    return Table(
        name=slug(f"{group}_{kind}{suffix(rule) if of_rule else ''}"),
        title=f"{what}{under} {by}, {GROUPS[group]} ({these}): {baseline_name} in percent, "
        f"the others as a multiple of it, {notes.seeds(grid)}{notes.progress(grid)}",
        header=("method", *heads.values()),
        rows=((f"{labels[baseline_name]} (percent)", *first), *rows) if heads else (),
        notes=(
            "Mean over seeds, then over the datasets that have such nodes with a positive in test; ratio of these means.",
            f"The datasets on which most can be compared: {', '.join(datasets)}.",
            _RATIO,
            *notes.signs([first, *rows]),
            *notes.about(grid),
        ),
    )


def _ratio(value: float | None, baseline: float | None) -> Entry:
    return DASH if value is None or not baseline else Number(value / baseline, ".2f")
