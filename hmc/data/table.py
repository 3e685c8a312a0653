"""Tables whose rows are examples: features in columns, labels in one column or in many, the hierarchy in a file beside.

``dataset.table`` says which column is what; everything else is a feature. A column whose values are all numbers is one feature,
any other is one-hot: one feature a value of the training rows. See :mod:`hmc.data.sheet` for the files that can be read.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hmc.data import hierarchy_file, label_lists, preprocess, sheet
from hmc.data.arff import LARGEST, Attribute
from hmc.data.catalog import DataError
from hmc.data.dataset import PARTITIONS, SPLITS, Encoded
from hmc.data.hierarchy_file import Labelling
from hmc.data.sheet import Sheet
from hmc.files.utf8 import printable
from hmc.hierarchy import short
from hmc.settings import DatasetSettings, TabularSettings, did_you_mean

ENDINGS = (".csv", ".tsv", ".parquet", ".pq")
"""Of files that only a table can be."""
VERSION = 1
"""Of how files become arrays, to be raised with every change that changes a number; part of every identity."""
LABEL_SEPARATORS = ("@", ";", "|", ",")
MISSING = ("", "?")
MISSING_NUMBERS = (*MISSING, "na", "nan", "null")
"""In any case; in a column of texts these may be values."""
MOST_VALUES = 1000
"""Of a column that is not listed as categorical (ours): one with more is likely to name the rows."""
MOST_NAMED = 30
"""Columns among which a message names the nearest, or all (ours)."""
MOSTLY = 0.5
"""Share of numbers above which a column of texts is worth a note (ours)."""


def read(paths: Mapping[str, Path], hierarchy: Path, dataset: DatasetSettings) -> Encoded:
    """The parsed form of a dataset of tables.

    paths: the file of each split; train alone where it holds all rows, which are then all in train unless ``dataset.table.split``
    names a column. hierarchy: its file.

    Raises DataError, one line that names file and row, for whatever cannot be read with certainty.
    """
    settings = dataset.table
    sheets = {split: sheet.read(path, settings.separator) for split, path in paths.items()}
    train = sheets["train"]
    columns = _label_columns(train, hierarchy, settings)
    for own in sheets.values():
        _require(own, settings, columns)
    texts = {split: _labels(own, settings, columns) for split, own in sheets.items()}
    carried = {label for found in texts.values() for row in found for label in _possible(row, settings)}
    labelling = hierarchy_file.read(hierarchy, dataset.labels, carried, settings)
    labels = _label_matrices(sheets, texts, labelling, settings)
    apart = _splits(sheets, settings)
    training = apart["train"] if settings.split else np.arange(len(train))
    attributes, notes = _attributes(train, training, _feature_columns(train, settings, columns), settings)
    features, ids = {}, {}
    for split, own in sheets.items():
        _same_columns(own, attributes, settings, columns)
        features[split], found = encode(own, attributes)
        notes += found
        ids[split] = tuple(own.cells[settings.id]) if settings.id else ()
    names = preprocess.feature_names(attributes)
    repeated = next((name for name, count in Counter(names).items() if count > 1), None)
    if repeated is not None:
        raise DataError(f"{train.path}: two features would be called {short(repeated)}; rename the column")
    width, nodes = len(names), len(labelling.hierarchy)
    encoded = Encoded(
        labelling.hierarchy.names,
        labelling.hierarchy.parents,
        names,
        {split: features.get(split, np.zeros((0, width))) for split in SPLITS},
        {split: labels.get(split, np.zeros((0, nodes), dtype=bool)) for split in SPLITS},
        {split: ids.get(split, ()) for split in SPLITS},
        labelling.written,
        (*labelling.notes, *notes),
    )
    return encoded.of_rows({split: ("train", rows) for split, rows in apart.items()}) if settings.split else encoded


# --- labels ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class LabelColumn:
    """A column of 0 and 1, and the node that its ones carry."""

    name: str
    node: str


def _label_columns(train: Sheet, hierarchy: Path, settings: TabularSettings) -> list[LabelColumn]:
    """The columns of 0 and 1, where the labels are not in one column. Raises DataError unless the settings name labels once."""
    given = [key for key in ("labels", "label_columns", "label_prefix") if getattr(settings, key)]
    if len(given) > 1:
        raise DataError(f"dataset.table.{given[0]} and dataset.table.{given[1]} both say where the labels are; leave one out")
    if settings.labels:
        found = []
    elif settings.label_columns:
        found = [LabelColumn(name, name) for name in settings.label_columns]
    elif settings.label_prefix:
        prefix = settings.label_prefix
        found = [LabelColumn(name, name.removeprefix(prefix)) for name in train.cells if name.startswith(prefix)]
        if not found:
            raise DataError(f"{train.path}: no column begins with {short(prefix)}; correct dataset.table.label_prefix")
    else:
        found = _marked_columns(train, hierarchy)
    # As features they would give the answer away.
    beside = sorted(set(train.labels) - {column.name for column in found} - set(settings.ignore))
    if beside:
        raise DataError(
            f"{train.path}: the file marks {short(beside[0])} as a label, but dataset.table.{given[0]} names others; leave that "
            "out, or list it in dataset.table.ignore"
        )
    return found


def _marked_columns(train: Sheet, hierarchy: Path) -> list[LabelColumn]:
    """The columns that the file itself marks as labels, or MULAN's list of labels."""
    if train.labels:
        return [LabelColumn(name, name) for name in train.labels]
    if hierarchy.suffix.lower() == ".xml":
        listed = hierarchy_file.read(hierarchy, "auto", ()).hierarchy
        for name in listed.names:
            if name not in train.cells and name != listed.names[listed.root]:
                raise DataError(
                    f"{train.path}: no attribute is called {short(name)}, a label of {hierarchy}; correct one of them"
                )
        return [LabelColumn(name, name) for name in listed.names if name in train.cells]
    raise DataError(
        f"{train.path}: where are the labels? Set dataset.table.labels=COLUMN, dataset.table.label_columns=[...] or "
        "dataset.table.label_prefix=..."
    )


Cell = str | tuple[str, ...]
"""A row's labels: the text of its cell, or labels that are told apart already."""


def _labels(own: Sheet, settings: TabularSettings, columns: Sequence[LabelColumn]) -> list[Cell]:
    """Each row's labels. Raises DataError for a row without any, or a cell that is not 0 or 1."""
    if not settings.labels:
        marks = [_marks(own, column) for column in columns]
        rows: list[Cell] = [
            tuple(column.node for column, mark in zip(columns, row, strict=True) if mark) for row in zip(*marks, strict=True)
        ]
    else:
        rows = []
        for row, text in enumerate(own.cells[settings.labels]):
            if not label_lists.in_brackets(text):
                rows.append("" if text in MISSING else text)
                continue
            try:
                rows.append(tuple(label_lists.of_list(text)))
            except label_lists.LabelListError as error:
                raise DataError(f"{own.at(row)}: {short(text)} {error}") from None
    for row, cell in enumerate(rows):
        if not cell:
            raise DataError(_no_label(own, row))
    return rows


def _no_label(own: Sheet, row: int) -> str:
    """The message for a row without labels."""
    return f"{own.at(row)}: the row has no label; name at least the root, or remove the row"


def _marks(own: Sheet, column: LabelColumn) -> list[bool]:
    marks = []
    for row, text in enumerate(own.cells[column.name]):
        mark = {"0": False, "1": True, "0.0": False, "1.0": True, "false": False, "true": True}.get(text.lower())
        if mark is None:
            raise DataError(f"{own.at(row)}: the label column {short(column.name)} must be 0 or 1, got {short(text)}; correct it")
        marks.append(mark)
    return marks


def _possible(cell: Cell, settings: TabularSettings) -> Iterator[str]:
    """All labels that a cell may name, whatever separates them."""
    if isinstance(cell, tuple):
        yield from cell
        return
    for separator in LABEL_SEPARATORS if settings.label_separator == "auto" else (settings.label_separator,):
        yield from label_lists.joined(cell, separator)


def _label_matrices(
    sheets: Mapping[str, Sheet], texts: Mapping[str, Sequence[Cell]], labelling: Labelling, settings: TabularSettings
) -> dict[str, np.ndarray]:
    """bool [rows, nodes] of each split, closed under ancestors. Raises DataError for a label that names no node."""
    separator = settings.label_separator
    if separator == "auto":
        joined = {cell for rows in texts.values() for cell in rows if isinstance(cell, str)}
        separator = _separator(sheets["train"], joined, labelling.places)
    matrices = {}
    for split, rows in texts.items():
        labels = np.zeros((len(rows), len(labelling.hierarchy)), dtype=bool)
        for row, cell in enumerate(rows):
            names = cell if isinstance(cell, tuple) else label_lists.joined(cell, separator) if separator else [cell]
            if not names:
                raise DataError(_no_label(sheets[split], row))
            for name in names:
                try:
                    labels[row, labelling.place(name, sheets[split].at(row))] = True
                except DataError as error:
                    if settings.label_separator != "auto" or isinstance(cell, tuple):
                        raise
                    found = f"read as joined by {separator!r}" if separator else "read as one label a cell"
                    raise DataError(f"{error}; labels were {found}, else set dataset.table.label_separator") from None
        matrices[split] = labelling.hierarchy.close(labels)
    return matrices


def _separator(train: Sheet, cells: Collection[str], places: Mapping[str, int]) -> str:
    """What joins labels: empty where each cell is one label.

    Where several separators split all cells into nodes, they must split them alike. Where none does, the one that leaves the
    fewest unknown names, so that the first of these is named. Raises DataError where two readings are possible.
    """
    candidates = [candidate for candidate in LABEL_SEPARATORS if any(candidate in cell for cell in cells)]
    unknown: dict[str, int] = {}
    readings: dict[str, list[tuple[str, ...]]] = {}
    for candidate in ["", *candidates]:
        split = [tuple(label_lists.joined(cell, candidate)) if candidate else (cell,) for cell in cells]
        unknown[candidate] = sum(name not in places for names in split for name in names)
        if not unknown[candidate]:
            readings[candidate] = split
    fitting = list(readings)
    if not fitting:
        return min(unknown, key=lambda candidate: unknown[candidate])
    for other in fitting[1:]:
        if readings[other] != readings[fitting[0]]:
            raise DataError(
                f"{train.path}: the labels may be joined by {other!r} or {f'by {fitting[0]!r}' if fitting[0] else 'not at all'}; "
                f"say which: dataset.table.label_separator={other!r}"
            )
    return fitting[0]


# --- columns --------------------------------------------------------------------------------------------------------


def _require(own: Sheet, settings: TabularSettings, columns: Sequence[LabelColumn]) -> None:
    """Raises DataError where a column that the settings name is not there."""
    named = [(key, getattr(settings, key)) for key in ("labels", "id", "split") if getattr(settings, key)]
    named += [(key, name) for key in ("ignore", "categorical") for name in getattr(settings, key)]
    named += [("label_columns" if settings.label_columns else "hierarchy", column.name) for column in columns]
    for key, name in named:
        if name not in own.cells:
            raise DataError(
                f"{own.path}: the table has no column {short(name)}, which dataset.table.{key} names"
                f"{did_you_mean(name, [printable(column)[:60] for column in list(own.cells)[:MOST_NAMED]])}"
            )


def no_features(settings: TabularSettings, columns: Collection[str]) -> set[str]:
    """The columns that are not features. columns: those of labels."""
    return {settings.labels, settings.id, settings.split, *settings.ignore, *columns} - {""}


def _feature_columns(train: Sheet, settings: TabularSettings, columns: Sequence[LabelColumn]) -> list[str]:
    others = no_features(settings, [column.name for column in columns])
    found = [name for name in train.cells if name not in others]
    if not found:
        raise DataError(f"{train.path}: no column is left to be a feature; correct dataset.table")
    return found


def _same_columns(own: Sheet, attributes: Sequence[Attribute], settings: TabularSettings, columns: Sequence[LabelColumn]) -> None:
    """Raises DataError where a split's table has other features than the training table."""
    wanted, others = [attribute.name for attribute in attributes], no_features(settings, [column.name for column in columns])
    for name in wanted:
        if name not in own.cells:
            raise DataError(f"{own.path}: the table lacks the column {short(name)}; all splits need the same")
    for name in own.cells:
        if name not in wanted and name not in others:
            raise DataError(
                f"{own.path}: the table has a column {short(name)} that the training table lacks; remove it, or list it in "
                "dataset.table.ignore in all tables"
            )


def _attributes(
    train: Sheet, rows: np.ndarray, names: Sequence[str], settings: TabularSettings
) -> tuple[list[Attribute], list[str]]:
    """What each column is, by the training rows, and what the user should know of that."""
    attributes, notes, found = [], [], []
    for name in names:
        if train.declared.get(name, "") is None:
            attributes.append(Attribute(name))
            continue
        if declared := train.declared.get(name):
            attributes.append(Attribute(name, tuple(declared)))
            continue
        cells = [train.cells[name][row] for row in rows.tolist()]
        texts = [(row, text) for row, text in zip(rows.tolist(), cells, strict=True) if not _is_number(text)]
        if name not in settings.categorical:
            for row, text in texts:
                _refuse_infinite(text, name, train.at(row))
            if not texts:
                attributes.append(Attribute(name))
                continue
        values = tuple(sorted({text for text in cells if text not in MISSING}))
        if len(values) > MOST_VALUES and name not in settings.categorical:
            raise DataError(
                f"{train.path}: the column {short(name)} has {len(values)} different texts, too many for a category; set "
                f"dataset.table.id={name}, or list it in dataset.table.ignore, or in dataset.table.categorical if it is one"
            )
        attributes.append(Attribute(name, values))
        if name not in settings.categorical:
            found.append(f"{short(name)} ({len(values)} values)")
            numbers = sum(_is_number(text) and text.lower() not in MISSING_NUMBERS for text in cells)
            if numbers > MOSTLY * len(cells):
                notes.append(
                    f"{train.at(texts[0][0])}: the column {short(name)} is categorical because of {short(texts[0][1])}, though "
                    f"{numbers} of its {len(cells)} values are numbers; if that is a mistake, correct the value"
                )
    if found:
        shown = ", ".join(found[:10]) + (f" and {len(found) - 10} more" if len(found) > 10 else "")
        notes.insert(0, f"{train.path}: read as categories, one feature a value: {shown}")
    return attributes, notes


def _is_number(text: str) -> bool:
    """Whether a column of numbers may hold this text."""
    if text.lower() in MISSING_NUMBERS:
        return True
    try:
        return abs(float(text)) <= LARGEST and text.isascii() and "_" not in text
    except ValueError:
        return False


def _refuse_infinite(text: str, name: str, at: str) -> None:
    try:
        number = float(text)
    except ValueError:
        return
    if not math.isnan(number) and "_" not in text and text.isascii():
        raise DataError(
            f"{at}: the column {short(name)} has the value {short(text)}; write a number of at most {LARGEST:g}, or "
            "leave it empty"
        )


def encode(own: Sheet, attributes: Sequence[Attribute]) -> tuple[np.ndarray, list[str]]:
    """float64 [rows, features]: numbers as they are, NaN where missing, categories one-hot; and what the user should know.

    attributes: of the training table. A category that it does not have becomes all zeros. Raises DataError for a text among
    numbers.
    """
    blocks, unknown = [], []
    for attribute in attributes:
        cells = own.cells[attribute.name]
        if attribute.values is None:
            blocks.append(np.array([_number(text, attribute.name, own, row) for row, text in enumerate(cells)])[:, None])
            continue
        places = {value: place for place, value in enumerate(attribute.values)}
        codes = np.array([places.get(text, -1) for text in cells])
        blocks.append(preprocess.one_hot(codes, attribute.values, attribute.values))
        unknown += [(attribute.name, text) for text in cells if text not in places and text not in MISSING]
    notes = []
    if unknown:
        name, text = unknown[0]
        notes.append(
            f"{own.path}: {len(unknown)} {'entry has a value' if len(unknown) == 1 else 'entries have values'} that no training "
            f"row has, such as {short(name)}={short(text)}; they are read as none of the known values"
        )
    return np.concatenate(blocks, axis=1, dtype=np.float64), notes


def _number(text: str, name: str, own: Sheet, row: int) -> float:
    if text.lower() in MISSING_NUMBERS:
        return math.nan
    if not _is_number(text):
        raise DataError(
            f"{own.at(row)}: the column {short(name)} holds numbers, but here {short(text)}; write a number of at most "
            f"{LARGEST:g}, or leave it empty"
        )
    return float(text)


def _splits(sheets: Mapping[str, Sheet], settings: TabularSettings) -> dict[str, np.ndarray]:
    """The rows of each split, by the column that names it; empty where no column does."""
    if not settings.split:
        return {}
    own = sheets["train"]
    rows: dict[str, list[int]] = {split: [] for split in SPLITS}
    for row, text in enumerate(own.cells[settings.split]):
        split = PARTITIONS.get(text.lower())
        if split is None:
            raise DataError(
                f"{own.at(row)}: {settings.split}={short(text)} must be train, valid or test{did_you_mean(text, PARTITIONS)}"
            )
        rows[split].append(row)
    for split in ("train", "test"):
        if not rows[split]:
            raise DataError(f"{own.path}: no row has {settings.split}={split}; a dataset needs train and test")
    return {split: np.array(own_rows, dtype=np.int64) for split, own_rows in rows.items()}
