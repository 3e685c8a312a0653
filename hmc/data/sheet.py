"""The columns of a table's file as text: CSV, TSV, Parquet, or ARFF with one attribute a label (MEKA, MULAN).

CSV is read strictly by our own reader, Parquet by pyarrow (where it is installed), ARFF by liac-arff.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hmc.data.catalog import DataError
from hmc.files import csv_file
from hmc.files.utf8 import NotUtf8Error, decoded, printable
from hmc.hierarchy import short

SEPARATORS = (",", ";", "\t", "|")
_MEKA_LABELS = re.compile(r"-C\s+(-?\d+)")


@dataclass(frozen=True, eq=False)
class Sheet:
    """One file.

    cells: of each column, by its name, each row's text, empty where missing. lines: each row's line; numbered: whether these are
    numbers of rows, counted from 1. declared: for the columns whose type the file gives, their values, None for numbers. labels:
    the columns that the file itself marks as labels (MEKA).
    """

    path: Path
    cells: Mapping[str, Sequence[str]]
    lines: Sequence[int]
    numbered: bool = False
    declared: Mapping[str, tuple[str, ...] | None] = field(default_factory=dict)
    labels: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.lines)

    def at(self, row: int) -> str:
        """File and line of a row, for messages."""
        return f"{self.path}, row {self.lines[row]}" if self.numbered else f"{self.path}:{self.lines[row]}"


def read(path: Path, separator: str = "auto") -> Sheet:
    """The columns of a file, told by its ending.

    separator: of columns in a text file. Raises DataError, naming the file, for one that cannot be read; OSError where it cannot
    be opened.
    """
    kind = path.suffix.lower()
    if kind in (".parquet", ".pq"):
        found = _parquet(path)
    elif kind == ".arff":
        found = _arff(path)
    else:
        found = _csv(path, separator)
    if not len(found):
        raise DataError(f"{path}: there are no rows; is the file complete?")
    return found


def _csv(path: Path, separator: str) -> Sheet:
    try:
        delimiter = _delimiter(path) if separator == "auto" else {"tab": "\t"}.get(separator, separator)
        columns, lines = csv_file.read(path, "save the table as CSV in UTF-8", delimiter=delimiter)
        cells: dict[str, list[str]] = {name: [] for name in columns}
        numbers = []
        known: dict[str, str] = {}
        for number, line in lines:
            numbers.append(number)
            for name, text in line.items():
                # Most of a column's texts repeat.
                text = text.strip()
                cells[name].append(known.setdefault(text, text))
    except csv_file.CsvError as error:
        raise DataError(str(error)) from None
    return Sheet(path, cells, numbers)


def _delimiter(path: Path) -> str:
    """What separates columns, by the file's ending or the only candidate in its first line. Raises DataError."""
    if path.suffix.lower() == ".tsv":
        return "\t"
    try:
        first = decoded(path.read_bytes()).lstrip("\r\n").splitlines()[:1]
    except NotUtf8Error as error:
        raise DataError(f"{path}:{error.line}: {error}; save the table as CSV in UTF-8") from None
    # What stands in quotes is part of a name.
    bare = re.sub(r'"[^"]*"', "", first[0]) if first else ""
    found = [candidate for candidate in SEPARATORS if candidate in bare]
    if len(found) > 1:
        shown = " or ".join("a tab" if candidate == "\t" else candidate for candidate in found)
        raise DataError(
            f"{path}:1: columns may be separated by {shown}; say which: dataset.table.separator={'|'.join(found[:1])} (or tab)"
        )
    return found[0] if found else ","


def _parquet(path: Path) -> Sheet:
    try:
        from pyarrow import parquet
    except ImportError:
        raise DataError(f"{path}: reading Parquet needs pyarrow; install it: pip install '.[parquet]', or save as CSV") from None
    try:
        table = parquet.read_table(path)
        columns = {name: column.to_pylist() for name, column in zip(table.column_names, table.columns, strict=True)}
    except OSError:
        raise
    # A damaged file fails in whatever way its decoders do.
    except Exception as error:
        raise DataError(
            f"{path}: it cannot be read as Parquet ({printable(' '.join(str(error).split()))[:160]}); write it again"
        ) from None
    if len(columns) < len(table.column_names):
        raise DataError(f"{path}: two columns have the same name; rename one")
    cells = {name: [_text(value, path, name) for value in values] for name, values in columns.items()}
    return Sheet(path, cells, range(1, table.num_rows + 1), numbered=True)


def _text(value: Any, path: Path, column: str) -> str:
    if value is None or value != value:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, (str, int, float)):
        return str(value).strip()
    if isinstance(value, list):
        return repr([str(entry) for entry in value])
    raise DataError(
        f"{path}: the column {short(column)} holds {type(value).__name__}, where texts, numbers and lists of texts can be read; "
        "convert it, or list it in dataset.table.ignore"
    )


def _arff(path: Path) -> Sheet:
    import arff

    try:
        text = decoded(path.read_bytes())
    except NotUtf8Error as error:
        raise DataError(f"{path}:{error.line}: {error}; convert it to UTF-8") from None
    try:
        document = arff.loads(text)
    # It lets errors of Python's own through.
    except Exception as error:
        line = getattr(error, "line", -1)
        reason = printable(" ".join(str(error).split()))[:160]
        at = f"{path}:{line}" if isinstance(line, int) and line > 0 else str(path)
        raise DataError(f"{at}: it cannot be read as ARFF ({reason or type(error).__name__}); correct it there") from None
    names = [name for name, _ in document["attributes"]]
    rows = document["data"]
    columns = list(zip(*rows, strict=True)) or [()] * len(names)
    cells = {name: ["" if value is None else str(value) for value in column] for name, column in zip(names, columns, strict=True)}
    declared = {
        name: tuple(kind) if isinstance(kind, list) else None
        for name, kind in document["attributes"]
        if isinstance(kind, list) or kind in ("NUMERIC", "REAL", "INTEGER")
    }
    labels = _meka_labels(path, str(document["relation"]), names)
    return Sheet(path, cells, range(1, len(rows) + 1), numbered=True, declared=declared, labels=labels)


def _meka_labels(path: Path, relation: str, names: Sequence[str]) -> tuple[str, ...]:
    """The attributes that a relation's name, such as 'enron: -C 53', marks as labels: the first, or with a minus the last."""
    found = _MEKA_LABELS.search(relation)
    if not found:
        return ()
    count = int(found[1])
    if not 0 < abs(count) < len(names):
        raise DataError(
            f"{path}: the relation's name says that {abs(count)} attributes are labels, but there are {len(names)}; correct -C"
        )
    return tuple(names[:count] if count > 0 else names[count:])
