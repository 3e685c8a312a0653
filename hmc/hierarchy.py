"""A label hierarchy: a tree or a directed acyclic graph of nodes under one root.

Pure numpy. Everything that another module needs to know about the hierarchy (parents, children, depth, the lists of
descendants, closing a label matrix under ancestors) is computed here, once, and never as a dense nodes x nodes matrix.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

ROOT = "root"


class HierarchyError(ValueError):
    """The hierarchy is not a tree or directed acyclic graph in which every node descends from the root."""


def short(text: str) -> str:
    """A name as an error shows it: in quotes, printable, not long."""
    return repr(text if len(text) <= 60 else f"{text[:57]}...")


@dataclass(frozen=True, eq=False)
class Adjacency:
    """For each node a list of other nodes: those of node ``i`` are ``indices[offsets[i]:offsets[i + 1]]``.

    offsets: int64 [nodes + 1]; indices: int64 [entries].
    """

    offsets: np.ndarray
    indices: np.ndarray

    def of(self, node: int) -> np.ndarray:
        """The list of one node."""
        return self.indices[self.offsets[node] : self.offsets[node + 1]]

    @property
    def counts(self) -> np.ndarray:
        """The length of each node's list, int64 [nodes]."""
        return np.diff(self.offsets)

    @property
    def owners(self) -> np.ndarray:
        """For each entry of ``indices`` the node whose list it is in, int64 [entries]."""
        return np.repeat(np.arange(len(self.offsets) - 1), self.counts)


def adjacency(lists: Sequence[Sequence[int]]) -> Adjacency:
    """Pack one list of node indices per node."""
    offsets = np.zeros(len(lists) + 1, dtype=np.int64)
    np.cumsum([len(entries) for entries in lists], out=offsets[1:])
    indices = np.fromiter((index for entries in lists for index in entries), dtype=np.int64, count=int(offsets[-1]))
    return Adjacency(offsets, indices)


@dataclass(frozen=True, eq=False)
class Hierarchy:
    """Nodes in a fixed order, their parents, and which of them are evaluated.

    names: the nodes' names, in the order of every array's node axis.
    parents: each node's parents; only the root has none.
    evaluated: bool [nodes]; False for the roots, which are in the hierarchy but never scored.

    Build one with :func:`from_edges`, which checks it.
    """

    names: tuple[str, ...]
    parents: Adjacency
    evaluated: np.ndarray

    def __len__(self) -> int:
        return len(self.names)

    @cached_property
    def index(self) -> dict[str, int]:
        """From a node's name to its place."""
        return {name: place for place, name in enumerate(self.names)}

    @property
    def edges(self) -> int:
        """The number of parent-child pairs."""
        return len(self.parents.indices)

    @property
    def is_tree(self) -> bool:
        """Whether no node has two parents."""
        return bool((self.parents.counts <= 1).all())

    @cached_property
    def children(self) -> Adjacency:
        """Each node's children, in node order."""
        order = np.argsort(self.parents.indices, kind="stable")
        counts = np.bincount(self.parents.indices, minlength=len(self))
        offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        return Adjacency(offsets, self.parents.owners[order])

    @cached_property
    def depth(self) -> np.ndarray:
        """The shortest distance from the root, in edges, int64 [nodes]."""
        depth = np.full(len(self), -1, dtype=np.int64)
        depth[self.root] = 0
        frontier, distance = np.array([self.root]), 0
        while frontier.size:
            distance += 1
            reached = np.unique(np.concatenate([self.children.of(node) for node in frontier]))
            frontier = reached[depth[reached] < 0]
            depth[frontier] = distance
        return depth

    @cached_property
    def root(self) -> int:
        """The place of the one node without parents."""
        return int(np.flatnonzero(self.parents.counts == 0)[0])

    @cached_property
    def topological_order(self) -> np.ndarray:
        """All nodes, every parent before its children, int64 [nodes]."""
        return _topological_order(self.parents, self.children)

    @cached_property
    def descendants(self) -> Adjacency:
        """The closure: each node's descendants, itself first, in depth-first order, each once.

        The order makes ties well defined: of several largest descendants the first in this list wins, which is also
        what a recursive maximum over children finds.
        """
        lists: list[list[int]] = [[] for _ in self.names]
        for node in self.topological_order[::-1]:
            below = dict.fromkeys([int(node)])
            for child in self.children.of(node):
                below.update(dict.fromkeys(lists[child]))
            lists[node] = list(below)
        return adjacency(lists)

    @cached_property
    def ancestors(self) -> Adjacency:
        """Each node's ancestors, itself included, in node order."""
        order = np.argsort(self.descendants.indices, kind="stable")
        counts = np.bincount(self.descendants.indices, minlength=len(self))
        offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        return Adjacency(offsets, self.descendants.owners[order])

    def close(self, labels: np.ndarray) -> np.ndarray:
        """Add to each row all ancestors of its labels.

        labels: [rows, nodes], nonzero where the row carries the node. Returns bool [rows, nodes].
        """
        if labels.ndim != 2 or labels.shape[1] != len(self):
            raise ValueError(f"labels have shape {labels.shape}; expected [rows, {len(self)}] for this hierarchy")
        columns = np.ascontiguousarray(labels.T != 0)
        for node in self.topological_order[::-1]:
            for parent in self.parents.of(node):
                columns[parent] |= columns[node]
        return np.ascontiguousarray(columns.T)

    def is_closed(self, labels: np.ndarray) -> bool:
        """Whether every row carries all ancestors of its labels. labels: [rows, nodes]."""
        columns = np.ascontiguousarray(labels.T != 0)
        children, parents = self.parents.owners, self.parents.indices
        return not any((columns[child] & ~columns[parent]).any() for child, parent in zip(children, parents, strict=True))


def from_edges(names: Sequence[str], edges: Iterable[tuple[str, str]], *, unevaluated: Iterable[str] = (ROOT,)) -> Hierarchy:
    """A checked hierarchy.

    names: all nodes in the order wanted; exactly one of them has no parent. edges: (parent, child) pairs; a repeated pair
    counts once.
    unevaluated: names that are never scored; names that the hierarchy lacks are ignored (the released program passes
    the three roots of the Gene Ontology for every dataset).

    Raises HierarchyError for a repeated name, an edge that names an unknown node, a cycle, no root or several.
    """
    place = {name: index for index, name in enumerate(names)}
    if len(place) != len(names):
        repeated = next(name for index, name in enumerate(names) if place[name] != index)
        raise HierarchyError(f"the node {short(repeated)} is named twice; every node needs its own name")
    # Eight bytes an edge: a list of Python's for each node would need more than the file that names them.
    pairs = array("q")
    for parent, child in edges:
        for name in (parent, child):
            if name not in place:
                raise HierarchyError(
                    f"the edge {short(parent)} -> {short(child)} names {short(name)}, which is not among the nodes; add it or "
                    "remove the edge"
                )
        pairs.append(place[child] * len(names) + place[parent])
    del place
    children, above = np.divmod(np.unique(np.array(pairs)), max(1, len(names)))
    counts = np.bincount(children, minlength=len(names))
    roots = [names[index] for index in np.flatnonzero(counts == 0).tolist()]
    if len(roots) > 1:
        shown = ", ".join(short(name) for name in roots[:5])
        raise HierarchyError(
            f"{len(roots)} nodes have no parent ({shown}{', ...' if len(roots) > 5 else ''}); only the root may have "
            "none, and every other node needs a path to it"
        )
    if roots and roots[0] != ROOT and ROOT in names and ROOT in set(unevaluated):
        raise HierarchyError(
            f"the name {ROOT!r} is kept for the top of the hierarchy, got a node of that name below {short(roots[0])}; rename it"
        )
    if not roots:
        raise HierarchyError("every node has a parent, so there is no root and the edges form a cycle; remove the root's parent")
    skipped = set(unevaluated)
    hierarchy = Hierarchy(
        names=tuple(names),
        parents=Adjacency(np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), above),
        evaluated=np.array([name not in skipped for name in names]),
    )
    ordered = hierarchy.topological_order
    if len(ordered) < len(hierarchy):
        stuck = sorted(set(range(len(hierarchy))) - set(ordered.tolist()))
        cycle = [short(name) for name in _cycle(hierarchy, stuck)]
        shown = " -> ".join(cycle if len(cycle) <= 8 else [*cycle[:4], "...", *cycle[-3:]])
        raise HierarchyError(f"the edges form a cycle through {shown}; remove one of these edges")
    return hierarchy


def _topological_order(parents: Adjacency, children: Adjacency) -> np.ndarray:
    """Nodes whose parents all come before them; nodes on or below a cycle are left out."""
    waiting = parents.counts.copy()
    ready = np.flatnonzero(waiting == 0).tolist()
    order: list[int] = []
    while ready:
        order.extend(ready)
        following: list[int] = []
        for node in ready:
            for child in children.of(node).tolist():
                waiting[child] -= 1
                if waiting[child] == 0:
                    following.append(child)
        ready = following
    return np.array(order, dtype=np.int64)


def _cycle(hierarchy: Hierarchy, stuck: Sequence[int]) -> list[str]:
    """The names along one cycle, first name repeated at the end, from nodes of which each has a stuck parent."""
    among = set(stuck)
    path: list[int] = [stuck[0]]
    seen = {stuck[0]: 0}
    while True:
        above = next(int(parent) for parent in hierarchy.parents.of(path[-1]) if int(parent) in among)
        if above in seen:
            loop = [*path[seen[above] :], above]
            return [hierarchy.names[node] for node in reversed(loop)]
        seen[above] = len(path)
        path.append(above)
