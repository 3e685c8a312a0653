"""Images and their labels from a table: a CSV with one row an image, a folder of files, a hierarchy.

BenthicNet-E is such a table (columns image, dataset, site, partition, catami_biota; files dataset/site/image.jpg; labels as node
indices), and so is any other: `dataset.images` says which columns make the path, the split and the labels. Everything is checked
before anything is trained: the table and which files there are when a result's identity is asked for, the images themselves when
they are read.

Pillow decodes; it is imported when the first file is.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hmc.data import catalog, hierarchy_file, label_lists, preprocess
from hmc.data.catalog import DataError
from hmc.data.dataset import PARTITIONS, SPLITS, Encoded
from hmc.data.hierarchy_file import Labelling
from hmc.files import csv_file
from hmc.files.utf8 import printable
from hmc.hierarchy import ROOT, Hierarchy, HierarchyError, from_edges, short
from hmc.settings import DatasetSettings, ImageSettings, RuntimeSettings, did_you_mean

VERSION = 2
"""Of how files become arrays, to be raised with every change that changes a number; part of every identity."""
MODES = {1: ("L",), 3: ("RGB",)}
"""Pillow's names of what has so many channels."""


@dataclass(frozen=True)
class Row:
    """One line of the table. file: of the image. nodes: places of its labels in the hierarchy."""

    line: int
    split: str
    file: Path
    nodes: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class ImageTable:
    """A table whose every row has been checked, but for the images' contents. written, notes: as in :class:`Encoded`."""

    path: Path
    hierarchy: Hierarchy
    rows: tuple[Row, ...]
    written: str = ""
    notes: tuple[str, ...] = ()


# --- the table ------------------------------------------------------------------------------------------------------


def table_of(dataset: DatasetSettings, runtime: RuntimeSettings) -> ImageTable:
    """The checked table of a dataset of kind ``images``. Raises MissingDataError for a file or folder, and as
    :func:`read_table`."""
    found = catalog.present(dataset, runtime)
    folder = catalog.image_folder(dataset, runtime, found["table"])
    return read_table(dataset, found["table"], folder, found.get("hierarchy"))


def read_table(dataset: DatasetSettings, table: Path, folder: Path, hierarchy: Path | None) -> ImageTable:
    """The checked table. folder: of the images. hierarchy: its file; None where ``dataset.images.parents`` lists the parents.

    Raises DataError, one line that names file and row, for a column that is not there, a partition or node that is not known, a
    row without labels, an image that is not there or named twice, or a table without training or test rows.
    """
    settings = dataset.images
    entries = [
        (
            line,
            entry[settings.partition].strip().lower(),
            folder / settings.path.format_map(entry),
            _labels(entry[settings.labels], f"{table}:{line}"),
        )
        for line, entry in _entries(table, settings)
    ]
    if hierarchy is None:
        found = _numbered(dataset)
    else:
        found = hierarchy_file.read(hierarchy, dataset.labels, {label for *_, labels in entries for label in labels})
    rows: list[Row] = []
    absent: list[str] = []
    seen: dict[Path, int] = {}
    for line, partition, file, labels in entries:
        at = f"{table}:{line}"
        if partition not in PARTITIONS:
            known = did_you_mean(partition, PARTITIONS)
            raise DataError(f"{at}: {settings.partition}={short(partition)} must be train, valid or test{known}")
        if file in seen:
            raise DataError(f"{at}: the image {_shown(file)} is that of line {seen[file]} already; list each image once")
        seen[file] = line
        if not _is_file(file):
            absent.append(f"{at}: the image {_shown(file)} is not there")
        nodes = tuple(found.place(label, at) for label in labels)
        if not nodes:
            raise DataError(f"{at}: {_shown(Path(file.name))} has no label; name at least the root, or remove the row")
        rows.append(Row(line, PARTITIONS[partition], file, nodes))
    if absent:
        more = f" ({len(absent) - 1} more are missing)" if len(absent) > 1 else ""
        raise DataError(f"{absent[0]}{more}; put it there, or set dataset.images.folder and dataset.images.path")
    for split in ("train", "test"):
        if not any(row.split == split for row in rows):
            raise DataError(f"{table}: no row has {settings.partition}={split}; a dataset needs train and test")
    return ImageTable(table, found.hierarchy, tuple(rows), found.written, found.notes)


def _entries(table: Path, settings: ImageSettings) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Each row with its line in the file, all columns that are needed being there."""
    try:
        columns, entries = csv_file.read(table, "save the table as CSV in UTF-8")
        for key, name in _needed(settings):
            if name not in columns:
                raise DataError(
                    f"{table}:1: the table has no column {name!r}, which dataset.images.{key} names"
                    + (did_you_mean(name, [printable(column)[:60] for column in columns[:30]]) if columns else "; it is empty")
                )
        yield from entries
    except csv_file.CsvError as error:
        raise DataError(str(error)) from None


def _is_file(path: Path) -> bool:
    """Also of a name that is too long, or has characters that no name may have."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _shown(file: Path) -> str:
    """A path as a message shows it, printable, the end of one that is very long."""
    text = printable(str(file))
    return text if len(text) <= 200 else f"...{text[-200:]}"


def _needed(settings: ImageSettings) -> list[tuple[str, str]]:
    """From each key of the settings that names columns to each of these."""
    fields = re.findall(r"\{([^{}]*)\}", settings.path)
    if not fields:
        raise DataError(f"dataset.images.path={settings.path!r} names no column; write a column in braces, such as {{image}}")
    return [*(("path", name) for name in fields), ("partition", settings.partition), ("labels", settings.labels)]


def _labels(text: str, at: str) -> list[str]:
    """The entries of a list in brackets, or of names joined by @. Raises DataError."""
    if not label_lists.in_brackets(text):
        return label_lists.joined(text, "@")
    try:
        return label_lists.of_list(text)
    except label_lists.LabelListError as error:
        raise DataError(f"{at}: {short(text)} {error}") from None


def _numbered(dataset: DatasetSettings) -> Labelling:
    """Nodes called by their indices, the root by its name."""
    parents = dataset.images.parents
    names = [ROOT if parent < 0 else str(place) for place, parent in enumerate(parents)]
    for place, parent in enumerate(parents):
        if parent >= len(parents):
            raise DataError(f"dataset.images.parents[{place}]={parent} is out of range: it must be at most {len(parents) - 1}")
    try:
        edges = [(names[parent], names[place]) for place, parent in enumerate(parents) if parent >= 0]
        hierarchy = from_edges(names, edges)
    except HierarchyError as error:
        raise DataError(f"dataset.images.parents of {dataset.name}: {error}") from None
    return Labelling(hierarchy, {str(place): place for place in range(len(parents))}, "edges")


# --- the images -----------------------------------------------------------------------------------------------------


def read(table: ImageTable, settings: ImageSettings) -> Encoded:
    """All images as arrays: per split uint8 [rows, channels, height, width]; an image of 224 x 224 in colours takes 150 kB.

    Raises DataError, naming file and row, for a file that cannot be decoded, another number of channels, or a size that differs
    from the other images'.
    """
    arrays: dict[str, list[np.ndarray]] = {split: [] for split in SPLITS}
    first: tuple[Row, tuple[int, ...]] | None = None
    for row in table.rows:
        image = decode(row.file, settings, f"{table.path}:{row.line}")
        if first is None:
            first = row, image.shape
        elif image.shape != first[1]:
            raise DataError(
                f"{table.path}:{row.line}: {row.file} is {_size(image.shape)}, but {first[0].file.name} of line {first[0].line} "
                f"is {_size(first[1])}; all images need one size: set dataset.images.resize and dataset.images.crop"
            )
        arrays[row.split].append(image)
    assert first is not None, "a table has rows"
    empty = np.zeros((0, *first[1]), dtype=np.uint8)
    labels = {split: _label_matrix(table, split) for split in SPLITS}
    return Encoded(
        table.hierarchy.names,
        table.hierarchy.parents,
        (),
        {split: np.stack(own) if own else empty for split, own in arrays.items()},
        labels,
        written=table.written,
        notes=table.notes,
    )


def decode(file: Path, settings: ImageSettings, at: str) -> np.ndarray:
    """One image, uint8 [channels, height, width]: turned as its EXIF orientation says, the shorter side resized, then the middle
    cut out, as the settings say.

    at: the table's file and line, for messages. Raises DataError as :func:`read`, OSError for a file that cannot be opened.
    """
    try:
        from PIL import Image, ImageOps
    except ImportError:
        raise DataError(f"{at}: reading {file} needs Pillow; install it: pip install '.[images]'") from None
    try:
        with Image.open(file) as image:
            mode, channels = image.mode, len(image.getbands())
            if mode not in MODES.get(settings.channels, ()):
                raise DataError(
                    f"{at}: {file} has {channels} {'channel' if channels == 1 else 'channels'} (mode {mode}) where "
                    f"dataset.images.channels is {settings.channels}; convert the image, or set dataset.images.channels"
                )
            # Cameras keep the sensor's rows and say in the file which way up they are.
            shown: Image.Image = ImageOps.exif_transpose(image)
            if settings.resize:
                scale = settings.resize / min(shown.size)
                size = (max(1, round(shown.width * scale)), max(1, round(shown.height * scale)))
                shown = shown.resize(size, Image.Resampling.BILINEAR)
            if settings.crop:
                if min(shown.size) < settings.crop:
                    raise DataError(
                        f"{at}: {file} is {shown.width} x {shown.height} and dataset.images.crop={settings.crop} is larger; make "
                        "it smaller, or dataset.images.resize larger"
                    )
                left, top = ((side - settings.crop) // 2 for side in shown.size)
                shown = shown.crop((left, top, left + settings.crop, top + settings.crop))
            array = np.asarray(shown, dtype=np.uint8)
    except DataError:
        raise
    # A damaged file fails in whatever way its format's decoder does.
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DataError(f"{at}: {file} cannot be read as an image ({reason}); replace the file, or remove the row") from None
    return np.ascontiguousarray(np.atleast_3d(array).transpose(2, 0, 1))


def contents(table: ImageTable) -> str:
    """sha256 of all files of images, in the table's order."""
    digest = hashlib.sha256()
    for row in table.rows:
        digest.update(_file_digest(row.file))
    return digest.hexdigest()


_DIGESTS: dict[tuple[str, int, int], bytes] = {}
"""By path, size and time of change: a plan asks for the same files' hashes many times."""


def _file_digest(path: Path) -> bytes:
    state = path.stat()
    key = (str(path), state.st_size, state.st_mtime_ns)
    if key not in _DIGESTS:
        _DIGESTS[key] = hashlib.sha256(path.read_bytes()).digest()
    return _DIGESTS[key]


def as_features(splits: Mapping[str, np.ndarray], training_splits: Sequence[str] = ("train", "valid")) -> dict[str, np.ndarray]:
    """Pixels as features, float32 [rows, channels * height * width], standardised as those of tables are."""
    flat = {name: images.reshape(len(images), math.prod(images.shape[1:])).astype(np.float64) for name, images in splits.items()}
    return {name: features.astype(np.float32) for name, features in preprocess.standardise(flat, training_splits).items()}


def _label_matrix(table: ImageTable, split: str) -> np.ndarray:
    rows = [row for row in table.rows if row.split == split]
    labels = np.zeros((len(rows), len(table.hierarchy)), dtype=bool)
    for place, row in enumerate(rows):
        labels[place, list(row.nodes)] = True
    return table.hierarchy.close(labels)


def _size(shape: tuple[int, ...]) -> str:
    return f"{shape[2]} x {shape[1]}"
