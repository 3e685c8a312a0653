"""Precision-recall curves of many lists at once: the points at which recall changes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Curves:
    """One entry a point, that is a distinct score that a positive has, list after list and highest score first.

    owners: int64 [points], the list. before, at: true positives above the score, and from it up. above, reached: entries of the
    list with a higher score, and with this one or a higher. positives: int64 [lists].
    """

    owners: np.ndarray
    before: np.ndarray
    at: np.ndarray
    above: np.ndarray
    reached: np.ndarray
    positives: np.ndarray

    def sums(self, values: np.ndarray) -> np.ndarray:
        """Each list's sum of a value a point, over its positives, float64 [lists]; NaN for a list without positives."""
        totals = np.bincount(self.owners, weights=values, minlength=len(self.positives))
        return np.divide(totals, self.positives, out=np.full(len(totals), np.nan), where=self.positives > 0)


def curves(labels: np.ndarray, scores: np.ndarray) -> Curves:
    """The curves of lists. labels: bool [lists, entries]; scores: float [lists, entries], without NaN.

    Score and label are sorted as one whole number, several times as fast as sorting places. Among equal scores positives come
    last, so that the last one stands where the score is exhausted.
    """
    keys = _codes(scores) << np.uint32(1)
    keys |= ~labels
    np.invert(keys, out=keys)
    keys.sort(axis=-1)
    owners, places = np.nonzero(keys & np.uint32(1))
    score = keys[owners, places]
    new_list = np.diff(owners, prepend=-1) != 0
    begins = new_list | np.concatenate([[False], score[1:] != score[:-1]])
    first = np.flatnonzero(begins)
    last = np.concatenate([first[1:], [len(owners)]]) - 1 if len(owners) else first
    ordinal = np.arange(len(owners)) - np.flatnonzero(new_list)[np.cumsum(new_list) - 1] if len(owners) else first
    above = places[first].copy()
    # Negatives of the same score stand just before the first positive.
    tied = np.flatnonzero((above > 0) & (keys[owners[first], above - 1] == score[first] - np.uint32(1)))
    if tied.size:
        list_begins = owners[first[tied]] * keys.shape[1]
        above[tied] = _run_begins(keys, list_begins + above[tied] - 1) - list_begins
    return Curves(
        owners=owners[first],
        before=ordinal[first],
        at=ordinal[last] + 1,
        above=above,
        reached=places[last] + 1,
        positives=np.count_nonzero(labels, axis=1),
    )


def _run_begins(keys: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Where the run of equal keys begins in which each place lies.

    keys: uint32 [lists, entries], sorted; places count through all lists, one after the other.
    """
    flat = keys.reshape(-1)
    begins = np.ones(flat.size, dtype=bool)
    np.not_equal(flat[1:], flat[:-1], out=begins[1:])
    begins[:: keys.shape[1]] = True
    runs = np.flatnonzero(begins)
    return runs[np.searchsorted(runs, places, side="right") - 1]


def _codes(scores: np.ndarray) -> np.ndarray:
    """Whole numbers below 2 ** 31 in the scores' order, uint32 of the same shape."""
    if scores.dtype == np.float32 and scores.size and scores.min() >= 0 and scores.max() < 2:
        # The bits of such floats are ordered as their values. The sum makes -0.0 a 0.0.
        return (scores + np.float32(0)).view(np.uint32)
    _, ranks = np.unique(scores, return_inverse=True)
    return ranks.reshape(scores.shape).astype(np.uint32)
