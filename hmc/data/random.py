"""Random choices among rows: each purpose has its own generator, derived from a cell's seed."""

from __future__ import annotations

import hashlib

import numpy as np


def derived_seed(seed: int, purpose: str) -> int:
    """A 63-bit seed for one purpose of one cell; the same on every machine."""
    digest = hashlib.sha256(f"{purpose}:{seed}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def resampling_generator(seed: int) -> np.random.Generator:
    """The generator that decides which rows a resampling method adds."""
    return np.random.Generator(np.random.PCG64(derived_seed(seed, "resampling")))


def subsampling_generator(seed: int) -> np.random.Generator:
    """The generator that decides which training rows stay where dataset.fraction is below 1."""
    return np.random.Generator(np.random.PCG64(derived_seed(seed, "limited data")))
