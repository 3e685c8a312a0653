"""The grid that a report is made of: what a suite expects, joined with what the records say. Built once a report and passed on.

What a table should hold is decided by the cells, never by the records: an expected cell without a complete record is not done,
and every mean that needs it is missing. Records and cells meet by identity, so that a record with other settings or data never
fills a cell. Beside the cells stand results to compare with, where there are any: those of reference predictors and of scores
from outside.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from hmc.configs import settings_of
from hmc.report.metric import Metric
from hmc.report.table import OUTSIDE, RECONSTRUCTED, MeanStd
from hmc.results.record import Record
from hmc.results.runs_csv import PARTS, Row, frame, merged, row
from hmc.settings import REFERENCE_PREDICTORS, Cell, Departures, column_name, variant

BASELINE = "chmcnn"

BENCHMARK = ("non_genomic", "fun", "go")
"""Groups of datasets with published counterparts: those of the paper's claims on datasets."""
OVER_DATASETS = (*BENCHMARK, "own")
"""Groups that tests over datasets use: generated data prove nothing about real ones, images are compared over conditions."""

GROUPS = {
    "non_genomic": "other datasets",
    "fun": "FunCat",
    "go": "Gene Ontology",
    "images": "images",
    "own": "own datasets",
    "synthetic": "synthetic datasets",
}

SECONDS = "times.train_seconds"
"""What training took, as records say: beside other work, on whatever machine ran it."""

HELD_OUT: Departures = (("training.holdout", "valid"),)
"""The departure of cells that are trained on train alone, so that valid can tune their thresholds."""

_COLUMNS = (
    *("dataset", "group", "column", "method", "title", "protocol", "seed", "identity", "members", "departed"),
    *("planned", "reference"),
)


@dataclass(frozen=True)
class Results:
    """Records as a report takes them.

    frame: as :func:`hmc.results.runs_csv.frame` makes it. curves: the learning curve by identity, of each complete record that
    is at hand as a file; what the frame has besides is from runs.csv. checked_in: results that these may be compared with.
    """

    frame: pd.DataFrame
    curves: Mapping[str, Sequence[float]]
    checked_in: pd.DataFrame | None = None


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
    """The grid: one row an expected cell, in the order given, then one row a result to compare with.

    Columns: dataset, group, column, method, title, protocol, seed, identity, members, departed (see
    :func:`hmc.settings.departures`), planned (whether the suite expects it), reference (whether it is a reference predictor's),
    done, reconstructed, and the metrics and SECONDS, NaN where the cell is not done. frame: as
    :func:`hmc.results.runs_csv.frame` makes it.

    Results to compare with are complete, on the very data of the grid's datasets, and of a column that the suite does not plan
    there: the reference predictors as released, and scores from outside, whose columns bear the sign ``‡``.

    Raises ValueError when two different cells claim one place.
    """
    places: dict[tuple[str, str, int], Cell] = {}
    for cell in cells:
        known = places.setdefault((cell.dataset, cell.column, cell.seed), cell)
        if known.identity != cell.identity:
            raise ValueError(f"two cells with different settings are both called {cell!s}; give one another name")
    complete = frame[frame["status"] == "complete"].drop_duplicates("identity")
    rows = [_planned(cell) for cell in places.values()] + _beside(places.values(), complete)
    grid = pd.DataFrame(rows, columns=list(_COLUMNS)).astype({"planned": bool, "reference": bool})
    complete = complete.set_index("identity")
    metrics = [name for name in complete.columns if "." not in name and pd.api.types.is_float_dtype(complete[name])]
    seconds = [SECONDS] if SECONDS in complete else []
    joined = grid.join(complete[["reconstructed", *metrics, *seconds]], on="identity")
    # Those thresholds come from the weights of the protocol under which the cell was run, not of the one under which it is shown.
    elsewhere = [bool(cell.shown_protocol) for cell in places.values()]
    of_weights = [name for name in metrics if name.endswith("@weight_equivalent")]
    joined.loc[elsewhere + [False] * (len(joined) - len(elsewhere)), of_weights] = math.nan
    joined["done"] = joined["identity"].isin(complete.index)
    joined["reconstructed"] = joined["reconstructed"].fillna("")
    return joined


def _planned(cell: Cell) -> tuple[object, ...]:
    method = cell.settings.method
    return (
        *(cell.dataset, cell.settings.dataset.group, cell.column, cell.method, method.title, cell.protocol, cell.seed),
        *(cell.identity, method.members, cell.departed, True, cell.method in REFERENCE_PREDICTORS),
    )


def _beside(cells: Iterable[Cell], complete: pd.DataFrame) -> list[tuple[object, ...]]:
    """Rows of the grid of results that the suite does not expect and that its tables show all the same."""
    data: dict[str, tuple[str, str]] = {}
    columns = set()
    for cell in cells:
        data.setdefault(cell.dataset, (cell.settings.dataset.group, cell.data_sha256))
        columns.add((cell.dataset, cell.column))
    from_outside = is_outside(complete)
    complete = complete.assign(column=signed(complete), outside=from_outside)
    wanted = complete["method"].isin(REFERENCE_PREDICTORS) & (complete["protocol"] == "released") & (complete["variant"] == "")
    chosen = complete[(wanted | from_outside) & complete["dataset"].isin(list(data))]
    departures: dict[str, Departures] = {variant(departed): departed for departed in ((), HELD_OUT)}
    rows: dict[tuple[str, str, int], tuple[object, ...]] = {}
    for one in chosen.sort_values(["method", "column", "seed", "identity"]).to_dict("records"):
        place = (one["dataset"], one["column"], one["seed"])
        group, sha256 = data[one["dataset"]]
        if place[:2] in columns or one["data.sha256"] != sha256 or one["variant"] not in departures:
            continue
        title = "scores from outside" if one["outside"] else settings_of("method", one["method"]).title
        row = (
            *(one["dataset"], group, one["column"], one["method"], title, one["protocol"], one["seed"], one["identity"]),
            *(1, departures[one["variant"]], False, not one["outside"]),
        )
        rows.setdefault(place, row)
    return list(rows.values())


def is_outside(frame: pd.DataFrame) -> pd.Series:
    """Which results are of scores from outside."""
    return frame["data.origin"] != "" if "data.origin" in frame else pd.Series(False, index=frame.index)


def signed(frame: pd.DataFrame) -> pd.Series:
    """The columns' names, those of scores from outside with their sign."""
    return frame["column"].where(~is_outside(frame), frame["column"] + f" {OUTSIDE}")


def on_train_alone(grid: pd.DataFrame) -> pd.Series:
    """Which cells are trained on train alone, see :data:`HELD_OUT`."""
    return pd.Series([HELD_OUT[0] in departed for departed in grid["departed"]], index=grid.index, dtype=bool)


def baseline_column(protocol: str = "released", held_out: bool = False) -> str:
    """The column of the baseline under a protocol. held_out: trained on train alone, see :data:`HELD_OUT`."""
    return column_name(BASELINE, protocol, variant(HELD_OUT) if held_out else "")


def compared(grid: pd.DataFrame) -> pd.DataFrame:
    """The cells that tests, ranks and marks look at: all but those of reference predictors."""
    return grid[~grid["reference"]]


def planned(grid: pd.DataFrame) -> pd.DataFrame:
    """The cells of methods that the suite expects: without reference predictors and without results that stand beside them."""
    return grid[grid["planned"] & ~grid["reference"]]


def with_metric(grid: pd.DataFrame, metric: str) -> pd.DataFrame:
    """The grid with only those cells done that have the metric: records of an earlier evaluation may lack it."""
    return grid.assign(done=grid["done"] & (grid[metric].notna() if metric in grid else False))


def complete_places(grid: pd.DataFrame) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The cells of complete places (column on dataset: all planned seeds done), and words on each place that is not."""
    places = grid.groupby(["dataset", "column"], sort=False)["done"]
    left_out = [
        f"{column} on {dataset} ({done} of {expected} seeds)"
        for (dataset, column), done, expected in zip(places.sum().index, places.sum(), places.size(), strict=True)
        if done < expected
    ]
    return grid[places.transform("all").astype(bool)], tuple(left_out)


def widest(datasets: Iterable[frozenset[str]]) -> frozenset[str]:
    """The set of datasets on which most can be compared: the one with the most datasets times columns that have all of them.

    datasets: one set a column. Of two that are equal, the one with more columns; empty without any. So neither a dataset with
    few columns nor a column with few datasets hides what the others say side by side.

    >>> sorted(widest([frozenset("abcd"), frozenset("abc"), frozenset("abc"), frozenset("a")]))
    ['a', 'b', 'c']
    """
    every = list(datasets)
    counts = {one: sum(one <= other for other in every) for one in every}
    return max(counts, key=lambda one: (len(one) * counts[one], counts[one]), default=frozenset())


def protocols(grid: pd.DataFrame) -> list[str]:
    """The plan's protocols, the released one first."""
    return sorted(set(grid["protocol"]), key=lambda name: (name != "released", name))


def compared_datasets(grid: pd.DataFrame, baseline: str) -> frozenset[str]:
    """The datasets on which columns are best compared side by side, see :func:`widest`; the baseline's, where it is planned."""
    of_column = grid.groupby("column", sort=False)["dataset"].agg(frozenset)
    if baseline not in of_column:
        return widest(of_column)
    return widest(of_column.drop(baseline).map(of_column[baseline].__and__)) or of_column[baseline]


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


def mean_std(values: pd.DataFrame, metric: Metric) -> MeanStd:
    """Mean and standard deviation over the seeds of one place; no mean while a planned seed is missing.

    A reference predictor has no seed, so its mean has neither a spread nor an n.
    """
    numbers = (values[metric.name].to_numpy(float) if metric.name in values else np.full(len(values), math.nan)) * metric.scale
    known = numbers[~np.isnan(numbers)]
    shown = MeanStd(None, None, len(known), len(values), metric.digits)
    if len(known) < len(values):
        return shown
    if values["reference"].all():
        return MeanStd(float(known.mean()), digits=metric.digits)
    return dataclasses.replace(shown, mean=float(known.mean()), spread=float(known.std(ddof=1)) if len(known) > 1 else None)


def has_values(grid: pd.DataFrame, metric: Metric) -> bool:
    """Whether some cell has the metric."""
    return metric.name in grid and bool(grid[metric.name].notna().any())


def places(grid: pd.DataFrame) -> dict[tuple[str, str], pd.DataFrame]:
    """The cells of each (dataset, column), in the grid's order."""
    groups = grid.groupby(["dataset", "column"], sort=False)
    return {(str(dataset), str(column)): values for (dataset, column), values in groups}


def by_dataset(grid: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The cells of each dataset, in the grid's order."""
    return {str(dataset): values for dataset, values in grid.groupby("dataset", sort=False)}


def marked(text: str, values: pd.DataFrame) -> str:
    """A name or a verdict, with the mark where any of these cells is on reconstructed data."""
    return f"{text} {RECONSTRUCTED}" if (values["reconstructed"] != "").any() else text
