from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hmc.data import arff
from hmc.data.arff import ArffError
from hmc.data.class_attribute import hierarchy_of, label_matrix, nodes_by_label
from hmc.data.notation import notation
from hmc.hierarchy import Hierarchy, HierarchyError
from tests.strategies import closed_labels, dense_closure, hierarchies


def edges_of(hierarchy: Hierarchy) -> set[tuple[str, str]]:
    parents, children = hierarchy.parents.indices, hierarchy.parents.owners
    return {(hierarchy.names[parent], hierarchy.names[child]) for parent, child in zip(parents, children, strict=True)}


def test_paths_get_a_root_among_the_first_level_names() -> None:
    hierarchy = hierarchy_of(["20", "01", "01/03", "01/03/05", "x"], "paths")
    assert hierarchy.names == ("01", "20", "root", "x", "01.03", "01.03.05")
    assert edges_of(hierarchy) == {("root", "01"), ("root", "20"), ("root", "x"), ("01", "01.03"), ("01.03", "01.03.05")}
    assert hierarchy.evaluated.tolist() == [True, True, False, True, True, True]


def test_a_child_before_its_parent_and_a_parent_that_is_not_listed() -> None:
    hierarchy = hierarchy_of(["000/00", "000", "4/6/2"], "paths")
    assert set(hierarchy.names) == {"root", "000", "000.00", "4", "4.6", "4.6.2"}
    assert ("4.6", "4.6.2") in edges_of(hierarchy)


def test_edges_are_ordered_by_shortest_distance_then_name() -> None:
    hierarchy = hierarchy_of(["root/B", "B/D", "root/C", "D/A", "C/A", "D/E"], "edges", ("root", "C", "elsewhere"))
    assert hierarchy.names == ("root", "B", "C", "A", "D", "E")
    assert edges_of(hierarchy) == {("root", "B"), ("B", "D"), ("root", "C"), ("D", "A"), ("C", "A"), ("D", "E")}
    assert [name for name, scored in zip(hierarchy.names, hierarchy.evaluated, strict=True) if not scored] == ["root", "C"]


def test_a_root_is_added_above_several_tops_and_a_single_one_is_the_root() -> None:
    several = hierarchy_of(["A/B", "X/B", "alone"], "edges")
    assert several.names == ("root", "A", "X", "alone", "B")
    assert edges_of(several) == {("root", "A"), ("root", "X"), ("root", "alone"), ("A", "B"), ("X", "B")}
    single = hierarchy_of(["A/B", "B/C", "A"], "edges")
    assert single.names[single.root] == "A"
    assert edges_of(single) == {("A", "B"), ("B", "C")}


def test_pairs_the_other_way_round() -> None:
    hierarchy = hierarchy_of(["cat/animal", "dog/animal", "animal/root"], "edges_child_parent")
    assert edges_of(hierarchy) == {("animal", "cat"), ("animal", "dog"), ("root", "animal")}


def test_dotted_paths_are_the_same_hierarchy_as_paths(write: Callable[..., Path]) -> None:
    slashes = ["1", "1/1", "1/1/2", "2/1"]
    dots = [entry.replace("/", ".") for entry in slashes]
    one, other = hierarchy_of(slashes, "paths"), hierarchy_of(dots, "dotted_paths")
    assert one.names == other.names
    assert edges_of(one) == edges_of(other)
    table = read(write, ",".join(dots), "1.1.2@2")
    assert labels_of(table, "dotted_paths").sum() == 5


@pytest.mark.parametrize(
    ("entries", "written", "words"),
    [
        (["1", "1//2"], "paths", "'1//2' lacks a name before or after a '/'"),
        (["root/1", "1/2/3"], "paths", "dataset.labels=edges"),
        (["root/A", "A/B/C"], "edges", "must be a pair .* dataset.labels=paths"),
        (["root/A", "/B"], "edges", "'/B' must be a pair"),
        (["root/A", "A/B", "B/A"], "edges", "cycle"),
        (["root/A", "B/C"], "edges", "path to it"),
        (["root/A", "X/B", "B/root"], "edges", "'root' is below 'B'; .* dataset.labels=edges_child_parent"),
        (["A/root", "root/B"], "edges_child_parent", "'root' is below 'B'; .* dataset.labels=edges "),
        (["1..2", "1"], "dotted_paths", "lacks a name before or after a '.'"),
        (["1.1", "1", "1/1"], "paths", "named twice"),
    ],
)
def test_what_cannot_be_a_hierarchy_is_refused(entries: list[str], written: str, words: str) -> None:
    with pytest.raises(HierarchyError, match=words):
        hierarchy_of(entries, written)


def read(write: Callable[..., Path], entries: str, *labels: str) -> arff.ArffTable:
    rows = "\n".join(f"1,{label}" for label in labels)
    return arff.read(write(f"@relation r\n@attribute a numeric\n@attribute class hierarchical {entries}\n@data\n{rows}\n"))


def labels_of(table: arff.ArffTable, written: str) -> np.ndarray:
    hierarchy = hierarchy_of(table.class_entries, written)
    return label_matrix(table, hierarchy, nodes_by_label(table.class_entries, written, hierarchy))


def test_labels_are_closed_under_ancestors(write: Callable[..., Path]) -> None:
    table = read(write, "1,1/1,1/1/2,2", "1/1/2", "2", "1@2", "root")
    hierarchy = hierarchy_of(table.class_entries, "paths")
    matrix = labels_of(table, "paths")
    named = [{hierarchy.names[node] for node in np.flatnonzero(row)} for row in matrix]
    assert named == [{"root", "1", "1.1", "1.1.2"}, {"root", "2"}, {"root", "1", "2"}, {"root"}]


def test_a_label_of_a_dag_brings_all_ancestors(write: Callable[..., Path]) -> None:
    table = read(write, "root/A,root/B,A/C,B/C", "C", "A")
    assert labels_of(table, "edges").sum(axis=1).tolist() == [4, 2]


def test_an_unknown_label_names_its_line(write: Callable[..., Path]) -> None:
    table = read(write, "1,1/1", "1", "1/2")
    with pytest.raises(ArffError, match=r"file\.arff:6: the label '1/2' is not in the hierarchy of line 3"):
        labels_of(table, "paths")


def test_a_nodes_name_is_no_way_to_write_its_label(write: Callable[..., Path]) -> None:
    table = read(write, "1/1,2.5/3", "1/1", "2.5/3@2.5")
    hierarchy = hierarchy_of(table.class_entries, "paths")
    assert labels_of(table, "paths")[:, hierarchy.index["2.5.3"]].tolist() == [False, True]
    for label in ("1.1", "2/5/3", "root/1"):
        with pytest.raises(ArffError, match="not in the hierarchy"):
            labels_of(read(write, "1/1,2.5/3", label), "paths")


def test_a_path_of_many_levels_is_refused_before_it_fills_the_memory() -> None:
    assert len(hierarchy_of(["/".join(["1"] * 100)], "paths")) == 101
    with pytest.raises(HierarchyError, match="has 50000 levels; at most 100"):
        hierarchy_of(["/".join(["1"] * 50_000)], "paths")


@given(st.data())
def test_any_dag_written_as_edges_comes_back(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    drawn = data.draw(hierarchies())
    labels = data.draw(closed_labels(drawn, 3))
    labels[:, drawn.root] = True
    entries = [f"{parent}/{child}" for parent, child in sorted(edges_of(drawn))]
    path = tmp_path_factory.mktemp("edges") / "file.arff"
    rows = "\n".join("1," + "@".join(drawn.names[node] for node in np.flatnonzero(row)) for row in labels)
    path.write_text(f"@relation r\n@attribute a numeric\n@attribute class hierarchical {','.join(entries)}\n@data\n{rows}\n")
    table = arff.read(path)
    hierarchy = hierarchy_of(table.class_entries, notation(table.class_entries, ()))
    assert edges_of(hierarchy) == edges_of(drawn)
    assert list(hierarchy.names) == sorted(drawn.names, key=lambda name: (drawn.depth[drawn.index[name]], name))
    order = [drawn.index[name] for name in hierarchy.names]
    np.testing.assert_array_equal(labels_of(table, "edges"), labels[:, order])


@given(st.data())
def test_closing_adds_exactly_the_ancestors(data: st.DataObject) -> None:
    hierarchy = data.draw(hierarchies())
    rows = data.draw(st.lists(st.lists(st.booleans(), min_size=len(hierarchy), max_size=len(hierarchy)), min_size=1, max_size=4))
    labels = np.array(rows)
    np.testing.assert_array_equal(hierarchy.close(labels), labels.astype(int) @ dense_closure(hierarchy).T > 0)
