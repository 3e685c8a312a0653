"""The report of a suite as one HTML file that needs nothing else: verdicts, tables, figures, provenance.

Names come from people and are escaped; nothing in the page is fetched from anywhere. The same records give the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from hmc.files import write_atomically
from hmc.report import figures, significance, sweeps
from hmc.report.claims import Judgement
from hmc.report.figures import Drawing
from hmc.report.grid import Results
from hmc.report.metric import HALF, MACRO_AP, MACRO_F1, MACRO_RECALL, suffix, under
from hmc.report.provenance import provenance
from hmc.report.render import readable, report_name
from hmc.report.table import DASH, RECONSTRUCTED, MeanStd, Number, Table
from hmc.settings import TableSettings

TEMPLATES = Path(__file__).resolve().parent / "templates"
TESTED = (MACRO_F1, MACRO_RECALL, MACRO_AP)
"""The metrics whose differences are tested on the page."""
LONG = 40
"""A text entry of more characters may be broken over lines."""
NARROW = 75
"""Characters of a table that fits half the page."""


def write_page(
    grid: pd.DataFrame,
    results: Results,
    tables: Sequence[Table],
    judged: Sequence[Judgement],
    folder: str | Path,
    *,
    suite: str,
    title: str = "",
    asked: TableSettings = TableSettings(),  # noqa: B008 - frozen
    formats: Collection[str] = ("svg",),
) -> Path:
    """Write ``<folder>/<suite>.html`` and the figures below ``<folder>/<suite>/``; return the page's path.

    grid: see :func:`hmc.report.grid.build_grid`. tables: as :func:`hmc.report.tables.tables` makes them. judged: the claims.
    asked: the decision rules; one other than ``half`` is in the page's name. formats: in which figures are written as files.
    """
    name = report_name(suite, suffix(asked.rule))
    drawn = partial(_drawn, folder=Path(folder) / name, formats=formats)
    analyses = significance.analyses(grid, under(TESTED, asked.rule))
    planned = grid[grid["planned"]]
    content = {
        "suite": suite,
        "title": title or suite,
        "rule": "" if asked.rule == HALF else asked.rule,
        "done": int(planned["done"].sum()),
        "planned": len(planned),
        "protocols": list(dict.fromkeys(one.protocol for one in judged)),
        "groups": _claims(judged),
        "front": drawn([figures.tuned_thresholds(grid, asked.tuned)]),
        "tables": [table_parts(table) for table in tables],
        "tests": drawn([draw(one) for draw in (figures.significance_matrix, figures.critical_difference) for one in analyses]),
        "pairs": [table_parts(table) for table in significance.tables(grid, analyses)],
        "sweeps": drawn([figures.sweep_curves(one, asked.rule) for one in sweeps.sweeps(grid)]),
        "frequency": [
            *drawn(_per_group(grid, partial(figures.recall_by_frequency, rule=asked.rule))),
            *drawn(_worth_drawing(_per_group(grid, figures.precision_by_frequency))),
        ],
        "learning": drawn(_worth_drawing(_learning(grid, results.curves))),
        "provenance": provenance(grid, results),
    }
    path = Path(folder) / f"{name}.html"
    write_atomically(path, _environment().get_template("page.html.j2").render(content))
    return path


# --- figures --------------------------------------------------------------------------------------------------------


def _learning(grid: pd.DataFrame, curves: Mapping[str, Sequence[float]]) -> list[Drawing]:
    return _per_group(grid, lambda part, group, protocol: figures.learning_curves(part, curves, group, protocol))


def _per_group(grid: pd.DataFrame, make: Callable[[pd.DataFrame, str, str], Drawing]) -> list[Drawing]:
    return [make(grid, group, protocol) for group, protocol in figures.shown_groups(grid)]


def _worth_drawing(every: list[Drawing]) -> list[Drawing]:
    """Those that can be drawn; where none can, the first one, which says why."""
    return [one for one in every if one.draw is not None] or every[:1]


def _drawn(drawings: Iterable[Drawing], *, folder: Path, formats: Collection[str]) -> list[dict[str, Any]]:
    """Drawings as the template takes them; their files are written."""
    shown = []
    for drawing in drawings:
        svg = figures.made(drawing, folder, formats)
        shown.append(
            {
                "title": drawing.title,
                "note": drawing.note,
                "more": drawing.more,
                "wide": drawing.width > 640,
                "svg": None if svg is None else figures.inlined(svg, drawing),
            }
        )
    return shown


# --- claims and tables ----------------------------------------------------------------------------------------------


def _claims(judged: Sequence[Judgement]) -> list[dict[str, Any]]:
    """The paper's claims and ours, each with its judgements, tested and untested."""
    groups = []
    for origin in ("paper", "ours"):
        entries: dict[str, dict[str, Any]] = {}
        for one in judged:
            if one.claim.origin == origin:
                entry = entries.setdefault(
                    one.claim.id, {"claim": one.claim, "tested": [], "untested": [], "number": len(entries) + 1}
                )
                entry["tested" if one.tested else "untested"].append(one)
        if entries:
            groups.append({"origin": origin, "claims": list(entries.values())})
    return groups


def table_parts(table: Table) -> dict[str, Any]:
    """A table as the template takes it: per entry its text, the number to sort by (or None), and whether it is strong."""
    table = readable(table)
    numeric = [table.numeric(column) for column in range(len(table.header))]
    rows = []
    texts_of = table.text()
    widths = [
        max([len(name) // 2, *(min(len(row[column]), LONG) for row in texts_of)]) for column, name in enumerate(table.header)
    ]
    for place, texts in enumerate(texts_of):
        entries = []
        for column, text in enumerate(texts):
            entry = table.rows[place][column]
            value = entry.mean if isinstance(entry, MeanStd) else entry.value if isinstance(entry, Number) else None
            entries.append({"text": text, "value": value, "strong": (place, column) in table.strong, "head": column == 0})
        rows.append({"entries": entries, "last": texts[0].startswith("mean of ")})
    return {
        "name": table.name,
        "title": table.title,
        "header": list(zip(table.header, numeric, strict=True)),
        "rows": rows,
        "notes": table.notes,
        "small": sum(widths) + 5 * len(widths) < NARROW,
    }


# --- parts ----------------------------------------------------------------------------------------------------------


def _environment() -> Any:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals.update(RECONSTRUCTED=RECONSTRUCTED, DASH=DASH, LONG=LONG)
    environment.filters["mark"] = lambda verdict: verdict.replace(" ", "-")
    return environment
