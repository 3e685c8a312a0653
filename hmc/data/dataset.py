"""What training and evaluation are given: splits of features and labels over one hierarchy."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from hmc.hierarchy import Hierarchy

SPLITS = ("train", "valid", "test")


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

    @cached_property
    def training(self) -> Split:
        """The rows that networks are trained on: train, then valid."""
        return Split(
            np.concatenate([self.train.features, self.valid.features]),
            np.concatenate([self.train.labels, self.valid.labels]),
        )
