"""From what a class attribute lists, and the labels of each row, to a hierarchy and a closed label matrix.

See :mod:`hmc.data.notation` for how classes are listed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from hmc.data.arff import ArffError, ArffTable
from hmc.data.notation import DOT, SLASH
from hmc.hierarchy import ROOT, Hierarchy, HierarchyError, from_edges, short

SEPARATOR = DOT
"""Between the parts of a path in a node's name (as in the released program)."""
DEEPEST = 100
"""Levels that a path may have (ours; the benchmark's have 6): a node's name holds all of them, so that a hierarchy's names need
memory as the square of its depth.
"""


def nodes_by_label(entries: Sequence[str], written: str, hierarchy: Hierarchy) -> dict[str, int]:
    """From each label that a row may carry, as written, to its node's place in the hierarchy that these entries list.

    Not by names alone: 1.1 is the name of the node that is written 1/1, and no way to write it.
    """
    if written.startswith("edges"):
        return hierarchy.index
    separator = _separator(written)
    places = {ROOT: hierarchy.root}
    for entry in entries:
        # From the longest upper part up, until one is known: then so are those above it.
        while entry and entry not in places:
            places[entry] = hierarchy.index[_name_of(entry, separator)]
            entry = entry.rpartition(separator)[0]
    return places


def hierarchy_of(entries: Sequence[str], written: str, unevaluated: Sequence[str] = (ROOT,)) -> Hierarchy:
    """The hierarchy that the class attribute lists, in the released program's node order.

    entries: as in ArffTable.class_entries; written: one of the notations of :mod:`hmc.data.notation`.
    Order: paths by (number of parts, name), the root among the first-level names; edges by (shortest distance to the root, name).
    Above several tops a root is added; a single one is the root, whatever its name.

    Raises HierarchyError for an entry that is neither a path nor an edge, a cycle, a node without a path to the root.
    """
    if padded := next((entry for entry in entries if any(part != part.strip(" \t") for part in entry.split(SLASH))), None):
        raise HierarchyError(f"the class {short(padded)} must have no blanks beside a slash; remove them")
    if written == "dotted_paths" and any(SLASH in entry for entry in entries) and not any(DOT in entry for entry in entries):
        raise HierarchyError(
            f"dataset.labels=dotted_paths must have paths such as 1.1, got {short(entries[0])}; set dataset.labels=paths"
        )
    if written.startswith("edges"):
        return _from_edges(entries, unevaluated, swapped=written == "edges_child_parent")
    return _from_paths(entries, unevaluated, _separator(written))


def label_matrix(table: ArffTable, hierarchy: Hierarchy, places: Mapping[str, int]) -> np.ndarray:
    """bool [rows, nodes], closed under ancestors. places: see :func:`nodes_by_label`.

    Raises ArffError for a label that the hierarchy lacks.
    """
    labels = np.zeros((table.rows, len(hierarchy)), dtype=bool)
    for row, names in enumerate(table.labels):
        for label in names:
            place = places.get(label)
            if place is None:
                raise ArffError(
                    table.path,
                    int(table.lines[row]),
                    f"the label {short(label)} is not in the hierarchy of line {table.class_line}; add it there or correct it",
                )
            labels[row, place] = True
    return hierarchy.close(labels)


def described(hierarchy: Hierarchy, written: str) -> str:
    """What was read, for messages: "499 nodes, 6 levels below 'root', read as paths"."""
    levels, top = int(hierarchy.depth.max()), short(hierarchy.names[hierarchy.root])
    return f"{len(hierarchy)} nodes, {levels} {'level' if levels == 1 else 'levels'} below {top}, read as {written}"


def added_root(entries: Sequence[str], written: str, hierarchy: Hierarchy) -> bool:
    """Whether the root is not among the entries of a list of edges but was added above their several tops."""
    if not written.startswith("edges"):
        return False
    return not any(ROOT in entry.split(SLASH) for entry in entries) and hierarchy.names[hierarchy.root] == ROOT


def _separator(written: str) -> str:
    return DOT if written == "dotted_paths" else SLASH


def _from_paths(entries: Sequence[str], unevaluated: Sequence[str], separator: str) -> Hierarchy:
    paths: dict[str, None] = {}
    for entry in entries:
        parts = entry.split(separator)
        if not all(parts):
            raise HierarchyError(
                f"the class {short(entry)} lacks a name before or after a {separator!r}; write the name, or remove the separator"
            )
        if len(parts) > DEEPEST:
            raise HierarchyError(f"the class {short(entry)} has {len(parts)} levels; at most {DEEPEST} are read, so shorten it")
        if parts[0] == ROOT and len(parts) > 1:
            raise HierarchyError(
                f"the class {short(entry)} starts at {ROOT!r}; leave that out of paths, or set dataset.labels=edges "
                "if these are parent/child pairs"
            )
        # A path whose upper part is not listed brings it along.
        while entry and entry != ROOT and entry not in paths:
            paths[entry] = None
            entry = entry.rpartition(separator)[0]
    # Sorted by name, then by level, which keeps that order within a level.
    ordered = sorted([ROOT, *paths], key=lambda path: _name_of(path, separator))
    ordered.sort(key=lambda path: path.count(separator))
    edges = ((_name_of(path.rpartition(separator)[0], separator) or ROOT, _name_of(path, separator)) for path in paths)
    return from_edges([_name_of(path, separator) for path in ordered], edges, unevaluated=unevaluated)


def _name_of(path: str, separator: str) -> str:
    return path.replace(separator, SEPARATOR)


def _from_edges(entries: Sequence[str], unevaluated: Sequence[str], *, swapped: bool) -> Hierarchy:
    names: dict[str, None] = {}
    below: set[str] = set()
    for entry in entries:
        parts = entry.split(SLASH)
        if len(parts) > 2 or not all(parts):
            raise HierarchyError(
                f"the class {short(entry)} must be a pair such as parent/child, or a name; set dataset.labels=paths if these are "
                "paths"
            )
        names |= dict.fromkeys(parts)
        if len(parts) == 2:
            below.add(parts[0 if swapped else 1])
    tops = [name for name in names if name not in below]
    added = len(tops) > 1 and ROOT not in names
    if ROOT in below and tops:
        pair = next(entry for entry in entries if entry.split(SLASH)[0 if swapped else -1] == ROOT and SLASH in entry)
        raise HierarchyError(
            f"{ROOT!r} is below {short(pair.split(SLASH)[1 if swapped else 0])}; remove the edge that leads to {ROOT!r}, or set "
            f"dataset.labels={'edges' if swapped else 'edges_child_parent'} if that is how the pairs are written"
        )

    def edges() -> Iterator[tuple[str, str]]:
        # Split again each time: pairs of names need several times the memory of the entries.
        for first, separator, second in (entry.partition(SLASH) for entry in entries):
            if separator:
                yield (second, first) if swapped else (first, second)
        if added:
            yield from ((ROOT, top) for top in tops)

    if added:
        names[ROOT] = None
    found = from_edges(list(names), edges(), unevaluated=unevaluated)
    del names, below
    order = sorted(range(len(found)), key=lambda node: (found.depth[node], found.names[node]))
    return from_edges([found.names[node] for node in order], edges(), unevaluated=unevaluated)
