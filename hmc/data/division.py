"""Train, valid and test from one file of all rows, by shares, stratified over label sets.

Which rows these are depends on the dataset's name and rows alone, so that all methods and seeds share them.
"""

from __future__ import annotations

import hashlib

import numpy as np

from hmc.data.catalog import DataError
from hmc.data.dataset import Encoded
from hmc.data.subsample import sampled_rows
from hmc.settings import DatasetSettings


def divided(encoded: Encoded, dataset: DatasetSettings) -> Encoded:
    """The dataset with the rows of its train split shared out as ``dataset.split`` says. Raises DataError for too few rows."""
    labels = encoded.labels["train"]
    train, valid, test = dataset.split
    seed = int.from_bytes(hashlib.sha256(f"split:{dataset.name}".encode()).digest()[:8], "big")
    generator = np.random.Generator(np.random.PCG64(seed))
    in_test = sampled_rows(labels, test, generator)
    rest = np.setdiff1d(np.arange(len(labels)), in_test)
    in_valid = rest[sampled_rows(labels[rest], valid / (train + valid), generator)] if valid else rest[:0]
    in_train = np.setdiff1d(rest, in_valid)
    if not len(in_train):
        raise DataError(
            f"{dataset.name}: dataset.split leaves no row to train on, of {len(labels)}; give more rows, or other shares"
        )
    return encoded.of_rows({"train": ("train", in_train), "valid": ("train", in_valid), "test": ("train", in_test)})
