"""The grid that a report is made of: what a suite expects, joined with what the records say. Built once a report and passed on.

What a table should hold is decided by the cells, never by the records: an expected cell without a complete record is not done,
and every mean that would need it is missing. Records and cells meet by identity, so that a record with other settings or data
never fills a cell.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from hmc.metrics.grouped import FREQUENCY_BANDS
from hmc.report.render import RECONSTRUCTED, Estimate
from hmc.results.record import Record
from hmc.results.runs_csv import PARTS, Row, frame, merged, row
from hmc.settings import Cell

BASELINE = "chmcnn"

BENCHMARK = ("non_genomic", "fun", "go")
"""Groups of datasets with published counterparts: those of the paper's claims on datasets."""
OVER_DATASETS = (*BENCHMARK, "own")
"""Groups that tests over datasets take: generated data prove nothing about real ones, images are compared over conditions."""

GROUPS = {
    "non_genomic": "other datasets",
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


@dataclass(frozen=True)
class Results:
    """Records as a report takes them.

    frame: as :func:`hmc.results.store.frame` makes it. curves: the learning curve of each complete record that is at hand as a
    file, by identity; what the frame has besides is from runs.csv.
    """

    frame: pd.DataFrame
    curves: Mapping[str, Sequence[float]]


def collect(records: Iterable[Record], lines: Iterable[Row] = ()) -> Results:
    """Records, read once, and lines of files like runs.csv. A record goes before a line of the same identity.

    Without settings.*: no table needs them, and they are half of what a record holds.
    """
    rows, curves = [], {}
    known = [{name: value for name, value in line.items() if not name.startswith("settings.")} for line in lines]
    shown = [part for part in PARTS if part != "settings"]
    for record in records:
        rows.append(row(record, shown))
        if record.status == "complete":
            curves[record.identity] = record.learning_curve
    return Results(frame(merged(known, rows)), curves)


def build_grid(cells: Iterable[Cell], frame: pd.DataFrame) -> pd.DataFrame:
    """The grid: one row an expected cell, in the order given.

    Columns: dataset, group, column, method, protocol, seed, identity, members, departed (see :func:`hmc.settings.departures`),
    done, reconstructed, and the metrics, NaN where the cell is not done. frame: as :func:`hmc.results.store.frame` makes it.

    Raises ValueError when two different cells claim one place.
    """
    places: dict[tuple[str, str, int], Cell] = {}
    for cell in cells:
        known = places.setdefault((cell.dataset, cell.column, cell.seed), cell)
        if known.identity != cell.identity:
            raise ValueError(f"two cells with different settings are both called {cell!s}; give one another name")
    grid = pd.DataFrame(
        [
            (
                *(cell.dataset, cell.settings.dataset.group, cell.column, cell.method, cell.protocol, cell.seed),
                *(cell.identity, cell.settings.method.members, cell.departed),
            )
            for cell in places.values()
        ],
        columns=["dataset", "group", "column", "method", "protocol", "seed", "identity", "members", "departed"],
    )
    complete = frame[frame["status"] == "complete"].drop_duplicates("identity").set_index("identity")
    metrics = [name for name in complete.columns if "." not in name and pd.api.types.is_float_dtype(complete[name])]
    joined = grid.join(complete[["reconstructed", *metrics]], on="identity")
    joined["done"] = joined["identity"].isin(complete.index)
    joined["reconstructed"] = joined["reconstructed"].fillna("")
    return joined


def complete_places(grid: pd.DataFrame) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The cells of complete places (column on dataset: all planned seeds done), and words on each place that is not."""
    places = grid.groupby(["dataset", "column"], sort=False)["done"]
    left_out = [
        f"{column} on {dataset} ({done} of {wanted} seeds)"
        for (dataset, column), done, wanted in zip(places.sum().index, places.sum(), places.size(), strict=True)
        if done < wanted
    ]
    return grid[places.transform("all").astype(bool)], tuple(left_out)


def widest(datasets: Iterable[frozenset[str]]) -> frozenset[str]:
    """Of the sets of datasets that the single columns have, the one with the most datasets times columns that have all of them,
    the one with more columns where two are equal; empty without any.

    So neither a dataset with a few columns nor a column with a few datasets hides what the others say side by side.
    """
    every = list(datasets)
    counts = {one: sum(one <= other for other in every) for one in every}
    return max(counts, key=lambda one: (len(one) * counts[one], counts[one]), default=frozenset())


def protocols(grid: pd.DataFrame) -> list[str]:
    """The plan's protocols, the released one first."""
    return sorted(set(grid["protocol"]), key=lambda name: (name != "released", name))


def compared_datasets(grid: pd.DataFrame, baseline: str) -> frozenset[str]:
    """The datasets on which columns are best compared side by side, see :func:`widest`; the baseline's, where it is planned."""
    planned = grid.groupby("column", sort=False)["dataset"].agg(frozenset)
    if baseline not in planned:
        return widest(planned)
    return widest(planned.drop(baseline).map(planned[baseline].__and__)) or planned[baseline]


def means_over_datasets(grid: pd.DataFrame, columns: Sequence[str], metrics: Sequence[str]) -> dict[str, dict[str, float | None]]:
    """Per column and metric the mean over datasets of the mean over seeds; None unless every cell of every dataset is done.

    A dataset without such nodes has no value in any of its cells and is left out: that is the data's doing, not a missing run.
    """
    grouped = grid.groupby("column")
    whole = grouped["done"].all() & (grouped["dataset"].nunique() == grid["dataset"].nunique())
    means = grid.groupby(["column", "dataset"], sort=False)[list(metrics)].mean().groupby("column").mean()
    return {
        column: {metric: _known(float(means[metric][column])) if whole.get(column, False) else None for metric in metrics}
        for column in columns
    }


def _known(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


def estimate(values: pd.DataFrame, metric: Metric) -> Estimate:
    """Mean and standard deviation over the seeds of one place; no mean while a planned seed is missing."""
    numbers = (values[metric.name].to_numpy(float) if metric.name in values else np.full(len(values), math.nan)) * metric.scale
    known = numbers[~np.isnan(numbers)]
    shown = Estimate(None, None, len(known), len(values), metric.digits)
    if len(known) < len(values):
        return shown
    return dataclasses.replace(shown, mean=float(known.mean()), spread=float(known.std(ddof=1)) if len(known) > 1 else None)


def marked(text: str, values: pd.DataFrame) -> str:
    """A name or a verdict, with the mark where any of these cells is on reconstructed data."""
    return f"{text} {RECONSTRUCTED}" if (values["reconstructed"] != "").any() else text
