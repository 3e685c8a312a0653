"""Any dataset of tables as files that other programs read: CSV, or ARFF with one 0/1 attribute a label (as MEKA has it).

The hierarchy goes into ``edges.csv``, and a card, ``<name>.yaml``, says how the files are read here: the same arrays come back.
"""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from hmc.data.catalog import DataError
from hmc.data.dataset import SPLITS, Encoded
from hmc.data.load import load_encoded
from hmc.files import replacing, write_atomically
from hmc.hierarchy import Hierarchy, from_edges
from hmc.settings import DatasetSettings, RuntimeSettings, folder_name

FORMATS = ("csv", "arff")
SEPARATORS = ("@", ";", "|")


def export(datasets: Sequence[DatasetSettings], runtime: RuntimeSettings, folder: Path, form: str = "csv") -> pd.DataFrame:
    """Write datasets and return one row a file: dataset, file.

    form: csv, or arff. Raises DataError for a dataset of images, or names that the format cannot hold; and as :func:`load`.
    """
    written = []
    for card in datasets:
        own = folder / folder_name(card.name)
        written += [(card.name, str(path)) for path in _export(card, load_encoded(card, runtime), own, form)]
    return pd.DataFrame(written, columns=["dataset", "file"])


def _export(card: DatasetSettings, found: Encoded, folder: Path, form: str) -> list[Path]:
    if not found.feature_names:
        raise DataError(f"{card.name}: images cannot be exported as tables; use a dataset of tables")
    if len(set(found.feature_names)) < len(found.feature_names):
        raise DataError(
            f"{card.name}: two features have the same name, so they cannot be columns; rename one in the dataset's files"
        )
    hierarchy = _hierarchy(found)
    edges = folder / "edges.csv"
    write_atomically(edges, _edges(hierarchy))
    unevaluated = [name for name in dict.fromkeys((*card.unevaluated, *card.optional_unevaluated)) if name in found.names]
    about = {"name": f"{card.name}_exported", "kind": "table", "title": f"{card.title or card.name}, exported", "group": "own"}
    lines = [f"{key}: {_quoted(value)}" for key, value in about.items()]
    lines += [f"unevaluated: [{', '.join(map(_quoted, unevaluated))}]"]
    if form == "csv":
        file, settings = _csv(card.name, found, hierarchy, folder)
        files = [file]
        lines += [f"train: {_quoted(file.name)}"]
    else:
        by_split, settings = _arff(card.name, found, hierarchy, folder)
        files = list(by_split.values())
        lines += [f"{split}: {_quoted(path.name)}" for split, path in by_split.items()]
    lines += ["table:", *(f"  {key}: {_quoted(value)}" for key, value in {**settings, "hierarchy": edges.name}.items())]
    card_file = folder / f"{folder.name}.yaml"
    write_atomically(card_file, "\n".join(lines) + "\n")
    return [*files, edges, card_file]


def _hierarchy(found: Encoded) -> Hierarchy:
    pairs = zip(found.parents.indices.tolist(), found.parents.owners.tolist(), strict=True)
    return from_edges(found.names, ((found.names[parent], found.names[child]) for parent, child in pairs))


def _edges(hierarchy: Hierarchy) -> str:
    """Each node's parents in node order, so that reading them gives that order; the root's is empty."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("parent", "child"))
    for child, name in enumerate(hierarchy.names):
        for parent in hierarchy.parents.of(child).tolist() or [None]:
            writer.writerow(("" if parent is None else hierarchy.names[parent], name))
    return text.getvalue()


def _quoted(text: str) -> str:
    """A text as YAML has it."""
    return "'" + text.replace("'", "''") + "'"


def _free(name: str, taken: Sequence[str]) -> str:
    """The name of a further column."""
    while name in taken:
        name += "_"
    return name


def _csv(name: str, found: Encoded, hierarchy: Hierarchy, folder: Path) -> tuple[Path, dict[str, str]]:
    separator = next((one for one in SEPARATORS if not any(one in node for node in hierarchy.names)), None)
    broken = [node for node in hierarchy.names if node != node.strip() or node[:1] == "[" or node == "?"]
    if separator is None or broken:
        why = f"the node {broken[0]!r}" if broken else f"nodes with each of {' '.join(SEPARATORS)} in their names"
        raise DataError(f"{name}: {why} cannot be written in a column of joined labels; use format=arff")
    labels, split_column = _free("labels", found.feature_names), _free("split", found.feature_names)
    ids = _free("id", found.feature_names) if any(found.ids.values()) else ""
    path = folder / f"{folder.name}.csv"
    with replacing(path) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow([*([ids] if ids else []), *found.feature_names, labels, split_column])
        for split in SPLITS:
            names = found.ids[split] or ("",) * len(found.labels[split])
            specific = most_specific(found.labels[split], hierarchy)
            for own, values, carried in zip(names, found.features[split].tolist(), specific, strict=True):
                cells = ["" if value != value else repr(value) for value in values]
                joined = separator.join(hierarchy.names[node] for node in np.flatnonzero(carried))
                writer.writerow([*([own] if ids else []), *cells, joined, split])
        text.detach()
    settings = {"labels": labels, "label_separator": separator, "split": split_column}
    return path, settings | ({"id": ids} if ids else {})


def _arff(name: str, found: Encoded, hierarchy: Hierarchy, folder: Path) -> tuple[dict[str, Path], dict[str, str]]:
    import arff

    # Every row carries the root, which need be said only of a row that carries nothing else.
    alone = any((labels.sum(axis=1) == 1).any() for labels in found.labels.values())
    nodes = [node for node in range(len(hierarchy)) if alone or node != hierarchy.root]
    columns = [hierarchy.names[node] for node in nodes]
    prefix = ""
    if set(columns) & set(found.feature_names):
        # Attributes need different names: enron has words and nodes that are called 1.
        prefix = "label:"
        while any(feature.startswith(prefix) for feature in found.feature_names):
            prefix += ":"
        columns = [prefix + column for column in columns]
    ids = _free("id", [*columns, *found.feature_names]) if any(found.ids.values()) else ""
    attributes = [
        *((column, ["0", "1"]) for column in columns),
        *([(ids, "STRING")] if ids else []),
        *((feature, "NUMERIC") for feature in found.feature_names),
    ]
    header = {"relation": f"{name}: -C {len(nodes)}", "attributes": attributes}
    # liac-arff writes some names, such as those with quotes, in a way that nobody reads back.
    try:
        read = arff.loads(arff.dumps({**header, "data": [[None] * len(attributes)]}))["attributes"]
    except arff.ArffException:
        read = []
    lost = [own for own, other in itertools.zip_longest(attributes, read) if own != other]
    if lost:
        raise DataError(f"{name}: the name {lost[0][0]!r} cannot be written as ARFF; use format=csv")
    paths = {}
    for split in SPLITS:
        if not len(found.labels[split]):
            continue
        names = found.ids[split] or (None,) * len(found.labels[split])
        rows = [
            [*("01"[mark] for mark in carried), *([own] if ids else []), *(None if value != value else value for value in values)]
            for own, values, carried in zip(
                names, found.features[split].tolist(), found.labels[split][:, nodes].astype(int).tolist(), strict=True
            )
        ]
        paths[split] = folder / f"{folder.name}.{split}.arff"
        write_atomically(paths[split], arff.dumps({**header, "data": rows}))
    return paths, ({"label_prefix": prefix} if prefix else {}) | ({"id": ids} if ids else {})


def most_specific(labels: np.ndarray, hierarchy: Hierarchy) -> np.ndarray:
    """The labels of which no child is a label of the row, bool [rows, nodes]. labels: closed under ancestors."""
    specific = labels.copy()
    for child, parent in zip(hierarchy.parents.owners.tolist(), hierarchy.parents.indices.tolist(), strict=True):
        specific[:, parent] &= ~labels[:, child]
    return specific
