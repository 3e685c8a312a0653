"""The front of the report wing: one call writes all that a suite's report has, from one grid."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from hmc.report import claims, sweeps
from hmc.report.agreement import agreement
from hmc.report.claims import Judgement
from hmc.report.grid import Results, build_grid, collect
from hmc.report.page import write_page
from hmc.report.render import Table, slug, terminal, write_tables
from hmc.report.tables import tables
from hmc.results import published
from hmc.results.reference import known_lines, recorded
from hmc.results.runs_csv import frame
from hmc.results.store import Store
from hmc.settings import Cell, SuiteSettings


@dataclass(frozen=True, eq=False)
class Report:
    """What was written.

    grid: what the suite expects, joined with the results. tables: all of them. shown: those worth printing. judged: the claims.
    folder: of the tables. page: None where none was asked for.
    """

    grid: pd.DataFrame
    tables: tuple[Table, ...]
    shown: tuple[Table, ...]
    judged: tuple[Judgement, ...]
    folder: Path
    page: Path | None = None


def collect_results(store: Store, *, reference: bool = True) -> Results:
    """The records of a store and the lines of its runs.csv; with ``reference`` also what this project checked in."""
    return collect(store.records(), known_lines(store) if reference else store.lines())


def report_text(report: Report) -> str:
    """The tables worth printing, and where all are, as wide as the terminal."""
    width = shutil.get_terminal_size((110, 40)).columns
    parts = [terminal(table, width) for table in report.shown]
    parts.append(f"{len(report.tables)} tables (Markdown, CSV, LaTeX) are in {report.folder}/")
    return "\n".join(parts) + (f"\nthe report is {report.page}" if report.page else "")


def report_reproduction(suite: SuiteSettings, cells: Sequence[Cell], results_dir: str | Path, *, reuse: bool) -> str:
    """Write the report of a reproduction; return its text, and how what was computed here compares with what is checked in.

    reuse: whether results that are checked in fill cells that were not computed here.
    """
    store = Store(results_dir)
    known = recorded(store)
    results = collect(store.records(), known.values() if reuse else ())
    report = write_report(suite, cells, results, results_dir)
    computed = results.curves.keys() & {cell.identity for cell in cells}
    return "\n".join(filter(None, [report_text(report), agreement(computed, results.frame, frame(known.values()))]))


def write_report(
    suite: SuiteSettings, cells: Iterable[Cell], results: Results, results_dir: str | Path, *, page: bool = True
) -> Report:
    """Write a suite's tables to ``<results_dir>/tables/<suite>/`` and its page to ``<results_dir>/report/<suite>.html``.

    Files that an earlier run left in the folder of tables are removed. The table of claims is written where one could be judged.

    Raises ValueError when two different cells claim one place, PublishedError where published numbers or claims cannot be read,
    UnwritableError.
    """
    grid = build_grid(cells, results.frame)
    swept = sweeps.tables(grid)
    numbers = [*tables(grid, published.load()), *swept]
    judged = claims.judge(claims.load(), grid)
    told = [claims.table(judged)] if any(one.verdict != claims.NOT_TESTED for one in judged) else []
    name = slug(suite.name)
    results_folder = Store(results_dir).folder
    folder = results_folder / "tables" / name
    write_tables([*numbers, *told], folder, alone=True)
    shown = [*(table for table in numbers if table.name.startswith("published")), *swept] or numbers
    written = None
    if page:
        written = write_page(grid, results, numbers, judged, results_folder / "report", suite=suite.name, title=suite.title)
    return Report(grid, (*numbers, *told), tuple(shown), tuple(judged), folder, written)
