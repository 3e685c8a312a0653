"""From what a class attribute lists, and the labels of each row, to a hierarchy and a closed label matrix.

Two notations exist. ``paths``: every entry is a node's path from the first level down, 01/01/03 (FunCat and most others); the
root is not written. ``edges``: every entry is parent/child (Gene Ontology), from ``root`` down, and a node may have several
parents.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hmc.data.arff import ArffError, ArffTable
from hmc.hierarchy import ROOT, Hierarchy, HierarchyError, from_edges

SEPARATOR = "."
"""Between the parts of a path in a node's name (as in the released program)."""


def notation(entries: Sequence[str]) -> str:
    """'edges' when every entry is parent/child and the root is among the parents, else 'paths'."""
    pairs = [entry.split("/") for entry in entries]
    return "edges" if all(len(pair) == 2 for pair in pairs) and any(pair[0] == ROOT for pair in pairs) else "paths"


def node_name(label: str, written: str) -> str:
    """The name of the node that a label as written in the file stands for."""
    return SEPARATOR.join(label.split("/")) if written == "paths" else label


def hierarchy_of(entries: Sequence[str], written: str, unevaluated: Sequence[str] = (ROOT,)) -> Hierarchy:
    """The hierarchy that the class attribute lists, in the released program's node order.

    entries: as in ArffTable.class_entries; written: 'paths' or 'edges' (see :func:`notation`).
    Order: paths by (number of parts, name), the root among the first-level names; edges by (shortest distance to the root, name).

    Raises HierarchyError for an entry that is no path or no edge, a cycle, a node without a path to the root.
    """
    return _from_paths(entries, unevaluated) if written == "paths" else _from_edges(entries, unevaluated)


def label_matrix(table: ArffTable, hierarchy: Hierarchy, written: str) -> np.ndarray:
    """bool [rows, nodes], closed under ancestors. Raises ArffError for a label that the hierarchy lacks."""
    labels = np.zeros((table.rows, len(hierarchy)), dtype=bool)
    for row, names in enumerate(table.labels):
        for label in names:
            place = hierarchy.index.get(node_name(label, written))
            if place is None:
                raise ArffError(
                    table.path,
                    int(table.lines[row]),
                    f"the label {label!r} is not in the hierarchy of line {table.class_line}; add it there or correct it",
                )
            labels[row, place] = True
    return hierarchy.close(labels)


def _from_paths(entries: Sequence[str], unevaluated: Sequence[str]) -> Hierarchy:
    paths: dict[tuple[str, ...], None] = {}
    for entry in entries:
        parts = tuple(entry.split("/"))
        if not all(parts):
            raise HierarchyError(f"the class {entry!r} is no path: between, before and after slashes there must be a name")
        # A path whose upper part is not listed brings it along.
        paths.update(dict.fromkeys(parts[:length] for length in range(1, len(parts) + 1)))
    paths.pop((ROOT,), None)
    below_root = next((path for path in paths if path[0] == ROOT), None)
    if below_root:
        raise HierarchyError(
            f"the class {'/'.join(below_root)!r} starts at {ROOT!r}; leave that out of paths, or set dataset.labels=edges "
            "if these are parent/child pairs"
        )
    keys = [(1, ROOT), *((len(path), SEPARATOR.join(path)) for path in paths)]
    ordered = [name for _, name in sorted(keys)]
    edges = [(SEPARATOR.join(path[:-1]) or ROOT, SEPARATOR.join(path)) for path in paths]
    return from_edges(ordered, edges, unevaluated=unevaluated)


def _from_edges(entries: Sequence[str], unevaluated: Sequence[str]) -> Hierarchy:
    edges = []
    for entry in entries:
        parts = entry.split("/")
        if len(parts) != 2 or not all(parts):
            raise HierarchyError(f"the class {entry!r} is no edge parent/child; set dataset.labels=paths if these are paths")
        edges.append((parts[0], parts[1]))
    names = list(dict.fromkeys(name for edge in edges for name in edge))
    hierarchy = from_edges(names, edges, unevaluated=unevaluated)
    ordered = sorted(names, key=lambda name: (hierarchy.depth[hierarchy.index[name]], name))
    return from_edges(ordered, edges, unevaluated=unevaluated)
