"""Lines of runs.csv: a record's scalars under dotted names, as text; and lines as a table for the report."""

from __future__ import annotations

import csv
import io
import json
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hmc.files import csv_file
from hmc.results.convert import converted_line
from hmc.results.record import CELL_KEYS, RECORD_SCHEMA, Record, RecordError
from hmc.settings import column_name

if TYPE_CHECKING:
    import pandas as pd

Row = dict[str, str]
"""A record as one line: dotted names to text."""

PARTS = ("metrics", "rules", "validation", "evaluation", "data", "times", "environment", "settings")
HALF = "half"
EXPORTED = (
    "macro_f1",
    "macro_f1_of_means",
    "macro_f1_seen",
    "macro_precision",
    "macro_recall",
    "micro_f1",
    "labels_added",
    *(f"recall_frequency_{band}" for band in ("0", "1_3", "4_10", "11_100", "over_100")),
)
"""The metrics of tuned rules that a line holds; of ``half`` it holds all. The record has the others."""

_LEADING = (*CELL_KEYS, "identity", "schema", "status", "error")
_MOMENTS = ("times.started", "times.finished")
_REMEDY = "restore it from git, or delete it and export it anew"


def row(record: Record, parts: Sequence[str] = PARTS) -> Row:
    """A record's line; counts per node and the learning curve stay in the record."""
    line = {key: _text(record.cell[key]) for key in CELL_KEYS}
    line |= {key: _text(getattr(record, key)) for key in ("identity", "schema", "status", "error")}
    for part in parts:
        content = exported(record.rules) if part == "rules" else getattr(record, part)
        line |= {name: _text(value) for name, value in flattened(content, part)}
    if record.parts:
        line["data.parts"] = " ".join(record.parts)
    return line


def exported(rules: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, float]]:
    """What a line holds of each rule."""
    return {
        rule: {name: value for name, value in values.items() if rule == HALF or name in EXPORTED}
        for rule, values in rules.items()
    }


def flattened(document: Mapping[str, Any], at: str) -> Iterator[tuple[str, Any]]:
    """The leaves of nested mappings under dotted names."""
    for key, value in document.items():
        if isinstance(value, dict):
            yield from flattened(value, f"{at}.{key}")
        else:
            yield f"{at}.{key}", value


def merged(*sources: Iterable[Row]) -> list[Row]:
    """Rows of all sources, each identity once, sorted. A complete row goes before a failed one, then a later source first."""
    chosen: dict[str, Row] = {}
    for source in sources:
        for line in source:
            known = chosen.get(line["identity"])
            if known is None or line["status"] == "complete" or known["status"] != "complete":
                chosen[line["identity"]] = line
    return sorted(chosen.values(), key=_place)


def csv_text(rows: Iterable[Row]) -> str:
    """The text of runs.csv: cell, identity and status first, then metrics, rules, data, times, ..., each sorted."""
    lines = list(rows)
    present = {name for line in lines for name in line} - set(_LEADING)
    columns = [*_LEADING, *sorted(present, key=lambda name: (PARTS.index(name.partition(".")[0]), natural(name)))]
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return buffer.getvalue()


def read_csv(path: Path) -> list[Row]:
    """The lines of a runs.csv in today's layout; empty fields are left out, as before they were written.

    Lines of schema 1 are converted. What another version wrote is left out with a warning that counts it. Raises RecordError
    naming the line when the file is truncated, was merged badly, or has text where a number must be.
    """
    ours, others = [], []
    for number, line in all_lines(path):
        if line["schema"] == str(RECORD_SCHEMA):
            ours.append(line)
        elif line["schema"] == "1":
            try:
                ours.append(converted_line(line))
            except (RecordError, KeyError, ValueError) as error:
                raise RecordError(f"{path}:{number} cannot be converted from record schema 1 ({error}); {_REMEDY}") from None
        else:
            others.append(line["schema"])
    if others:
        warnings.warn(
            f"{path} has {len(others)} lines of record schema {', '.join(sorted(set(others)))}, not {RECORD_SCHEMA}; they are "
            "left out (run their cells again, or use the version that wrote them)",
            RuntimeWarning,
            stacklevel=2,
        )
    return ours


def all_lines(path: Path) -> list[tuple[int, Row]]:
    """The lines as they stand, whatever their schema, with their numbers. Raises RecordError as :func:`read_csv` does."""
    try:
        columns, entries = csv_file.read(path, _REMEDY)
        missing = [name for name in _LEADING if name not in columns]
        unknown = [name for name in columns if name not in _LEADING and name.partition(".")[0] not in PARTS]
        if missing or unknown:
            problem = f"lacks the column {missing[0]!r}" if missing else f"has an unknown column {unknown[0][:60]!r}"
            raise RecordError(f"{path}:1 {problem}; {_REMEDY}, or use the version that wrote it")
        numeric = [name for name in columns if is_numeric(name)]
        lines = []
        for number, entry in entries:
            if not re.fullmatch("[0-9]{1,18}", entry["seed"]) or not entry["identity"]:
                raise RecordError(f"{path}:{number} is not a complete line of {len(columns)} fields; {_REMEDY}")
            for name in numeric:
                if entry[name] and csv_file.number(entry[name]) is None:
                    raise RecordError(f"{path}:{number} has {entry[name][:60]!r} as {name}, which must be a number; {_REMEDY}")
            lines.append((number, {name: value for name, value in entry.items() if value or name in _LEADING}))
    except csv_file.CsvError as error:
        raise RecordError(str(error)) from None
    return lines


def is_numeric(column: str) -> bool:
    """Whether a column holds numbers."""
    return column.startswith(("metrics.", "rules.", "times.")) and column not in _MOMENTS


def metric_name(column: str) -> str:
    """How the report calls a column of numbers: au_prc, macro_f1 (at 0.5), macro_f1@scaled_rate.

    >>> metric_name("rules.half.macro_f1"), metric_name("rules.global.macro_f1"), metric_name("metrics.au_prc")
    ('macro_f1', 'macro_f1@global', 'au_prc')
    """
    part, _, rest = column.partition(".")
    if part == "rules":
        rule, _, name = rest.rpartition(".")
        return name if rule == HALF else f"{name}@{rule}"
    return rest if part == "metrics" else column


def frame(rows: Iterable[Row]) -> pd.DataFrame:
    """Rows as a table for the report.

    Columns: dataset, group, column, method, protocol, variant, seed (int), identity, status, error, reconstructed ("" or what
    was), every metric under the name that :func:`metric_name` gives it (float, NaN where a record has none), and times.*, data.*,
    evaluation.*, environment.*, settings.* under their dotted names (times as float where they are numbers, the rest as text).
    """
    # It takes a third of a second to import, and only reports need it.
    import pandas as pd

    lines = list(rows)
    # A column that is empty in every line is left out: a file does not have it.
    names = sorted({name for line in lines for name, value in line.items() if value} | set(_LEADING))
    table = pd.DataFrame(lines, columns=names, dtype=object)
    numeric = [name for name in names if is_numeric(name)]
    columns: dict[str, pd.Series] = {name: table[name].fillna("") for name in names if name not in numeric}
    columns |= {metric_name(name): pd.to_numeric(table[name]).astype(float) for name in numeric}
    columns["seed"] = table["seed"].astype(int)
    columns["reconstructed"] = columns.pop("data.reconstructed", pd.Series("", index=table.index, dtype=object))
    marks = table[["method", "protocol", "variant"]].itertuples(index=False)
    columns["column"] = pd.Series([column_name(*mark) for mark in marks], index=table.index, dtype=object)
    return pd.DataFrame(columns)


def natural(name: str) -> tuple[tuple[int, int | str], ...]:
    """A sorting key that puts depth_10 after depth_2."""
    return tuple((0, int(part)) if part.isascii() and part.isdigit() else (1, part) for part in re.split(r"(\d+)", name) if part)


def _place(line: Row) -> tuple[Any, ...]:
    return (*(line[key] for key in CELL_KEYS[:-1]), int(line["seed"]), line["identity"])


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        # One line: no reader of CSV files takes the others for a field's end.
        return " ".join(value.split())[:4000] if "\n" in value or "\r" in value or len(value) > 4000 else value
    # As JSON writes it: "true" and [..] mean the same to every reader, floats stay exact. repr() is the faster way for numbers.
    return repr(value) if type(value) in (int, float) else json.dumps(value)
