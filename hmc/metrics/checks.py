"""Refusing arrays that would give a number without meaning."""

from __future__ import annotations

import numpy as np


class MetricError(ValueError):
    """The arrays to score do not fit each other or hold values that cannot be scored."""


def as_labels(labels: np.ndarray, name: str = "labels") -> np.ndarray:
    """The labels as bool [rows, nodes].

    Raises MetricError unless there are two axes, none of them empty, and only zeros and ones.
    """
    array = np.asarray(labels)
    if array.ndim != 2 or 0 in array.shape:
        raise MetricError(f"{name} have shape {array.shape}; expected [rows, nodes] with at least one row and one node")
    if array.dtype == np.bool_:
        return array
    if not ((array == 0) | (array == 1)).all():
        raise MetricError(f"{name} hold values other than 0 and 1; pass bool [rows, nodes]")
    return array.astype(bool)


def as_scores(scores: np.ndarray, shape: tuple[int, ...], name: str = "scores") -> np.ndarray:
    """The scores as they are, a float array of this shape without NaN.

    Raises MetricError for another shape, another type or a NaN, and names the first one's place.
    """
    array = np.asarray(scores)
    if array.shape != shape:
        raise MetricError(f"{name} have shape {array.shape}, but labels have {shape}; pass one score per row and node")
    if not np.issubdtype(array.dtype, np.floating):
        raise MetricError(f"{name} are {array.dtype}; expected floating-point numbers")
    # The minimum of an array with a NaN is NaN: one pass, no temporary array.
    if np.isnan(array.min()):
        row, node = np.argwhere(np.isnan(array))[0]
        raise MetricError(f"{name} hold NaN, first in row {row}, node {node}; the training or the prediction went wrong")
    return array


def as_probabilities(probabilities: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Scores that also lie in [0, 1].

    Raises MetricError as :func:`as_scores`, and for a value outside [0, 1].
    """
    array = as_scores(probabilities, shape, "probabilities")
    lowest, highest = float(array.min()), float(array.max())
    if lowest < 0 or highest > 1:
        worst = lowest if lowest < 0 else highest
        raise MetricError(f"probabilities hold {worst:g}, outside [0, 1]; pass probabilities, not logits")
    return array
