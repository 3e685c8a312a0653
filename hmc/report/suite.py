"""The front of the report wing: one call writes all that a suite's report has, from one grid."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from hmc.report import claims, sweeps
from hmc.report.agreement import Agreement, agreement
from hmc.report.claims import Judgement
from hmc.report.grid import Results, build_grid, collect
from hmc.report.metric import suffix
from hmc.report.page import write_page
from hmc.report.render import report_name, terminal, write_tables
from hmc.report.table import Table
from hmc.report.tables import tables
from hmc.results import published
from hmc.results.reference import lines, recorded
from hmc.results.runs_csv import frame, merged
from hmc.results.store import Store
from hmc.settings import Cell, SuiteSettings, TableSettings


@dataclass(frozen=True, eq=False)
class Report:
    """What was written.

    grid: what the suite expects, joined with the results. tables: all of them. shown: those worth printing. judged: the claims.
    agreement: of what was computed here with what is checked in. folder: of the tables. page: None where none was asked for.
    """

    grid: pd.DataFrame
    tables: tuple[Table, ...]
    shown: tuple[Table, ...]
    judged: tuple[Judgement, ...]
    agreement: Agreement
    folder: Path
    page: Path | None = None


def collect_results(store: Store, *, reference: bool = True) -> Results:
    """The records of a store and the lines of its runs.csv; with ``reference`` also what this project checked in.

    In either case the records can be compared with what is checked in.
    """
    checked_in = lines()
    own = store.lines()
    return replace(collect(store.records(), merged(checked_in, own) if reference else own), checked_in=frame(checked_in))


def report_text(report: Report) -> str:
    """The tables worth printing, and where all are, as wide as the terminal."""
    width = shutil.get_terminal_size((110, 40)).columns
    parts = [terminal(table, width) for table in report.shown]
    parts.append(f"{len(report.tables)} tables (Markdown, CSV, LaTeX) are in {report.folder}/")
    return "\n".join(parts) + (f"\nthe report is {report.page}" if report.page else "")


def report_reproduction(
    suite: SuiteSettings,
    cells: Sequence[Cell],
    results_dir: str | Path,
    *,
    reuse: bool,
    asked: TableSettings = TableSettings(),  # noqa: B008 - frozen
) -> str:
    """Write the report of a reproduction; return its text, and how what was computed here compares with what is checked in.

    reuse: whether results that are checked in fill cells that were not computed here.
    """
    store = Store(results_dir)
    known = recorded(store).values()
    results = replace(collect(store.records(), known if reuse else ()), checked_in=frame(known))
    report = write_report(suite, cells, results, results_dir, asked=asked)
    return "\n".join(filter(None, [report_text(report), report.agreement.text()]))


def write_report(
    suite: SuiteSettings,
    cells: Iterable[Cell],
    results: Results,
    results_dir: str | Path,
    *,
    asked: TableSettings = TableSettings(),  # noqa: B008 - frozen
    page: bool = True,
    figures: Sequence[str] = ("svg",),
) -> Report:
    """Write a suite's tables to ``<results_dir>/tables/<suite>/`` and its page to ``<results_dir>/report/<suite>.html``.

    asked: the decision rules; one other than ``half`` is in the names of folder, tables and page. figures: the formats in which
    figures are written beside the page. Files that an earlier run left in the folder of tables are removed. The table of claims
    is written where one could be judged, and one of how results agree with the checked-in ones where both have some.

    Raises ValueError when two different cells claim one place, PublishedError where published numbers or claims cannot be read,
    UnwritableError.
    """
    grid = build_grid(cells, results.frame)
    of_sweeps = sweeps.tables(grid, asked.rule)
    numbers = [*tables(grid, published.load(), asked.rule, asked.tuned), *of_sweeps]
    judged = claims.judge(claims.load(), grid)
    of_claims = (claims.table(judged), claims.tests_table(judged))
    verdicts = of_claims if any(one.tested for one in judged) else ()
    computed = results.curves.keys() & set(grid["identity"])
    agreed = agreement(computed, results.frame, results.frame[:0] if results.checked_in is None else results.checked_in)
    beside = [agreed.table()] if len(agreed.cells) else []
    name = report_name(suite.name, suffix(asked.rule))
    results_folder = Store(results_dir).folder
    folder = results_folder / "tables" / name
    written = (*numbers, *beside, *verdicts)
    write_tables(written, folder, alone=True)
    shown = [*(table for table in numbers if table.name in ("published_au_prc", "published_macro_f1")), *of_sweeps] or numbers
    path = None
    if page:
        path = write_page(
            *(grid, results, numbers, judged, results_folder / "report"),
            suite=suite.name,
            title=suite.title,
            asked=asked,
            formats=figures,
        )
    return Report(grid, written, tuple(shown), tuple(judged), agreed, folder, path)
