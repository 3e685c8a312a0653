"""The report of a suite as one HTML file that needs nothing else: claims, tables, figures, provenance.

Names come from people and are escaped; nothing in the page is fetched from anywhere. The same records give the same bytes.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from hmc.files import write_atomically
from hmc.report import figures, significance, sweeps
from hmc.report.claims import Judgement
from hmc.report.figures import Drawing
from hmc.report.grid import GROUPS, MACRO_F1, MACRO_RECALL, Results
from hmc.report.render import DASH, RECONSTRUCTED, Estimate, Table, slug

TEMPLATES = Path(__file__).resolve().parent / "templates"
TESTED = (MACRO_F1, MACRO_RECALL)
"""The metrics whose differences are tested on the page."""
MOST_FAILURES = 20

_VERSIONS = ("hmc", "python", "torch", "numpy", "scipy")
_MACHINE = ("machine", "processor", "device", "threads")


def write_page(
    grid: pd.DataFrame,
    results: Results,
    tables: Sequence[Table],
    judged: Sequence[Judgement],
    folder: str | Path,
    *,
    suite: str,
    title: str = "",
) -> Path:
    """Write ``<folder>/<suite>.html`` and the figures below ``<folder>/<suite>/``; return the page's path.

    grid: see :func:`hmc.report.grid.build_grid`. tables: as :func:`hmc.report.tables.tables` makes them. judged: the claims.
    """
    analyses = significance.analyses(grid, TESTED)
    name = slug(suite)
    content = {
        "suite": suite,
        "title": title or suite,
        "done": int(grid["done"].sum()),
        "planned": len(grid),
        "claims": _claims(judged),
        "tables": [table_parts(table) for table in tables],
        "tests": [_drawn(draw(one), Path(folder) / name) for draw in _TESTS for one in analyses],
        "pairs": [table_parts(table) for table in significance.tables(grid, analyses)],
        "sweeps": [_drawn(figures.sweep_curves(one), Path(folder) / name) for one in sweeps.sweeps(grid)],
        "recall": [_drawn(one, Path(folder) / name) for one in _per_group(grid, figures.recall_by_frequency)],
        "learning": [_drawn(one, Path(folder) / name) for one in _learning(grid, results.curves)],
        "provenance": provenance(grid, results),
    }
    path = Path(folder) / f"{name}.html"
    write_atomically(path, _environment().get_template("page.html.j2").render(content))
    return path


# --- figures --------------------------------------------------------------------------------------------------------


_TESTS = (figures.significance_matrix, figures.critical_difference)


def _learning(grid: pd.DataFrame, curves: Mapping[str, Sequence[float]]) -> list[Drawing]:
    """Those that can be drawn; where none can, the first one says why."""
    every = _per_group(grid, lambda part, group, protocol: figures.learning_curves(part, curves, group, protocol))
    return [one for one in every if one.draw is not None] or every[:1]


def _per_group(grid: pd.DataFrame, make: Any) -> list[Drawing]:
    return [make(grid, group, protocol) for group, protocol in figures.shown_groups(grid)]


def _drawn(drawing: Drawing, folder: Path) -> dict[str, Any]:
    """A drawing as the template takes it; its files are written."""
    svg = figures.made(drawing, folder)
    return {
        "title": drawing.title,
        "note": drawing.note,
        "more": drawing.more,
        "svg": None if svg is None else figures.inlined(svg, drawing),
    }


# --- claims and tables ----------------------------------------------------------------------------------------------


def _claims(judged: Sequence[Judgement]) -> list[dict[str, Any]]:
    """One entry a claim, with a verdict a protocol."""
    entries: dict[str, dict[str, Any]] = {}
    for one in judged:
        entry = entries.setdefault(one.claim.id, {"claim": one.claim, "judgements": []})
        entry["judgements"].append({"protocol": one.protocol, "verdict": one.verdict, "mark": _mark(one.verdict), "of": one})
    return list(entries.values())


def _mark(verdict: str) -> str:
    """The class by which a verdict is styled."""
    return verdict.replace(" ", "-")


def table_parts(table: Table) -> dict[str, Any]:
    """A table as the template takes it: per entry its text, the number to sort by (or None), whether it is strong or close."""
    numeric = [_numeric(table, column) for column in range(len(table.header))]
    rows = []
    for place, texts in enumerate(table.text()):
        entries = []
        for column, text in enumerate(texts):
            entry = table.rows[place][column]
            value = entry.mean if isinstance(entry, Estimate) else _number(text) if numeric[column] else None
            strong = (place, column) in table.strong
            close = (place, column) in table.close and not strong
            entries.append({"text": text, "value": value, "strong": strong, "close": close, "head": column == 0})
        rows.append({"entries": entries, "last": texts[0].startswith("mean of ")})
    return {
        "name": table.name,
        "title": table.title,
        "header": list(zip(table.header, numeric, strict=True)),
        "rows": rows,
        "notes": table.notes,
        "long": max((len(text) for texts in table.text() for text in texts), default=0) > 60,
    }


def _numeric(table: Table, column: int) -> bool:
    entries = [line[column] for line in table.rows]
    texts = [entry for entry in entries if isinstance(entry, str) and entry != DASH]
    return column > 0 and all(_number(text) is not None for text in texts)


def _number(text: str) -> float | None:
    """The number that a text begins with."""
    found = re.match(r"[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?", text)
    return float(found[0]) if found else None


# --- provenance -----------------------------------------------------------------------------------------------------


def provenance(grid: pd.DataFrame, results: Results) -> dict[str, Any]:
    """Where the suite's numbers come from: counts, commits, machines, versions, data, and what failed."""
    frame = results.frame
    mine = frame[frame["identity"].isin(grid["identity"])]
    done = mine[mine["status"] == "complete"]
    failed = mine[mine["status"] == "failed"]
    at_hand = int(done["identity"].isin(list(results.curves)).sum())
    commits = _together(done, ["environment.commit", "environment.dirty"])
    return {
        "records": len(done),
        "planned": len(grid),
        "at_hand": at_hand,
        "from_csv": len(done) - at_hand,
        "commits": [
            {"commit": commit or "no checkout", "changed": dirty == "true", "records": count}
            for (commit, dirty), count in commits
        ],
        "machines": [
            {"words": ", ".join(part for part in _machine(parts) if part), "records": count}
            for parts, count in _together(done, [f"environment.{name}" for name in _MACHINE])
        ],
        "versions": [
            {"words": ", ".join(f"{name} {part}" for name, part in zip(_VERSIONS, parts, strict=True) if part), "records": count}
            for parts, count in _together(done, [f"environment.{name}" for name in _VERSIONS])
        ],
        "data": [
            {"dataset": dataset, "sha256": sha256, "group": GROUPS.get(group, group), "note": note, "records": count}
            for (dataset, sha256, group, note), count in _together(done, ["dataset", "data.sha256", "group", "reconstructed"])
        ],
        "failed": [
            {"cell": f"{one['dataset']}, {one['column']}, seed {one['seed']}", "error": one["error"]}
            for one in failed.head(MOST_FAILURES).to_dict("records")
        ],
        "failures": len(failed),
        "hours": float(done["times.train_seconds"].sum()) / 3600 if "times.train_seconds" in done else 0.0,
    }


def _together(done: pd.DataFrame, names: Sequence[str]) -> list[tuple[tuple[str, ...], int]]:
    """The combinations of some columns' texts and how many records have each, sorted; a column that is not there is empty."""
    columns = [done[name].astype(str) if name in done else [""] * len(done) for name in names]
    return sorted(Counter(zip(*columns, strict=True)).items())


def _machine(parts: Sequence[str]) -> list[str]:
    system, processor, device, threads = parts
    words = f"{threads} {'thread' if threads == '1' else 'threads'}" if threads else ""
    return [system, processor, device, words]


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
    environment.globals["RECONSTRUCTED"] = RECONSTRUCTED
    return environment
