"""Limited data: a share of the training rows, stratified over label sets."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hmc.data.dataset import Encoded


def sampled_rows(labels: np.ndarray, fraction: float, generator: np.random.Generator) -> np.ndarray:
    """Which rows stay: int64 [kept], ascending.

    labels: bool [rows, nodes]. fraction: above 0, at most 1; round(fraction * rows) stay, and at least one where there is one.

    Systematic sampling: the rows of a label set, in random order, lie at equal distances between 0 and 1, from a random start;
    those that lie lowest stay. So each label set keeps its share to within about a row, a set of one row keeps it with the chance
    of its share, and of two fractions drawn from equal generators the smaller one's rows are among the larger one's. Ours.
    """
    rows = len(labels)
    if rows == 0:
        return np.zeros(0, dtype=np.int64)
    _, group, sizes = np.unique(np.packbits(labels, axis=1), axis=0, return_inverse=True, return_counts=True)
    group = group.reshape(-1)
    starts = generator.random(len(sizes))
    # Row by row within its set: sorted by a random number, then numbered.
    order = np.lexsort((generator.random(rows), group))
    firsts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    places = np.empty(rows)
    places[order] = (np.arange(rows) - firsts[group[order]] + starts[group[order]]) / sizes[group[order]]
    count = max(1, round(fraction * rows))
    return np.sort(np.argsort(places, kind="stable")[:count])


def subsampled(
    encoded: Encoded, fraction: float, generator: np.random.Generator, splits: Sequence[str] = ("train", "valid")
) -> Encoded:
    """The same dataset with a share of its training rows, before anything (means, scales, weights) is computed from them.

    splits: those that are trained on. All other rows stay, so that results with other shares are on the same rows.
    """
    return encoded.of_rows({split: (split, sampled_rows(encoded.labels[split], fraction, generator)) for split in splits})
