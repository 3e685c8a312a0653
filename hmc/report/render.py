"""Tables as Markdown, CSV, LaTeX and plain text for a terminal. The same table gives the same bytes."""

from __future__ import annotations

import csv
import hashlib
import io
import itertools
import math
import re
import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path

from hmc.files import write_atomically
from hmc.report.table import DASH, OUTSIDE, RECONSTRUCTED, MeanStd, Number, Table

MOST_COLUMNS = 11
"""A wider table is turned, or split, for readers; a CSV file always keeps its columns."""
HEAD_WIDTH = 14
"""Characters of a line of a heading in a terminal."""
MOST_ROWS = 45
"""Rows of a LaTeX table that fit a page."""


def slug(name: str) -> str:
    """A name as the name of a file and of a place in a page.

    >>> slug("macro_f1@prior"), slug("two words"), slug("plain")
    ('macro_f1_prior', 'two_words', 'plain')
    """
    return re.sub(r"[^A-Za-z0-9._-]", "_", name).lstrip(".") or "_"


def folder_slug(name: str) -> str:
    """The same for a name that a user chose: two different ones never give the same.

    >>> folder_slug("smoke"), folder_slug("a b"), folder_slug("a_b")
    ('smoke', 'a_b-c8687a08', 'a_b')
    """
    plain = slug(name)
    return plain if plain == name else f"{plain}-{hashlib.sha256(name.encode('utf-8', 'backslashreplace')).hexdigest()[:8]}"


def report_name(suite: str, rule_suffix: str) -> str:
    """How a suite's folder of tables and its page are called. rule_suffix: see :func:`hmc.report.metric.suffix`."""
    return folder_slug(suite) + (slug(rule_suffix) if rule_suffix else "")


def readable(table: Table) -> Table:
    """The table turned where it has too many columns to be read and fewer rows than columns."""
    wide = len(table.header) > MOST_COLUMNS and len(table.rows) < len(table.header) - 1
    return table.turned() if wide and table.turn_to else table


def markdown(table: Table) -> str:
    """A GitHub table under a heading, its notes as a list."""
    table = readable(table)
    lines = [f"## {_markdown(table.title)}", "", _markdown_row([_markdown(name) for name in table.header])]
    lines.append(_markdown_row(["---:" if table.numeric(column) else "---" for column in range(len(table.header))]))
    lines += [_markdown_row(row) for row in table.text("**{}**".format, _markdown)]
    if table.notes:
        lines += ["", *(f"- {_markdown(note)}" for note in table.notes)]
    return "\n".join(lines) + "\n"


def comma_separated(table: Table) -> str:
    """One line a row; a column of means becomes three: mean, "sd" and "n", unrounded. Empty where the table has a dash.

    Text that a spreadsheet would take for a formula begins with an apostrophe.
    """
    split = [any(isinstance(row[column], MeanStd) for row in table.rows) for column in range(len(table.header))]
    header: list[str] = []
    for name, means in zip(table.header, split, strict=True):
        header += [name, f"{name} sd", f"{name} n"] if means else [name]
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([_no_formula(name) for name in header])
    for row in table.rows:
        line: list[object] = []
        for entry, means in zip(row, split, strict=True):
            if isinstance(entry, MeanStd):
                line += [entry.mean, entry.spread, entry.seeds or None]
                continue
            shown = f"{entry.value:.10g}" if isinstance(entry, Number) else "" if entry == DASH else _no_formula(entry)
            line += [shown, "", ""] if means else [shown]
        writer.writerow(line)
    return buffer.getvalue()


def _no_formula(text: str) -> str:
    text = " ".join(text.split())
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text


def latex(table: Table) -> str:
    """Table environments for booktabs and graphicx.

    What has too many columns is turned, then split into parts below one another, what has too many rows is continued in a second
    environment; a part that is still wider than the line is shrunk to it.
    """
    table = readable(table)
    body = table.text("\\textbf{{{}}}".format, _latex)
    chunks = [body[start : start + MOST_ROWS] for start in range(0, max(1, len(body)), MOST_ROWS)]
    lines = ["% needs \\usepackage{booktabs} and \\usepackage{graphicx}"]
    for place, rows in enumerate(chunks):
        lines += ["\\begin{table}", "\\centering"]
        if place == 0:
            lines += [f"\\caption{{{_latex(table.title)}}}", f"\\label{{tab:{table.name}}}"]
        else:
            lines += ["\\addtocounter{table}{-1}", f"\\caption{{{_latex(table.title)} (continued)}}"]
        for part, columns in enumerate(_parts(len(table.header), table.keys)):
            lines += ["\\par\\medskip"] if part else []
            lines += _tabular(table, columns, rows)
        if place == len(chunks) - 1:
            lines += [f"\\par\\smallskip{{\\footnotesize {_latex(note)}\\par}}" for note in table.notes]
        lines.append("\\end{table}")
    return "\n".join(lines) + "\n"


def _tabular(table: Table, columns: Sequence[int], rows: Sequence[Sequence[str]]) -> list[str]:
    """The lines of some columns of a table."""
    alignment = "".join("r" if table.numeric(column) else "l" for column in columns)
    return [
        "\\resizebox{\\ifdim\\width>\\linewidth\\linewidth\\else\\width\\fi}{!}{%",
        f"\\begin{{tabular}}{{{alignment}}}",
        "\\toprule",
        " & ".join(_latex(table.header[column]) for column in columns) + " \\\\",
        "\\midrule",
        *(" & ".join(row[column] for column in columns) + " \\\\" for row in rows),
        "\\bottomrule",
        "\\end{tabular}}",
    ]


def _parts(columns: int, keys: int) -> list[list[int]]:
    """Columns split evenly into parts of at most MOST_COLUMNS, each led by the key columns.

    >>> _parts(14, 3)
    [[0, 1, 2, 3, 4, 5, 6, 7, 8], [0, 1, 2, 9, 10, 11, 12, 13]]
    """
    leading = list(range(min(keys, columns)))
    others = list(range(len(leading), columns))
    count = max(1, math.ceil(len(others) / max(1, MOST_COLUMNS - len(leading))))
    size = math.ceil(len(others) / count)
    return [[*leading, *others[start : start + size]] for start in range(0, len(others), size)] if others else [leading]


def terminal(table: Table, width: int = 100) -> str:
    """Plain text of at most ``width`` characters a line; a table that is wider continues below, its key columns repeated.

    Strong entries carry a star. Keys that would fill the line are broken at blanks and underscores; what cannot be broken is
    not cut.
    """
    table = readable(table)
    heads = [broken(name, HEAD_WIDTH) for name in table.header]
    body = [[[entry] for entry in row] for row in _starred(table)]
    keys = range(min(table.keys, len(heads)))
    if len(keys) > 1 and sum(_width(heads[column], [row[column] for row in body]) + 2 for column in keys) > width // 2:
        for row in body:
            for column in keys:
                row[column] = broken(row[column][0], max(HEAD_WIDTH, width // 2 // len(keys) - 2))
    widths = [_width(head, [row[column] for row in body]) for column, head in enumerate(heads)]
    lines = textwrap.wrap(table.title, width)
    for columns in _blocks(widths, width, table.keys):
        height = max(len(heads[column]) for column in columns)
        top = [[""] * (height - len(heads[column])) + heads[column] for column in columns]
        rows = [*_across(top), ["-" * widths[column] for column in columns]]
        for row in body:
            rows += _across([row[column] for column in columns])
        lines.append("")
        for texts in rows:
            cells = [
                text.rjust(widths[column]) if table.numeric(column) else text.ljust(widths[column])
                for column, text in zip(columns, texts, strict=True)
            ]
            lines.append("  ".join(cells).rstrip())
    if table.notes:
        lines.append("")
        for note in table.notes:
            lines += textwrap.wrap(note, width, initial_indent="- ", subsequent_indent="  ")
    return "\n".join(lines) + "\n"


def _starred(table: Table) -> list[list[str]]:
    """The rows as text with a star after strong entries, and a blank after the others of their columns."""
    body = table.text("{}*".format)
    for column in {column for _, column in table.strong}:
        for place, row in enumerate(body):
            if column < len(row) and (place, column) not in table.strong:
                row[column] += " "  # digits stay under digits
    return body


def _width(head: Sequence[str], entries: Iterable[Sequence[str]]) -> int:
    return max([1, *(len(line) for line in head), *(len(line) for entry in entries for line in entry)])


def _across(entries: Sequence[Sequence[str]]) -> list[list[str]]:
    """Entries of several lines side by side, as lines of one text an entry."""
    return [list(texts) for texts in itertools.zip_longest(*entries, fillvalue="")]


_RENDERERS = {".md": markdown, ".csv": comma_separated, ".tex": latex}
KINDS = tuple(_RENDERERS)
"""How the files of a table end."""


def write_tables(tables: Iterable[Table], folder: str | Path, *, alone: bool = False) -> list[Path]:
    """Write each table as <name>.md, .csv and .tex, each file atomically. Returns their paths.

    alone: whether other files of these kinds, left in the folder by an earlier run, are removed.
    """
    paths = []
    for table in tables:
        for kind, render in _RENDERERS.items():
            path = Path(folder) / f"{table.name}{kind}"
            write_atomically(path, render(table))
            paths.append(path)
    if alone and Path(folder).is_dir() and not Path(folder).is_symlink():
        left = {path for path in Path(folder).iterdir() if path.suffix in KINDS and path not in paths}
        # Ours come in threes; a page of the user's own does not.
        ours = {stem for stem in {path.stem for path in left} if all(Path(folder) / f"{stem}{kind}" in left for kind in KINDS)}
        for path in sorted(path for path in left if path.stem in ours):
            path.unlink(missing_ok=True)
    return paths


def _blocks(widths: Sequence[int], width: int, keys: int) -> list[list[int]]:
    """Columns grouped so that each group fits the width, each led by the key columns."""
    leading = list(range(min(keys, len(widths))))
    start = sum(widths[column] + 2 for column in leading) - 2
    blocks, used = [[*leading]], start
    for column in range(len(leading), len(widths)):
        if used + 2 + widths[column] > width and len(blocks[-1]) > len(leading):
            blocks.append([*leading])
            used = start
        blocks[-1].append(column)
        used += 2 + widths[column]
    return blocks


def broken(name: str, limit: int) -> list[str]:
    """A name in lines of about ``limit`` characters, broken at blanks and after underscores."""
    lines = [""]
    for part in name.replace("_", "_\0").replace(" ", " \0").split("\0"):
        if lines[-1] and len(lines[-1]) + len(part.rstrip()) > limit:
            lines.append("")
        lines[-1] += part
    return [line.strip() for line in lines]


def _markdown_row(entries: Iterable[str]) -> str:
    return f"| {' | '.join(entries)} |"


def _markdown(text: str) -> str:
    """Escaped; an underscore within a word means nothing to Markdown and stays readable."""
    return re.sub(r"[\\`*|<>\[\]]|(?<!\w)_|_(?!\w)", r"\\\g<0>", " ".join(text.split()))


_LATEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': "''",
    # A row that starts with one of these would be read as an argument of the line break before it.
    "[": "{[}",
    "*": "{*}",
    "±": r"$\pm$",
    DASH: "--",
    RECONSTRUCTED: r"\textdagger{}",
    OUTSIDE: r"\textdaggerdbl{}",
    "×": r"$\times$",
}


def _latex(text: str) -> str:
    return "".join(_LATEX.get(character, character) for character in " ".join(text.split()))
