"""Loading one dataset: files (or a seed) in, splits and hierarchy out."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from hmc.data import arff, cache, catalog, class_attribute, digits, images, preprocess, subsample, synthetic
from hmc.data import holdout as held_out
from hmc.data.dataset import SPLITS, TRAINING_SPLITS, Dataset, Encoded, Split
from hmc.data.download import fetch
from hmc.data.identity import data_sha256
from hmc.data.random import subsampling_generator
from hmc.hierarchy import Hierarchy, HierarchyError, short
from hmc.settings import DatasetSettings, ProtocolSettings, RuntimeSettings, canonical_hash


def load(
    dataset: DatasetSettings,
    protocol: ProtocolSettings,
    runtime: RuntimeSettings,
    *,
    seed: int = 0,
    holdout: str = "none",
) -> Dataset:
    """One dataset, ready for training: parsed (or taken from the cache), imputed as the protocol says, standardised.

    seed: decides which training rows stay where dataset.fraction is below 1. Images stay images. holdout: see
    ``training.holdout``; means and scales are computed from the rows that are trained on.

    Missing benchmark files are downloaded if runtime.download allows it. Every pinned file is checked against its hash each time.

    Raises MissingDataError or DownloadError (both OSError) when a file cannot be had, DataError for a file that is not the pinned
    one or not what the card announces or for images that cannot be used, ArffError for a file that cannot be read as hierarchical
    ARFF.
    """
    encoded = _rows(dataset, runtime, seed, holdout)
    features = dict(encoded.features)
    if not dataset.holds_images:
        training = TRAINING_SPLITS[holdout]
        ready = preprocess.standardise(preprocess.impute(encoded.features, protocol.imputation, training), training)
        features = {name: values.astype(np.float32) for name, values in ready.items()}
    return _dataset(dataset, runtime, encoded, features, holdout)


def load_labels(dataset: DatasetSettings, runtime: RuntimeSettings, *, seed: int = 0, holdout: str = "none") -> Dataset:
    """The same rows and labels as :func:`load` gives, with no features (arrays of 0 columns): what evaluation needs."""
    encoded = _rows(dataset, runtime, seed, holdout)
    features = {name: np.zeros((len(encoded.labels[name]), 0), dtype=np.float32) for name in SPLITS}
    return _dataset(dataset, runtime, encoded, features, holdout)


def _rows(dataset: DatasetSettings, runtime: RuntimeSettings, seed: int, holdout: str) -> Encoded:
    """The dataset as read, with the rows that a cell with this seed and holdout has."""
    encoded = _encoded(dataset, runtime)
    if holdout == "valid":
        encoded = held_out.with_valid(encoded, dataset.name)
    if dataset.fraction < 1:
        encoded = subsample.subsampled(encoded, dataset.fraction, subsampling_generator(seed), TRAINING_SPLITS[holdout])
    return encoded


def _dataset(
    dataset: DatasetSettings, runtime: RuntimeSettings, encoded: Encoded, features: Mapping[str, np.ndarray], holdout: str
) -> Dataset:
    skipped = set(dataset.unevaluated)
    # The root too, whatever the user's file calls it: every row has it.
    evaluated = (encoded.parents.counts > 0) & [name not in skipped for name in encoded.names]
    if not evaluated.any():
        raise catalog.DataError(f"{dataset.name}: dataset.unevaluated leaves no node to evaluate; shorten it")
    splits = {name: Split(features[name], encoded.labels[name]) for name in SPLITS}
    return Dataset(
        name=dataset.name,
        hierarchy=Hierarchy(names=encoded.names, parents=encoded.parents, evaluated=evaluated),
        feature_names=encoded.feature_names,
        sha256=data_sha256(dataset, runtime),
        reconstructed=_reconstructed(dataset),
        holdout=holdout,
        **splits,
    )


def _encoded(dataset: DatasetSettings, runtime: RuntimeSettings) -> Encoded:
    if dataset.kind == "synthetic":
        return synthetic.generate(dataset.synthetic)
    if dataset.kind == "digits":
        return digits.read()
    return _from_images(dataset, runtime) if dataset.kind == "images" else _from_files(dataset, runtime)


def read_files(paths: Mapping[str, Path], labels: str = "auto") -> Encoded:
    """The parsed form of one dataset's files.

    paths: the file of each split; train and test at least. labels: how the class attribute lists the hierarchy.
    The training file's header decides: the other files must have the same attributes and the same hierarchy.
    """
    train = arff.read(paths["train"])
    tables = {split: train if split == "train" else _sharing(arff.read(path), train) for split, path in paths.items()}
    for table in tables.values():
        _check_header(table, train)
    written = class_attribute.notation(train.class_entries) if labels == "auto" else labels
    try:
        hierarchy = class_attribute.hierarchy_of(train.class_entries, written)
    except HierarchyError as error:
        raise arff.ArffError(train.path, train.class_line, str(error)) from None
    places = class_attribute.nodes_by_label(train.class_entries, written, hierarchy)
    names = preprocess.feature_names(train.attributes)
    features = {split: np.zeros((0, len(names))) for split in SPLITS}
    closed = {split: np.zeros((0, len(hierarchy)), dtype=bool) for split in SPLITS}
    for split, table in tables.items():
        features[split] = preprocess.encode(table, train.attributes)
        closed[split] = class_attribute.label_matrix(table, hierarchy, places)
    return Encoded(hierarchy.names, hierarchy.parents, names, features, closed)


def cache_folder(runtime: RuntimeSettings) -> Path:
    """Where parsed datasets are kept: runtime.cache_dir, or else data/cache."""
    return Path(runtime.cache_dir).expanduser() if runtime.cache_dir else catalog.PROJECT / "data" / "cache"


def _from_files(dataset: DatasetSettings, runtime: RuntimeSettings) -> Encoded:
    paths = fetch(dataset, runtime)
    written = catalog.files(dataset)
    hashes = _hashes(dataset, paths)
    key = canonical_hash({"files": hashes, "labels": dataset.labels, "parser": arff.PARSER_VERSION})

    def read() -> Encoded:
        encoded = read_files(paths, dataset.labels)
        if _hashes(dataset, paths) != hashes:
            raise catalog.DataError(f"{dataset.name}: its files changed while they were read; try again when they are complete")
        if not dataset.train_stand_in and all(catalog.pinned(dataset, path) for path in written.values()):
            _check_expected(dataset, encoded)
        return encoded

    return _cached(dataset, runtime, key, read)


def _from_images(dataset: DatasetSettings, runtime: RuntimeSettings) -> Encoded:
    table = images.table_of(dataset, runtime)
    key = data_sha256(dataset, runtime)
    return _cached(dataset, runtime, key, lambda: images.read(table, dataset.images))


def _cached(dataset: DatasetSettings, runtime: RuntimeSettings, key: str, read: Callable[[], Encoded]) -> Encoded:
    place = cache_folder(runtime) / f"{key}.npz"
    try:
        return cache.restore(place, key)
    except FileNotFoundError:
        pass
    except cache.CacheError as error:
        warnings.warn(
            f"the cached form of {dataset.name}, {place}, cannot be used ({error}); it is made anew", RuntimeWarning, stacklevel=4
        )
    encoded = read()
    try:
        cache.save(place, key, encoded)
    except OSError as error:
        warnings.warn(
            f"{dataset.name} was read but cannot be kept in {place.parent} ({error}), so the next run reads it "
            "again; set runtime.cache_dir to a folder that can be written",
            RuntimeWarning,
            stacklevel=4,
        )
    return encoded


def _hashes(dataset: DatasetSettings, paths: Mapping[str, Path]) -> dict[str, str]:
    """The hash of each split's file, which is checked against its pin."""
    written = catalog.files(dataset)
    return {split: catalog.content_hash(catalog.read_checked(dataset, written[split], path)) for split, path in paths.items()}


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


def _check_expected(dataset: DatasetSettings, encoded: Encoded) -> None:
    """That the files hold what the card announces (`train`, `valid`, `test` rows, `features`, evaluated `nodes`)."""
    actual = {split: len(encoded.labels[split]) for split in SPLITS}
    actual["features"] = len(encoded.feature_names)
    actual["nodes"] = len(set(encoded.names) - set(dataset.unevaluated))
    for what, count in dataset.expected.items():
        if what in actual and actual[what] != count:
            raise catalog.DataError(
                f"{dataset.name}: the card's expected.{what} is {count}, but the files have {actual[what]}; correct the card"
            )


def _reconstructed(dataset: DatasetSettings) -> str:
    if not dataset.train_stand_in:
        return ""
    name = dataset.name.rpartition("_")[0] if dataset.group in ("fun", "go") else ""
    return f"{name or dataset.name} train reconstructed"
