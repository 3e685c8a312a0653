"""Largest sets of things that are joined pair by pair, against trying every set."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from hmc.stats.cliques import maximal_cliques

NAMES = "abcdefgh"
PAIRS = list(itertools.combinations(NAMES, 2))


def by_trying_all(names: str, pairs: set[tuple[str, str]]) -> set[tuple[str, ...]]:
    """Every joined set that no larger joined set holds."""
    joined = [
        one
        for size in range(2, len(names) + 1)
        for one in itertools.combinations(names, size)
        if set(itertools.combinations(one, 2)) <= pairs
    ]
    return {one for one in joined if not any(set(one) < set(other) for other in joined)}


@given(st.sets(st.sampled_from(PAIRS)), st.integers(0, len(NAMES)))
def test_they_are_those_that_trying_every_set_finds(pairs: set[tuple[str, str]], count: int) -> None:
    names = NAMES[:count]
    within = {pair for pair in pairs if set(pair) <= set(names)}
    found = maximal_cliques(names, lambda first, second: (first, second) in pairs)
    assert set(found) == by_trying_all(names, within)
    assert len(set(found)) == len(found)
    assert list(found) == sorted(found)


@given(st.sets(st.sampled_from(PAIRS)))
def test_every_joined_pair_is_in_one_and_no_other_pair_is(pairs: set[tuple[str, str]]) -> None:
    found = maximal_cliques(NAMES, lambda first, second: (first, second) in pairs)
    assert {pair for clique in found for pair in itertools.combinations(clique, 2)} == pairs


def test_the_order_is_that_of_the_names_and_each_pair_is_asked_for_in_it() -> None:
    asked = []

    def joined(first: str, second: str) -> bool:
        asked.append((first, second))
        return True

    assert maximal_cliques(("late", "early", "middle"), joined) == (("late", "early", "middle"),)
    assert asked == [("late", "early"), ("late", "middle"), ("early", "middle")]


def test_thirty_methods_of_which_none_differs_are_one_set_at_once() -> None:
    names = [f"method_{place}" for place in range(30)]
    assert maximal_cliques(names, lambda first, second: True) == (tuple(names),)
    assert maximal_cliques(names, lambda first, second: False) == ()
