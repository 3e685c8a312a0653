"""A hierarchy in a file of its own, as tables and images have it, and how labels name its nodes.

- a text with one entry a line: paths (animal/cat) or pairs, see :mod:`hmc.data.notation`; a line that begins with # is a comment
- a CSV with the columns parent and child. An empty parent declares a child that has none. Nodes keep the order in which the file
  names them as children; those that it never does come first.
- an ontology, .obo: see :mod:`hmc.data.ontology`
- MULAN's labels, .xml: labels within labels

Above several tops a root is added; a single one is the root, whatever its name.
"""

from __future__ import annotations

import difflib
import xml.etree.ElementTree
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hmc.data import ontology
from hmc.data.catalog import DataError
from hmc.data.class_attribute import added_root, described, hierarchy_of, nodes_by_label
from hmc.data.notation import DOT, SLASH, notation
from hmc.files import csv_file
from hmc.files.utf8 import NotUtf8Error, decoded, printable
from hmc.hierarchy import ROOT, Hierarchy, HierarchyError, from_edges, short
from hmc.settings import TabularSettings

SEVERAL = -1
"""In place of a node, for a name that ends the paths of several."""
NEAREST = 20_000
"""Names among which the nearest is looked for in a message; among more it would take long (ours)."""


@dataclass(frozen=True, eq=False)
class Labelling:
    """A hierarchy and how labels name its nodes.

    places: from each way to write a label to its node's place, or SEVERAL. refused: names that no row may carry, and why.
    written: the notation. notes: what the user should know about the reading.
    """

    hierarchy: Hierarchy
    places: Mapping[str, int]
    written: str
    refused: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def place(self, label: str, at: str) -> int:
        """The node that a label names. at: file and line, for messages. Raises DataError."""
        place = self.places.get(label)
        if place is not None and place != SEVERAL:
            return place
        if place == SEVERAL:
            why = "is the last part of several nodes' paths; write the whole path"
        elif label in self.refused:
            why = self.refused[label]
        else:
            near = difflib.get_close_matches(label, self.places, n=1, cutoff=0.5) if len(self.places) < NEAREST else []
            why = "names no node of the hierarchy" + (f" (did you mean {near[0]!r}?)" if near else "")
        raise DataError(f"{at}: the label {short(label)} {why}; correct the row")


def read(file: Path, labels: str, carried: Collection[str], settings: TabularSettings | None = None) -> Labelling:
    """The hierarchy in a file.

    labels: as ``dataset.labels``. carried: the labels that rows carry, which decide where a notation is in doubt and which terms
    of an ontology are kept.

    Raises DataError, naming the file, for one that cannot be read as a hierarchy; OSError where it cannot be opened.
    """
    try:
        kind = file.suffix.lower()
        if kind == ".obo":
            return _from_ontology(file, carried, settings or TabularSettings())
        if kind in (".csv", ".tsv", ".xml") and labels not in ("auto", "edges"):
            raise DataError(f"{file}: dataset.labels={labels} is for text files, and this one needs none; leave it out")
        if kind in (".csv", ".tsv"):
            return of_edges(list(_csv_edges(file)), str(file))
        if kind == ".xml":
            return of_edges(list(_mulan_edges(file)), str(file))
        return of_entries(entries_of(file), labels, carried, str(file))
    except HierarchyError as error:
        raise DataError(f"{file}: {error}") from None


def entries_of(file: Path) -> list[str]:
    """The lines of a text file that are neither empty nor comments. Raises DataError."""
    try:
        text = decoded(file.read_bytes())
    except NotUtf8Error as error:
        raise DataError(f"{file}:{error.line}: {error}; save the hierarchy as such") from None
    entries: list[str] = []
    for number, line in enumerate(text.splitlines(), start=1):
        entry = line.strip()
        if line[:1].isspace() and entry and entry[0] != "#" and entries:
            raise DataError(
                f"{file}:{number}: {short(entry)} must not be indented; write a whole path (animal/cat) or a pair a line"
            )
        if " # " in entry and entry[0] != "#":
            raise DataError(f"{file}:{number}: {short(entry)} may end in a comment; put the comment on a line of its own")
        if entry and entry[0] != "#":
            entries.append(entry)
    if not entries:
        raise DataError(f"{file}: the hierarchy is empty; write one path (animal/cat) or pair (root/animal) a line")
    return entries


def of_entries(entries: Sequence[str], labels: str, carried: Collection[str], at: str = "hierarchy") -> Labelling:
    """The hierarchy of paths or pairs, see :func:`read`. at: where they come from, for messages. Raises HierarchyError."""
    written = notation(entries, carried, names_stand_for_paths=True) if labels == "auto" else labels
    hierarchy = hierarchy_of(entries, written)
    places: dict[str, int] = {}
    if written.endswith("paths"):
        separator = DOT if written == "dotted_paths" else SLASH
        whole = nodes_by_label(entries, written, hierarchy)
        for path, place in whole.items():
            last = path.rpartition(separator)[2]
            places[last] = SEVERAL if last in places else place
        places |= hierarchy.index | whole
    else:
        places |= hierarchy.index
    notes = _notes(at, hierarchy, written, added=added_root(entries, written, hierarchy))
    return Labelling(hierarchy, places, written, notes=notes)


def _notes(at: str, hierarchy: Hierarchy, written: str, *, added: bool) -> tuple[str, ...]:
    if added:
        tops = len(hierarchy.children.of(hierarchy.root))
        return (f"{at}: {tops} nodes are below no other, so a root was added above them: {described(hierarchy, written)}",)
    if written.startswith("edges") and hierarchy.names[hierarchy.root] != ROOT:
        return (f"{at}: the pairs lie below one top: {described(hierarchy, written)}",)
    return ()


def of_edges(edges: Sequence[tuple[str, str]], at: str = "hierarchy") -> Labelling:
    """The hierarchy of pairs parent, child, with its nodes in their order; an empty parent declares a node.

    at: where they come from, for messages. Raises HierarchyError where they make no hierarchy, DataError without any.
    """
    if not edges:
        raise DataError(f"{at}: the hierarchy is empty; write one parent and child a line")
    children = dict.fromkeys(child for _, child in edges)
    above = dict.fromkeys(parent for parent, _ in edges if parent and parent not in children)
    names = [*above, *children]
    pairs = [(parent, child) for parent, child in edges if parent]
    below = {child for _, child in pairs}
    tops = [name for name in names if name not in below]
    if len(tops) > 1 and ROOT in below:
        raise HierarchyError(
            f"the name {ROOT!r} is kept for the top of the hierarchy, which is added above several nodes, got a node of that "
            "name below another; rename it"
        )
    added = len(tops) > 1 and ROOT not in names
    if added:
        names.insert(0, ROOT)
        pairs += [(ROOT, top) for top in tops]
    hierarchy = from_edges(names, pairs)
    return Labelling(hierarchy, hierarchy.index, "edges", notes=_notes(at, hierarchy, "edges", added=added))


def _csv_edges(file: Path) -> Iterator[tuple[str, str]]:
    delimiter = "\t" if file.suffix.lower() == ".tsv" else ","
    try:
        columns, lines = csv_file.read(file, "save the hierarchy as CSV in UTF-8", delimiter=delimiter)
        for name in ("parent", "child"):
            if name not in columns:
                raise DataError(
                    f"{file}:1: the hierarchy must have the columns parent and child, got {short(', '.join(columns))}; rename "
                    "them"
                )
        for number, line in lines:
            parent, child = line["parent"].strip(), line["child"].strip()
            if not child:
                raise DataError(f"{file}:{number}: the child is empty; name it, or remove the line")
            yield parent, child
    except csv_file.CsvError as error:
        raise DataError(str(error)) from None


def _mulan_edges(file: Path) -> Iterator[tuple[str, str]]:
    try:
        root = xml.etree.ElementTree.fromstring(file.read_bytes())
    except (xml.etree.ElementTree.ParseError, ValueError, LookupError) as error:
        raise DataError(f"{file}: it cannot be read as XML ({error}); save MULAN's list of labels") from None
    waiting = [("", element) for element in reversed(root)]
    while waiting:
        parent, element = waiting.pop()
        name, kind = element.get("name", "").strip(), element.tag.rpartition("}")[2]
        if kind != "label" or not name:
            raise DataError(
                f"{file}: the labels must be elements <label name=...>, got <{printable(kind)[:40]}>; save MULAN's list of labels"
            )
        yield parent, name
        waiting += [(name, below) for below in reversed(element)]


def _from_ontology(file: Path, carried: Collection[str], settings: TabularSettings) -> Labelling:
    terms = ontology.read(file, settings.relations, settings.namespaces)
    kept = terms.with_ancestors(carried)
    names = sorted(kept)
    edges = [(parent, child) for child in names for parent in sorted(terms.parents[child])]
    tops = [name for name in names if not terms.parents[name]]
    if len(tops) > 1:
        names.append(ROOT)
        edges += [(ROOT, top) for top in tops]
    if not names:
        raise DataError(
            f"{file}: no row carries a term of this ontology; correct the column of labels, or dataset.table.namespaces"
        )
    found = from_edges(names, edges)
    order = sorted(range(len(found)), key=lambda node: (found.depth[node], found.names[node]))
    hierarchy = from_edges([found.names[node] for node in order], edges)
    places = dict(hierarchy.index)
    places |= {other: hierarchy.index[name] for other, name in terms.alternative.items() if name in hierarchy.index}
    note = (
        f"{file}: {len(kept)} of {len(terms.parents)} terms are kept, those that rows carry and all above them: "
        f"{described(hierarchy, 'edges')}"
    )
    return Labelling(hierarchy, places, "edges", terms.refused, (note,))
