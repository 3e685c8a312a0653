"""From the hierarchical ARFF files of a dataset's splits to its parsed form."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from hmc.data import arff, class_attribute, preprocess
from hmc.data.dataset import SPLITS, Encoded
from hmc.data.notation import notation
from hmc.hierarchy import ROOT, Hierarchy, HierarchyError, short


def read_files(paths: Mapping[str, Path], labels: str = "auto") -> Encoded:
    """The parsed form of one dataset's files.

    paths: the file of each split; train and test at least. labels: how the class attribute lists the hierarchy.
    The training file's header decides: the other files must have the same attributes and the same hierarchy.
    """
    train = arff.read(paths["train"])
    tables = {split: train if split == "train" else _sharing(arff.read(path), train) for split, path in paths.items()}
    for table in tables.values():
        _check_header(table, train)
    try:
        carried = (label for table in tables.values() for row in set(table.labels) for label in row)
        written = notation(train.class_entries, carried) if labels == "auto" else labels
        hierarchy = class_attribute.hierarchy_of(train.class_entries, written)
    except HierarchyError as error:
        raise arff.ArffError(train.path, train.class_line, str(error)) from None
    places = class_attribute.nodes_by_label(train.class_entries, written, hierarchy)
    names = preprocess.feature_names(train.attributes)
    features = {split: np.zeros((0, len(names))) for split in SPLITS}
    closed = {split: np.zeros((0, len(hierarchy)), dtype=bool) for split in SPLITS}
    ids: dict[str, tuple[str, ...]] = dict.fromkeys(SPLITS, ())
    for split, table in tables.items():
        features[split] = preprocess.encode(table, train.attributes)
        closed[split] = class_attribute.label_matrix(table, hierarchy, places)
        ids[split] = table.ids
    notes = tuple(_notes(tables, hierarchy, written))
    return Encoded(hierarchy.names, hierarchy.parents, names, features, closed, ids, written, notes)


def _notes(tables: Mapping[str, arff.ArffTable], hierarchy: Hierarchy, written: str) -> Iterator[str]:
    """What the user should know about how these files were read."""
    train = tables["train"]
    if class_attribute.added_root(train.class_entries, written, hierarchy):
        tops = [short(hierarchy.names[node]) for node in hierarchy.children.of(hierarchy.root)]
        shown = ", ".join(tops[:5]) + (", ..." if len(tops) > 5 else "")
        yield (
            f"{train.path}: {len(tops)} classes are below no other ({shown}), so a root was added above them: "
            f"{class_attribute.described(hierarchy, written)}"
        )
    elif written.startswith("edges") and hierarchy.names[hierarchy.root] != ROOT:
        yield f"{train.path}: the classes are pairs below one top: {class_attribute.described(hierarchy, written)}"
    if train.left_out:
        others = f" and {', '.join(map(short, train.left_out[1:]))}" if len(train.left_out) > 1 else ""
        yield (
            f"{train.path}: {short(train.left_out[0])}{others} {'are' if others else 'is'} left out of the features"
            f"; {short(train.left_out[0])} names the rows"
        )
    for table in tables.values():
        unknown = preprocess.undeclared(table, train.attributes)
        if unknown:
            rows = sum(count for _, _, count in unknown)
            name, value, count = unknown[0]
            yield (
                f"{table.path}: {rows} {'entry has a value' if rows == 1 else 'entries have values'} that {train.path} does not "
                f"declare, such as {short(name)}={short(value)} ({count} {'row' if count == 1 else 'rows'}); they are read as "
                "none of the declared values"
            )


def _sharing(table: arff.ArffTable, train: arff.ArffTable) -> arff.ArffTable:
    """The same table, but with the training file's list of classes where it is equal: that may be most of what a file holds."""
    return dataclasses.replace(table, class_entries=train.class_entries) if table.class_entries == train.class_entries else table


def _check_header(table: arff.ArffTable, train: arff.ArffTable) -> None:
    """That a split's file has the training file's attributes (by name, order and kind) and hierarchy."""
    if len(table.attributes) != len(train.attributes):
        raise arff.ArffError(
            table.path,
            table.class_line,
            f"it has {len(table.attributes)} attributes besides the class, but {train.path} has {len(train.attributes)}; "
            "all splits need the same",
        )
    for place, (own, wanted) in enumerate(zip(table.attributes, train.attributes, strict=True), start=1):
        if own.name != wanted.name or (own.values is None) != (wanted.values is None):
            raise arff.ArffError(
                table.path,
                own.line,
                f"attribute {place} is {short(own.name)} ({_kind(own)}), but in {train.path} it is {short(wanted.name)} "
                f"({_kind(wanted)}); "
                "all splits need the same",
            )
    if table.class_entries != train.class_entries and (different := set(table.class_entries) ^ set(train.class_entries)):
        entry = min(different)
        here = "lists" if entry in table.class_entries else "lacks"
        raise arff.ArffError(
            table.path,
            table.class_line,
            f"the hierarchy {here} {short(entry)}, unlike that of {train.path}:{train.class_line}; all splits need the same",
        )


def _kind(attribute: arff.Attribute) -> str:
    return "numeric" if attribute.values is None else "nominal"
