"""Which methods cannot be told from the best one of a dataset, over seeds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from hmc.stats.pairwise import Choices, compare_pairs, family

ALPHA = 0.05
"""The level of every test in tables and figures (ours)."""
QUICK = Choices(resamples=0)
"""Two-sided tests without intervals: tables and matrices have hundreds of pairs."""


@dataclass(frozen=True)
class Closeness:
    """The other columns of a row against its best one.

    close: those whose difference from it is not significant. told: whether any comparison has enough pairs. needed: the fewest
    pairs with which the test can reach ALPHA after Holm. few: the numbers of pairs, sorted, of comparisons that have fewer.
    """

    close: frozenset[str]
    told: bool
    needed: int
    few: tuple[int, ...]


def closeness(values: Mapping[str, Mapping[int, float]], best: str) -> Closeness:
    """Compare every column with the best one: Wilcoxon signed-rank over the seeds both have, Holm over these columns.

    values: by column and seed, at least two columns. A comparison with too few pairs to be significant whatever its values
    says nothing, so its column is not close.
    """
    others = [column for column in values if column != best]
    needed = fewest_pairs(len(others))
    compared = family(
        compare_pairs(values[best], values[column], names=(best, column), over="seeds", choices=QUICK, missing=())
        for column in others
    )
    told = [pair for pair in compared if pair.test.n >= needed]
    return Closeness(
        close=frozenset(pair.b for pair in told if pair.p_holm is None or pair.p_holm >= ALPHA),
        told=bool(told),
        needed=needed,
        few=tuple(sorted({pair.test.n for pair in compared if pair.test.n < needed})),
    )


def fewest_pairs(tests: int) -> int:
    """The fewest pairs with which a two-sided exact test can give p < ALPHA after Holm over so many tests (at least one).

    Unanimous pairs give p = 2 ** (1 - pairs), which Holm multiplies by the number of tests: 6 pairs for one test, 8 for five.
    """
    return 1 + math.ceil(math.log2(tests / ALPHA))
