import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hmc.hierarchy import Hierarchy, HierarchyError, from_edges
from tests.strategies import closed_labels, dense_closure, hierarchies

DIAMOND = [("root", "a"), ("root", "b"), ("a", "c"), ("b", "c"), ("c", "d")]


@pytest.fixture
def diamond() -> Hierarchy:
    return from_edges(["root", "a", "b", "c", "d"], DIAMOND)


def test_diamond(diamond: Hierarchy) -> None:
    assert diamond.depth.tolist() == [0, 1, 1, 2, 3]
    assert not diamond.is_tree
    assert diamond.edges == 5
    assert diamond.descendants.of(0).tolist() == [0, 1, 3, 4, 2]
    assert diamond.ancestors.of(4).tolist() == [0, 1, 2, 3, 4]
    assert diamond.evaluated.tolist() == [False, True, True, True, True]


def test_close_adds_every_ancestor(diamond: Hierarchy) -> None:
    labels = np.array([[0, 0, 0, 1, 0], [0, 1, 0, 0, 0], [0, 0, 0, 0, 0]])
    assert diamond.close(labels).astype(int).tolist() == [[1, 1, 1, 1, 0], [1, 1, 0, 0, 0], [0, 0, 0, 0, 0]]
    assert not diamond.is_closed(labels)


@given(hierarchies())
def test_closure_is_reachability(hierarchy: Hierarchy) -> None:
    dense = dense_closure(hierarchy)
    for node in range(len(hierarchy)):
        below = hierarchy.descendants.of(node)
        assert below[0] == node
        assert sorted(below) == np.flatnonzero(dense[node]).tolist()
        assert hierarchy.ancestors.of(node).tolist() == np.flatnonzero(dense[:, node]).tolist()


@given(hierarchies(), st.data())
def test_closing_is_idempotent_and_closed(hierarchy: Hierarchy, data: st.DataObject) -> None:
    labels = data.draw(closed_labels(hierarchy, 3))
    assert hierarchy.is_closed(labels)
    assert (hierarchy.close(labels) == labels).all()
    dense = dense_closure(hierarchy)
    assert (labels == (labels.astype(int) @ dense.T.astype(int) > 0)).all()


@pytest.mark.parametrize(
    ("names", "edges", "words"),
    [
        (["root", "a", "b"], [("root", "a"), ("b", "a"), ("a", "b")], ["cycle", "a", "b"]),
        (["a", "b"], [("b", "a"), ("a", "b")], ["cycle"]),
        (["root", "a"], [("root", "a"), ("a", "zebra")], ["'zebra'", "not among the nodes"]),
        (["root", "a", "lost"], [("root", "a")], ["'lost'", "path"]),
        (["root", "a", "a"], [("root", "a")], ["'a'", "twice"]),
    ],
)
def test_a_bad_hierarchy_is_named(names: list[str], edges: list[tuple[str, str]], words: list[str]) -> None:
    with pytest.raises(HierarchyError) as raised:
        from_edges(names, edges)
    for word in words:
        assert word in str(raised.value)


def test_labels_of_another_hierarchy_are_refused(diamond: Hierarchy) -> None:
    with pytest.raises(ValueError, match=r"\[rows, 5\]"):
        diamond.close(np.zeros((2, 4)))
