"""A dataset as its files give it, and as training and evaluation take it: splits of features and labels over one hierarchy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from hmc.hierarchy import Adjacency, Hierarchy

SPLITS = ("train", "valid", "test")
TRAINING_SPLITS = {"none": ("train", "valid"), "valid": ("train",)}
"""The splits that are trained on, by ``training.holdout``."""


@dataclass(frozen=True, eq=False)
class Encoded:
    """A dataset as read from its files: one-hot, neither imputed nor standardised, so that one cached form serves every protocol.

    names, parents: the hierarchy's nodes and their parents.
    features: per split float64 [rows, features], NaN where missing, or images as uint8 [rows, channels, height, width], which
    have no feature_names; labels: per split bool [rows, nodes], closed.
    """

    names: tuple[str, ...]
    parents: Adjacency
    feature_names: tuple[str, ...]
    features: Mapping[str, np.ndarray]
    labels: Mapping[str, np.ndarray]


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
