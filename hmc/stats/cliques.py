"""Largest groups of things that belong together pair by pair."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence


def maximal_cliques(names: Sequence[str], joined: Callable[[str, str], bool]) -> tuple[tuple[str, ...], ...]:
    """Every largest set of two or more names of which each pair is joined, in the order of ``names``.

    names: all different. joined: asked once a pair, the earlier name first. A pair that is joined is in at least one set, and no
    set lies within another. Bron and Kerbosch's algorithm (1973) with a pivot.

    >>> together = {("a", "c"), ("b", "c")}
    >>> maximal_cliques("abc", lambda first, second: (first, second) in together)
    (('a', 'c'), ('b', 'c'))
    """
    neighbours: list[set[int]] = [set() for _ in names]
    for first in range(len(names)):
        for second in range(first + 1, len(names)):
            if joined(names[first], names[second]):
                neighbours[first].add(second)
                neighbours[second].add(first)
    found = sorted(tuple(sorted(clique)) for clique in _extended(frozenset(), set(range(len(names))), set(), neighbours))
    return tuple(tuple(names[place] for place in clique) for clique in found if len(clique) > 1)


def _extended(
    clique: frozenset[int], candidates: set[int], excluded: set[int], neighbours: Sequence[set[int]]
) -> Iterator[frozenset[int]]:
    """The maximal cliques that hold ``clique``, any of the candidates, and none of the excluded."""
    if not candidates and not excluded:
        yield clique
        return
    pivot = max(candidates | excluded, key=lambda place: len(neighbours[place] & candidates))
    for place in sorted(candidates - neighbours[pivot]):
        yield from _extended(clique | {place}, candidates & neighbours[place], excluded & neighbours[place], neighbours)
        candidates = candidates - {place}
        excluded = excluded | {place}
