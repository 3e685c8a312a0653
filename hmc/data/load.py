"""Loading one dataset: files (or a seed) in, splits and hierarchy out."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hmc import configs
from hmc.data import arff, cache, catalog, class_attribute, digits, division, images, preprocess, subsample, synthetic, table
from hmc.data import holdout as held_out
from hmc.data.arff_files import read_files
from hmc.data.dataset import SPLITS, TRAINING_SPLITS, Dataset, DataWarning, Encoded, Split
from hmc.data.download import fetch
from hmc.data.identity import data_sha256, table_document
from hmc.data.random import subsampling_generator
from hmc.data.rows import Rows, read_rows
from hmc.hierarchy import ROOT, Hierarchy, short
from hmc.settings import DatasetSettings, ProtocolSettings, RuntimeSettings, canonical_hash, did_you_mean

__all__ = ["Rows", "load", "load_encoded", "load_labels", "read_files", "read_rows"]

MANY = 20_000
"""Nodes among which no nearest name is looked for: it would take long (ours)."""


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
    What the user may not expect of the reading is a DataWarning.

    Raises MissingDataError or DownloadError (both OSError) when a file cannot be had, DataError for a file that is not the pinned
    one or not what the card announces, for numbers too large to train on or for images that cannot be used, ArffError for a file
    that cannot be read as hierarchical ARFF.
    """
    encoded = _rows(dataset, runtime, seed, holdout)
    features, preparation = dict(encoded.features), None
    if not dataset.holds_images:
        training = TRAINING_SPLITS[holdout]
        imputed = preprocess.impute(encoded.features, protocol.imputation, training)
        found = preprocess.scaling(np.concatenate([imputed[name] for name in training]))
        ready = {name: found.of(values) for name, values in imputed.items()}
        if unusable := preprocess.first_unusable(ready, found, training):
            raise _too_large(dataset, runtime, encoded, unusable, imputed, training)
        features = {name: values.astype(np.float32) for name, values in ready.items()}
        means = preprocess.training_means(np.concatenate([encoded.features[name] for name in training]))
        preparation = preprocess.Preparation(means, found.mean, found.scale)
    return dataclasses.replace(_dataset(dataset, runtime, encoded, features, holdout), preparation=preparation)


def load_labels(dataset: DatasetSettings, runtime: RuntimeSettings, *, seed: int = 0, holdout: str = "none") -> Dataset:
    """The same rows and labels as :func:`load` gives, with no features (arrays of 0 columns): what evaluation needs."""
    encoded = _rows(dataset, runtime, seed, holdout)
    features = {name: np.zeros((len(encoded.labels[name]), 0), dtype=np.float32) for name in SPLITS}
    return _dataset(dataset, runtime, encoded, features, holdout)


def _rows(dataset: DatasetSettings, runtime: RuntimeSettings, seed: int, holdout: str) -> Encoded:
    """The dataset as read, with the rows that a cell with this seed and holdout has."""
    found = load_encoded(dataset, runtime)
    if holdout == "valid":
        found = held_out.with_valid(found, dataset.name)
    if dataset.fraction < 1:
        found = subsample.subsampled(found, dataset.fraction, subsampling_generator(seed), TRAINING_SPLITS[holdout])
    return found


def _dataset(
    dataset: DatasetSettings, runtime: RuntimeSettings, encoded: Encoded, features: Mapping[str, np.ndarray], holdout: str
) -> Dataset:
    for note in encoded.notes:
        warnings.warn(f"{dataset.name}: {note}", DataWarning, stacklevel=3)
    for name in dataset.unevaluated:
        if name not in (*encoded.names, ROOT):
            raise catalog.DataError(
                f"{dataset.name}: dataset.unevaluated names {short(name)}, but no node of the hierarchy is called so"
                f"{did_you_mean(name, encoded.names) if len(encoded.names) < MANY else ''}; correct it, or move it to "
                "dataset.optional_unevaluated"
            )
    skipped = {*dataset.unevaluated, *dataset.optional_unevaluated}
    # The root too, whatever the user's file calls it: every row has it.
    evaluated = (encoded.parents.counts > 0) & [name not in skipped for name in encoded.names]
    if not evaluated.any():
        raise catalog.DataError(f"{dataset.name}: dataset.unevaluated leaves no node to evaluate; shorten it")
    train, valid, test = (Split(features[name], encoded.labels[name]) for name in SPLITS)
    hierarchy = Hierarchy(names=encoded.names, parents=encoded.parents, evaluated=evaluated)
    return Dataset(
        name=dataset.name,
        hierarchy=hierarchy,
        feature_names=encoded.feature_names,
        train=train,
        valid=valid,
        test=test,
        sha256=data_sha256(dataset, runtime),
        reconstructed=_reconstructed(dataset),
        holdout=holdout,
        ids=encoded.ids,
        about=class_attribute.described(hierarchy, encoded.written),
        notes=encoded.notes,
    )


def _too_large(
    dataset: DatasetSettings,
    runtime: RuntimeSettings,
    encoded: Encoded,
    found: preprocess.Unusable,
    imputed: Mapping[str, np.ndarray],
    training: Sequence[str],
) -> catalog.DataError:
    """The error for a feature that standardising cannot make fit to train on."""
    paths = catalog.located(dataset, runtime)
    file = f" ({paths[found.split]})" if paths.get(found.split) else ""
    name, number = short(encoded.feature_names[found.feature]), imputed[found.split][found.row, found.feature]
    if found.constant:
        return catalog.DataError(
            f"{dataset.name}: the feature {name} does not vary over the training rows{file}, but is so large, {number:g}, "
            "that rounding leaves noise of it when it is standardised; remove the column, or subtract a number of that size"
        )
    column = np.concatenate([imputed[split][:, found.feature] for split in training])
    return catalog.DataError(
        f"{dataset.name}: the feature {name} is {number:g} in row {found.row + 1} of {found.split}{file}, and between "
        f"{column.min():g} and {column.max():g} in the training rows, so that its standardised value is beyond "
        f"{preprocess.LARGEST:g}, too large to compute with; correct the value, or remove the column"
    )


def load_encoded(dataset: DatasetSettings, runtime: RuntimeSettings) -> Encoded:
    """The dataset as read from its files or the cache, neither imputed nor standardised. Raises as :func:`load`."""
    catalog.checked_shares(dataset)
    if dataset.kind == "synthetic":
        return synthetic.generate(dataset.synthetic)
    if dataset.kind == "digits":
        return digits.read()
    if dataset.kind == "images":
        return _from_images(dataset, runtime)
    found = _from_files(dataset, runtime)
    return division.divided(found, dataset) if dataset.split else found


def cache_folder(runtime: RuntimeSettings) -> Path:
    """Where parsed datasets are kept: runtime.cache_dir, or else data/cache."""
    return Path(runtime.cache_dir).expanduser() if runtime.cache_dir else catalog.PROJECT / "data" / "cache"


def _from_files(dataset: DatasetSettings, runtime: RuntimeSettings) -> Encoded:
    paths = fetch(dataset, runtime)
    written = catalog.files(dataset)
    hashes = _hashes(dataset, paths)
    key = canonical_hash({"files": hashes, "labels": dataset.labels, **_how_read(dataset)})

    def read() -> Encoded:
        if dataset.kind == "table":
            splits = {split: path for split, path in paths.items() if split != "hierarchy"}
            encoded = table.read(splits, paths["hierarchy"], dataset)
        elif paths["train"].suffix.lower() in table.ENDINGS:
            raise catalog.DataError(f"{paths['train']}: a table must have dataset.kind=table, got arff; set it")
        else:
            encoded = read_files(paths, dataset.labels)
        if _hashes(dataset, paths) != hashes:
            raise catalog.DataError(f"{dataset.name}: its files changed while they were read; try again when they are complete")
        if not dataset.train_stand_in and all(catalog.pinned(dataset, path) for path in written.values()):
            _check_expected(dataset, encoded)
        return encoded

    return _cached(dataset, runtime, key, read)


def _how_read(dataset: DatasetSettings) -> dict[str, Any]:
    """What besides the files decides what is read from them."""
    if dataset.kind == "table":
        return {"table": table.VERSION, "settings": table_document(dataset)}
    return {"parser": arff.PARSER_VERSION}


def _from_images(dataset: DatasetSettings, runtime: RuntimeSettings) -> Encoded:
    listed = images.table_of(dataset, runtime)
    key = data_sha256(dataset, runtime)
    return _cached(dataset, runtime, key, lambda: images.read(listed, dataset.images))


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
            "again; set cache_dir to a folder that can be written",
            RuntimeWarning,
            stacklevel=4,
        )
    return encoded


def _hashes(dataset: DatasetSettings, paths: Mapping[str, Path]) -> dict[str, str]:
    """The hash of each split's file, which is checked against its pin."""
    written = catalog.files(dataset)
    return {split: catalog.content_hash(catalog.read_checked(dataset, written[split], path)) for split, path in paths.items()}


def _check_expected(dataset: DatasetSettings, encoded: Encoded) -> None:
    """That the files hold what the card announces (`train`, `valid`, `test` rows, `features`, evaluated `nodes`)."""
    actual = {split: len(encoded.labels[split]) for split in SPLITS}
    actual["features"] = len(encoded.feature_names)
    # What is left out at the command line is no matter of the files.
    known = dataset.name in configs.names("dataset")
    if not known or dataset.unevaluated == catalog.card(dataset.name).unevaluated:
        actual["nodes"] = len(set(encoded.names) - {*dataset.unevaluated, *dataset.optional_unevaluated})
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
