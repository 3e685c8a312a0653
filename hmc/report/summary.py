"""The one table that stands in front: C-HMCNN against its published AU(PRC), the paper's method against C-HMCNN.

It is written between two marks of a Markdown file, so that what a README says is what the records say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from hmc.files import write_atomically
from hmc.report import notes, verdicts
from hmc.report.grid import BASELINE, by_dataset, marked, mean_std
from hmc.report.metric import AU_PRC, HALF, MACRO_AP, MACRO_F1, MACRO_RECALL, Metric
from hmc.report.render import markdown
from hmc.report.table import DASH, RECONSTRUCTED, Entry, MeanStd, Number, Table
from hmc.report.verdicts import Verdict
from hmc.results.published import Published
from hmc.settings import TableSettings

METHOD = "weighted_focal_bbma"
CONTROL = "ensemble_summed"
"""The fair control of the paper's method."""
SEVERAL = 3
"""So many seeds say something of the spread (ours)."""
BEGIN, END = "<!-- summary: written by scripts/tables.py summary=FILE -->", "<!-- end of summary -->"


class MarkError(ValueError):
    """A file lacks the marks between which the summary is to be written. The message is for the user."""


@dataclass(frozen=True)
class Column:
    """A column of the summary: a metric of a method. head: what stands before the method's name, and behind it."""

    method: str
    metric: Metric
    head: str
    behind: str = ""

    @property
    def title(self) -> str:
        return f"{self.head} {self.method}{self.behind}"


def _columns(grid: pd.DataFrame, tuned: str) -> list[Column]:
    """F1 at 0.5 and under the tuned rule side by side, macro AP, recall; what only some records have
    yet, where some dataset has a mean of it.
    """
    columns = []
    for method in (BASELINE, "ensemble", CONTROL, "weighted", METHOD):
        columns.append(Column(method, MACRO_F1, "F1"))
        if method in (BASELINE, CONTROL, METHOD) and tuned != HALF:
            columns.append(Column(method, MACRO_F1.under(tuned), "F1", f", {tuned}"))
    columns += [Column(method, MACRO_AP, "macro AP") for method in (BASELINE, CONTROL, METHOD)]
    columns += [Column(method, MACRO_RECALL, "recall") for method in (BASELINE, METHOD)]
    always = [column for column in columns if column.metric in (MACRO_F1, MACRO_RECALL) and column.method != CONTROL]
    return [column for column in columns if column in always or _has_mean(grid[grid["column"] == column.method], column.metric)]


def _has_mean(cells: pd.DataFrame, metric: Metric) -> bool:
    """Whether the metric has a mean on some dataset: one on which every planned seed has it."""
    return any(mean_std(values, metric).mean is not None for values in by_dataset(cells).values())


def summary(grid: pd.DataFrame, published: Published, tuned: str = TableSettings.tuned) -> Table:
    """A row a dataset for which a number is published, the released protocol alone.

    tuned: the decision rule beside 0.5. A method that is not planned on a dataset, or not complete, is a dash.
    """
    columns = _columns(grid, tuned)
    grid = grid[grid["column"].isin({column.method for column in columns})]
    datasets = {
        str(dataset): values for dataset, values in grid.groupby("dataset", sort=False) if (dataset, BASELINE) in published.au_prc
    }
    judged = {dataset: _verdict(dataset, values, published) for dataset, values in datasets.items()}
    rebuilt = grid[grid["reconstructed"] != ""]
    return Table(
        name="summary",
        title=_title(columns, tuned),
        header=("dataset", "AU(PRC) published", "AU(PRC) here", "verdict", "F1 in the paper", *(one.title for one in columns)),
        rows=tuple(_row(dataset, values, columns, judged[dataset], published) for dataset, values in datasets.items()),
        notes=(
            _digest(judged, set(rebuilt["dataset"]), sum(method == BASELINE for _, method in published.au_prc)),
            *(f"{RECONSTRUCTED} {words}, not the published dataset." for words in notes.reconstructions(rebuilt)),
        ),
        with_seeds=True,
    )


def _title(columns: Sequence[Column], tuned: str) -> str:
    """What the columns are."""
    shown = {column.metric for column in columns}
    control = ", of the same with a summed loss" if any(column.method == CONTROL for column in columns) else ""
    rule = f" (at 0.5, and with thresholds by {tuned})" if MACRO_F1.under(tuned) in shown and tuned != HALF else ""
    average = " macro average precision (percent);" if MACRO_AP in shown else ""
    return (
        "AU(PRC) of C-HMCNN as published and here; macro F1 (percent) in the paper, and here of C-HMCNN, of an ensemble of "
        f"two{control}, of the same with node weights, and with node and focal weights (bBMA){rule};{average} macro recall "
        "(percent); all as released; ± standard deviation over seeds (n)"
    )


def _verdict(dataset: str, values: pd.DataFrame, published: Published) -> Verdict:
    """On C-HMCNN's AU(PRC)."""
    baseline = values[values["column"] == BASELINE]
    ours = baseline[AU_PRC.name].dropna().tolist() if AU_PRC.name in baseline else []
    return verdicts.verdict(ours, published.au_prc[dataset, BASELINE], verdicts.AU_PRC, planned=len(baseline))


def _digest(judged: Mapping[str, Verdict], rebuilt: Collection[str], known: int) -> str:
    """How many of the published values have a verdict, and which. rebuilt: datasets that are reconstructed."""
    found = {dataset: one for dataset, one in judged.items() if one.mean is not None}
    counts = [f"{count} × {name}" for name, count in Counter(one.name for one in found.values()).most_common()]
    several = sum(one.seeds >= SEVERAL for one in found.values())
    marks = f" {RECONSTRUCTED}: {len(marked_ones)}." if (marked_ones := found.keys() & set(rebuilt)) else ""
    return (
        f"AU(PRC) of C-HMCNN on {known} published datasets: {', '.join(counts) or DASH}. "
        f"With {SEVERAL} or more seeds: {several}.{marks}"
    )


def _row(
    dataset: str, values: pd.DataFrame, columns: Sequence[Column], judged: Verdict, published: Published
) -> tuple[Entry, ...]:
    def shown(column: str, metric: Metric) -> MeanStd | str:
        place = values[values["column"] == column]
        return DASH if place.empty else mean_std(place, metric)

    paper = published.macro_f1.get(dataset)
    return (
        marked(dataset, values),
        Number(published.au_prc[dataset, BASELINE].value, ".3f"),
        shown(BASELINE, AU_PRC),
        marked(judged.name, values) if BASELINE in set(values["column"]) else DASH,
        Number(paper.value, f".{paper.digits}f") if paper else DASH,
        *(shown(column.method, column.metric) for column in columns),
    )


def insert(table: Table, path: Path) -> None:
    """Write the table, its title as a paragraph, between the two marks of a Markdown file.

    Raises MarkError where the file does not have both marks, once and in order, OSError where it cannot be read or written.
    """
    text = path.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end or BEGIN in rest or END in after or END in before:
        raise MarkError(
            f"{path} must have {BEGIN!r} and {END!r}, each once and in this order; put them where the table should stand"
        )
    write_atomically(path, f"{before}{begin}\n{passage(table)}{end}{after}")


def passage(table: Table) -> str:
    """The table as it stands between the marks."""
    return "\n" + markdown(table).removeprefix("## ") + "\n"
