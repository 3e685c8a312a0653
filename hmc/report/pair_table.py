"""Comparisons of two methods as a table. Every table of pairs has these columns, whatever its pairs are taken over."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hmc.report import notes as about
from hmc.report.metric import Metric, metric
from hmc.report.table import DASH, Entry, Number, Table
from hmc.stats.pairwise import Comparison

COUNTS = ("wins", "ties", "losses")
COLUMNS = (
    *("metric", "dataset", "a", "b", "values", "n", *COUNTS),
    *("difference a - b", "rank-biserial", "raw p", "Holm p"),
)
_VALUES = COLUMNS.index("values")
EXPLAINED = (
    "Wins, ties, losses: pairs in which a is greater, equal, less. Difference: Hodges-Lehmann, in points (hundredths of the "
    "metric; bits for Smin)."
)
HOLM = "Raw p: of the test alone; Holm p: after Holm's correction."


def pair_table(name: str, title: str, pairs: Iterable[Comparison], notes: Sequence[str] = ()) -> Table:
    """One row a comparison, in the order given.

    A column that no row fills is left out, and so is how the values came about where it is the same in all rows: a note says it.
    """
    rows = [_row(pair) for pair in pairs]
    values = {row[_VALUES] for row in rows}
    if len(values) == 1 and values != {DASH}:
        notes = (f"Values: {values.pop()}.", *notes)
        rows = [(*row[:_VALUES], DASH, *row[_VALUES + 1 :]) for row in rows]
    filled = [column for column in range(len(COLUMNS)) if any(row[column] != DASH for row in rows)]
    header = tuple(COLUMNS[column] for column in filled)
    methods = {side for row in rows for side in (str(row[2]), str(row[3]))}
    return Table(
        name=name,
        title=title,
        header=header,
        rows=tuple(tuple(row[column] for column in filled) for row in rows),
        notes=(EXPLAINED, *([HOLM] if "Holm p" in header else []), *notes, *about.about_columns(methods)),
        keys=sum(column in ("metric", "dataset", "a", "b") for column in header),
    )


def _row(pair: Comparison) -> tuple[Entry, ...]:
    shown = metric(pair.metric)
    effect = pair.test.rank_biserial
    return (
        *(shown.title, pair.where or DASH, pair.a, pair.b, pair.note or DASH),
        *(Number(count) for count in (pair.test.n, pair.wins, pair.ties, pair.losses)),
        difference(pair, shown),
        DASH if effect is None else Number(effect, "+.2f"),
        p_value(pair.test.p),
        p_value(pair.p_holm),
    )


def difference(pair: Comparison, shown: Metric) -> Entry:
    """Hodges-Lehmann's difference a - b, signed, in points or bits; a dash without one."""
    return DASH if pair.shift is None else Number(pair.shift.estimate * shown.points, "+.2f")


def p_value(p: float | None) -> Entry:
    """A p-value with three significant digits; a dash where nothing was tested."""
    return DASH if p is None else Number(p, ".3g")


def effect_words(pair: Comparison) -> str:
    """Such as "+2.84 points"; a dash without a difference."""
    shown = metric(pair.metric)
    entry = difference(pair, shown)
    return entry if isinstance(entry, str) else f"{entry.text()} {shown.difference_unit}"
