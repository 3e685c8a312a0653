"""The one table that stands in front: C-HMCNN against its published AU(PRC), the paper's method against C-HMCNN.

It is written between two marks of a Markdown file, so that what a README says is what the records say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path

import pandas as pd

from hmc.files import write_atomically
from hmc.report import verdicts
from hmc.report.grid import AU_PRC, BASELINE, MACRO_F1, MACRO_RECALL, Metric, estimate, marked
from hmc.report.render import DASH, RECONSTRUCTED, Entry, Estimate, Table, markdown
from hmc.report.verdicts import Verdict
from hmc.results.published import Published

METHOD = "weighted_focal_bbma"
SHOWN = {MACRO_F1: (BASELINE, "ensemble", "weighted", METHOD), MACRO_RECALL: (BASELINE, METHOD)}
"""Methods by metric, in the order of their columns."""
SEVERAL = 3
"""So many seeds say something of the spread (ours)."""
_TITLES = {MACRO_F1: "F1", MACRO_RECALL: "recall"}
BEGIN, END = "<!-- summary: written by scripts/tables.py summary=FILE -->", "<!-- end of summary -->"


class MarkError(ValueError):
    """A file lacks the marks between which the summary is to be written. The message is for the user."""


def summary(grid: pd.DataFrame, published: Published) -> Table:
    """A row a dataset for which a number is published, the released protocol alone.

    A method that is not planned on a dataset, or not complete, is a dash.
    """
    grid = grid[grid["column"].isin({column for columns in SHOWN.values() for column in columns})]
    datasets = {
        str(dataset): values for dataset, values in grid.groupby("dataset", sort=False) if (dataset, BASELINE) in published.au_prc
    }
    judged = {dataset: _verdict(dataset, values, published) for dataset, values in datasets.items()}
    rebuilt = grid[grid["reconstructed"] != ""]
    return Table(
        name="summary",
        title="AU(PRC) of C-HMCNN as published and here; macro F1 (percent) in the paper, and here of C-HMCNN, of an ensemble of "
        "two, of the same with node weights, and with node and focal weights (bBMA); macro recall (percent); all as released; "
        "± standard deviation over seeds (n)",
        header=(
            "dataset",
            "AU(PRC) published",
            "AU(PRC) here",
            "verdict",
            "F1 in the paper",
            *(f"{_TITLES[metric]} {column}" for metric, columns in SHOWN.items() for column in columns),
        ),
        rows=tuple(_row(dataset, values, judged[dataset], published) for dataset, values in datasets.items()),
        notes=(
            _digest(judged, set(rebuilt["dataset"]), sum(method == BASELINE for _, method in published.au_prc)),
            *(f"{RECONSTRUCTED} {words}, not the published dataset." for words in sorted(set(rebuilt["reconstructed"]))),
        ),
        with_seeds=True,
    )


def _verdict(dataset: str, values: pd.DataFrame, published: Published) -> Verdict:
    """On C-HMCNN's AU(PRC)."""
    baseline = values[values["column"] == BASELINE]
    ours = baseline[AU_PRC.name].dropna().tolist() if AU_PRC.name in baseline else []
    return verdicts.verdict(ours, published.au_prc[dataset, BASELINE], verdicts.AU_PRC, planned=len(baseline))


def _digest(judged: Mapping[str, Verdict], rebuilt: Collection[str], known: int) -> str:
    """How many of the published values there is a verdict on, and which. rebuilt: datasets that are reconstructed."""
    found = {dataset: one for dataset, one in judged.items() if one.mean is not None}
    words = [f"{count} × {name}" for name, count in Counter(one.name for one in found.values()).most_common()]
    several = sum(one.seeds >= SEVERAL for one in found.values())
    marks = f" {RECONSTRUCTED}: {len(marked_ones)}." if (marked_ones := found.keys() & set(rebuilt)) else ""
    return (
        f"AU(PRC) of C-HMCNN on {known} published datasets: {', '.join(words) or DASH}. "
        f"With {SEVERAL} or more seeds: {several}.{marks}"
    )


def _row(dataset: str, values: pd.DataFrame, judged: Verdict, published: Published) -> tuple[Entry, ...]:
    def shown(column: str, metric: Metric) -> Estimate | str:
        place = values[values["column"] == column]
        return DASH if place.empty else estimate(place, metric)

    paper = published.macro_f1.get(dataset)
    return (
        marked(dataset, values),
        f"{published.au_prc[dataset, BASELINE].value:.3f}",
        shown(BASELINE, AU_PRC),
        marked(judged.name, values) if BASELINE in set(values["column"]) else DASH,
        f"{paper.value:.{paper.digits}f}" if paper else DASH,
        *(shown(column, metric) for metric, columns in SHOWN.items() for column in columns),
    )


def insert(table: Table, path: Path) -> None:
    """Write the table, its title as a paragraph, between the two marks of a Markdown file.

    Raises MarkError where the file has not both marks, once and in order, OSError where it cannot be read or written.
    """
    text = path.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end or BEGIN in rest or END in after or END in before:
        raise MarkError(
            f"{path} has not {BEGIN!r} and {END!r}, each once and in this order; put them where the table should stand"
        )
    write_atomically(path, f"{before}{begin}\n{passage(table)}{end}{after}")


def passage(table: Table) -> str:
    """The table as it stands between the marks."""
    return "\n" + markdown(table).removeprefix("## ") + "\n"
