"""What the tests of a report have in common."""

from __future__ import annotations

import math

from hmc.stats.pairwise import Choices

ALPHA = 0.05
"""The level of every test in tables and figures (ours)."""
QUICK = Choices(resamples=0)
"""Two-sided tests without intervals: tables and matrices have hundreds of pairs."""


def fewest_pairs(tests: int, level: float = ALPHA) -> int:
    """The fewest pairs with which a two-sided exact test can give p < level after Holm over so many tests (at least one).

    Unanimous pairs give p = 2 ** (1 - pairs), which Holm multiplies by the number of tests.

    >>> fewest_pairs(1), fewest_pairs(5)
    (6, 8)
    """
    return 2 + math.floor(math.log2(tests / level))
