"""Random hierarchies and closed label matrices for property tests, and the dense definitions to hold the fast code against."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from hmc.hierarchy import Hierarchy, from_edges


@st.composite
def hierarchies(draw: st.DrawFn, max_nodes: int = 14, trees_only: bool = False) -> Hierarchy:
    """A tree or directed acyclic graph under ``root``, its nodes in shuffled order."""
    count = draw(st.integers(2, max_nodes))
    names = ["root", *(f"n{place}" for place in range(1, count))]
    edges = []
    for place in range(1, count):
        most = 1 if trees_only else min(3, place)
        parents = draw(st.sets(st.integers(0, place - 1), min_size=1, max_size=most))
        edges += [(names[parent], names[place]) for parent in sorted(parents)]
    order = draw(st.permutations(names))
    return from_edges(order, draw(st.permutations(edges)))


@st.composite
def closed_labels(draw: st.DrawFn, hierarchy: Hierarchy, rows: int) -> np.ndarray:
    """bool [rows, nodes], closed under ancestors."""
    chosen = draw(
        st.lists(st.lists(st.booleans(), min_size=len(hierarchy), max_size=len(hierarchy)), min_size=rows, max_size=rows)
    )
    return hierarchy.close(np.array(chosen, dtype=bool).reshape(rows, len(hierarchy)))


def dense_closure(hierarchy: Hierarchy) -> np.ndarray:
    """bool [nodes, nodes]: entry (i, j) says that j is i or below it. By repeated squaring, independent of the class's own
    code.
    """
    reach = np.eye(len(hierarchy), dtype=bool)
    reach[hierarchy.parents.indices, hierarchy.parents.owners] = True
    for _ in range(len(hierarchy)):
        reach = (reach.astype(int) @ reach.astype(int)) > 0
    return reach
