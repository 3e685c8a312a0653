"""A dataset as its files give it, and as training and evaluation take it: splits of features and labels over one hierarchy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from hmc.data.preprocess import Preparation
from hmc.hierarchy import Adjacency, Hierarchy

SPLITS = ("train", "valid", "test")
PARTITIONS = {"train": "train", "valid": "valid", "val": "valid", "validation": "valid", "test": "test"}
"""What a table may call its splits."""
TRAINING_SPLITS = {"none": ("train", "valid"), "valid": ("train",)}
"""The splits that are trained on, by ``training.holdout``."""


class DataWarning(RuntimeWarning):
    """What was done with a dataset's files that its user may not expect."""


@dataclass(frozen=True, eq=False)
class Encoded:
    """A dataset as read from its files: one-hot, neither imputed nor standardised, so that one cached form serves every protocol.

    names, parents: the hierarchy's nodes and their parents.
    features: per split float64 [rows, features], NaN where missing, or images as uint8 [rows, channels, height, width], which
    have no feature_names; labels: per split bool [rows, nodes], closed. ids: per split each row's name, empty where the file has
    none.
    written: how the files list the hierarchy, see :mod:`hmc.data.notation`. notes: what the user should know about the reading.
    """

    names: tuple[str, ...]
    parents: Adjacency
    feature_names: tuple[str, ...]
    features: Mapping[str, np.ndarray]
    labels: Mapping[str, np.ndarray]
    ids: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: dict.fromkeys(SPLITS, ()))
    written: str = ""
    notes: tuple[str, ...] = ()

    def of_rows(self, rows: Mapping[str, tuple[str, np.ndarray]]) -> Encoded:
        """The same dataset with other splits. rows: for each split named, the split that its rows are taken from, and which."""
        features, labels, ids = dict(self.features), dict(self.labels), dict(self.ids)
        for split, (source, own) in rows.items():
            features[split], labels[split] = self.features[source][own], self.labels[source][own]
            names = self.ids[source]
            ids[split] = tuple(names[row] for row in own.tolist()) if names else ()
        return replace(self, features=features, labels=labels, ids=ids)


@dataclass(frozen=True, eq=False)
class Split:
    """Rows that belong together; none (arrays of 0 rows) where a dataset has no such split.

    features: float32 [rows, features], imputed, one-hot and standardised; or images, uint8 [rows, channels, height, width].
    labels: bool [rows, nodes], closed under ancestors.
    """

    features: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, eq=False)
class Dataset:
    """One dataset, ready for training.

    sha256: what `hmc.data.identity.data_sha256` says of it.
    holdout: "none", or "valid" where valid is held out of training, see ``training.holdout``.
    reconstructed: empty, or what every number from this dataset has to be marked with ("expr train reconstructed").
    ids: per split each row's name, empty where the file has none. about: nodes, levels and notation, in one line. notes: as in
    :class:`Encoded`. preparation: how further rows are imputed and standardised; None for images, or where there are no features.
    """

    name: str
    hierarchy: Hierarchy
    feature_names: tuple[str, ...]
    train: Split
    valid: Split
    test: Split
    sha256: str
    reconstructed: str = ""
    holdout: str = "none"
    ids: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: dict.fromkeys(SPLITS, ()))
    about: str = ""
    notes: tuple[str, ...] = ()
    preparation: Preparation | None = None

    @cached_property
    def training(self) -> Split:
        """The rows that networks are trained on: train, then valid unless that is held out."""
        if self.holdout == "valid":
            return self.train
        return Split(
            np.concatenate([self.train.features, self.valid.features]),
            np.concatenate([self.train.labels, self.valid.labels]),
        )

    @property
    def held_out(self) -> Split | None:
        """The rows that are held out of training, None where none are."""
        return self.valid if self.holdout == "valid" else None
