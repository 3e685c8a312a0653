"""The store of records: one folder a result, so that workers never share a file and no setting overwrites another's result.

``<results>/runs/<dataset>/<method>/<protocol>/seed-<n>/<first 12 of the identity>/`` holds ``record.json`` of a complete cell or
``failure.json`` of a failed one. Two names rather than one: a failure then cannot overwrite a result, however many workers race.
``<results>/runs.csv`` is the aggregate that is checked in, one line a record; tables can be made from it alone.
"""

from __future__ import annotations

import csv
import glob
import io
import json
import re
import urllib.parse
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from hmc.files import csv_file, require_writable, write_atomically
from hmc.results.record import CELL_KEYS, Record, RecordError, StaleRecordError
from hmc.settings import RECORD_SCHEMA, Cell, SettingsError, column_name, identifying

COMPLETE, FAILED = "record.json", "failure.json"

Row = dict[str, str]
"""A record as one line of runs.csv: dotted names to text."""

_LEADING = (*CELL_KEYS, "identity", "schema", "status", "error")
_MOMENTS = ("times.started", "times.finished")
PARTS = ("metrics", "data", "times", "environment", "settings")


@dataclass(frozen=True)
class State:
    """What the store knows of a cell. name: done, stale, failed or missing; reason: why, in one line, for stale and failed."""

    name: str
    reason: str = ""


class Store:
    """The records below one results folder."""

    def __init__(self, results_dir: str | Path, *, must_exist: bool = False) -> None:
        """must_exist: whether a folder that is not there is a mistake (SettingsError), rather than to be made."""
        self.folder = Path(results_dir).expanduser()
        if must_exist and not self.folder.is_dir():
            raise SettingsError(f"results_dir={str(results_dir)!r} must be a folder that exists; correct the path")
        self.runs = self.folder / "runs"
        self.csv = self.folder / "runs.csv"

    # --- one cell ---------------------------------------------------------------------------------------------------

    def path(self, cell: Cell) -> Path:
        """The folder of the cell's result, whether it exists or not."""
        return self._path(cell.dataset, cell.method, cell.protocol, cell.seed, cell.identity)

    def state(self, cell: Cell) -> State:
        """Whether the cell is done, stale (complete, but with other settings or data), failed or missing. Reads, never raises."""
        folder = self.path(cell)
        record = _read(folder / COMPLETE)
        if isinstance(record, Record):
            return State("done")
        if isinstance(record, StaleRecordError):
            return State("stale", str(record))
        if record is not None:
            return State("failed", f"unreadable: {record}")
        failure = _read(folder / FAILED)
        if failure is not None:
            return State("failed", failure.error if isinstance(failure, Record) else f"unreadable: {failure}")
        for path in sorted(folder.parent.glob(f"*/{COMPLETE}")):
            other = _read(path)
            if isinstance(other, StaleRecordError):
                return State("stale", str(other))
            if isinstance(other, Record) and other.identity == cell.identity:
                return State("done")  # a worker finished it after we looked
            if isinstance(other, Record) and other.cell["variant"] == cell.variant:
                return State("stale", f"done with {_difference(other, cell)}")
        return State("missing")

    def load(self, cell: Cell) -> Record:
        """The cell's complete record. Raises RecordError when there is none or it cannot be trusted."""
        path = self.path(cell) / COMPLETE
        record = _read(path)
        if record is None:
            raise RecordError(f"{cell} has no complete record ({path} does not exist); run it first")
        if isinstance(record, RecordError):
            raise record
        return record

    def require_writable(self) -> None:
        """Raises UnwritableError, in one line, where no record could be saved; worth knowing before hours of training."""
        require_writable(self.runs)

    def save(self, record: Record) -> Path:
        """Write a record, atomically, and return its file. A complete one replaces what was there, a failed one no result.

        Raises UnwritableError.
        """
        cell = record.cell
        folder = self._path(cell["dataset"], cell["method"], cell["protocol"], cell["seed"], record.identity)
        path = folder / (COMPLETE if record.status == "complete" else FAILED)
        write_atomically(path, record.to_json())
        if record.status == "complete":
            (folder / FAILED).unlink(missing_ok=True)
        return path

    def _path(self, dataset: str, method: str, protocol: str, seed: int, identity: str) -> Path:
        names = (_folder_name(name) for name in (dataset, method, protocol))
        return self.runs.joinpath(*names, f"seed-{seed}", identity[:12])

    # --- all records ------------------------------------------------------------------------------------------------

    def outcomes(self) -> Iterator[Record | RecordError]:
        """Every record, sorted by path, and an error in place of each unreadable one. A failure beside a result is left out."""
        # pathlib's own glob takes three times as long, a fifth of a second for 5,000 records.
        for name in sorted(glob.glob("*/*/*/seed-*/*", root_dir=self.runs, include_hidden=True)):  # noqa: PTH207
            folder = self.runs / name
            outcome = _read(folder / COMPLETE) or _read(folder / FAILED)
            if outcome is not None:
                yield outcome

    def records(self) -> Iterator[Record]:
        """Every readable record, complete or failed, sorted by path."""
        return (outcome for outcome in self.outcomes() if isinstance(outcome, Record))

    def rows(self) -> list[Row]:
        """Records and lines of runs.csv, each identity once: a result goes before a failure, then the store before the file."""
        return merged(self.lines(), (row(record) for record in self.records()))

    def lines(self) -> list[Row]:
        """The lines of runs.csv, see :func:`read_csv`; none where there is no such file. Raises RecordError."""
        return read_csv(self.csv) if self.csv.exists() else []

    def frame(self) -> pd.DataFrame:
        """:meth:`rows` as a table, see :func:`frame`."""
        return frame(self.rows())

    def export_csv(self, cells: Iterable[Cell] | None = None, path: Path | None = None) -> Path:
        """Bring a file like runs.csv up to date with the records and return its path.

        cells: only their records; None for all. path: the store's own runs.csv by default. Lines that the file has besides stay,
        those of other schemas too. The same records give the same bytes.
        """
        path = path or self.csv
        known = _all_lines(path) if path.exists() else []
        wanted = None if cells is None else {cell.identity for cell in cells}
        records = (record for record in self.records() if wanted is None or record.identity in wanted)
        write_atomically(path, csv_text(merged(known, (row(record) for record in records))))
        return path


# --- lines of runs.csv ----------------------------------------------------------------------------------------------


def row(record: Record, parts: Sequence[str] = PARTS) -> Row:
    """A record's scalars under dotted names, as text; counts per node and the learning curve stay in the record."""
    line = {key: _text(record.cell[key]) for key in CELL_KEYS}
    line |= {key: _text(getattr(record, key)) for key in ("identity", "schema", "status", "error")}
    for part in parts:
        line |= {name: _text(value) for name, value in flattened(getattr(record, part), part)}
    return line


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
    """The text of runs.csv: cell, identity and status first, then metrics, data, times, environment, settings, each sorted."""
    lines = list(rows)
    present = {name for line in lines for name in line} - set(_LEADING)
    columns = [*_LEADING, *sorted(present, key=lambda name: (PARTS.index(name.partition(".")[0]), natural(name)))]
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return buffer.getvalue()


def read_csv(path: Path) -> list[Row]:
    """The lines of a runs.csv that follow this program's record schema; empty fields are left out, as before they were written.

    What another version wrote is left out with a warning that counts it. Raises RecordError naming the line when the file is
    truncated, was merged badly, or has text where a number must be.
    """
    lines = _all_lines(path)
    ours = [line for line in lines if line["schema"] == str(RECORD_SCHEMA)]
    if len(ours) < len(lines):
        others = ", ".join(sorted({line["schema"] for line in lines if line["schema"] != str(RECORD_SCHEMA)}))
        warnings.warn(
            f"{path} has {len(lines) - len(ours)} lines of record schema {others}, not {RECORD_SCHEMA}; they are left out "
            "(run their cells again, or use the version that wrote them)",
            RuntimeWarning,
            stacklevel=2,
        )
    return ours


def _all_lines(path: Path) -> list[Row]:
    remedy = "restore it from git, or delete it and export it anew"
    try:
        columns, entries = csv_file.read(path, remedy)
        missing = [name for name in _LEADING if name not in columns]
        unknown = [name for name in columns if name not in _LEADING and name.partition(".")[0] not in PARTS]
        if missing or unknown:
            problem = f"lacks the column {missing[0]!r}" if missing else f"has an unknown column {unknown[0][:60]!r}"
            raise RecordError(f"{path}:1 {problem}; {remedy}, or use the version that wrote it")
        numeric = [name for name in columns if _is_numeric(name)]
        lines = []
        for number, entry in entries:
            if not re.fullmatch("[0-9]{1,18}", entry["seed"]) or not entry["identity"]:
                raise RecordError(f"{path}:{number} is no complete line of {len(columns)} fields; {remedy}")
            for name in numeric:
                if entry[name] and csv_file.number(entry[name]) is None:
                    raise RecordError(f"{path}:{number} has {entry[name][:60]!r} as {name}, where a number is expected; {remedy}")
            lines.append({name: value for name, value in entry.items() if value or name in _LEADING})
    except csv_file.CsvError as error:
        raise RecordError(str(error)) from None
    return lines


def _is_numeric(column: str) -> bool:
    return column.startswith(("metrics.", "times.")) and column not in _MOMENTS


def frame(rows: Iterable[Row]) -> pd.DataFrame:
    """Rows as a table for the report.

    Columns: dataset, group, column, method, protocol, variant, seed (int), identity, status, error, reconstructed ("" or what
    was), every metric under its plain name (float, NaN where a record has none), and times.*, data.*, environment.*, settings.*
    under their dotted names (times as float where they are numbers, the rest as text).
    """
    lines = list(rows)
    names = sorted({name for line in lines for name in line} | set(_LEADING))
    table = pd.DataFrame(lines, columns=names, dtype=object)
    numeric = [name for name in names if _is_numeric(name)]
    columns: dict[str, pd.Series] = {name: table[name].fillna("") for name in names if name not in numeric}
    columns |= {name.removeprefix("metrics."): pd.to_numeric(table[name]).astype(float) for name in numeric}
    columns["seed"] = table["seed"].astype(int)
    columns["reconstructed"] = columns.pop("data.reconstructed", pd.Series("", index=table.index, dtype=object))
    marks = table[["method", "protocol", "variant"]].itertuples(index=False)
    columns["column"] = pd.Series([column_name(*mark) for mark in marks], index=table.index, dtype=object)
    return pd.DataFrame(columns)


def natural(name: str) -> tuple[tuple[int, int | str], ...]:
    """A sorting key that puts depth_10 after depth_2."""
    return tuple((0, int(part)) if part.isdigit() else (1, part) for part in re.split(r"(\d+)", name) if part)


def _place(line: Row) -> tuple[Any, ...]:
    return (*(line[key] for key in CELL_KEYS[:-1]), int(line["seed"]), line["identity"])


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    # As JSON writes it: "true" and [..] mean the same to every reader, floats stay exact. repr() is the faster way for numbers.
    return repr(value) if type(value) in (int, float) else json.dumps(value)


# --- files ----------------------------------------------------------------------------------------------------------


def _read(path: Path) -> Record | RecordError | None:
    """The record in a file, the error of one that cannot be read, None where there is no file."""
    try:
        return Record.from_json(path.read_bytes(), str(path))
    except FileNotFoundError:
        return None
    except RecordError as error:
        return error
    except OSError as error:
        return RecordError(f"{path} cannot be read: {error.strerror}")


def _difference(other: Record, cell: Cell) -> str:
    """In what a record departs from a cell, in words: up to three settings, then the data."""
    theirs = {name.removeprefix("settings."): value for name, value in flattened(other.settings, "settings")}
    wanted = {name.removeprefix("settings."): value for name, value in flattened(identifying(cell.settings), "settings")}
    names = [name for name in sorted(theirs.keys() | wanted.keys()) if theirs.get(name) != wanted.get(name)]
    words = [f"{name}={theirs.get(name)} instead of {wanted.get(name)}" for name in names[:3]]
    if len(names) > 3:
        words.append(f"{len(names) - 3} more")
    if other.data["sha256"] != cell.data_sha256:
        words.append("other data")
    return ", ".join(words)


def _folder_name(name: str) -> str:
    """A name as one folder: what a path could misread is written as %XX."""
    quoted = urllib.parse.quote(name, safe=" ")
    return quoted.replace(".", "%2E") if set(quoted) <= {"."} else quoted
