"""The store of records: one folder a result, so that workers never share a file and no setting overwrites another's result.

``<results>/runs/<dataset>/<method>/<protocol>/seed-<n>/<first 12 of the identity>/`` holds ``record.json`` of a complete cell or
``failure.json`` of a failed one. Two names rather than one: a failure then cannot overwrite a result, however many workers race.
Beside a record lie the cell's scores, ``scores.npz``. ``<results>/runs.csv`` is an aggregate, one line a record; tables can be
made from it alone.
"""

from __future__ import annotations

import glob
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from hmc.files import require_writable, write_atomically
from hmc.results.convert import convert_file
from hmc.results.record import Record, RecordError, StaleRecordError
from hmc.results.runs_csv import Row, all_lines, csv_text, flattened, frame, merged, read_csv, row
from hmc.scores import SCORES, load_scores, save_scores
from hmc.settings import Cell, SettingsError, folder_name, identifying

if TYPE_CHECKING:
    import pandas as pd

COMPLETE, FAILED = "record.json", "failure.json"
MODEL = "model"
"""The folder of a cell's saved model, beside its record."""


@dataclass(frozen=True)
class State:
    """What the store knows of a cell. name: done, stale, failed or missing; reason: why, in one line, for stale and failed."""

    name: str
    reason: str = ""


class Store:
    """The records below one results folder."""

    def __init__(self, results_dir: str | Path, *, must_exist: bool = False) -> None:
        """must_exist: whether a folder that is not there is a mistake (SettingsError), rather than to be made."""
        if not str(results_dir).strip():
            raise SettingsError("results_dir must not be empty; name a folder, such as results_dir=results")
        self.folder = Path(results_dir).expanduser()
        if must_exist and not self.folder.is_dir():
            raise SettingsError(f"results_dir={str(results_dir)!r} must be a folder that exists; correct the path")
        self.runs = self.folder / "runs"
        self.csv = self.folder / "runs.csv"

    # --- one cell ---------------------------------------------------------------------------------------------------

    def path(self, cell: Cell) -> Path:
        """The folder of the cell's result, whether it exists or not."""
        return self._path(cell.dataset, cell.method, cell.settings.protocol.name, cell.seed, cell.identity)

    def scores_path(self, cell: Cell) -> Path:
        """The file of the cell's scores, whether it exists or not."""
        return self.path(cell) / SCORES

    def model_path(self, cell: Cell) -> Path:
        """The folder of the cell's saved model, whether it exists or not."""
        return self.path(cell) / MODEL

    def state(self, cell: Cell) -> State:
        """Whether the cell is done, stale (complete, but with other settings or data), failed or missing. Reads, never raises."""
        folder = self.path(cell)
        record = _read(folder / COMPLETE)
        if isinstance(record, Record) and record.identity != cell.identity:
            return State("failed", _elsewhere(folder / COMPLETE))
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
                if path.parent == folder:
                    return State("done")  # a worker finished it after we looked
                continue  # a copy of it, in a folder that somebody renamed
            if isinstance(other, Record) and other.cell["variant"] == cell.variant:
                return State("stale", f"done with {_difference(other, cell)}")
        return State("missing")

    def is_done(self, cell: Cell, *, with_scores: bool = False) -> bool:
        """Whether the cell has a result; with_scores: and its scores are on disk."""
        return self.state(cell).name == "done" and (not with_scores or self.scores_path(cell).is_file())

    def load(self, cell: Cell) -> Record:
        """The cell's complete record. Raises RecordError when there is none or it cannot be trusted."""
        path = self.path(cell) / COMPLETE
        record = _read(path)
        if record is None:
            raise RecordError(f"{cell} has no complete record ({path} does not exist); run it first")
        if isinstance(record, RecordError):
            raise record
        if record.identity != cell.identity:
            raise RecordError(_elsewhere(path))
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
        names = (folder_name(name) for name in (dataset, method, protocol))
        return self.runs.joinpath(*names, f"seed-{seed}", identity[:12])

    def convert(self) -> int:
        """Bring records of schema 1 into today's layout and place; how many there were. Their scores, where kept, go with them.

        Raises RecordError for a record that cannot be converted; those converted by then stay converted.
        """
        count = 0
        for name in sorted(glob.glob("*/*/*/seed-*/*", root_dir=self.runs, include_hidden=True)):  # noqa: PTH207
            for file in (COMPLETE, FAILED):
                old = self.runs / name / file
                if old.is_file() and isinstance(_read(old), StaleRecordError):
                    self._convert_one(old)
                    count += 1
        return count

    def _convert_one(self, old: Path) -> None:
        record = convert_file(old)
        scores = old.parent / SCORES
        if scores.is_file():
            found = load_scores(scores)
            new = self.save(record).with_name(SCORES)
            save_scores(new, replace(found, identity=record.identity))
        else:
            self.save(record)
        for path in (old, scores):
            path.unlink(missing_ok=True)
        if not any(old.parent.iterdir()):
            old.parent.rmdir()

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
        """The lines of runs.csv, see :func:`read_csv`; none where the file is missing. Raises RecordError."""
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
        known = [line for _, line in all_lines(path)] if path.exists() else []
        wanted = None if cells is None else {cell.identity for cell in cells}
        records = (record for record in self.records() if wanted is None or record.identity in wanted)
        write_atomically(path, csv_text(merged(known, (row(record) for record in records))))
        return path


# --- files ----------------------------------------------------------------------------------------------------------


def _elsewhere(path: Path) -> str:
    return f"{path} is the record of another cell, copied there; remove it, and the cell is run again"


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
    if list(other.parts) != [part.identity for part in cell.parts]:
        words.append("other parts of the mixture")
    return ", ".join(words)
