"""Results computed here against the checked-in ones of the same cells: does this machine give the same numbers?"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import pandas as pd

from hmc.report.metric import METRICS, Metric
from hmc.report.table import DASH, Entry, Number, Table

MEANS = tuple(f"environment.{name}" for name in ("processor", "instructions", "torch", "numpy", "device", "threads"))
"""What the last digits of a result depend on besides its settings and data."""
COMMIT = "environment.commit"


@dataclass(frozen=True, eq=False)
class Agreement:
    """Results of cells that are computed here and checked in.

    cells: dataset, column and seed by identity. differences: ours less the checked-in value by identity, for each metric that
    both have. here, there: what each result was computed with, by identity.
    """

    cells: pd.DataFrame
    differences: dict[Metric, pd.Series]
    here: pd.DataFrame
    there: pd.DataFrame

    @property
    def equal(self) -> pd.Series:
        """Whether all metrics of a result agree to the last digit, by identity."""
        same = pd.Series(True, index=self.cells.index)
        for values in self.differences.values():
            same[values.index[values != 0]] = False
        return same

    def text(self) -> str:
        """A few lines: how many results are compared, and the largest difference of each metric; empty without any."""
        count, same = len(self.cells), int(self.equal.sum())
        if not count:
            return ""
        if same == count:
            return f"{count} of these results are also in runs.csv, and equal it to the last digit"
        first = f"{count} of these results are also in runs.csv, and {same} equal it to the last digit; the largest differences:"
        return "\n".join([first, *(self._largest(metric) for metric in self.differences), f"  {self.reasons()}"])

    def reasons(self) -> str:
        """What the results that differ were computed with, here and there, where that is not the same."""
        others = self.equal.index[~self.equal]
        found = []
        for name in self.here.columns.intersection(self.there.columns):
            mine, theirs = self.here.loc[others, name], self.there.loc[others, name]
            if name != COMMIT and (mine != theirs).any():
                label = name.removeprefix("environment.")
                found.append(f"{label}: {_listed(mine)} here, {_listed(theirs)} there")
        if found:
            return f"those that differ were computed with other means, which round sums differently ({'; '.join(found)})"
        if COMMIT in self.here and (self.here.loc[others, COMMIT] != self.there.loc[others, COMMIT]).any():
            return "processor and versions are the same: another commit of this program computed the checked-in ones"
        return "processor, versions and commit are the same: this should not be; please report it"

    def _largest(self, metric: Metric) -> str:
        differences = self.differences[metric]
        identity = str(differences.abs().idxmax())
        difference = float(differences.loc[identity]) * metric.scale
        if difference == 0:
            return f"  {metric.title} none"
        cell = self.cells.loc[identity]
        unit = " points" if metric.scale == 100 else ""
        return f"  {metric.title} {difference:+.2g}{unit} ({cell['dataset']}, {cell['column']}, seed {cell['seed']})"

    def table(self) -> Table:
        """One row a dataset and method: how many results agree, and the largest difference of each metric."""
        metrics = list(self.differences)
        equal = self.equal
        rows: list[tuple[Entry, ...]] = []
        for (dataset, column), values in self.cells.groupby(["dataset", "column"], sort=False):
            largest = (_furthest(self.differences[metric].reindex(values.index).dropna(), metric) for metric in metrics)
            counts = Number(len(values)), Number(int(equal[values.index].sum()))
            rows.append((str(dataset), str(column), *counts, *largest))
        return Table(
            name="reproduced",
            title="Results computed here beside the checked-in ones of the same cells: how many agree, and how far they differ",
            header=("dataset", "method", "n", "equal", *(f"{metric.title} ({metric.unit})" for metric in metrics)),
            rows=tuple(rows),
            notes=(
                "n: results (seeds) that both have. Equal: all metrics agree to the last digit. Then the largest difference of "
                "each metric, ours less the checked-in value. Another processor, or other versions, may round a sum differently, "
                "and training carries that on.",
            ),
            keys=2,
        )


def _listed(values: pd.Series) -> str:
    return ", ".join(sorted({str(value) or "not told" for value in values}))


def _furthest(differences: pd.Series, metric: Metric) -> Entry:
    if differences.empty:
        return DASH
    largest = float(differences.iloc[int(differences.abs().argmax())])
    return Number(largest * metric.scale, "+.2g" if largest else "g")


def agreement(identities: Collection[str], ours: pd.DataFrame, recorded: pd.DataFrame) -> Agreement:
    """How results agree with those of a runs.csv.

    identities: of the results that were computed here. ours, recorded: as :func:`hmc.results.runs_csv.frame` makes them; what
    either lacks is not compared.
    """
    mine, theirs = (table[table["status"] == "complete"].set_index("identity") for table in (ours, recorded))
    both = [identity for identity in theirs.index if identity in mine.index and identity in identities]
    mine, theirs = mine.loc[both], theirs.loc[both]
    metrics = [one for one in METRICS if one.name in mine and one.name in theirs]
    differences = {metric: (mine[metric.name] - theirs[metric.name]).dropna() for metric in metrics}
    known = {metric: values for metric, values in differences.items() if len(values)}
    means = [name for name in (*MEANS, COMMIT) if name in mine and name in theirs]
    return Agreement(mine[["dataset", "column", "seed"]], known, mine[means], theirs[means])
