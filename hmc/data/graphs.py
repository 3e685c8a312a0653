"""A hierarchy from Python objects: pairs, a mapping, paths, a graph, or none at all."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from hmc.data.hierarchy_file import Labelling, of_edges, of_entries
from hmc.hierarchy import ROOT, Hierarchy, HierarchyError, from_edges

FORMS = (
    "a Hierarchy, (parent, child) pairs, a mapping from parents to children, paths, or a graph with edges from parent to child"
)


def labelling_of(hierarchy: Any, labels: Iterable[str]) -> Labelling:
    """The hierarchy that an object describes, its root unevaluated, and how labels name its nodes. Names are compared as text.

    hierarchy: one of FORMS; None for no hierarchy but a root above the labels. A graph has an attribute ``edges`` of pairs, as
    those of networkx do. labels: the labels that rows carry. Several tops get a root above them, called "root".

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
        names = sorted({*map(str, labels)} - {ROOT})
        flat = from_edges([ROOT, *names], [(ROOT, name) for name in names])
        return Labelling(flat, flat.index, "edges")
    if isinstance(hierarchy, Hierarchy):
        return Labelling(hierarchy, hierarchy.index, "edges")
    if isinstance(hierarchy, Mapping):
        return of_edges([(str(parent), str(child)) for parent, children in hierarchy.items() for child in _listed(children)])
    if hasattr(hierarchy, "edges") and not callable(hierarchy.edges):
        return of_edges([(str(edge[0]), str(edge[1])) for edge in hierarchy.edges])
    if isinstance(hierarchy, str) or not isinstance(hierarchy, Iterable):
        raise HierarchyError(f"hierarchy must be {FORMS}, got {type(hierarchy).__name__}")
    entries = list(hierarchy)
    if not entries:
        raise HierarchyError(f"hierarchy must be {FORMS}, got an empty {type(hierarchy).__name__}")
    if all(isinstance(entry, str) for entry in entries):
        return of_entries(entries, "paths", ())
    if all(isinstance(entry, (tuple, list)) and len(entry) == 2 for entry in entries):
        return of_edges([(str(parent), str(child)) for parent, child in entries])
    raise HierarchyError(f"hierarchy must be {FORMS}, got a list with {entries[0]!r}")


def _listed(children: Any) -> list[Any]:
    """The children of one parent; a text is one child and not its letters."""
    return [children] if isinstance(children, str) else list(children)
