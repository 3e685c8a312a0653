"""A second reading of hierarchical ARFF files: plain Python, one character at a time, from the format's description alone.

It shares no code with the reader of `hmc.data` and is there to be held against it. The format:

- UTF-8 text, with or without a byte order mark; lines end with LF, CRLF or CR. Blank lines and lines that begin with % say
  nothing.
- Header: ``@relation``, which says nothing, any number of ``@attribute NAME TYPE``, then ``@data`` alone on its line; any case.
- NAME is in quotes (single or double, a backslash takes the next character as it is), or has no blank, quote, comma or brace.
- TYPE is numeric, real or integer; ``{value, value, ...}``, values in quotes or without quotes, commas and braces; string or
  key, which name the rows; or, exactly once, ``hierarchical`` with the classes, separated by commas. A class is in quotes (with
  the escapes of ARFF), or does not begin with one. Behind a type a comment may stand, after a blank and %.
- There is at least one feature, which is an attribute that is neither hierarchical nor string nor key.
- A dense row: as many values as attributes, separated by commas. A value is in quotes (with the escapes of ARFF), or has no
  blank, quote, comma or brace. ``?`` without quotes is a missing one; nothing at all is a mistake.
- A sparse row: ``{place value, ...}``, places from 0, each once. What is left out is 0, or the first nominal value; the class
  must be there.
- A number is one as Python writes it, in ASCII, finite, and at most 1e150, so that its square can be summed.
- A row's labels are joined by @; there must be one. Repeated ones count once.
- Classes without any slash are paths of one level, unless two are the same up to a dot: then nobody knows. Classes of which one
  has two slashes are paths. Pairs and single names are edges parent/child when one begins with ``root``. Otherwise they are
  paths when a row's label has a slash, or when the pairs go in a circle. Otherwise they are edges when a label is only ever the
  second of a pair and it is plain which way they run: there is one top and more than one bottom, or the tops, and not the
  bottoms, are listed alone. Otherwise they are paths when no second name is a first one, alone, repeated or ``root``; in all
  other cases nobody knows.
- Paths run from the first level down, at most 100 levels deep; a label is a listed path, an upper part of one, or ``root``. A
  label of edges is a node's name. Edges have one top; a root is added above several, unless ``root`` is among the names.
- Splits belong together when they have the training file's attributes (names, kinds) in its order, and its set of classes.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

ROOT = "root"
ESCAPES = {"\\": "\\", '"': '"', "'": "'", "t": "\t", "n": "\n", "r": "\r", "b": "\b", "f": "\f", "%": "%"}
LARGEST, DEEPEST = 1e150, 100


class Fault(Exception):
    """What is wrong cannot be read around."""


@dataclass
class Column:
    name: str
    line: int
    values: list[str] | None = None
    classes: list[str] | None = None
    text: bool = False


@dataclass
class SlowTable:
    """One file. faults: the lines that are wrong; empty where the file can be read."""

    features: list[Column] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    classes: list[str] = field(default_factory=list)
    class_line: int = 0
    rows: list[list[float | str | None]] = field(default_factory=list)
    labels: list[list[str]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    faults: set[int] = field(default_factory=set)


@dataclass
class SlowDataset:
    """What a dataset's files say together, or which lines of which split are wrong."""

    names: list[str] = field(default_factory=list)
    parents: list[list[int]] = field(default_factory=list)
    feature_names: list[str] = field(default_factory=list)
    features: dict[str, list[list[float]]] = field(default_factory=dict)
    labels: dict[str, list[list[bool]]] = field(default_factory=dict)
    faults: set[tuple[str, int]] = field(default_factory=set)


# --- one file -------------------------------------------------------------------------------------------------------


def read(content: bytes) -> SlowTable:
    table = SlowTable()
    if content.startswith(b"\xef\xbb\xbf"):
        content = content[3:]
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        before = content[: error.start].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        table.faults.add(1 + before.count(b"\n"))
        return table
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    try:
        columns, place, start = _header(lines)
    except Fault as fault:
        table.faults.add(fault.args[0])
        return table
    table.features = [column for index, column in enumerate(columns) if index != place and not column.text]
    table.names = _distinct([column.name for column in table.features])
    table.classes, table.class_line = columns[place].classes or [], columns[place].line
    for number in range(start + 1, len(lines) + 1):
        line = lines[number - 1].strip()
        if not line or line[0] == "%":
            continue
        try:
            values, labels = _row(line, columns, place)
        except Fault:
            table.faults.add(number)
            continue
        table.rows.append(values)
        table.labels.append(labels)
        table.lines.append(number)
    if not table.rows and not table.faults:
        table.faults.add(start)
    return table


def _header(lines: Sequence[str]) -> tuple[list[Column], int, int]:
    columns: list[Column] = []
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if not text or text[0] == "%":
            continue
        word = text.split()[0].lower()
        if word == "@relation":
            continue
        if word == "@attribute":
            columns.append(_attribute(text[len("@attribute") :], number))
        elif word == "@data":
            rest = text[len("@data") :].strip()
            if rest and rest[0] != "%":
                raise Fault(number)
            places = [index for index, column in enumerate(columns) if column.classes is not None]
            if not places:
                raise Fault(number)
            if len(places) > 1:
                raise Fault(columns[places[1]].line)
            if all(column.text or column.classes is not None for column in columns):
                raise Fault(number)
            return columns, places[0], number
        else:
            raise Fault(number)
    raise Fault(max(1, len(lines) - (not lines[-1])))


def _attribute(text: str, line: int) -> Column:
    text = text.lstrip()
    if not text:
        raise Fault(line)
    if text[0] in "'\"":
        name, end = _quoted(text, 0, line, escapes=False)
    else:
        end = 0
        while end < len(text) and not text[end].isspace() and text[end] not in "{},'\"":
            end += 1
        name = text[:end]
        if not name:
            raise Fault(line)
    kind = text[end:].strip()
    if not kind:
        raise Fault(line)
    if kind[0] == "{":
        return Column(name, line, values=_nominal(kind, line))
    words = kind.split(maxsplit=1)
    rest = words[1] if len(words) > 1 else ""
    if words[0].lower() in ("numeric", "real", "integer"):
        if rest and rest[0] != "%":
            raise Fault(line)
        return Column(name, line)
    if words[0].lower() in ("string", "key"):
        if rest and rest[0] != "%":
            raise Fault(line)
        return Column(name, line, text=True)
    if words[0].lower() == "hierarchical":
        classes = list(dict.fromkeys(_classes(rest, line)))
        if not classes or (classes[0].startswith("{") and classes[-1].endswith("}")):
            raise Fault(line)
        return Column(name, line, classes=classes)
    raise Fault(line)


def _classes(text: str, line: int) -> list[str]:
    found: list[str] = []
    at = 0
    while at < len(text):
        while at < len(text) and text[at].isspace():
            at += 1
        if at < len(text) and text[at] in "'\"":
            name, at = _quoted(text, at, line, escapes=True)
            found.append(name.strip())
            begin = at
            while at < len(text) and text[at].isspace():
                at += 1
            if at == len(text) or (text[at] == "%" and at > begin):
                return found
            if text[at] != ",":
                raise Fault(line)
            at += 1
            continue
        name = ""
        ended = False
        while at < len(text) and text[at] != ",":
            if text[at] == "%" and (at == 0 or text[at - 1].isspace()):
                ended = True
                break
            name += text[at]
            at += 1
        if name.strip():
            found.append(name.strip())
        if ended:
            return found
        at += 1
    return found


def _nominal(kind: str, line: int) -> list[str]:
    values: list[str] = []
    at = 1
    while True:
        while at < len(kind) and kind[at].isspace():
            at += 1
        if at == len(kind):
            raise Fault(line)
        if kind[at] in "'\"":
            value, at = _quoted(kind, at, line, escapes=True)
            while at < len(kind) and kind[at].isspace():
                at += 1
        else:
            begin = at
            while at < len(kind) and kind[at] not in ",'\"{}":
                at += 1
            value = kind[begin:at].strip()
            if not value:
                raise Fault(line)
        if value not in values:
            values.append(value)
        if at == len(kind) or kind[at] not in ",}":
            raise Fault(line)
        at += 1
        if kind[at - 1] == "}":
            rest = kind[at:].strip()
            if rest and rest[0] != "%":
                raise Fault(line)
            return values


def _quoted(text: str, at: int, line: int, *, escapes: bool) -> tuple[str, int]:
    """The value in quotes that begins here, and where it has ended."""
    quote, made, at = text[at], [], at + 1
    while at < len(text):
        letter = text[at]
        if letter == quote:
            return "".join(made), at + 1
        if letter != "\\":
            made.append(letter)
            at += 1
            continue
        if at + 1 == len(text):
            raise Fault(line)
        following = text[at + 1]
        if not escapes:
            made.append(following)
            at += 2
        elif following in "0123456789":
            digits = following
            while len(digits) < 3 and text[at + 1 + len(digits) : at + 2 + len(digits)] in tuple("0123456789"):
                digits += text[at + 1 + len(digits)]
            # One digit is that character; two or three are octal.
            if len(digits) > 1 and set(digits) & set("89"):
                raise Fault(line)
            made.append(chr(int(digits, 8 if len(digits) > 1 else 10)))
            at += 1 + len(digits)
        elif following == "u" and len(digits := text[at + 2 : at + 6]) == 4 and set(digits) <= set("0123456789abcdef"):
            if 0xD800 <= int(digits, 16) <= 0xDFFF:
                raise Fault(line)
            made.append(chr(int(digits, 16)))
            at += 6
        elif following in ESCAPES:
            made.append(ESCAPES[following])
            at += 2
        else:
            raise Fault(line)
    raise Fault(line)


def _distinct(names: Sequence[str]) -> list[str]:
    used: dict[str, None] = {}
    given = set(names)
    for name in names:
        new, count = name, 1
        while new in used or (count > 1 and new in given):
            count += 1
            new = f"{name}_{count}"
        used[new] = None
    return list(used)


# --- rows -----------------------------------------------------------------------------------------------------------


def _row(line: str, columns: Sequence[Column], place: int) -> tuple[list[float | str | None], list[str]]:
    if line[0] == "{":
        written = _sparse(line, len(columns))
        if place not in written:
            raise Fault
    else:
        values = _dense(line)
        if len(values) != len(columns):
            raise Fault
        written = dict(enumerate(values))
    made: list[float | str | None] = []
    labels: list[str] = []
    for index, column in enumerate(columns):
        if column.classes is not None:
            for label in (written[index] or "").split("@"):
                if label.strip() and label.strip() not in labels:
                    labels.append(label.strip())
            if not labels:
                raise Fault
        elif column.text:
            continue
        elif index not in written:
            made.append(0.0 if column.values is None else column.values[0])
        elif written[index] is None:
            made.append(None)
        elif column.values is None:
            made.append(_number(written[index] or ""))
        elif written[index] in column.values:
            made.append(written[index])
        else:
            raise Fault
    return made, labels


def _value(line: str, at: int, ends: str) -> tuple[str | None, int]:
    """One value and where the comma (or what else ends it) behind it is; None for a missing one."""
    while at < len(line) and line[at].isspace():
        at += 1
    if at < len(line) and line[at] in "'\"":
        value: str | None
        value, at = _quoted(line, at, 0, escapes=True)
    else:
        begin = at
        while at < len(line) and not line[at].isspace() and line[at] not in ",'\"{}":
            at += 1
        value = line[begin:at]
        if not value:
            raise Fault
        if value == "?":
            value = None
    while at < len(line) and line[at].isspace():
        at += 1
    if at < len(line) and line[at] not in ends:
        raise Fault
    return value, at


def _dense(line: str) -> list[str | None]:
    values: list[str | None] = []
    at = 0
    while True:
        value, at = _value(line, at, ",")
        values.append(value)
        if at == len(line):
            return values
        at += 1


def _sparse(line: str, width: int) -> dict[int, str | None]:
    written: dict[int, str | None] = {}
    at = 1
    if line[1:].strip() == "}":
        return written
    while True:
        while at < len(line) and line[at].isspace():
            at += 1
        begin = at
        while at < len(line) and line[at].isdecimal():
            at += 1
        if begin == at or at == len(line) or not line[at].isspace():
            raise Fault
        index = int(line[begin:at])
        value, at = _value(line, at, ",}")
        if at == len(line) or index in written or index >= width:
            raise Fault
        written[index] = value
        if line[at] == "}":
            if at + 1 < len(line):
                raise Fault
            return written
        at += 1


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise Fault from None
    if "_" in text or any(ord(letter) > 127 for letter in text) or not abs(number) <= LARGEST:
        raise Fault
    return number


# --- the files of a dataset -----------------------------------------------------------------------------------------


def read_files(contents: Mapping[str, bytes]) -> SlowDataset:
    """What the files of the splits say together; contents: train, test and perhaps valid."""
    dataset = SlowDataset()
    tables = {split: read(content) for split, content in contents.items()}
    dataset.faults = {(split, line) for split, table in tables.items() for line in table.faults}
    if dataset.faults:
        return dataset
    train = tables["train"]
    for split, table in tables.items():
        if len(table.names) != len(train.names):
            dataset.faults.add((split, table.class_line))
            return dataset
        for own, wanted, name, other in zip(table.features, train.features, table.names, train.names, strict=True):
            if name != other or (own.values is None) != (wanted.values is None):
                dataset.faults.add((split, own.line))
        if set(table.classes) != set(train.classes):
            dataset.faults.add((split, table.class_line))
    if dataset.faults:
        return dataset
    try:
        carried = {label for table in tables.values() for labels in table.labels for label in labels}
        nodes, dataset.names, dataset.parents = hierarchy(train.classes, carried)
    except Fault:
        dataset.faults.add(("train", train.class_line))
        return dataset
    for column, name in zip(train.features, train.names, strict=True):
        dataset.feature_names += [name] if column.values is None else [f"{name}={value}" for value in column.values]
    for split, table in tables.items():
        dataset.labels[split] = []
        for labels, line in zip(table.labels, table.lines, strict=True):
            row = [False] * len(dataset.names)
            for label in labels:
                if label in nodes:
                    _mark(nodes[label], row, dataset.parents)
                else:
                    dataset.faults.add((split, line))
            dataset.labels[split].append(row)
        dataset.features[split] = [_encoded(row, train.features) for row in table.rows]
    return dataset


def _encoded(row: Sequence[float | str | None], columns: Sequence[Column]) -> list[float]:
    """One-hot in place; a value that the training file does not declare is all zeros."""
    numbers: list[float] = []
    for value, column in zip(row, columns, strict=True):
        if column.values is not None:
            numbers += [float(value == known) for known in column.values]
        else:
            numbers.append(math.nan if value is None else float(value))
    return numbers


def _mark(node: int, row: list[bool], parents: Sequence[Sequence[int]]) -> None:
    todo = [node]
    while todo:
        node = todo.pop()
        if not row[node]:
            row[node] = True
            todo += parents[node]


def hierarchy(
    classes: Sequence[str], carried: Collection[str], *, names_stand_for_paths: bool = False
) -> tuple[dict[str, int], list[str], list[list[int]]]:
    """From each label as a row may write it to its node, the nodes' names in order, and each node's parents in order.

    names_stand_for_paths: in tables of images a label may be the last part of a path.
    """
    split = [entry.split("/") for entry in classes]
    if _are_edges(split, carried, names_stand_for_paths):
        return _from_edges(split)
    return _from_paths(split)


def _are_edges(entries: Sequence[Sequence[str]], carried: Collection[str], names_stand_for_paths: bool) -> bool:
    """Whether classes are edges rather than paths; Fault where nobody knows."""
    deepest = max(len(entry) for entry in entries)
    if deepest > 2:
        return False
    if deepest == 1:
        dotted = [entry[0].split(".")[0] for entry in entries]
        if any(dotted.count(first) > 1 for first in set(dotted) - {""}):
            raise Fault
        return False
    pairs = [entry for entry in entries if len(entry) == 2]
    upper, lower = {pair[0] for pair in pairs}, {pair[1] for pair in pairs}
    alone = {entry[0] for entry in entries if len(entry) == 1}
    if ROOT in upper:
        return True
    for label in carried:
        if "/" in label or (names_stand_for_paths and label.split(".") in pairs):
            return False
    # Names that are below no name that is left are taken away; what stays lies on a circle.
    left = list(pairs)
    while (rest := [pair for pair in left if pair[0] in {other[1] for other in left}]) != left:
        left = rest
    if left:
        return False
    tops, bottoms = upper - lower, lower - upper
    if not names_stand_for_paths and any(label in bottoms - alone - {ROOT} for label in carried):
        if (len(tops) == 1 and len(bottoms) > 1) or (tops <= alone and not bottoms <= alone):
            return True
        raise Fault
    if lower & upper or lower & alone or ROOT in lower or len(lower) < len(pairs):
        raise Fault
    return False


def _from_paths(paths: Sequence[Sequence[str]]) -> tuple[dict[str, int], list[str], list[list[int]]]:
    parent_of: dict[str, str] = {}
    written = {ROOT: ROOT}
    label_of = {ROOT: ROOT}
    for path in paths:
        if "" in path or (path[0] == ROOT and len(path) > 1) or len(path) > DEEPEST:
            raise Fault
        if path[0] == ROOT:
            continue
        for length in range(1, len(path) + 1):
            name, label = ".".join(path[:length]), "/".join(path[:length])
            if label_of.setdefault(name, label) != label or name == ROOT:
                raise Fault
            written[label] = name
            parent_of[name] = ".".join(path[: length - 1]) or ROOT
    levels = {ROOT: 1} | {name: label.count("/") + 1 for label, name in written.items() if name != ROOT}
    names = sorted(levels, key=lambda name: (levels[name], name))
    place = {name: index for index, name in enumerate(names)}
    parents = [[place[parent_of[name]]] if name != ROOT else [] for name in names]
    return {label: place[name] for label, name in written.items()}, names, parents


def _from_edges(entries: Sequence[Sequence[str]]) -> tuple[dict[str, int], list[str], list[list[int]]]:
    names = {name for entry in entries for name in entry}
    edges = [entry for entry in entries if len(entry) == 2]
    if "" in names:
        raise Fault
    above: dict[str, set[str]] = {name: set() for name in names}
    for parent, child in edges:
        above[child].add(parent)
    tops = [name for name in names if not above[name]]
    if not tops or (ROOT in names and tops != [ROOT]):
        raise Fault
    root = tops[0]
    if len(tops) > 1:
        root = ROOT
        names.add(root)
        above[root] = set()
        for name in tops:
            above[name].add(root)
        edges = [*edges, *([root, name] for name in tops)]
    # Whatever is left when nodes without parents are taken away again and again is a cycle, or below one.
    left = dict(above)
    while free := [name for name, parents in left.items() if not parents & left.keys()]:
        for name in free:
            del left[name]
    if left:
        raise Fault
    distance = {root: 0}
    while len(distance) < len(names):
        reached = {child for parent, child in edges if parent in distance and child not in distance}
        distance |= dict.fromkeys(reached, max(distance.values()) + 1)
    ordered = sorted(names, key=lambda name: (distance[name], name))
    place = {name: index for index, name in enumerate(ordered)}
    return place, ordered, [sorted(place[parent] for parent in above[name]) for name in ordered]


# --- what is trained on ---------------------------------------------------------------------------------------------


def prepared(features: Mapping[str, Sequence[Sequence[float]]]) -> dict[str, list[list[float]]]:
    """Imputed with each split's own means (the training mean, then 0, where it has none), and standardised over the training
    rows; a feature that is constant there is only shifted.
    """
    splits = {split: [list(row) for row in rows] for split, rows in features.items()}
    training = [*splits.get("train", []), *splits.get("valid", [])]
    for column in range(len(training[0])):
        overall = _mean([row[column] for row in training])
        fills = {split: _mean([row[column] for row in rows]) for split, rows in splits.items()}
        for split, rows in splits.items():
            for row in rows:
                if math.isnan(row[column]):
                    fill = fills[split] if fills[split] is not None else overall
                    row[column] = 0.0 if fill is None else fill
        numbers = [row[column] for row in training]
        mean = math.fsum(numbers) / len(numbers)
        deviation = math.sqrt(math.fsum((number - mean) ** 2 for number in numbers) / len(numbers))
        # What rounding leaves of a constant is no variance.
        if deviation <= 1e-7 * max(abs(number) for number in numbers):
            deviation = 1.0
        for rows in splits.values():
            for row in rows:
                row[column] = (row[column] - mean) / deviation
    return splits


def _mean(numbers: Sequence[float]) -> float | None:
    known = [number for number in numbers if not math.isnan(number)]
    return math.fsum(known) / len(known) if known else None
