"""Tables as data, and as Markdown, CSV, LaTeX and plain text for a terminal. The same table gives the same bytes."""

from __future__ import annotations

import csv
import io
import re
import textwrap
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from hmc.files import write_atomically

DASH = "–"
RECONSTRUCTED = "†"


@dataclass(frozen=True)
class Estimate:
    """A mean over seeds, as it stands in a table.

    mean: None while a planned value is missing. spread: standard deviation (n - 1), None with one value. seeds: values there
    are, 0 beside a mean that is of other things than seeds; planned: values there should be. digits: decimals shown.
    """

    mean: float | None
    spread: float | None = None
    seeds: int = 0
    planned: int = 0
    digits: int = 3

    def text(self, with_seeds: bool = False) -> str:
        """Such as 0.756 ± 0.001 (3); a dash while incomplete, with what is there of what was planned."""
        if self.mean is None:
            return f"{DASH} ({self.seeds}/{self.planned})" if self.seeds else DASH
        shown = f"{self.mean:.{self.digits}f}"
        if self.spread is not None:
            shown += f" ± {self.spread:.{self.digits}f}"
        return f"{shown} ({self.seeds})" if with_seeds and self.seeds else shown


Entry = str | Estimate


@dataclass(frozen=True)
class Table:
    """Rows of text and estimates, before they take a format.

    name: of its files. title: says metric, unit, n. strong: places (row, column) to emphasise. with_seeds: whether each
    estimate shows its n. close: places to mark as hardly less than a strong one; one that is strong too is only strong.
    """

    name: str
    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[Entry, ...], ...]
    notes: tuple[str, ...] = ()
    strong: frozenset[tuple[int, int]] = frozenset()
    with_seeds: bool = False
    close: frozenset[tuple[int, int]] = frozenset()

    def __post_init__(self) -> None:
        uneven = [row for row in self.rows if len(row) != len(self.header)]
        if uneven:
            raise ValueError(f"table {self.name} has {len(self.header)} columns, but a row of {len(uneven[0])}: {uneven[0]}")

    def text(
        self,
        emphasise: Callable[[str], str] = str,
        escape: Callable[[str], str] = str,
        approach: Callable[[str], str] = str,
    ) -> list[list[str]]:
        """The rows as text, escaped, the strong ones emphasised and the close ones marked by ``approach``."""
        return [
            [
                (emphasise if (place, column) in self.strong else approach if (place, column) in self.close else str)(
                    escape(entry if isinstance(entry, str) else entry.text(self.with_seeds))
                )
                for column, entry in enumerate(row)
            ]
            for place, row in enumerate(self.rows)
        ]


def slug(name: str) -> str:
    """A name as the name of a file and of a place in a page."""
    return re.sub(r"[^A-Za-z0-9._-]", "_", name).lstrip(".") or "_"


def markdown(table: Table) -> str:
    """A GitHub table under a heading, its notes as a list."""
    lines = [f"## {_markdown(table.title)}", "", _markdown_row([_markdown(name) for name in table.header])]
    lines.append(_markdown_row(["---:" if _numeric(table, column) else "---" for column in range(len(table.header))]))
    lines += [_markdown_row(row) for row in table.text("**{}**".format, _markdown, "*{}*".format)]
    if table.notes:
        lines += ["", *(f"- {_markdown(note)}" for note in table.notes)]
    return "\n".join(lines) + "\n"


def comma_separated(table: Table) -> str:
    """One line a row; a column of estimates becomes three: mean, "sd" and "n", unrounded. Empty where the table has a dash."""
    split = [any(isinstance(row[column], Estimate) for row in table.rows) for column in range(len(table.header))]
    header: list[str] = []
    for name, estimates in zip(table.header, split, strict=True):
        header += [name, f"{name} sd", f"{name} n"] if estimates else [name]
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(header)
    for row in table.rows:
        line: list[object] = []
        for entry, estimates in zip(row, split, strict=True):
            if isinstance(entry, Estimate):
                line += [entry.mean, entry.spread, entry.seeds or None]
            else:
                text = "" if entry == DASH else entry
                line += [text, "", ""] if estimates else [text]
        writer.writerow(line)
    return buffer.getvalue()


def latex(table: Table) -> str:
    """A table environment for booktabs and graphicx, shrunk to the line where it is wider."""
    columns = "l" + "".join("r" if _numeric(table, column) else "l" for column in range(1, len(table.header)))
    lines = [
        "% needs \\usepackage{booktabs} and \\usepackage{graphicx}",
        "\\begin{table}",
        "\\centering",
        f"\\caption{{{_latex(table.title)}}}",
        f"\\label{{tab:{table.name}}}",
        "\\resizebox{\\ifdim\\width>\\linewidth\\linewidth\\else\\width\\fi}{!}{%",
        f"\\begin{{tabular}}{{{columns}}}",
        "\\toprule",
        " & ".join(_latex(name) for name in table.header) + " \\\\",
        "\\midrule",
        *(" & ".join(row) + " \\\\" for row in table.text("\\textbf{{{}}}".format, _latex, "\\textit{{{}}}".format)),
        "\\bottomrule",
        "\\end{tabular}}",
        *(f"\\par\\smallskip{{\\footnotesize {_latex(note)}\\par}}" for note in table.notes),
        "\\end{table}",
    ]
    return "\n".join(lines) + "\n"


def terminal(table: Table, width: int = 100) -> str:
    """Plain text of at most ``width`` characters a line; a table that is wider continues below, its first column repeated.

    Strong entries carry a star, close ones a tilde. A first column or entry wider than the terminal is not cut.
    """
    signs = table.strong | table.close
    signed = {column for _, column in signs}
    body = table.text("{}*".format, approach="{}~".format)
    for place, row in enumerate(body):
        for column in signed - {column for line, column in signs if line == place}:
            if column < len(row):
                row[column] += " "  # digits stay under digits
    heads = [broken(name, 14) for name in table.header]
    widths = [max([len(word) for word in head] + [len(row[column]) for row in body] + [1]) for column, head in enumerate(heads)]
    lines = textwrap.wrap(table.title, width)
    for columns in _blocks(widths, width):
        height = max(len(heads[column]) for column in columns)
        rows = [[([""] * (height - len(heads[column])) + heads[column])[line] for column in columns] for line in range(height)]
        rows += [["-" * widths[column] for column in columns]]
        rows += [[row[column] for column in columns] for row in body]
        lines.append("")
        for row in rows:
            cells = [
                text.rjust(widths[column]) if _numeric(table, column) else text.ljust(widths[column])
                for column, text in zip(columns, row, strict=True)
            ]
            lines.append("  ".join(cells).rstrip())
    if table.notes:
        lines.append("")
        for note in table.notes:
            lines += textwrap.wrap(note, width, initial_indent="- ", subsequent_indent="  ")
    return "\n".join(lines) + "\n"


def write_tables(tables: Iterable[Table], folder: str | Path, *, alone: bool = False) -> list[Path]:
    """Write each table as <name>.md, .csv and .tex, each file atomically. Returns their paths.

    alone: whether other files of these kinds, left in the folder by an earlier run, are removed.
    """
    paths = []
    for table in tables:
        for suffix, render in (("md", markdown), ("csv", comma_separated), ("tex", latex)):
            path = Path(folder) / f"{table.name}.{suffix}"
            write_atomically(path, render(table))
            paths.append(path)
    if alone and Path(folder).is_dir():
        for path in sorted(Path(folder).iterdir()):
            if path.suffix in (".md", ".csv", ".tex") and path not in paths:
                path.unlink(missing_ok=True)
    return paths


def _numeric(table: Table, column: int) -> bool:
    """Whether a column reads better aligned to the right."""
    entries = [row[column] for row in table.rows]
    return column > 0 and all(isinstance(entry, Estimate) or entry == DASH or entry[:1] in "+-0123456789" for entry in entries)


def _blocks(widths: Sequence[int], width: int) -> list[list[int]]:
    """Columns grouped so that each group, led by the first column, fits the width."""
    blocks = [[0]]
    used = widths[0]
    for column in range(1, len(widths)):
        if used + 2 + widths[column] > width and len(blocks[-1]) > 1:
            blocks.append([0])
            used = widths[0]
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
    "×": r"$\times$",
}


def _latex(text: str) -> str:
    return "".join(_LATEX.get(character, character) for character in " ".join(text.split()))
