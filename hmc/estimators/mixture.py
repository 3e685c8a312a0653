"""Mixtures: the mean of several methods' stored scores. No training."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hmc.hierarchy import Hierarchy
from hmc.metrics.ranking import mean_defined, node_average_precision


def mixed(scores: Sequence[np.ndarray], weights: Sequence[float]) -> np.ndarray:
    """The weighted mean of coherent scores, float32 [rows, nodes]; coherent again.

    scores: float32 [rows, nodes] each, of the same rows. weights: one a part, 0 or more, not all 0.

    >>> mixed([np.array([[0.2, 0.0]], dtype=np.float32), np.array([[0.6, 0.4]], dtype=np.float32)], [1, 1]).round(2).tolist()
    [[0.4000000059604645, 0.20000000298023224]]
    """
    total = float(sum(weights))
    mean = sum(part.astype(np.float64) * (weight / total) for part, weight in zip(scores, weights, strict=True))
    return np.clip(np.asarray(mean), 0, 1).astype(np.float32)


def mixture_weights(
    kind: str, held_out: Sequence[np.ndarray | None], labels: np.ndarray | None, hierarchy: Hierarchy
) -> list[float]:
    """The weight of each part: equal, or by how well it ranks held-out rows.

    kind: ``equal``; ``macro_ap``, each part's macro average precision on the held-out rows. held_out: float32 [rows, nodes] each;
    labels: bool [rows, nodes].

    Raises ValueError where ``macro_ap`` is asked for and there are no held-out rows.
    """
    if kind == "equal":
        return [1.0] * len(held_out)
    if labels is None or any(part is None for part in held_out):
        raise ValueError("method.mixture_weights=macro_ap needs held-out scores of every part; set training.holdout=valid")
    evaluated = hierarchy.evaluated
    found = [
        mean_defined(node_average_precision(labels[:, evaluated], part[:, evaluated])) for part in held_out if part is not None
    ]
    return [value or 0.0 for value in found] if any(found) else [1.0] * len(held_out)
