"""Comparisons from a table of results: one row a cell, with the columns dataset, column (the method), seed, and the metrics.

A cell without a result has no row, or NaN in the metric. Over datasets, a method's value is its mean over the seeds that all
compared methods have on that dataset; the cells that one of them lacks are listed, never averaged over in silence.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from hmc.settings import did_you_mean
from hmc.stats.pairwise import DEFAULT, Choices, Comparison, ComparisonError, Family, compare_pairs, family

OVER = ("datasets", "seeds")
KEYS = ("dataset", "column", "seed")


@dataclass(frozen=True)
class Cells:
    """One metric of some method columns.

    metric: its name. values: value by column, dataset and seed, of cells with a result. seeds: per dataset every seed that the
    table names for one of these columns, with or without a result, sorted.
    """

    metric: str
    values: Mapping[str, Mapping[str, Mapping[int, float]]]
    seeds: Mapping[str, Sequence[int]]

    def shared(self, columns: Sequence[str], dataset: str) -> list[int]:
        """The seeds for which each of these columns has a result on the dataset, sorted."""
        return [seed for seed in self.seeds[dataset] if all(seed in self.of(column, dataset) for column in columns)]

    def of(self, column: str, dataset: str) -> Mapping[int, float]:
        """Value by seed."""
        return self.values[column].get(dataset, {})

    def missing(self, columns: Sequence[str], dataset: str) -> list[str]:
        """One entry for each of these columns that lacks a seed of the dataset."""
        lines = []
        for column in columns:
            lacking = [seed for seed in self.seeds[dataset] if seed not in self.of(column, dataset)]
            if lacking:
                word = "seed" if len(lacking) == 1 else "seeds"
                lines.append(f"{column} on {dataset}, {word} {', '.join(map(str, lacking))}")
        return lines

    def means(self, columns: Sequence[str]) -> tuple[dict[str, dict[str, float]], list[str], str]:
        """Mean over shared seeds by column and dataset, the missing cells, and words on how many seeds that were."""
        averages: dict[str, dict[str, float]] = {column: {} for column in columns}
        counts, missing = [], []
        for dataset in self.seeds:
            missing += self.missing(columns, dataset)
            shared = self.shared(columns, dataset)
            if shared:
                counts.append(len(shared))
                for column in columns:
                    by_seed = self.of(column, dataset)
                    averages[column][dataset] = math.fsum(by_seed[seed] for seed in shared) / len(shared)
        return averages, missing, _seeds(counts)


def compare(frame: pd.DataFrame, a: str, b: str, metric: str, over: str = "datasets", choices: Choices = DEFAULT) -> Family:
    """Method a against method b.

    over="datasets": one comparison, a pair a dataset (means of seeds). over="seeds": one comparison a dataset, a pair a seed,
    and Holm over the datasets.

    Raises ComparisonError for a column, metric or ``over`` that does not exist (naming the nearest that does), a method against
    itself, and two results of one cell.
    """
    if over not in OVER:
        raise ComparisonError(f"over must be one of {', '.join(OVER)}, got {over!r}{did_you_mean(over, OVER)}")
    cells = cells_of(frame, (a, b), metric)
    if over == "datasets":
        return family([over_datasets(cells, a, b, choices)])
    return family(
        compare_pairs(
            cells.of(a, dataset),
            cells.of(b, dataset),
            names=(a, b),
            metric=metric,
            over="seeds",
            where=dataset,
            choices=choices,
            missing=cells.missing((a, b), dataset),
        )
        for dataset in cells.seeds
    )


def cells_of(frame: pd.DataFrame, columns: Sequence[str], metric: str) -> Cells:
    """The metric of these method columns.

    Raises ComparisonError for a table without dataset, column or seed, an unknown method column or metric, a column named
    twice, and two results of one cell.
    """
    for key in KEYS:
        if key not in frame.columns:
            raise ComparisonError(f"the table of results must have the column {key!r}, got {', '.join(map(str, frame.columns))}")
    metrics = [name for name in frame.select_dtypes("number").columns if name not in KEYS]
    if metric not in metrics:
        raise ComparisonError(f"metric={metric!r} is not in the results{did_you_mean(metric, metrics)}")
    known = [str(name) for name in frame["column"].unique()]
    for place, column in enumerate(columns):
        if column not in known:
            longer = [name for name in known if name.startswith(f"{column} (")]
            near = f"; there are of {' and '.join(map(repr, longer[:3]))}" if longer else did_you_mean(column, known)
            raise ComparisonError(f"there are no results of {column!r}{near}")
        if column in columns[:place]:
            raise ComparisonError(f"a and b must be two different methods, got {column!r} twice")
    values: dict[str, dict[str, dict[int, float]]] = {column: {} for column in columns}
    seeds: dict[str, set[int]] = {}
    named = frame.loc[frame["column"].isin(list(columns)), [*KEYS, metric]]
    for dataset, column, seed, value in named.itertuples(index=False, name=None):
        seeds.setdefault(dataset, set()).add(int(seed))
        if pd.isna(value):
            continue
        by_seed = values[column].setdefault(dataset, {})
        if seed in by_seed:
            raise ComparisonError(
                f"there are several results of {dataset}, {column}, seed {seed}; compare the cells of one suite, or delete the "
                "records of other settings or data"
            )
        by_seed[int(seed)] = float(value)
    return Cells(metric, values, {dataset: sorted(seeds[dataset]) for dataset in sorted(seeds)})


def over_datasets(
    cells: Cells, a: str, b: str, choices: Choices, *, over: str = "datasets", missing: Sequence[str] | None = None
) -> Comparison:
    """Two columns over datasets, by their means over the seeds that both have.

    over: what the pairs are called. missing: words on missing cells; by default those that one of the two lacks.
    """
    averages, lacking, note = cells.means((a, b))
    return compare_pairs(
        averages[a],
        averages[b],
        names=(a, b),
        metric=cells.metric,
        over=over,
        choices=choices,
        missing=lacking if missing is None else missing,
        note=note,
    )


def _seeds(counts: Sequence[int]) -> str:
    """How many seeds went into the means."""
    if not counts:
        return ""
    if max(counts) == 1:
        return "one seed each"
    if min(counts) == max(counts):
        return f"means of {counts[0]} seeds each"
    return f"means of {min(counts)} to {max(counts)} shared seeds each"
