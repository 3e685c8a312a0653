"""A hierarchy from Python objects: pairs, a mapping, paths, a graph, or none at all."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from hmc.data.hierarchy_file import Labelling, of_edges, of_entries
from hmc.hierarchy import ROOT, Hierarchy, HierarchyError, from_edges

FORMS = (
    "a Hierarchy, (parent, child) pairs, a mapping from parents to children, paths, a frame with the columns parent and child, "
    "or a directed graph with edges from parent to child"
)
_RELATIONS = {"is_a", "part_of"}
"""Keys of a graph's edges as obonet has them; these lead from child to parent, and others between terms of equal rank."""


def labelling_of(hierarchy: Any, labels: Iterable[str]) -> Labelling:
    """The hierarchy that an object describes, its root unevaluated, and how labels name its nodes. Names are compared as text.

    hierarchy: one of FORMS; None for no hierarchy but a root above the labels. A mapping may hold mappings. A graph is one of
    networkx; of one that obonet has read, the relations is_a and part_of count, which lead from child to parent. labels: the
    labels that rows carry. Several tops get a root above them, called "root".

    Raises HierarchyError for another object, or where it describes no hierarchy.

    >>> found = labelling_of({"animal": ["cat", "dog"], "cat": ["tiger"]}, [])
    >>> found.hierarchy.names
    ('animal', 'cat', 'dog', 'tiger')
    """
    found = _labelling(hierarchy, labels)
    # Every row has the root, whatever it is called.
    evaluated = found.hierarchy.evaluated & (found.hierarchy.parents.counts > 0)
    return dataclasses.replace(found, hierarchy=dataclasses.replace(found.hierarchy, evaluated=evaluated))


def _labelling(hierarchy: Any, labels: Iterable[str]) -> Labelling:
    if hierarchy is None:
        names = sorted(set(map(str, labels)))
        if ROOT in names:
            raise HierarchyError(f"the name {ROOT!r} is kept for the node that is added above all labels; rename that label")
        flat = from_edges([ROOT, *names], [(ROOT, name) for name in names])
        return Labelling(flat, flat.index, "edges")
    if isinstance(hierarchy, Hierarchy):
        return Labelling(hierarchy, hierarchy.index, "edges")
    if isinstance(hierarchy, Mapping):
        return of_edges(list(_nested(hierarchy)))
    if hasattr(hierarchy, "edges"):
        return of_edges(list(_of_graph(hierarchy)))
    if hasattr(hierarchy, "columns"):
        if not {"parent", "child"} <= set(hierarchy.columns):
            shown = ", ".join(map(str, hierarchy.columns))
            raise HierarchyError(f"a frame as hierarchy must have the columns parent and child, got {shown}; rename them")
        return of_edges([_pair(*pair) for pair in zip(hierarchy["parent"], hierarchy["child"], strict=True)])
    if isinstance(hierarchy, str) or not isinstance(hierarchy, Iterable):
        raise HierarchyError(f"hierarchy must be {FORMS}, got {type(hierarchy).__name__}")
    entries = list(hierarchy)
    if not entries:
        raise HierarchyError(f"hierarchy must be {FORMS}, got an empty {type(hierarchy).__name__}")
    if all(isinstance(entry, str) for entry in entries):
        return of_entries(entries, "paths", ())
    if all(isinstance(entry, (tuple, list, np.ndarray)) and len(entry) == 2 for entry in entries):
        return of_edges([_pair(parent, child) for parent, child in entries])
    raise HierarchyError(f"hierarchy must be {FORMS}, got a list with {entries[0]!r}")


def _pair(parent: Any, child: Any) -> tuple[str, str]:
    for name in (parent, child):
        if name is None or name != name:
            raise HierarchyError(f"a pair must name a parent and a child, got {parent!r} and {child!r}; remove it, or name both")
    return str(parent), str(child)


def _nested(hierarchy: Mapping[Any, Any]) -> Iterator[tuple[str, str]]:
    """Pairs of a mapping from parents to children, which may be a mapping again; a parent without any is declared."""
    for parent, children in hierarchy.items():
        below = [] if children is None else [children] if isinstance(children, str) else list(children)
        if not below:
            yield "", str(parent)
        yield from (_pair(parent, child) for child in below)
        if isinstance(children, Mapping):
            yield from _nested(children)


def _of_graph(graph: Any) -> Iterator[tuple[str, str]]:
    """Pairs of a graph of networkx. A node without edges is declared."""
    if not getattr(graph, "is_directed", lambda: True)():
        raise HierarchyError(
            "a graph as hierarchy must be directed, got one without directions; make it a DiGraph with edges from parent to child"
        )
    edges = list(graph.edges(keys=True)) if getattr(graph, "is_multigraph", lambda: False)() else list(graph.edges)
    relations = {edge[2] for edge in edges if len(edge) > 2}
    if relations & _RELATIONS:
        # As obonet reads an ontology: from child to parent.
        pairs = [(str(edge[1]), str(edge[0])) for edge in edges if edge[2] in _RELATIONS]
    else:
        pairs = [(str(edge[0]), str(edge[1])) for edge in edges]
    joined = {name for pair in pairs for name in pair}
    yield from (("", str(node)) for node in getattr(graph, "nodes", ()) if str(node) not in joined)
    yield from pairs
