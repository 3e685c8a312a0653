"""Reading one hierarchical ARFF file.

The rows are read by liac-arff, which knows quotes, escapes, comments, missing values and sparse rows. It refuses the
`hierarchical` attribute, repeated attribute names and tabs in the header, so the header is read here and handed over as one
string attribute per column; types are then applied here, where an error can name the line, the attribute and the value.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import arff
import numpy as np

PARSER_VERSION = 1
"""Part of the cache's key; to be raised when this module, class_attribute or preprocess.encode reads a file as something else."""

_LINE_BREAK = re.compile(r"\r\n|\n|\r")
_QUOTED = r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\""
_ATTRIBUTE = re.compile(rf"@attribute\s+({_QUOTED}|[^\s{{}},'\"]+)\s*(.*)", re.IGNORECASE | re.DOTALL)
_NOMINAL_VALUE = re.compile(rf"\s*({_QUOTED}|[^,'\"{{}}]*[^,'\"{{}}\s])\s*(,|$)")
_NUMERIC_TYPES = ("numeric", "real", "integer")


class ArffError(ValueError):
    """A file is no hierarchical ARFF file. The message starts with the file and the line."""

    def __init__(self, path: Path | str, line: int, problem: str) -> None:
        super().__init__(f"{path}:{line}: {problem}" if line else f"{path}: {problem}")


@dataclass(frozen=True)
class Attribute:
    """One column: its unique name, and its values where it is nominal (None where it is numeric)."""

    name: str
    values: tuple[str, ...] | None = None


@dataclass(frozen=True, eq=False)
class ArffTable:
    """What one file says.

    attributes: the features' columns in file order, without the class.
    columns: one array [rows] per attribute; numeric: float64, NaN where missing; nominal: int64 places in ``values``, -1 where
        missing.
    class_entries: what the class attribute lists, as written, without repetition; class_line: where.
    labels: each row's labels as written (strings: leading zeros count), most specific ones only.
    lines: each row's line in the file, int64 [rows], from 1.
    """

    path: Path
    attributes: tuple[Attribute, ...]
    columns: tuple[np.ndarray, ...]
    class_entries: tuple[str, ...]
    class_line: int
    labels: tuple[tuple[str, ...], ...]
    lines: np.ndarray

    @property
    def rows(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class _Declaration:
    """One @attribute line: values for a nominal attribute, entries for the hierarchical one, neither for a number."""

    name: str
    line: int
    values: tuple[str, ...] | None = None
    entries: tuple[str, ...] | None = None


def read(path: Path | str) -> ArffTable:
    """The contents of one file.

    Raises ArffError for a file that is not UTF-8 text, a malformed header, an attribute that is neither numeric, nominal nor the
    one hierarchical class, no rows, a row with the wrong number of values, a bad number, an undeclared nominal value, or no
    label; OSError when the file cannot be opened.
    """
    path = Path(path)
    lines = _LINE_BREAK.split(_text(path))
    declarations, data_line = _header(path, lines)
    place = next(index for index, declaration in enumerate(declarations) if declaration.entries is not None)
    rows, numbers = _rows(path, lines, data_line, len(declarations), place)
    columns = list(zip(*rows, strict=True))
    sparse = [lines[number - 1].lstrip().startswith("{") for number in numbers]
    features = [index for index in range(len(declarations)) if index != place]
    names = _unique([declarations[index].name for index in features])
    return ArffTable(
        path=path,
        attributes=tuple(Attribute(name, declarations[index].values) for name, index in zip(names, features, strict=True)),
        columns=tuple(
            _numbers(path, declarations[index], columns[index], numbers)
            if declarations[index].values is None
            else _codes(path, declarations[index], columns[index], numbers, sparse)
            for index in features
        ),
        class_entries=declarations[place].entries or (),
        class_line=declarations[place].line,
        labels=_labels(path, columns[place], numbers),
        lines=np.array(numbers, dtype=np.int64),
    )


def _text(path: Path) -> str:
    content = path.read_bytes()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ArffError(
            path, line, f"byte 0x{content[error.start]:02x} is not UTF-8 text; unpack the file or convert it to UTF-8"
        ) from None


# --- header ---------------------------------------------------------------------------------------------------------


def _header(path: Path, lines: Sequence[str]) -> tuple[list[_Declaration], int]:
    """All declarations (one hierarchical, at least one feature) and the place in ``lines`` of the first line of data."""
    declarations: list[_Declaration] = []
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        word = text.split(maxsplit=1)[0].lower() if text else ""
        if not text or text.startswith("%") or word == "@relation":
            continue
        if word == "@attribute":
            declarations.append(_declaration(path, number, text))
        elif word == "@data":
            break
        else:
            raise ArffError(path, number, f"expected @relation, @attribute or @data, found {_short(text)!r}")
    else:
        raise ArffError(path, len(lines), "there is no @data line, so there are no rows; is the file complete?")
    classes = [declaration for declaration in declarations if declaration.entries is not None]
    if not classes:
        raise ArffError(
            path,
            number,
            "no attribute has the type 'hierarchical'; declare the class as '@attribute class hierarchical 1,1/1,1/2,...'",
        )
    if len(classes) > 1:
        raise ArffError(
            path,
            classes[1].line,
            f"a second hierarchical attribute {classes[1].name!r} after line {classes[0].line}; keep only one",
        )
    if len(declarations) == 1:
        raise ArffError(path, number, "there is no attribute besides the class; declare at least one feature")
    return declarations, number


def _declaration(path: Path, number: int, text: str) -> _Declaration:
    found = _ATTRIBUTE.fullmatch(text)
    if not found or not found[2]:
        raise ArffError(path, number, f"expected '@attribute NAME TYPE' (a NAME with blanks in quotes), found {_short(text)!r}")
    name, kind = _unquoted(found[1]), found[2]
    if kind.startswith("{"):
        return _Declaration(name, number, values=_nominal_values(path, number, name, kind))
    word, *remainder = kind.split(maxsplit=1)
    rest = "".join(remainder)
    if word.lower() == "hierarchical":
        entries = tuple(dict.fromkeys(entry for entry in (part.strip() for part in rest.split(",")) if entry))
        if not entries:
            raise ArffError(
                path,
                number,
                f"the hierarchical attribute {name!r} lists no classes; write them after the type, separated by commas",
            )
        return _Declaration(name, number, entries=entries)
    if word.lower() in _NUMERIC_TYPES and (not rest or rest.startswith("%")):
        return _Declaration(name, number)
    raise ArffError(
        path,
        number,
        f"attribute {name!r} has the type {_short(kind)!r}, but only numeric, real, integer, {{nominal, values}} and "
        "hierarchical can be used; declare it as one of these, or remove it (an identifier is no feature)",
    )


def _nominal_values(path: Path, number: int, name: str, kind: str) -> tuple[str, ...]:
    inner, closing, rest = kind[1:].rpartition("}")
    if not closing or (rest.strip() and not rest.strip().startswith("%")):
        raise ArffError(path, number, f"the values of the nominal attribute {name!r} do not end with '}}'")
    values: list[str] = []
    position = 0
    while position < len(inner):
        found = _NOMINAL_VALUE.match(inner, position)
        if not found:
            raise ArffError(
                path,
                number,
                f"{name!r} has unreadable values: {_short(inner[position:])!r}; quote them",
            )
        values.append(_unquoted(found[1]))
        position = found.end()
    if not values:
        raise ArffError(path, number, f"the nominal attribute {name!r} has no values")
    return tuple(dict.fromkeys(values))


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1]) if text[0] in "'\"" else text


def _unique(names: Sequence[str]) -> list[str]:
    """The same names, a repeated one followed by the first free of _2, _3, ..."""
    taken = set(names)
    seen: set[str] = set()
    unique = []
    for name in names:
        new, count = name, 1
        while new in seen or (count > 1 and new in taken):
            count += 1
            new = f"{name}_{count}"
        seen.add(new)
        unique.append(new)
    return unique


# --- rows -----------------------------------------------------------------------------------------------------------


def _rows(path: Path, lines: Sequence[str], start: int, width: int, place: int) -> tuple[list[list[str | None]], list[int]]:
    """Each row's values as text (None where missing) and its line number."""
    current = start

    def document() -> Iterator[str]:
        nonlocal current
        yield "@RELATION data"
        yield from (f"@ATTRIBUTE a{index} STRING" for index in range(width))
        yield "@DATA"
        for current in range(start + 1, len(lines) + 1):
            yield lines[current - 1]

    rows: list[list[str | None]] = []
    numbers: list[int] = []
    try:
        for row in arff.load(document(), return_type=arff.DENSE_GEN)["data"]:
            rows.append(row)
            numbers.append(current)
    except arff.BadDataFormat:
        text = lines[current - 1].strip()
        if text.startswith("{"):
            problem = f"a sparse row names an attribute past the last one, {width - 1} (they count from 0)"
        elif re.search(r"['\"]", text):
            problem = f"the row does not have {width} values, one for each attribute"
        else:
            problem = f"the row has {text.count(',') + 1} values; the header declares {width} attributes"
        raise ArffError(path, current, f"{problem}; correct the row or the header") from None
    except (arff.ArffException, ValueError, csv.Error):
        raise ArffError(
            path, current, "the row cannot be split into values; check its quotes, braces, blanks and commas"
        ) from None
    if not rows:
        raise ArffError(path, start, "there are no rows after @data; is the file complete?")
    named = re.compile(rf"[{{,]\s*{place}\s")
    for number in numbers:
        text = lines[number - 1].lstrip()
        if text.startswith("{") and not named.search(text):
            raise ArffError(
                path, number, f"a sparse row leaves out the class, attribute {place} (they count from 0); every row needs a label"
            )
    return rows, numbers


def _numbers(path: Path, declaration: _Declaration, values: Sequence[str | None], numbers: Sequence[int]) -> np.ndarray:
    """float64 [rows], NaN where missing."""
    column = np.full(len(values), np.nan)
    for row, value in enumerate(values):
        if value is None:
            continue
        try:
            column[row] = number = float(value)
        except ValueError:
            number = math.nan
        # Python reads 1_000 as a number; an ARFF file that says so has a mistake.
        if not math.isfinite(number) or "_" in value:
            raise ArffError(
                path,
                numbers[row],
                f"the numeric attribute {declaration.name!r} has the value {_short(value)!r}; write a number, or ? if missing",
            )
    return column


def _codes(
    path: Path, declaration: _Declaration, values: Sequence[str | None], numbers: Sequence[int], sparse: Sequence[bool]
) -> np.ndarray:
    """int64 [rows], -1 where missing."""
    known = declaration.values or ()
    places = {value: place for place, value in enumerate(known)}
    codes = np.full(len(values), -1, dtype=np.int64)
    for row, value in enumerate(values):
        if value is None:
            continue
        # What a sparse row leaves out comes as "0" and means the first declared value.
        if sparse[row] and value == "0" and known[0] != "0":
            if "0" in places:
                raise ArffError(
                    path,
                    numbers[row],
                    f"the nominal attribute {declaration.name!r} has a value '0' that is not its first; write this row dense",
                )
            value = known[0]
        if value not in places:
            shown = ", ".join(known[:8]) + (", ..." if len(known) > 8 else "")
            raise ArffError(
                path,
                numbers[row],
                f"attribute {declaration.name!r} has the value {_short(value)!r}, but declares {{{shown}}}; correct one of them",
            )
        codes[row] = places[value]
    return codes


def _labels(path: Path, values: Sequence[str | None], numbers: Sequence[int]) -> tuple[tuple[str, ...], ...]:
    rows = []
    for value, number in zip(values, numbers, strict=True):
        labels = tuple(dict.fromkeys(label for label in (part.strip() for part in (value or "").split("@")) if label))
        if not labels:
            raise ArffError(path, number, "the row has no label; remove it, or give it one (several are joined by @)")
        rows.append(labels)
    return tuple(rows)


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."
