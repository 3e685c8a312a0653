"""From what a class attribute lists, and the labels of each row, to a hierarchy and a closed label matrix.

Two notations exist. ``paths``: every entry is a node's path from the first level down, 01/01/03 (FunCat and most others); the
root is not written. ``edges``: every entry is parent/child (Gene Ontology), from ``root`` down, and a node may have several
parents.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from hmc.data.arff import ArffError, ArffTable
from hmc.hierarchy import ROOT, Hierarchy, HierarchyError, from_edges, short

SEPARATOR = "."
"""Between the parts of a path in a node's name (as in the released program)."""
DEEPEST = 100
"""Levels that a path may have (ours; the benchmark's have 6): a node's name holds all of them, so that a hierarchy's names need
memory as the square of its depth.
"""


def notation(entries: Sequence[str]) -> str:
    """'edges' when every entry is parent/child and the root is among the parents, else 'paths'."""
    pairs = [entry.split("/") for entry in entries]
    return "edges" if all(len(pair) == 2 for pair in pairs) and any(pair[0] == ROOT for pair in pairs) else "paths"


def nodes_by_label(entries: Sequence[str], written: str, hierarchy: Hierarchy) -> dict[str, int]:
    """From each label that a row may carry, as written, to its node's place in the hierarchy that these entries list.

    Not by names alone: 1.1 is the name of the node that is written 1/1, and no way to write it.
    """
    if written == "edges":
        return hierarchy.index
    places = {ROOT: hierarchy.root}
    for entry in entries:
        # From the longest upper part up, until one is known: then so are those above it.
        while entry and entry not in places:
            places[entry] = hierarchy.index[_name_of(entry)]
            entry = entry.rpartition("/")[0]
    return places


def hierarchy_of(entries: Sequence[str], written: str, unevaluated: Sequence[str] = (ROOT,)) -> Hierarchy:
    """The hierarchy that the class attribute lists, in the released program's node order.

    entries: as in ArffTable.class_entries; written: 'paths' or 'edges' (see :func:`notation`).
    Order: paths by (number of parts, name), the root among the first-level names; edges by (shortest distance to the root, name).

    Raises HierarchyError for an entry that is no path or no edge, a cycle, a node without a path to the root.
    """
    return _from_paths(entries, unevaluated) if written == "paths" else _from_edges(entries, unevaluated)


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


def _from_paths(entries: Sequence[str], unevaluated: Sequence[str]) -> Hierarchy:
    paths: dict[str, None] = {}
    for entry in entries:
        parts = entry.split("/")
        if not all(parts):
            raise HierarchyError(
                f"the class {short(entry)} is no path: a name is missing before or after a slash; write it, or remove the slash"
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
            entry = entry.rpartition("/")[0]
    # Sorted by name, then by level, which keeps that order within a level.
    ordered = sorted([ROOT, *paths], key=_name_of)
    ordered.sort(key=lambda path: path.count("/"))
    edges = ((_name_of(path.rpartition("/")[0]) or ROOT, _name_of(path)) for path in paths)
    return from_edges([_name_of(path) for path in ordered], edges, unevaluated=unevaluated)


def _name_of(path: str) -> str:
    return path.replace("/", SEPARATOR)


def _from_edges(entries: Sequence[str], unevaluated: Sequence[str]) -> Hierarchy:
    names: dict[str, None] = {}
    for entry in entries:
        parts = entry.split("/")
        if len(parts) != 2 or not all(parts):
            raise HierarchyError(f"the class {short(entry)} is no edge parent/child; set dataset.labels=paths if these are paths")
        names |= dict.fromkeys(parts)

    def edges() -> Iterator[tuple[str, str]]:
        # Split again each time: pairs of names need several times the memory of the entries.
        return ((parent, child) for parent, _, child in (entry.partition("/") for entry in entries))

    found = from_edges(list(names), edges(), unevaluated=unevaluated)
    top = found.names[found.root]
    if top != ROOT and ROOT in names:
        raise HierarchyError(f"{ROOT!r} is below {short(top)}, which has no parent; remove the edge that leads to {ROOT!r}")
    del names
    order = sorted(range(len(found)), key=lambda node: (found.depth[node], found.names[node]))
    return from_edges([found.names[node] for node in order], edges(), unevaluated=unevaluated)
