"""Reading a CSV file strictly: what Python's own reader takes in silence or fails at is named with its line."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator
from pathlib import Path

from hmc.files.utf8 import NotUtf8Error, decoded


class CsvError(ValueError):
    """A CSV file is damaged. The message starts with the file and the line."""


def read(path: Path, remedy: str, *, delimiter: str = ",") -> tuple[list[str], Iterator[tuple[int, dict[str, str]]]]:
    """The columns, and each line's number and entries.

    remedy: ends each message. Raises CsvError (some only when the lines are taken) for a file that is not UTF-8, a repeated
    column, bad quotes, or a line with another number of fields than the header; FileNotFoundError.
    """
    content = path.read_bytes()
    try:
        text = decoded(content)
    except NotUtf8Error as error:
        raise CsvError(f"{path}:{error.line}: {error}; {remedy}") from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=delimiter)
    columns = next(_entries(reader, path, remedy), [])
    repeated = next((name for place, name in enumerate(columns) if name in columns[:place]), None)
    if repeated is not None:
        raise CsvError(f"{path}:1 has the column {repeated[:60]!r} twice; rename one, or {remedy}")

    def lines() -> Iterator[tuple[int, dict[str, str]]]:
        for entry in _entries(reader, path, remedy):
            if len(entry) != len(columns):
                fields = f"{len(entry)} {'field' if len(entry) == 1 else 'fields'}"
                raise CsvError(f"{path}:{reader.line_num} has {fields}, but the header has {len(columns)}; {remedy}")
            yield reader.line_num, dict(zip(columns, entry, strict=True))

    return columns, lines()


def number(text: str) -> float | None:
    """A finite number, None for any other text."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and text.isascii() and "_" not in text else None


def _entries(reader: Iterator[list[str]], path: Path, remedy: str) -> Iterator[list[str]]:
    """The lines that are not blank."""
    try:
        yield from (entry for entry in reader if entry)
    except csv.Error as error:
        line = reader.line_num  # type: ignore[attr-defined]
        raise CsvError(f"{path}:{line} has bad quotes or a field that is too long ({error}); {remedy}") from None
