"""Ours against a published number: match, close, differs or missing, with the rule that decided in words."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from hmc.results.published import PublishedValue

_FLOAT_NOISE = 1e-9
"""So that 0.759 - 0.756 counts as 0.003."""


@dataclass(frozen=True)
class Tolerance:
    """How far ours may lie from a published value: an absolute distance, or a share of the value, whichever is smaller.

    match, close: distances in the value's unit. match_share, close_share: shares of the published value. why: the reason, for
    the table's notes.
    """

    match: float
    close: float
    why: str
    unit: str = ""
    match_share: float = math.inf
    close_share: float = math.inf

    def limits(self, value: float) -> tuple[float, float]:
        """The largest distances that are a match and close, for one published value."""
        return min(self.match, self.match_share * abs(value)), min(self.close, self.close_share * abs(value))


AU_PRC = Tolerance(
    match=0.003,
    close=0.010,
    why="AU(PRC): match when the means differ by at most 0.003: the rounding of three printed decimals (0.0005) plus three "
    "standard deviations of single seeds (0.0008 over the ten published runs on cellcycle_fun). Close up to 0.010, which is "
    "more than the gap between some published methods and no proof of a reproduction. Beyond that: differs.",
)

MACRO_F1 = Tolerance(
    match=1.0,
    close=3.0,
    unit=" points",
    match_share=0.05,
    close_share=0.15,
    why="Macro F1: match when the means differ by at most 5 % of the published value, never more than 1 point; close up to 15 %, "
    "never more than 3 points. Relative, because the published values run from 0.77 to 57.65 and half a point would call 0.8 and "
    "1.3 the same. The paper's cell does not name its method: a match says that ours lands on the number, not that the paper "
    "used this method, and with many methods some land by chance.",
)


@dataclass(frozen=True)
class Verdict:
    """How ours compares with a published value.

    name: match, close, differs or missing. rule: what decided, in words. Spreads are standard deviations over seeds, None where
    unknown; numbers are in the published value's unit.
    """

    name: str
    rule: str
    mean: float | None = None
    spread: float | None = None
    seeds: int = 0
    published: float | None = None
    published_spread: float | None = None
    published_seeds: int | None = None

    @property
    def difference(self) -> float | None:
        """Ours minus published."""
        return None if self.mean is None or self.published is None else self.mean - self.published


def verdict(
    ours: Sequence[float], published: PublishedValue | None, tolerance: Tolerance, *, planned: int | None = None
) -> Verdict:
    """Compare the mean of our seeds with a published value.

    ours: one value a seed, in the published value's unit. planned: how many seeds there should be; fewer are "missing", since a
    mean over the seeds that happen to exist is not the number that was planned.
    """
    planned = len(ours) if planned is None else planned
    spread = statistics.stdev(ours) if len(ours) > 1 else None
    mean = statistics.fmean(ours) if ours and len(ours) >= planned else None
    if published is None:
        return Verdict("missing", "nothing published for this cell", mean, spread, len(ours))
    known = (mean, spread, len(ours), published.value, published.spread, published.seeds)
    if mean is None:
        return Verdict("missing", f"{len(ours)} of {planned} seeds done", *known)
    match, close = tolerance.limits(published.value)
    distance = abs(mean - published.value)
    if distance <= match + _FLOAT_NOISE:
        name, comparison = "match", f"<= {match:.4g}"
    elif distance <= close + _FLOAT_NOISE:
        name, comparison = "close", f"> {match:.4g} but <= {close:.4g}"
    else:
        name, comparison = "differs", f"> {close:.4g}"
    rule = f"|{mean:.4f} - {published.value:.{published.digits}f}| = {distance:.4f} {comparison}{tolerance.unit}"
    if len(ours) == 1:
        rule += "; one seed, our spread is unknown"
    if not published.method:
        rule += "; the paper's cell does not name its method"
    return Verdict(name, rule, *known)
