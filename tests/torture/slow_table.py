"""A second reading of a table of rows, plain and slow, to be held against that of `hmc.data.table`.

The table has the columns gene (names), terms (labels) and any others (features), below a hierarchy of seven nodes.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from pathlib import Path

from hmc.data import catalog, table
from hmc.data.dataset import Encoded

ROWS = (
    b"gene,length,colour,terms\ng1,1.5,red,A1@B\ng2,,green,A2\ng3,-2e-1,,B1@A1\ng4,4,red,root\ng5,NA,\"a, b\",\"['A', 'B1']\"\n"
)
PARENTS = {"root": "", "A": "root", "B": "root", "A1": "A", "A2": "A", "B1": "B"}
EDGES = "parent,child\n" + "".join(f"{parent},{child}\n" for child, parent in PARENTS.items() if parent)


def read(folder: Path) -> Encoded:
    """What the program reads."""
    (folder / "edges.csv").write_text(EDGES)
    card = catalog.card("table")
    settings = dataclasses.replace(card.table, labels="terms", id="gene")
    return table.read({"train": folder / "table.csv"}, folder / "edges.csv", dataclasses.replace(card, table=settings))


def same(lines: Callable[[bytes, str], list[list[str]]], labels_in_brackets: Callable[[str], list[str]]) -> Callable[..., bool]:
    """Whether a reading is that of the bytes. lines: fields of a CSV file with this separator."""

    def right(content: bytes, read: Encoded) -> bool:
        header, *rows = lines(content, _separator(content))
        columns = {name: [row[place].strip() for row in rows] for place, name in enumerate(header)}
        names: list[str] = []
        features: list[list[float]] = []
        for name, cells in columns.items():
            if name in ("gene", "terms"):
                continue
            numbers = [_number(cell) for cell in cells]
            if None not in numbers:
                names.append(name)
                features.append([number for number in numbers if number is not None])
                continue
            values = sorted({cell for cell in cells if cell not in ("", "?")})
            names += [f"{name}={value}" for value in values]
            features += [[float(cell == value) for cell in cells] for value in values]
        found = [[float(number) for number in row] for row in read.features["train"].T]
        same_features = len(found) == len(features) and all(
            math.isnan(one) if math.isnan(other) else one == other
            for mine, theirs in zip(found, features, strict=True)
            for one, other in zip(mine, theirs, strict=True)
        )
        wanted = _labels(columns["terms"], labels_in_brackets)
        carried = [{name for name, mark in zip(read.names, row, strict=True) if mark} for row in read.labels["train"].tolist()]
        return (
            list(read.feature_names) == names
            and same_features
            and carried == wanted
            and list(read.ids["train"]) == columns["gene"]
        )

    return right


def _separator(content: bytes) -> str:
    """The only candidate in the first line, outside quotes."""
    first = next((line for line in content.decode("utf-8-sig").lstrip("\r\n").splitlines()), "")
    outside, quoted = "", False
    for letter in first:
        quoted ^= letter == '"'
        outside += "" if quoted else letter
    return next((candidate for candidate in ",;\t|" if candidate in outside), ",")


def _number(text: str) -> float | None:
    if text.lower() in ("", "?", "na", "nan", "null"):
        return math.nan
    try:
        number = float(text)
    except ValueError:
        return None
    return number if abs(number) <= 1e150 and text.isascii() and "_" not in text else None


def _labels(cells: Sequence[str], in_brackets: Callable[[str], list[str]]) -> list[set[str]]:
    """Each row's labels and all above them, by the first separator that leaves no unknown name."""
    for separator in ("", "@", ";", "|", ","):
        rows = []
        for cell in cells:
            if cell[:1] == "[" and cell[-1:] == "]":
                rows.append(in_brackets(cell))
            else:
                rows.append([part.strip() for part in cell.split(separator) if part.strip()] if separator else [cell])
        if all(label in PARENTS for row in rows for label in row):
            break
    closed = []
    for row in rows:
        nodes = {"root"}
        for label in row:
            while label:
                nodes.add(label)
                label = PARENTS[label]
        closed.append(nodes)
    return closed
