"""How a hierarchy is written is recognised where there is no doubt, and asked for where there is."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hmc.data.class_attribute import hierarchy_of, nodes_by_label
from hmc.data.notation import notation
from hmc.hierarchy import HierarchyError

CLUS = ["A", "A/B", "A/D", "B/C", "D/C"]
"""A graph as CLUS's manual writes it: tops alone, then parent/child."""
OWN_TOP = ["GO1/GO2", "GO2/GO3", "GO1/GO4"]


@pytest.mark.parametrize(
    ("entries", "labels", "expected"),
    [
        (["01", "01/01"], ["01"], "paths"),
        (["1/1/1", "1/2"], [], "paths"),
        (["root/A", "A/B/C"], [], "paths"),
        (["root/A", "A/B"], [], "edges"),
        (["root/A", "A", "A/B"], [], "edges"),
        (["1/1", "1/2", "2/1"], ["1/1"], "paths"),
        (["animal/cat", "plant/fern"], ["animal", "animal/cat"], "paths"),
        (CLUS, ["C", "A"], "edges"),
        (OWN_TOP, ["GO3"], "edges"),
        (["A", "X", "A/B", "X/C"], ["B"], "edges"),
        (["1", "2", "none"], ["1"], "paths"),
        (["v1", "w1.5"], ["v1"], "paths"),
        # No name can be above itself.
        (["1", "1/1", "1/2", "2", "2/1"], ["1", "2"], "paths"),
        (["a", "a/b", "b/c", "c/b"], ["c"], "paths"),
    ],
)
def test_what_leaves_no_doubt_is_recognised(entries: list[str], labels: list[str], expected: str) -> None:
    assert notation(entries, labels) == expected


@pytest.mark.parametrize(
    ("entries", "labels", "words"),
    [
        (CLUS, ["A", "B"], "paths of two levels or as pairs, such as 'A/B'; say which: dataset.labels=paths, edges"),
        (OWN_TOP, ["GO2"], "such as 'GO1/GO2'"),
        (["cat/animal", "dog/animal", "animal/root"], ["cat", "animal"], "edges_child_parent"),
        (["1/3", "1/2", "2/4"], ["1", "2"], "paths of two levels or as pairs"),
        (["cat/animal", "dog/animal"], ["cat"], "paths of two levels or as pairs"),
        (["cat/animal", "dog/animal"], ["animal"], "either 'cat', 'dog' or 'animal' may be at the top"),
        # As child/parent all ancestors would be lost.
        (["cat/animal", "oak/plant"], ["cat", "oak"], "paths of two levels or as pairs"),
        (["a/b", "b/c"], ["c"], "either 'a' or 'c' may be at the top"),
        (["1", "1.1", "1.1.2", "2"], ["1.1"], "the dots in '1.1' and '1' may separate levels"),
        (["1.1.2", "1.1.3"], [], "dataset.labels=dotted_paths or paths"),
    ],
)
def test_what_could_be_either_is_asked_for(entries: list[str], labels: list[str], words: str) -> None:
    with pytest.raises(HierarchyError, match=re.escape(words)) as raised:
        notation(entries, labels)
    assert "\n" not in str(raised.value)


def test_the_last_part_of_a_path_says_nothing_where_it_may_stand_for_the_path() -> None:
    assert notation(["animal/cat", "plant/fern"], ["cat"], names_stand_for_paths=True) == "paths"
    assert notation(["1/2", "2/1"], ["1.2"], names_stand_for_paths=True) == "paths"
    with pytest.raises(HierarchyError, match="say which"):
        notation(["thing/animal", "animal/cat"], ["cat"], names_stand_for_paths=True)


NAMES = st.sampled_from("ABCDE")


@given(st.lists(st.tuples(NAMES, NAMES), min_size=1, max_size=8, unique=True), st.lists(NAMES, max_size=4))
def test_a_recognised_reading_reads_every_label_that_any_reading_does(pairs: list[tuple[str, str]], labels: list[str]) -> None:
    """Pairs that are read as paths although rows name what only pairs have would refuse those rows, and the other way round."""
    entries = [f"{one}/{other}" for one, other in pairs]
    try:
        found = notation(entries, labels)
    except HierarchyError:
        return
    known = {}
    for written in ("paths", "edges"):
        try:
            known[written] = set(nodes_by_label(entries, written, hierarchy_of(entries, written)))
        except HierarchyError:
            known[written] = set()
    readable = {label for label in labels if label in known["paths"] | known["edges"]}
    assert readable <= known[found] or not known[found]
