"""Rows held out of training where a dataset has no valid split: a fifth of train, stratified over label sets.

Which rows these are depends on the dataset alone, so that all methods and seeds share them.
"""

from __future__ import annotations

import hashlib

import numpy as np

from hmc.data.dataset import Encoded
from hmc.data.subsample import sampled_rows

SHARE = 0.2
"""Of the training rows (ours)."""


def with_valid(encoded: Encoded, dataset: str) -> Encoded:
    """The same dataset where it has a valid split; otherwise one whose valid split is a fifth of the train split.

    dataset: its name, the seed of the draw.
    """
    if len(encoded.labels["valid"]):
        return encoded
    seed = int.from_bytes(hashlib.sha256(f"held-out rows:{dataset}".encode()).digest()[:8], "big")
    generator = np.random.Generator(np.random.PCG64(seed))
    held_out = sampled_rows(encoded.labels["train"], SHARE, generator)
    kept = np.setdiff1d(np.arange(len(encoded.labels["train"])), held_out)
    return encoded.of_rows({"train": ("train", kept), "valid": ("train", held_out)})
