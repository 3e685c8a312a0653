"""How a comparison of two methods stands in a table: who is greater where, by how much, and p."""

from __future__ import annotations

from hmc.report.render import DASH
from hmc.stats.pairwise import Comparison, number

POINTS = 100
"""Every metric is a fraction; a difference is shown in hundredths unless its metric says otherwise."""
BALANCE = "a greater / equal / less"
"""The heading of :func:`balance`."""


def balance(pair: Comparison) -> str:
    """In how many pairs a is greater, equal and less."""
    return f"{pair.wins} / {pair.ties} / {pair.losses}"


def difference(pair: Comparison, scale: float = POINTS, digits: int = 2) -> str:
    """Hodges-Lehmann's difference a - b, signed; a dash without one."""
    return DASH if pair.shift is None else f"{pair.shift.estimate * scale:+.{digits}f}"


def p_value(p: float | None) -> str:
    """A p-value as the tables show it; a dash where nothing was tested."""
    return DASH if p is None else number(p)
