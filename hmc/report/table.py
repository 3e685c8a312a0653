"""A table as data: rows of text, means and numbers, before they take a format."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

DASH = "–"
RECONSTRUCTED = "†"
OUTSIDE = "‡"
"""The sign of scores that come from outside."""


@dataclass(frozen=True)
class MeanStd:
    """A mean over seeds with its standard deviation.

    mean: None while a planned value is missing. spread: standard deviation (n - 1), None with one value. seeds: how many values
    there are, 0 for a mean that is not over seeds; planned: how many there should be. digits: decimals shown.
    """

    mean: float | None
    spread: float | None = None
    seeds: int = 0
    planned: int = 0
    digits: int = 3

    def text(self, with_seeds: bool = False) -> str:
        """Such as 0.756 ± 0.001 (3); a dash while incomplete, with what is there of what was planned.

        >>> MeanStd(0.7561, 0.0012, 3, 3).text(with_seeds=True), MeanStd(None, None, 2, 3).text()
        ('0.756 ± 0.001 (3)', '– (2/3)')
        """
        if self.mean is None:
            return f"{DASH} ({self.seeds}/{self.planned})" if self.seeds else DASH
        shown = f"{self.mean:.{self.digits}f}"
        if self.spread is not None:
            shown += f" ± {self.spread:.{self.digits}f}"
        return f"{shown} ({self.seeds})" if with_seeds and self.seeds else shown


@dataclass(frozen=True)
class Number:
    """A single number. form: how it is shown, as Python's ``format`` takes it."""

    value: float
    form: str = "g"

    def text(self, with_seeds: bool = False) -> str:
        """The number as it is shown; ``with_seeds`` means nothing here.

        >>> Number(-0.001234, "+.4f").text(), Number(8).text()
        ('-0.0012', '8')
        """
        return format(self.value, self.form)


Entry = str | MeanStd | Number


@dataclass(frozen=True)
class Table:
    """Rows of entries under a header.

    name: of its files. title: says metric, unit and n. strong: places (row, column) to emphasise. with_seeds: whether each mean
    shows its n. keys: how many leading columns name a row. turn_to: the heading of the first column once rows and columns change
    places; empty where they may not, since the columns are different things.
    """

    name: str
    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[Entry, ...], ...]
    notes: tuple[str, ...] = ()
    strong: frozenset[tuple[int, int]] = frozenset()
    with_seeds: bool = False
    keys: int = 1
    turn_to: str = ""

    def __post_init__(self) -> None:
        uneven = [row for row in self.rows if len(row) != len(self.header)]
        if uneven:
            raise ValueError(f"table {self.name} must have {len(self.header)} entries a row, got {len(uneven[0])}: {uneven[0]}")

    def text(self, emphasise: Callable[[str], str] = str, escape: Callable[[str], str] = str) -> list[list[str]]:
        """The rows as text, escaped, the strong entries emphasised."""
        return [
            [
                (emphasise if (place, column) in self.strong else str)(
                    escape(entry if isinstance(entry, str) else entry.text(self.with_seeds))
                )
                for column, entry in enumerate(row)
            ]
            for place, row in enumerate(self.rows)
        ]

    def numeric(self, column: int) -> bool:
        """Whether a column other than the first holds nothing but numbers and dashes."""
        return column > 0 and all(row[column] == DASH or not isinstance(row[column], str) for row in self.rows)

    def turned(self) -> Table:
        """The table with rows and columns changed places. Raises ValueError where ``turn_to`` is empty.

        >>> Table("t", "T", ("dataset", "a", "b"), (("x", "1", "2"),), turn_to="method").turned().rows
        (('a', '1'), ('b', '2'))
        """
        if not self.turn_to:
            raise ValueError(f"table {self.name} must have turn_to to be turned")
        heads = tuple(str(row[0]) for row in self.rows)
        columns = range(1, len(self.header))
        return replace(
            self,
            header=(self.turn_to, *heads),
            rows=tuple((self.header[column], *(row[column] for row in self.rows)) for column in columns),
            strong=frozenset((column - 1, place + 1) for place, column in self.strong),
            turn_to=self.header[0],
        )
