"""Terms of an ontology: relations, alternative ids, obsolete terms, namespaces."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hmc.data import hierarchy_file, ontology
from hmc.data.catalog import DataError
from hmc.settings import TabularSettings

pytest.importorskip("obonet")
OBO = """format-version: 1.2
ontology: small

[Term]
id: GO:1
name: process
namespace: biological_process

[Term]
id: GO:2
name: growth
namespace: biological_process
alt_id: GO:22
is_a: GO:1 ! process

[Term]
id: GO:3
name: cell growth
namespace: biological_process
is_a: GO:2 ! growth
relationship: part_of GO:1 ! process
relationship: regulates GO:5

[Term]
id: GO:4
name: old
namespace: biological_process
is_obsolete: true
replaced_by: GO:3

[Term]
id: GO:5
name: function
namespace: molecular_function

[Term]
id: GO:6
name: binding
namespace: molecular_function
is_a: GO:5
relationship: part_of GO:2
"""


@pytest.fixture
def obo(write: Callable[..., Path]) -> Path:
    return write(OBO, "go.obo")


def test_is_a_and_part_of_make_children_and_others_do_not(obo: Path) -> None:
    terms = ontology.read(obo)
    assert terms.parents["GO:3"] == ("GO:2", "GO:1")
    assert terms.parents["GO:6"] == ("GO:5", "GO:2")
    assert "GO:4" not in terms.parents
    assert terms.alternative == {"GO:22": "GO:2"}
    assert ontology.read(obo, relations=("is_a",)).parents["GO:3"] == ("GO:2",)


def test_only_terms_that_rows_carry_and_those_above_are_kept(obo: Path) -> None:
    found = hierarchy_file.read(obo, "auto", {"GO:22"})
    assert found.hierarchy.names == ("GO:1", "GO:2")
    assert found.hierarchy.names[found.place("GO:22", "t:2")] == "GO:2"
    assert "2 of 5 terms are kept" in found.notes[0]
    both = hierarchy_file.read(obo, "auto", {"GO:6"})
    assert both.hierarchy.names == ("root", "GO:1", "GO:5", "GO:2", "GO:6")
    assert both.hierarchy.parents.of(4).tolist() == [2, 3]


def test_a_namespace_leaves_the_others_out(obo: Path) -> None:
    settings = TabularSettings(namespaces=("molecular_function",))
    found = hierarchy_file.read(obo, "auto", {"GO:6", "GO:2"}, settings)
    assert found.hierarchy.names == ("GO:5", "GO:6")
    with pytest.raises(DataError, match=r"t:2: the label 'GO:2' is in the namespace biological_process, which .* leaves out"):
        found.place("GO:2", "t:2")
    with pytest.raises(DataError, match=r"no term has the namespace 'cellular', only 'biological_process', 'molecular_function'"):
        hierarchy_file.read(obo, "auto", {"GO:6"}, TabularSettings(namespaces=("cellular",)))


def test_an_obsolete_term_is_told_with_its_replacement(obo: Path) -> None:
    found = hierarchy_file.read(obo, "auto", {"GO:3", "GO:4"})
    with pytest.raises(DataError, match=r"t:2: the label 'GO:4' is obsolete \(the ontology names GO:3 in its place\)"):
        found.place("GO:4", "t:2")


@pytest.mark.parametrize("text", [b"\xff\xfe", "hello\n", "", "[Term]\nid: GO:1\nname: a\nis_obsolete: true\n"])
def test_what_is_not_an_ontology_is_one_line(write: Callable[..., Path], text: str | bytes) -> None:
    with pytest.raises(DataError, match=r"go\.obo: ") as raised:
        hierarchy_file.read(write(text, "go.obo"), "auto", {"GO:1"})
    assert "\n" not in str(raised.value)


def test_an_ontology_that_no_row_uses_is_told(obo: Path) -> None:
    with pytest.raises(DataError, match=r"go\.obo: no row carries a term of this ontology"):
        hierarchy_file.read(obo, "auto", {"cat"})
