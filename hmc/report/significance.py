"""Which methods differ, from a suite's expected cells and the records that exist.

A dataset counts for a method only when every seed that was planned there is done: a mean over the cells that happen to exist is
not the number that was planned. Two methods are compared by their means over the seeds planned for both.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from hmc.report.grid import BASELINE, OVER_DATASETS, Metric, complete_places, protocols, widest
from hmc.report.near_best import ALPHA, QUICK
from hmc.report.pair_table import BALANCE, balance, difference, p_value
from hmc.report.render import DASH, Table, slug
from hmc.settings import column_name
from hmc.stats.frames import cells_of, over_datasets
from hmc.stats.pairwise import Comparison, Family, compare_pairs, family, listed, number
from hmc.stats.ranks import Ranking, rank


@dataclass(frozen=True)
class Analysis:
    """One metric of all method columns of one protocol over datasets.

    pairs: every pair of columns, in the plan's order, Holm over all of them. ranking: average ranks with Friedman's test, of the
    columns and over the datasets with which most can be ranked. left_out: the places (column on dataset) that are not complete.
    """

    metric: Metric
    protocol: str
    columns: tuple[str, ...]
    pairs: Family
    ranking: Ranking
    left_out: tuple[str, ...]

    def sentence(self) -> str:
        """What was tested over how many datasets, or why nothing was."""
        if len(self.columns) < 2:
            some = f"(methods with a complete dataset: {len(self.columns)}; generated ones and images do not count)"
            return f"{self.metric.title}, protocol {self.protocol}: nothing to compare {some}."
        if not self.pairs.tested:
            reasons = sorted({pair.test.reason for pair in self.pairs})
            return f"{self.metric.title}, protocol {self.protocol}: no p-value, {'; '.join(reasons[:2])} (a pair is a dataset)."
        tests = [pair.test for pair in self.pairs if pair.test.p is not None]
        fewest, most = min(test.n for test in tests), max(test.n for test in tests)
        datasets = f"{most} datasets" if fewest == most else f"{fewest} to {most} datasets a pair"
        apart = sum(pair.p_holm is not None and pair.p_holm < ALPHA for pair in self.pairs)
        return (
            f"{self.metric.title}, protocol {self.protocol}: Wilcoxon signed-rank, {tests[0].alternative}, over "
            f"{datasets} (means over seeds), Holm over {self.pairs.tested} pairs: "
            f"{apart} {'pair differs' if apart == 1 else 'pairs differ'} at {ALPHA:g}."
        )


# --- comparisons ----------------------------------------------------------------------------------------------------


def analysis(grid: pd.DataFrame, metric: Metric, protocol: str) -> Analysis:
    """Every pair of the protocol's columns over datasets, and their ranks. Generated datasets and images do not count."""
    part = grid[grid["group"].isin(OVER_DATASETS) & (grid["protocol"] == protocol)]
    done, left_out = complete_places(part)
    columns = [column for column in dict.fromkeys(part["column"]) if column in set(done["column"])]
    if metric.name not in done or not columns:
        return Analysis(metric, protocol, (), family([]), rank({}), left_out)
    cells = cells_of(done, columns, metric.name)
    pairs = family(over_datasets(cells, a, b, QUICK, missing=()) for a, b in itertools.combinations(columns, 2))
    have = done.groupby("column")["dataset"].agg(frozenset)
    datasets = widest(have[columns])
    ranked = [column for column in columns if datasets <= have[column]]
    averages, _, note = cells.means(ranked)
    scores: dict[str, dict[str, float | None]] = {column: dict(values) for column, values in averages.items()}
    unranked = [f"{column} (on {len(datasets & have[column])} of them)" for column in columns if column not in ranked]
    ranking = rank(scores, alpha=ALPHA, metric=metric.name, choices=QUICK, missing=(*unranked, *left_out), note=note)
    return Analysis(metric, protocol, tuple(columns), pairs, ranking, left_out)


def analyses(grid: pd.DataFrame, metrics: Iterable[Metric]) -> list[Analysis]:
    """One analysis a metric and protocol."""
    return [analysis(grid, metric, protocol) for metric in metrics for protocol in protocols(grid)]


def over_seeds(grid: pd.DataFrame, metric: Metric, protocol: str) -> dict[str, Family]:
    """Per dataset, every column against the protocol's baseline, a pair a seed, Holm over the dataset's columns."""
    part = grid[grid["protocol"] == protocol]
    baseline = column_name(BASELINE, protocol, "")
    done, _ = complete_places(part)
    found = {}
    for dataset, values in done.groupby("dataset", sort=False):
        columns = list(dict.fromkeys(values["column"]))
        if baseline not in columns or len(columns) < 2 or metric.name not in values:
            continue
        cells = cells_of(values, columns, metric.name)
        found[str(dataset)] = family(
            compare_pairs(
                cells.of(column, str(dataset)),
                cells.of(baseline, str(dataset)),
                names=(column, baseline),
                metric=metric.name,
                over="seeds",
                where=str(dataset),
                choices=QUICK,
                missing=(),
            )
            for column in columns
            if column != baseline
        )
    return found


# --- tables ---------------------------------------------------------------------------------------------------------


def tables(grid: pd.DataFrame, found: Iterable[Analysis]) -> list[Table]:
    """Pairs over datasets, and differences over seeds, of each analysis. What has no p-value at all is left out."""
    made = [table for one in found for table in (pairs_table(one), seeds_table(grid, one.metric, one.protocol))]
    return [table for table in made if table.rows]


def pairs_table(found: Analysis) -> Table:
    """One row a pair of columns, the smallest adjusted p first."""
    tested = sorted((pair for pair in found.pairs if pair.p_holm is not None), key=lambda pair: (pair.p_holm, pair.test.p))
    return Table(
        name=slug(f"significance_{found.metric.name}_{found.protocol}"),
        title=f"{found.metric.title} ({found.metric.unit}), every pair of methods over datasets, protocol {found.protocol}",
        header=("a", "b", "n", BALANCE, "difference a - b", "rank-biserial", "p", "p after Holm"),
        rows=tuple(
            (
                pair.a,
                pair.b,
                str(pair.test.n),
                balance(pair),
                difference(pair, found.metric.scale, found.metric.digits),
                DASH if pair.test.rank_biserial is None else f"{pair.test.rank_biserial:+.2f}",
                p_value(pair.test.p),
                p_value(pair.p_holm),
            )
            for pair in tested
        ),
        notes=(
            found.sentence(),
            "Difference: Hodges-Lehmann. n: datasets on which both methods are complete.",
            *([f"Left out, not complete: {listed(found.left_out)}."] if found.left_out else []),
        ),
    )


def seeds_table(grid: pd.DataFrame, metric: Metric, protocol: str) -> Table:
    """Rows are datasets, columns methods: the difference to the baseline over seeds, and its adjusted p."""
    baseline = column_name(BASELINE, protocol, "")
    families = {dataset: pairs for dataset, pairs in over_seeds(grid, metric, protocol).items() if pairs.tested}
    columns = list(dict.fromkeys(pair.a for pairs in families.values() for pair in pairs))
    rows = []
    for dataset, pairs in families.items():
        entries = {pair.a: pair for pair in pairs}
        rows.append((dataset, *(_difference(entries.get(column), metric) for column in columns)))
    counts = sorted({pair.test.n for pairs in families.values() for pair in pairs if pair.test.p is not None})
    least = min((pair.test.least_p for pairs in families.values() for pair in pairs), default=1.0)
    return Table(
        name=slug(f"seeds_{metric.name}_{protocol}"),
        title=f"{metric.title} ({metric.unit}) less {baseline}'s, over seeds within a dataset, protocol {protocol}",
        header=("dataset", *columns),
        rows=tuple(rows),
        notes=(
            "Hodges-Lehmann difference, and p of a Wilcoxon signed-rank test over seeds (two-sided, Holm over the dataset's "
            "methods). It speaks of other seeds on this dataset, not of other datasets.",
            *([f"n = {' or '.join(map(str, counts))} seeds; so many cannot give p below {number(least)}."] if counts else []),
        ),
    )


def _difference(pair: Comparison | None, metric: Metric) -> str:
    if pair is None or pair.shift is None:
        return DASH
    shown = difference(pair, metric.scale, metric.digits)
    return shown if pair.p_holm is None else f"{shown} (p {number(pair.p_holm)})"
