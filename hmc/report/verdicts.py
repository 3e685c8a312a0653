"""Ours against a published number: match, close, differs or missing."""

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

    name: match, close, differs or missing. mean: of ours, None while a planned seed is missing. seeds: how many there are.
    difference: ours minus published, None where one of them is missing. All in the published value's unit.
    """

    name: str
    mean: float | None
    seeds: int
    difference: float | None = None


STANDING = (
    "Higher or lower: by more than 0.003, the rounding of printed values plus the spread of single seeds; as high: by no more. "
    "Another method's number is not ours to reproduce, so this says nothing of a reproduction."
)


def standing(ours: float, published: PublishedValue) -> str:
    """Where ours stands beside another method's number in the same metric: higher, as high or lower.

    >>> standing(0.5, PublishedValue("enron", "dhn", 0.4, 3, "a paper"))
    'higher'
    """
    difference = ours - published.value
    if abs(difference) <= AU_PRC.match + _FLOAT_NOISE:
        return "as high"
    return "higher" if difference > 0 else "lower"


def verdict(
    ours: Sequence[float], published: PublishedValue | None, tolerance: Tolerance, *, planned: int | None = None
) -> Verdict:
    """Compare the mean of our seeds with a published value.

    ours: one value a seed, in the published value's unit. planned: how many seeds there should be; fewer are "missing", since a
    mean over the seeds that happen to exist is not the number that was planned.
    """
    mean = statistics.fmean(ours) if ours and len(ours) >= (planned or 0) else None
    if published is None or mean is None:
        return Verdict("missing", mean, len(ours))
    match, close = tolerance.limits(published.value)
    difference = mean - published.value
    distance = abs(difference) - _FLOAT_NOISE
    return Verdict("match" if distance <= match else "close" if distance <= close else "differs", mean, len(ours), difference)
