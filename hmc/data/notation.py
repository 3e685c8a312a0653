"""How a list of classes writes a hierarchy down, recognised only where there is no doubt.

- ``paths``: every entry is a node's path from the first level down, 01/01/03 (FunCat and most others); the root is not written.
- ``dotted_paths``: the same with dots, 1.1.3.
- ``edges``: entries are parent/child (the Gene Ontology, and a graph in CLUS), from ``root`` or tops of any name down; a node may
  have several parents, and a name alone is a node too.
- ``edges_child_parent``: the same the other way round, child/parent, as ontologies list ``is_a``.

Guessing wrong would give every row other ancestors without a word, so where two readings are possible the user is asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hmc.hierarchy import ROOT, HierarchyError, short

DOT = "."
SLASH = "/"


def notation(entries: Sequence[str], labels: Iterable[str], *, names_stand_for_paths: bool = False) -> str:
    """``paths`` or ``edges``, where entries and labels leave no doubt.

    entries: the classes as listed. labels: those that rows carry, as written; looked at only where the entries leave a doubt.
    names_stand_for_paths: whether a label may be the last part of a path, so that a name alone says nothing about the notation.

    Raises HierarchyError, with the settings to choose from, where more than one reading is possible.
    """
    levels = max((entry.count(SLASH) for entry in entries), default=0)
    if levels == 0:
        _refuse_dots(entries)
        return "paths"
    if levels > 1:
        return "paths"
    pairs = [entry for entry in entries if SLASH in entry]
    listed = set(pairs)
    firsts = {entry.partition(SLASH)[0] for entry in pairs}
    if ROOT in firsts:
        return "edges"
    seconds = {entry.partition(SLASH)[2] for entry in pairs}
    alone = {entry for entry in entries if SLASH not in entry}
    written_as_edges = False
    alone_only = bool(pairs)
    for label in labels:
        alone_only &= label in firsts
        # A node of edges has no slash in its name.
        if SLASH in label or (names_stand_for_paths and label.replace(DOT, SLASH) in listed):
            return "paths"
        written_as_edges |= not names_stand_for_paths and label in seconds and label not in firsts | alone | {ROOT}
    if _has_circle(pairs):
        return "paths"
    if written_as_edges:
        _refuse_unknown_direction(firsts - seconds, seconds - firsts, alone)
        return "edges"
    # Paths of which no row has a second level may be child/parent pairs.
    childless = alone_only and not names_stand_for_paths and firsts != alone and not alone
    if seconds & (firsts | alone | {ROOT}) or len(seconds) < len(pairs) or childless:
        raise HierarchyError(
            f"the classes can be read as paths of two levels or as pairs, such as {short(_example(pairs, firsts, seconds))}; say "
            "which: dataset.labels=paths, edges (parent/child) or edges_child_parent"
        )
    return "paths"


def _has_circle(pairs: Sequence[str]) -> bool:
    """Whether the pairs cannot be edges, since some name would be above itself; 1/1 is such a pair."""
    above: dict[str, int] = {}
    below: dict[str, list[str]] = {}
    for pair in pairs:
        first, _, second = pair.partition(SLASH)
        above[second] = above.get(second, 0) + 1
        above.setdefault(first, 0)
        below.setdefault(first, []).append(second)
    free = [name for name, count in above.items() if not count]
    taken = 0
    while free:
        taken += 1
        for name in below.get(free.pop(), ()):
            above[name] -= 1
            if not above[name]:
                free.append(name)
    return taken < len(above)


def _example(pairs: Sequence[str], firsts: set[str], seconds: set[str]) -> str:
    """A pair of which one name is both above and below others, where there is one."""
    return next((pair for pair in pairs if pair.partition(SLASH)[2] in firsts), pairs[0])


def _refuse_unknown_direction(tops: set[str], bottoms: set[str], alone: set[str]) -> None:
    """Raises HierarchyError unless the pairs can only be parent/child: below one top, or below tops that are listed alone."""
    if (len(tops) == 1 and len(bottoms) > 1) or (tops <= alone and not bottoms <= alone):
        return
    raise HierarchyError(
        f"the classes are pairs, and either {_shown(tops)} or {_shown(bottoms)} may be at the top; say which: "
        "dataset.labels=edges (parent/child) or edges_child_parent"
    )


def _shown(names: set[str]) -> str:
    listed = sorted(names)
    return ", ".join(short(name) for name in listed[:3]) + (f" and {len(listed) - 3} more" if len(listed) > 3 else "")


def _refuse_dots(entries: Sequence[str]) -> None:
    """Raises HierarchyError where dots may separate levels: where two entries are the same up to the first dot."""
    begun: dict[str, str] = {}
    for entry in entries:
        first = entry.partition(DOT)[0]
        other = begun.setdefault(first, entry)
        if other != entry and first:
            raise HierarchyError(
                f"the dots in {short(entry)} and {short(other)} may separate levels or be parts of names; say which: "
                "dataset.labels=dotted_paths or paths"
            )
