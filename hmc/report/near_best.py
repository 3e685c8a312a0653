"""Which methods cannot be told from the best one of a dataset, over seeds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from hmc.stats.pairwise import Choices, holm, wilcoxon

ALPHA = 0.05
"""The level of every test in tables and figures (ours)."""
QUICK = Choices(resamples=0)
"""Two-sided tests without intervals: tables and matrices have hundreds of pairs."""


@dataclass(frozen=True)
class NearBest:
    """The other columns of a row against its best one.

    close: those whose difference from it is not significant. told: whether any comparison has enough pairs. needed: the fewest
    pairs with which the test can reach ALPHA after Holm. few: the numbers of pairs, sorted, of comparisons that have fewer.
    """

    close: frozenset[str]
    told: bool
    needed: int
    few: tuple[int, ...]


def near_best(values: Mapping[str, Mapping[int, float]], best: str) -> NearBest:
    """Compare every column with the best one: Wilcoxon signed-rank over the seeds both have, Holm over these columns.

    values: by column and seed, at least two columns. A comparison with too few pairs to be significant whatever its values
    says nothing, so its column is not close.
    """
    others = [column for column in values if column != best]
    needed = fewest_pairs(len(others))
    tests = [wilcoxon(*_shared(values[best], values[column])) for column in others]
    adjusted = dict(zip(others, holm([test.p for test in tests]), strict=True))
    told = [column for column, test in zip(others, tests, strict=True) if test.n >= needed]
    return NearBest(
        close=frozenset(column for column in told if (p := adjusted[column]) is None or p >= ALPHA),
        told=bool(told),
        needed=needed,
        few=tuple(sorted({test.n for test in tests if test.n < needed})),
    )


def _shared(a: Mapping[int, float], b: Mapping[int, float]) -> tuple[list[float], list[float]]:
    """The values of both at the seeds that both have."""
    seeds = [seed for seed in a if seed in b]
    return [a[seed] for seed in seeds], [b[seed] for seed in seeds]


def fewest_pairs(tests: int, level: float = ALPHA) -> int:
    """The fewest pairs with which a two-sided exact test can give p < level after Holm over so many tests (at least one).

    Unanimous pairs give p = 2 ** (1 - pairs), which Holm multiplies by the number of tests: 6 pairs for one test, 8 for five.
    """
    return 2 + math.floor(math.log2(tests / level))
