"""Reading one hierarchical ARFF file.

Written here because the one ARFF library that Python has refuses the `hierarchical` attribute and repeated attribute names, and
reads some mistakes as data: an empty place as a missing value, the last of two values that a sparse row gives one attribute, the
text 0 in a sparse row as whatever nominal value is first. No more than one row is ever held as text.
"""

from __future__ import annotations

import io
import math
import re
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import numpy as np

from hmc.files.utf8 import NotUtf8Error, decoded
from hmc.hierarchy import short

PARSER_VERSION = 3
"""Part of the cache's key; to be raised when this module, class_attribute or preprocess.encode reads a file as something else."""

LARGEST = 1e150
"""Of a number (ours): the squares of so large ones can still be summed."""

# Possessive throughout (++, *+): without, a mistake after a long run of blanks takes a time that is the square of its length.
_QUOTED = r"'[^'\\]*+(?:\\.[^'\\]*+)*+'|\"[^\"\\]*+(?:\\.[^\"\\]*+)*+\""
_BARE = r"[^,\s'\"{}]++"
_ATTRIBUTE = re.compile(rf"@attribute\s++({_QUOTED}|{_BARE})\s*+(.*)", re.IGNORECASE | re.DOTALL)
_NOMINAL_VALUE = re.compile(rf"\s*+({_QUOTED}|{_BARE}(?:\s++{_BARE})*+)\s*+([,}}])")
_DENSE_VALUE = re.compile(rf"\s*+({_QUOTED}|{_BARE})\s*+(,|$)")
_SPARSE_VALUE = re.compile(rf"\s*+(\d++)\s++({_QUOTED}|{_BARE})\s*+([,}}])")
_BEYOND_BARE = re.compile(r"[\s'\"{}]")
_COMMENT = re.compile(r"(?:^|\s)%")
_QUOTED_CLASS = re.compile(rf"\s*+({_QUOTED})\s*+(,|$|(?<=\s)%)")
_WEIGHT = re.compile(r",?\s*+\{\s*+[-+0-9.eE]++\s*+\}\s*+(?:%.*)?")
_BLANKS_ROUND_AT = re.compile(r"[^\s,]*?(?:\s++@|@\s)")
_ESCAPE = re.compile(r"\\([0-9]{1,3}|u[0-9a-f]{4}|.)")
_ESCAPED = {"\\": "\\", '"': '"', "'": "'", "t": "\t", "n": "\n", "r": "\r", "b": "\b", "f": "\f", "%": "%"}
_NUMERIC_TYPES = ("numeric", "real", "integer")
_IDENTIFYING_TYPES = ("string", "key")
_TYPES = "numeric, real, integer, {nominal, values}, string (which names the rows) or hierarchical"
_REMEDIES = {
    "binary": "declare it as {0,1}",
    "date": "write the dates as numbers and declare it as numeric, or as string to leave it out of the features",
}


class ArffError(ValueError):
    """A file cannot be read as hierarchical ARFF. The message starts with the file and the line."""

    def __init__(self, path: Path | str, line: int, problem: str) -> None:
        super().__init__(f"{path}:{line}: {problem}" if line else f"{path}: {problem}")


@dataclass(frozen=True)
class Attribute:
    """One column: its unique name, its values where it is nominal (None where it is numeric), and the line that declares it."""

    name: str
    values: tuple[str, ...] | None = None
    line: int = 0


@dataclass(frozen=True, eq=False)
class ArffTable:
    """What one file says.

    attributes: the features' columns in file order, without the class.
    columns: one array [rows] per attribute; numeric: float64, NaN where missing; nominal: int64 places in ``values``, -1 where
        missing.
    class_entries: what the class attribute lists, as written, without repetition; class_line: where.
    labels: each row's labels as written (strings: leading zeros count), most specific ones only.
    lines: each row's line in the file, int64 [rows], from 1.
    ids: each row's name, of the first attribute of type key, else string; empty where there is none. left_out: the names of all
        attributes of these types, which are not features; the one that names the rows comes first.
    """

    path: Path
    attributes: tuple[Attribute, ...]
    columns: tuple[np.ndarray, ...]
    class_entries: tuple[str, ...]
    class_line: int
    labels: tuple[tuple[str, ...], ...]
    lines: np.ndarray
    ids: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class _Declaration:
    """One @attribute line: values for a nominal attribute, entries for the hierarchical one, neither for a number.

    identifying: key or string, for an attribute that names the rows; otherwise empty.
    """

    name: str
    line: int
    values: tuple[str, ...] | None = None
    entries: tuple[str, ...] | None = None
    identifying: str = ""


class _Left(Enum):
    """What a sparse row leaves out."""

    OUT = "out"


_Value = str | _Left | None
"""As a row says it: text, left out, or missing."""
_Lines = Iterator[tuple[int, str]]
"""A file's lines with their numbers, from 1."""


def read(path: Path | str, *, labelled: bool = True) -> ArffTable:
    """The contents of one file.

    labelled: False for rows that are to be scored: the class, and each row's labels, may then be missing.

    Raises ArffError for a file that is not UTF-8 text, a malformed header, an attribute of another type than numeric, nominal,
    key, string or the one hierarchical class, no rows, a row with the wrong number of values, an empty place, a bad number, an
    undeclared nominal value, or no label; OSError when the file cannot be opened.
    """
    path = Path(path)
    lines = enumerate(io.StringIO(_text(path), newline=None), start=1)
    declarations, data_line = _header(path, lines, labelled)
    readers = [_reader(declaration, labelled) for declaration in declarations]
    numbers = array("q")
    for number, line in lines:
        text = line.strip()
        if not text or text.startswith("%"):
            continue
        try:
            for reader, value in zip(readers, _values(text, len(readers)), strict=True):
                reader.add(value)
        except _Problem as problem:
            raise ArffError(path, number, str(problem)) from None
        numbers.append(number)
    if not numbers:
        raise ArffError(path, data_line, "there are no rows after @data; is the file complete?")
    features = [index for index, reader in enumerate(readers) if isinstance(reader, (_Numbers, _Codes))]
    names = _unique([declarations[index].name for index in features])
    classes = next((declaration for declaration in declarations if declaration.entries is not None), None)
    labels = next((reader.read for reader in readers if isinstance(reader, _Labels)), [()] * len(numbers))
    # A key names the rows better than a text.
    texts = [declaration for declaration in declarations if declaration.identifying]
    texts.sort(key=lambda declaration: _IDENTIFYING_TYPES[::-1].index(declaration.identifying))
    ids = next((reader.read for reader in readers if isinstance(reader, _Texts) and reader.declaration is texts[0]), [])
    return ArffTable(
        path=path,
        attributes=tuple(
            Attribute(name, declarations[index].values, declarations[index].line)
            for name, index in zip(names, features, strict=True)
        ),
        columns=tuple(np.array(readers[index].read) for index in features),
        class_entries=classes.entries or () if classes else (),
        class_line=classes.line if classes else data_line,
        labels=tuple(labels),
        lines=np.array(numbers),
        ids=tuple(ids),
        left_out=tuple(text.name for text in texts),
    )


def _reader(declaration: _Declaration, labelled: bool) -> _Numbers | _Codes | _Texts | _Labels:
    if declaration.entries is not None:
        return _Labels(labelled)
    if declaration.identifying:
        return _Texts(declaration)
    return _Numbers(declaration.name) if declaration.values is None else _Codes(declaration)


def _text(path: Path) -> str:
    content = path.read_bytes()
    try:
        return decoded(content)
    except NotUtf8Error as error:
        raise ArffError(path, error.line, f"{error}; unpack the file or convert it to UTF-8") from None


# --- header ---------------------------------------------------------------------------------------------------------


def _header(path: Path, lines: _Lines, labelled: bool) -> tuple[list[_Declaration], int]:
    """All declarations (one hierarchical, at least one feature) and the line of @data; ``lines`` is read up to there."""
    declarations: list[_Declaration] = []
    number = 1
    for number, line in lines:
        text = line.strip()
        word, *rest = text.split(maxsplit=1) or [""]
        if not text or text.startswith("%") or word.lower() == "@relation":
            continue
        if word.lower() == "@attribute":
            declarations.append(_declaration(path, number, text))
        elif word.lower() == "@data":
            if rest and not rest[0].startswith("%"):
                raise ArffError(path, number, f"{short(rest[0])} stands behind @data; begin the rows on a line of their own")
            break
        else:
            raise ArffError(
                path, number, f"expected @relation, @attribute or @data, found {short(text)}; correct the line or begin it with %"
            )
    else:
        raise ArffError(path, number, "there is no @data line, so there are no rows; is the file complete?")
    classes = [declaration for declaration in declarations if declaration.entries is not None]
    if not classes and labelled:
        raise ArffError(
            path,
            number,
            "no attribute has the type 'hierarchical'; declare the class as '@attribute class hierarchical 1,1/1,1/2,...', or "
            "use dataset=table for a file with one 0/1 attribute a label",
        )
    if len(classes) > 1:
        raise ArffError(
            path,
            classes[1].line,
            f"a second hierarchical attribute {short(classes[1].name)} after line {classes[0].line}; keep only one",
        )
    if all(declaration.entries is not None or declaration.identifying for declaration in declarations):
        raise ArffError(
            path, number, "there is no feature, only the class or names of the rows; declare at least one numeric attribute"
        )
    return declarations, number


def _declaration(path: Path, number: int, text: str) -> _Declaration:
    found = _ATTRIBUTE.fullmatch(text)
    if not found or not found[2]:
        raise ArffError(
            path, number, f"{short(text)} must be '@attribute NAME TYPE'; put a NAME with blanks in quotes, TYPE is {_TYPES}"
        )
    name, kind = re.sub(r"\\(.)", r"\1", found[1][1:-1]) if found[1][0] in "'\"" else found[1], found[2]
    if kind.startswith("{"):
        return _Declaration(name, number, values=_nominal_values(path, number, name, kind))
    word, *remainder = kind.split(maxsplit=1)
    rest = "".join(remainder)
    if word.lower() == "hierarchical":
        try:
            entries = tuple(dict.fromkeys(_classes(rest)))
        except _Problem as problem:
            raise ArffError(path, number, str(problem)) from None
        if not entries:
            raise ArffError(
                path,
                number,
                f"the hierarchical attribute {short(name)} lists no classes; write them after the type, separated by commas",
            )
        if entries[0].startswith("{") and entries[-1].endswith("}"):
            raise ArffError(
                path, number, f"the classes of the hierarchical attribute {short(name)} are in braces; write them without"
            )
        return _Declaration(name, number, entries=entries)
    if word.lower() in _NUMERIC_TYPES and (not rest or rest.startswith("%")):
        return _Declaration(name, number)
    if word.lower() in _IDENTIFYING_TYPES and (not rest or rest.startswith("%")):
        return _Declaration(name, number, identifying=word.lower())
    remedy = _REMEDIES.get(word.lower(), "declare it as one of these, or remove it")
    raise ArffError(path, number, f"attribute {short(name)} has the type {short(kind)}, but the type must be {_TYPES}; {remedy}")


def _classes(text: str) -> Iterator[str]:
    """The entries of a list of classes, those in quotes without them. Raises _Problem."""
    position = 0
    while position < len(text):
        if quoted := _QUOTED_CLASS.match(text, position):
            yield _unquoted(quoted[1]).strip()
            if quoted[2] != ",":
                return
            position = quoted.end()
            continue
        comma = text.find(",", position)
        end = len(text) if comma < 0 else comma
        entry = text[position:end]
        # Behind a comma only a blank makes a % begin a comment.
        comment = _COMMENT.search(entry, 0 if position == 0 or entry[:1] != "%" else 1)
        entry = entry[: comment.start()].strip() if comment else entry.strip()
        if entry[:1] in ("'", '"') and entry:
            raise _Problem(
                f"the classes cannot be read from {short(text[position:].lstrip())} on; put the whole of a class in one pair of "
                "quotes, or none of it"
            )
        if entry:
            yield entry
        if comment:
            return
        position = end + 1


def _nominal_values(path: Path, number: int, name: str, kind: str) -> tuple[str, ...]:
    values: dict[str, None] = {}
    position, closing = 1, ""
    while closing != "}":
        found = _NOMINAL_VALUE.match(kind, position)
        if not found:
            raise ArffError(
                path,
                number,
                f"the values of the nominal attribute {short(name)} cannot be read from {short(kind[position:])} on; write "
                "{value, value}, and quote a value with a blank, comma or brace",
            )
        try:
            values[_unquoted(found[1])] = None
        except _Problem as problem:
            raise ArffError(path, number, str(problem)) from None
        position, closing = found.end(), found[2]
    rest = kind[position:].strip()
    if rest and not rest.startswith("%"):
        raise ArffError(path, number, f"{short(rest)} stands behind the values of {short(name)}; remove it, or begin it with %")
    return tuple(values)


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


class _Problem(ValueError):
    """What is wrong within a line, and what to do."""


def _values(text: str, width: int) -> list[_Value]:
    """A row's values, as many as there are attributes. Raises _Problem."""
    if text.startswith("{"):
        return _sparse(text, width)
    found = text.count(",") + 1
    if not _BEYOND_BARE.search(text):
        if found != width:
            raise _Problem(f"the row has {found} values; the header declares {width} attributes; correct the row or the header")
        if ",," in text or text[0] == "," or text[-1] == ",":
            raise _Problem(_empty())
        return [None if value == "?" else value for value in text.split(",")]
    values: list[_Value] = []
    position, ended = 0, False
    while not ended:
        value = _DENSE_VALUE.match(text, position)
        if not value:
            rest = text[position:].lstrip()
            raise _Problem(_empty() if not rest or rest[0] == "," else _unreadable(rest))
        values.append(None if value[1] == "?" else _unquoted(value[1]))
        position, ended = value.end(), not value[2]
        if len(values) > width or (ended and len(values) < width):
            raise _Problem(f"the row does not have {width} values, one for each attribute; correct the row or the header")
    return values


def _sparse(text: str, width: int) -> list[_Value]:
    values: list[_Value] = [_Left.OUT] * width
    if text[1:].strip() == "}":
        return values
    position, closing = 1, ""
    while closing != "}":
        found = _SPARSE_VALUE.match(text, position)
        if not found:
            raise _Problem(_unreadable(text[position:]))
        place = int(found[1]) if len(found[1]) < 10 else width
        if place >= width:
            raise _Problem(
                f"the sparse row names attribute {short(found[1])[1:-1]}, but they count from 0 and the last is {width - 1}; if "
                "the file counts from 1, subtract 1 from each, otherwise correct the row or the header"
            )
        if values[place] is not _Left.OUT:
            raise _Problem(f"the sparse row names attribute {place} twice (they count from 0); keep one of the two")
        values[place] = None if found[2] == "?" else _unquoted(found[2])
        position, closing = found.end(), found[3]
    if position < len(text):
        raise _Problem(_unreadable(text[position:]))
    return values


def _empty() -> str:
    return "there is nothing between two commas, or before or after one; write ? for a missing value"


def _unreadable(rest: str) -> str:
    """Why a row cannot be split from here on, as far as it can be told."""
    if _WEIGHT.fullmatch(rest):
        return f"the row ends in {short(rest.lstrip(', '))}, an instance weight, and rows have none here; remove it"
    if _BLANKS_ROUND_AT.match(rest):
        return f"there are blanks around an @ in {short(rest)}; remove them, or put all labels of the row in quotes"
    if comment := _COMMENT.search(rest):
        return (
            f"a comment stands behind the row, {short(rest[comment.start() :].strip())}; put it on a line of its own, or the "
            "value in quotes"
        )
    return f"the row cannot be split into values from {short(rest)} on; check its quotes, braces, blanks and commas"


def _unquoted(text: str) -> str:
    """A value without its quotes and escapes. Raises _Problem for an escape that is not known."""
    return _ESCAPE.sub(_character, text[1:-1]) if text[0] in "'\"" else text


def _character(escape: re.Match[str]) -> str:
    code = escape[1]
    try:
        if code in _ESCAPED:
            return _ESCAPED[code]
        # A single digit is that character, two or three are octal; u and four digits are hexadecimal.
        character = chr(int(code[1:], 16) if code[0] == "u" else int(code, 8 if len(code) > 1 else 10))
        # Half of a surrogate pair is not a character, and nothing could write it.
        character.encode()
    except ValueError:
        raise _Problem(f"{short(escape[0])} is an escape that ARFF does not know; double its backslash") from None
    return character


class _Numbers:
    """A numeric attribute's column, filled row by row: NaN where missing, 0 where a sparse row leaves it out."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.read = array("d")

    def add(self, value: _Value) -> None:
        if isinstance(value, str):
            try:
                number = float(value)
            except ValueError:
                number = math.nan
            # Python reads 1_000 and the digits of all scripts; an ARFF file that says so has a mistake.
            if not abs(number) <= LARGEST or "_" in value or not value.isascii():
                raise _Problem(
                    f"the numeric attribute {short(self.name)} has the value {short(value)}; write a number of at most "
                    f"{LARGEST:g}, or ? if missing"
                )
            self.read.append(number)
        else:
            self.read.append(math.nan if value is None else 0.0)


class _Codes:
    """A nominal attribute's column: places in its values, -1 where missing, the first where a sparse row leaves it out."""

    def __init__(self, declaration: _Declaration) -> None:
        self.name = declaration.name
        self.known = declaration.values or ()
        self.places = {value: place for place, value in enumerate(self.known)}
        self.read = array("q")

    def add(self, value: _Value) -> None:
        if isinstance(value, str):
            if value not in self.places:
                shown = ", ".join(short(known) for known in self.known[:8]) + (", ..." if len(self.known) > 8 else "")
                raise _Problem(
                    f"attribute {short(self.name)} has the value {short(value)}, but declares {{{shown}}}; correct one of them"
                )
            self.read.append(self.places[value])
        else:
            self.read.append(-1 if value is None else 0)


class _Texts:
    """The names of the rows, empty where missing."""

    def __init__(self, declaration: _Declaration) -> None:
        self.declaration = declaration
        self.read: list[str] = []

    def add(self, value: _Value) -> None:
        self.read.append(value if isinstance(value, str) else "")


class _Labels:
    """Each row's labels. The rows that have the same ones share them."""

    def __init__(self, needed: bool) -> None:
        self.needed = needed
        self.read: list[tuple[str, ...]] = []
        self.known: dict[str, str] = {}
        self.sets: dict[tuple[str, ...], tuple[str, ...]] = {}

    def add(self, value: _Value) -> None:
        if value is _Left.OUT and self.needed:
            raise _Problem("the sparse row leaves out the class; every row needs a label")
        parts = (part.strip() for part in (value if isinstance(value, str) else "").split("@"))
        labels = tuple(dict.fromkeys(self.known.setdefault(part, part) for part in parts if part))
        if not labels and self.needed:
            found = "?" if value is None else short(str(value))
            raise _Problem(
                f"the row has no label, but {found} as its class; give it one (several are joined by @) or remove it: rows "
                "without labels can be scored, not trained or evaluated on"
            )
        self.read.append(self.sets.setdefault(labels, labels))
