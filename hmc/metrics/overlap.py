"""How far two label sets are the same."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hmc.settings import Departures


@dataclass(frozen=True)
class Overlap:
    """Label sets of two methods on one dataset, trained alike; a value a seed that both have.

    size_a, size_b: evaluated labels a row. jaccard: labels that both predict, as a share of those that either predicts, over all
    test rows together. at_half: the same with ``a`` cut at 0.5. between_seeds: the same between every two seeds of ``b``, which
    is as much as can be expected; empty with one seed. reconstructed: see the dataset.
    """

    dataset: str
    departed: Departures
    seeds: tuple[int, ...]
    size_a: tuple[float, ...]
    size_b: tuple[float, ...]
    jaccard: tuple[float, ...]
    at_half: tuple[float, ...]
    between_seeds: tuple[float, ...]
    reconstructed: str = ""


def jaccard(first: np.ndarray, second: np.ndarray) -> float:
    """Labels in both as a share of those in either, over all rows together; 1 where neither has any. bool [rows, nodes].

    >>> jaccard(np.array([[True, True, False]]), np.array([[True, False, False]]))
    0.5
    """
    either = np.count_nonzero(first | second)
    return float(np.count_nonzero(first & second) / either) if either else 1.0
