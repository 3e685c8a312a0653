"""Are two methods equally good, to within a margin? Two one-sided signed-rank tests on ratios.

That a difference is not significant does not show that two methods are equal; this test can.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from hmc.stats.pairwise import ComparisonError, SignedRankTest, hodges_lehmann, number, pair_up, wilcoxon


@dataclass(frozen=True)
class Equivalence:
    """Whether a / b lies between 1 - margin and 1 / (1 - margin).

    keys: the datasets (or seeds) that were paired. ratio: the Hodges-Lehmann estimate of a / b (the exponential of that of the
    log ratios), NaN without pairs. above: the test that a / b is above 1 - margin; below: that it is below 1 / (1 - margin).
    left_out: keys without a ratio, because one of the two values is 0.
    """

    margin: float
    keys: tuple[Any, ...]
    ratio: float
    above: SignedRankTest
    below: SignedRankTest
    left_out: tuple[Any, ...] = ()

    @property
    def n(self) -> int:
        """The number of pairs."""
        return len(self.keys)

    @property
    def p(self) -> float | None:
        """The larger of the two tests' p-values; None where one has none."""
        if self.above.p is None or self.below.p is None:
            return None
        return max(self.above.p, self.below.p)

    def sentence(self) -> str:
        """The tests, their choices and what came out."""
        limits = f"{1 - self.margin:g} and {1 / (1 - self.margin):.4g}"
        if self.p is None:
            return f"Two one-sided Wilcoxon signed-rank tests on log ratios against {limits}: no p-value, {self.above.reason}"
        return (
            f"Two one-sided Wilcoxon signed-rank tests on log ratios over {self.n} pairs: ratio a / b {self.ratio:.3f} "
            f"(Hodges-Lehmann), above {1 - self.margin:g} with p = {number(self.above.p or 0.0)}, below "
            f"{1 / (1 - self.margin):.4g} with p = {number(self.below.p or 0.0)}"
        )


def equivalence(a: Mapping[Any, float | None], b: Mapping[Any, float | None], *, margin: float = 0.1) -> Equivalence:
    """Two one-sided Wilcoxon signed-rank tests (TOST) on log(a / b) against log(1 - margin) and -log(1 - margin).

    a, b: value by dataset or seed, 0 or more; None and NaN are missing, and a pair with a 0 has no ratio and is left out.
    margin: 0.1 (ours) takes a and b for equal where neither is more than 10 % below the other.

    Both tests are exact, with zero differences treated as Pratt does. Raises ComparisonError for a margin outside (0, 1) or a
    negative or infinite value.

    >>> same = {f"set {place}": 0.2 + 0.01 * place for place in range(8)}
    >>> found = equivalence(same, {key: 1.02 * value for key, value in same.items()})
    >>> found.n, round(found.ratio, 3), found.p
    (8, 0.98, 0.00390625)
    """
    if not 0 < margin < 1:
        raise ComparisonError(f"margin must be above 0 and below 1, got {margin!r}")
    pairs = pair_up(a, b)
    if any(value < 0 for value in (*pairs.a, *pairs.b)):
        raise ComparisonError("a and b must be 0 or more, got a negative value, which has no log ratio")
    kept = [place for place in range(len(pairs.keys)) if pairs.a[place] > 0 and pairs.b[place] > 0]
    ratios = np.array([math.log(pairs.a[place] / pairs.b[place]) for place in kept])
    limit = np.full(len(ratios), math.log(1 - margin))
    shift = hodges_lehmann(ratios, resamples=0)
    return Equivalence(
        margin,
        tuple(pairs.keys[place] for place in kept),
        math.nan if shift is None else math.exp(shift.estimate),
        above=wilcoxon(ratios, limit, alternative="greater"),
        below=wilcoxon(ratios, -limit, alternative="less"),
        left_out=tuple(key for place, key in enumerate(pairs.keys) if place not in kept),
    )
