"""Hierarchies in files of their own, for tables and images."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hmc.data import hierarchy_file
from hmc.data.catalog import DataError
from hmc.hierarchy import Hierarchy

Write = Callable[..., Path]


def edges_of(hierarchy: Hierarchy) -> set[tuple[str, str]]:
    pairs = zip(hierarchy.parents.indices, hierarchy.parents.owners, strict=True)
    return {(hierarchy.names[parent], hierarchy.names[child]) for parent, child in pairs}


def test_nodes_of_a_csv_keep_its_order_and_the_root_comes_first_where_it_is_not_placed(write: Write) -> None:
    found = hierarchy_file.read(write("parent,child\nB,D\nA,C\nroot,B\nroot,A\n", "h.csv"), "auto", ())
    assert found.hierarchy.names == ("root", "D", "C", "B", "A")
    assert edges_of(found.hierarchy) == {("B", "D"), ("A", "C"), ("root", "B"), ("root", "A")}
    placed = hierarchy_file.read(write("child,parent\nA,root\nroot,\nB,root\n", "h.csv"), "auto", ())
    assert placed.hierarchy.names == ("A", "root", "B")
    assert placed.notes == ()


def test_a_root_is_added_above_several_tops_and_said(write: Write) -> None:
    found = hierarchy_file.read(write("parent\tchild\nA\tB\nX\tB\n", "h.tsv"), "auto", ())
    assert found.hierarchy.names == ("root", "A", "X", "B")
    assert edges_of(found.hierarchy) == {("root", "A"), ("root", "X"), ("A", "B"), ("X", "B")}
    assert "2 nodes are below no other, so a root was added above them: 4 nodes, 2 levels below 'root'" in found.notes[0]
    single = hierarchy_file.read(write("parent,child\nthing,A\n", "h.csv"), "auto", ())
    assert single.hierarchy.names[single.hierarchy.root] == "thing"
    assert "2 nodes, 1 level below 'thing'" in single.notes[0]


def test_labels_of_paths_are_whole_dotted_or_their_last_part(write: Write) -> None:
    found = hierarchy_file.read(write("animal/cat\nanimal/dog/poodle\nplant/dog\n", "h.txt"), "auto", ("cat",))
    for label in ("animal/dog", "animal.dog"):
        assert found.hierarchy.names[found.place(label, "t.csv:2")] == "animal.dog"
    assert found.hierarchy.names[found.place("poodle", "t.csv:2")] == "animal.dog.poodle"
    with pytest.raises(DataError, match=r"t\.csv:2: the label 'dog' is the last part of several nodes' paths"):
        found.place("dog", "t.csv:2")
    with pytest.raises(DataError, match=r"'poodel' names no node of the hierarchy \(did you mean 'poodle'\?\); correct the row"):
        found.place("poodel", "t.csv:2")


def test_a_hash_belongs_to_a_name_unless_it_begins_the_line(write: Write) -> None:
    assert hierarchy_file.entries_of(write("# things\nItem #1\n  # more\nItem#2\n", "h.txt")) == ["Item #1", "Item#2"]
    with pytest.raises(DataError, match=r"h\.txt:2: 'b # a letter' may end in a comment; put the comment on a line of its own"):
        hierarchy_file.entries_of(write("a\nb # a letter\n", "h.txt"))


def test_mulans_labels_within_labels(write: Write) -> None:
    xml = (
        '<labels xmlns="http://mulan.sourceforge.net/labels"><label name="a"><label name="b"/><label name="c"/></label></labels>'
    )
    found = hierarchy_file.read(write(xml, "labels.xml"), "auto", ())
    assert found.hierarchy.names == ("a", "b", "c")
    two = hierarchy_file.read(write('<labels><label name="a"/><label name="b"/></labels>', "labels.xml"), "auto", ())
    assert two.hierarchy.names == ("root", "a", "b")


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("h.txt", "# nothing\n\n", r"h\.txt: the hierarchy is empty"),
        ("h.txt", b"a\n\xff", r"h\.txt:2: byte 0xff is not UTF-8"),
        ("h.txt", "thing/animal\nanimal/cat\n", r"h\.txt: the classes can be read as paths of two levels or as pairs"),
        ("h.txt", "a/b/c\na//d\n", r"h\.txt: the class 'a//d' lacks a name"),
        ("h.csv", "parent,child\n", r"h\.csv: the hierarchy is empty"),
        ("h.csv", "above,below\na,b\n", r"h\.csv:1: the hierarchy must have the columns parent and child, got 'above, below'"),
        ("h.csv", "parent,child\na,\n", r"h\.csv:2: the child is empty"),
        ("h.csv", "parent,child\na,b\nb,a\n", r"h\.csv: every node has a parent, so there is no root and the edges form a cycle"),
        ("h.csv", "parent,child\na,b,c\n", r"h\.csv:2 has 3 fields, but the header has 2"),
        ("h.csv", "parent,child\nroot,a\nX,b\n", r"h\.csv: 2 nodes have no parent \('X', 'root'\)|\('root', 'X'\)"),
        ("h.xml", "<labels><label/></labels>", r"h\.xml: the labels must be elements <label name=\.\.\.>, got <label>"),
        ("h.xml", "<labels>", r"h\.xml: it cannot be read as XML"),
    ],
)
def test_what_cannot_be_read_is_one_line_with_the_file(write: Write, name: str, text: str | bytes, words: str) -> None:
    with pytest.raises(DataError, match=words) as raised:
        hierarchy_file.read(write(text, name), "auto", ("cat",))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("name", "text", "labels", "words"),
    [
        ("h.txt", "animal / cat\nanimal\n", "auto", "must have no blanks beside a slash"),
        ("h.txt", "life\n  animal\n    cat\n", "auto", r"h\.txt:2: 'animal' must not be indented"),
        ("h.txt", "a\na/b\n", "dotted_paths", "must have paths such as 1.1, got 'a'"),
        ("h.csv", "parent,child\na,b\n", "edges_child_parent", "is for text files"),
    ],
)
def test_what_would_be_read_otherwise_than_it_is_meant_is_refused(tmp_path, name, text, labels, words):
    (tmp_path / name).write_text(text)
    with pytest.raises(DataError, match=words):
        hierarchy_file.read(tmp_path / name, labels, {"cat", "b"})
