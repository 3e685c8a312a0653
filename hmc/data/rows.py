"""New rows, to be scored by what was trained on others: the same features, from a file in which labels may be missing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hmc.data import arff, preprocess, sheet, table
from hmc.data.arff import ArffError, Attribute
from hmc.data.catalog import DataError
from hmc.hierarchy import short
from hmc.settings import DatasetSettings


@dataclass(frozen=True, eq=False)
class Rows:
    """features: float64 [rows, features], NaN where missing, categories one-hot.

    ids: each row's name, empty where the file has none. notes: what the user should know about the reading.
    """

    features: np.ndarray
    ids: tuple[str, ...]
    notes: tuple[str, ...] = ()


def read_rows(path: Path | str, dataset: DatasetSettings, like: Sequence[str]) -> Rows:
    """The rows of a file, with the features of a dataset that was trained on.

    dataset: says how its files are read (``kind``, ``table``). like: the names of the features, as in Dataset.feature_names; the
    file must have the columns that they come from, in any order, and no others but labels and the names of rows.

    Raises ArffError or DataError, one line that names file and row or column; OSError where the file cannot be opened.
    """
    path = Path(path)
    if dataset.kind == "table":
        return _of_table(path, dataset, like)
    if dataset.kind == "arff":
        return _of_arff(path, like)
    raise DataError(f"{path}: rows can be read for datasets of ARFF files and tables, not of kind {dataset.kind}")


def _of_table(path: Path, dataset: DatasetSettings, like: Sequence[str]) -> Rows:
    settings = dataset.table
    own = sheet.read(path, settings.separator)
    labels = {*settings.label_columns, *own.labels}
    labels |= {name for name in own.cells if settings.label_prefix and name.startswith(settings.label_prefix)}
    attributes = attributes_of(like, list(own.cells), path)
    wanted = {attribute.name for attribute in attributes}
    # MULAN's labels are told by a file beside, which is not needed here: they hold 0 and 1, and are not features.
    others = table.no_features(settings, labels)
    for name in own.cells:
        if name not in wanted and name not in others and not (settings.hierarchy.endswith(".xml") and name in own.declared):
            raise DataError(
                f"{path}: the column {short(name)} is not among the features that were trained on; remove it, or set id={name} "
                "if it names the rows"
            )
    features, notes = table.encode(own, attributes)
    return Rows(features, tuple(own.cells.get(settings.id, ())), tuple(notes))


def _of_arff(path: Path, like: Sequence[str]) -> Rows:
    own = arff.read(path, labelled=False)
    places = {attribute.name: place for place, attribute in enumerate(own.attributes)}
    attributes = attributes_of(like, list(places), path)
    for attribute in own.attributes:
        if attribute.name not in {wanted.name for wanted in attributes}:
            raise ArffError(
                path,
                attribute.line,
                f"the attribute {short(attribute.name)} is not among the features that were trained on; remove it",
            )
    blocks = []
    notes = []
    for wanted in attributes:
        found, column = own.attributes[places[wanted.name]], own.columns[places[wanted.name]]
        if (found.values is None) != (wanted.values is None):
            kinds = ("numeric", "nominal") if found.values is None else ("nominal", "numeric")
            raise ArffError(
                path,
                found.line,
                f"the attribute {short(found.name)} is {kinds[0]}, but was {kinds[1]} in training; correct its type",
            )
        if found.values is None or wanted.values is None:
            blocks.append(column[:, None])
            continue
        blocks.append(preprocess.one_hot(column, found.values, wanted.values))
        unknown = int(sum(code >= 0 and found.values[code] not in wanted.values for code in column))
        if unknown:
            notes.append(
                f"{path}: {unknown} rows have a value of {short(found.name)} that training did not declare; it is left out"
            )
    return Rows(np.concatenate(blocks, axis=1, dtype=np.float64), own.ids, tuple(notes))


def attributes_of(like: Sequence[str], columns: Sequence[str], path: Path | str) -> list[Attribute]:
    """The columns that features come from: numeric ones have a feature's name, categorical ones begin several."""
    return list(_grouped(like, set(columns), path))


def _grouped(like: Sequence[str], columns: set[str], path: Path | str) -> Iterator[Attribute]:
    place = 0
    while place < len(like):
        name = like[place]
        if name in columns:
            yield Attribute(name)
            place += 1
            continue
        # A category's name may itself hold an equals sign.
        candidates = [name[:at] for at, letter in enumerate(name) if letter == "="]
        column = next((candidate for candidate in candidates if candidate in columns), None)
        if column is None:
            raise DataError(
                f"{path}: it lacks the column {short(candidates[0] if candidates else name)}, which was trained on; add it"
            )
        end = place
        while end < len(like) and like[end].startswith(f"{column}="):
            end += 1
        yield Attribute(column, tuple(feature.removeprefix(f"{column}=") for feature in like[place:end]))
        place = end
