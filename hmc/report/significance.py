"""Which methods differ, from a suite's expected cells and the records that exist.

A dataset counts for a method only when every seed that was planned there is done: a mean over the cells that happen to exist is
not the number that was planned. Two methods are compared by their means over the seeds planned for both. Reference predictors
are not compared.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

from hmc.report.grid import (
    BASELINE,
    OVER_DATASETS,
    baseline_column,
    compared,
    complete_places,
    has_values,
    on_train_alone,
    protocols,
    widest,
    with_metric,
)
from hmc.report.metric import Metric
from hmc.report.pair_table import pair_table
from hmc.report.render import slug
from hmc.report.table import Table
from hmc.report.testing import ALPHA, QUICK
from hmc.stats.frames import Cells, cells_of, over_datasets
from hmc.stats.pairwise import Family, compare_pairs, family, listed, number
from hmc.stats.ranks import Ranking, rank


@dataclass(frozen=True)
class Analysis:
    """One metric of all method columns of one protocol, trained on the same rows, over datasets.

    pairs: every pair of columns, in the grid's order, Holm over all of them. ranking: average ranks with Friedman's test, of the
    columns and over the datasets with which most can be ranked. left_out: the places (column on dataset) that are not complete.
    held_out: whether the columns are trained on train alone.
    """

    metric: Metric
    protocol: str
    columns: tuple[str, ...]
    pairs: Family
    ranking: Ranking
    left_out: tuple[str, ...]
    held_out: bool = False

    @property
    def where(self) -> str:
        """The protocol in words, and the training where it is not on train and valid."""
        return f"protocol {self.protocol}{', trained on train alone' if self.held_out else ''}"

    @property
    def name(self) -> str:
        """What tells its files apart: metric, protocol, training."""
        return f"{self.metric.name}_{self.protocol}{'_holdout' if self.held_out else ''}"

    def sentence(self) -> str:
        """What was tested over how many datasets, or why nothing was."""
        if len(self.columns) < 2:
            some = f"(methods with a complete dataset: {len(self.columns)}; generated ones and images do not count)"
            return f"{self.metric.title}, {self.where}: nothing to compare {some}."
        if not self.pairs.tested:
            reasons = sorted({pair.test.reason for pair in self.pairs})
            return f"{self.metric.title}, {self.where}: no p-value, {'; '.join(reasons[:2])} (a pair is a dataset)."
        tests = [pair.test for pair in self.pairs if pair.test.p is not None]
        fewest, most = min(test.n for test in tests), max(test.n for test in tests)
        datasets = f"{most} datasets" if fewest == most else f"{fewest} to {most} datasets a pair"
        apart = sum(pair.p_holm is not None and pair.p_holm < ALPHA for pair in self.pairs)
        return (
            f"{self.metric.title}, {self.where}: Wilcoxon signed-rank, {tests[0].alternative}, over "
            f"{datasets} (means over seeds), Holm over {self.pairs.tested} pairs: "
            f"{apart} {'pair differs' if apart == 1 else 'pairs differ'} at {ALPHA:g}."
        )


# --- comparisons ----------------------------------------------------------------------------------------------------


def analysis(grid: pd.DataFrame, metric: Metric, protocol: str, held_out: bool = False) -> Analysis:
    """Every pair of the protocol's columns over datasets, and their ranks. Generated datasets and images do not count.

    held_out: the columns that are trained on train alone, in place of those that are trained on train and valid.
    """
    part = _alike(grid, protocol, held_out)
    part = part[part["group"].isin(OVER_DATASETS)]
    done, left_out = complete_places(with_metric(part, metric.name))
    columns = [column for column in dict.fromkeys(part["column"]) if column in set(done["column"])]
    if not columns:
        return Analysis(metric, protocol, (), family([]), rank({}), left_out, held_out)
    cells = cells_of(done, columns, metric.name)
    pairs = family(over_datasets(cells, a, b, QUICK, missing=()) for a, b in itertools.combinations(columns, 2))
    have = done.groupby("column")["dataset"].agg(frozenset)
    datasets = widest(have[columns])
    ranked = [column for column in columns if datasets <= have[column]]
    unranked = [f"{column} (on {len(datasets & have[column])} of them)" for column in columns if column not in ranked]
    ranking = ranking_of(cells, ranked, (*unranked, *left_out))
    return Analysis(metric, protocol, tuple(columns), pairs, ranking, left_out, held_out)


def ranking_of(cells: Cells, columns: Sequence[str], missing: Sequence[str] = ()) -> Ranking:
    """These columns ranked by their means over shared seeds. missing: words on what could not be ranked."""
    averages, _, note = cells.means(columns)
    scores: dict[str, dict[str, float | None]] = {column: dict(values) for column, values in averages.items()}
    return rank(scores, alpha=ALPHA, metric=cells.metric, choices=QUICK, missing=missing, note=note)


def _alike(grid: pd.DataFrame, protocol: str, held_out: bool) -> pd.DataFrame:
    """The cells of methods of one protocol that are trained on the same rows."""
    part = compared(grid)
    part = part[part["protocol"] == protocol]
    return part[on_train_alone(part) == held_out]


def analyses(grid: pd.DataFrame, metrics: Iterable[Metric]) -> list[Analysis]:
    """One analysis a metric, protocol and training; none of a metric that cells are done for and no cell has."""
    shown = [metric for metric in metrics if has_values(grid, metric) or not grid["done"].any()]
    cells = compared(grid)
    kinds = set(zip(cells["protocol"], on_train_alone(cells), strict=True))
    order = [(protocol, held_out) for protocol in protocols(cells) for held_out in (False, True) if (protocol, held_out) in kinds]
    return [analysis(grid, metric, *kind) for metric in shown for kind in order]


def over_seeds(grid: pd.DataFrame, metric: Metric, protocol: str, held_out: bool = False) -> dict[str, Family]:
    """Per dataset, every column against the protocol's baseline, a pair a seed, Holm over the dataset's columns."""
    part = _alike(grid, protocol, held_out)
    baseline = baseline_column(protocol, held_out)
    done, _ = complete_places(with_metric(part, metric.name))
    found = {}
    for dataset, values in done.groupby("dataset", sort=False):
        columns = list(dict.fromkeys(values["column"]))
        if baseline not in columns or len(columns) < 2:
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
    """The pairs over datasets, and the differences over seeds, of each analysis. A table without any p-value is left out."""
    both = [table for one in found for table in (pairs_over_datasets(one), pairs_over_seeds(grid, one))]
    return [table for table in both if table.rows]


def pairs_over_datasets(found: Analysis) -> Table:
    """One row a tested pair of columns, the smallest adjusted p first."""
    tested = sorted((pair for pair in found.pairs if pair.p_holm is not None), key=lambda pair: (pair.p_holm, pair.test.p))
    return pair_table(
        slug(f"significance_{found.name}"),
        f"{found.metric.title}, every pair of methods over datasets, {found.where}",
        tested,
        (
            found.sentence(),
            "n: datasets on which both methods are complete.",
            *([f"Left out, not complete: {listed(found.left_out)}."] if found.left_out else []),
        ),
    )


def pairs_over_seeds(grid: pd.DataFrame, found: Analysis) -> Table:
    """Every method against the baseline within each dataset, a pair a seed; datasets without any p-value are left out."""
    of_dataset = over_seeds(grid, found.metric, found.protocol, found.held_out)
    families = [pairs for pairs in of_dataset.values() if pairs.tested]
    pairs = [pair for family in families for pair in family]
    least = min((pair.test.least_p for pair in pairs), default=1.0)
    counts = sorted({pair.test.n for pair in pairs if pair.test.p is not None})
    return pair_table(
        slug(f"seeds_{found.name}"),
        f"{found.metric.title}, every method against {BASELINE} over seeds within a dataset, {found.where}",
        pairs,
        (
            "Wilcoxon signed-rank over seeds, two-sided, Holm over the dataset's methods. It speaks of other seeds on this "
            "dataset, not of other datasets.",
            *([f"n = {' or '.join(map(str, counts))} seeds; so many cannot give p below {number(least)}."] if counts else []),
        ),
    )
