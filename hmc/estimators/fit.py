"""Fitting a scikit-learn estimator, or a reference predictor, and scoring rows with it."""

from __future__ import annotations

import importlib
import inspect
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from hmc.hierarchy import Hierarchy
from hmc.scores.coherent import coherent
from hmc.settings import EstimatorSettings

Progress = Callable[[int, int], None]
"""Called with how many nodes are fitted, and of how many."""


class EstimatorError(ValueError):
    """An estimator cannot be made or fitted. The message is for the user."""


def estimated_scores(
    settings: EstimatorSettings,
    features: np.ndarray,
    labels: np.ndarray,
    hierarchy: Hierarchy,
    rows: Sequence[np.ndarray],
    *,
    seed: int = 0,
    threads: int = 1,
    progress: Progress = lambda done, count: None,
) -> list[np.ndarray]:
    """Coherent scores of several sets of rows, by an estimator fitted on training rows.

    settings: which estimator; features: float32 [training rows, features]; labels: bool [training rows, nodes], closed; rows:
    sets of rows to score, float32 [rows, features] each. Returns float32 [rows, nodes] for each set, clipped to [0, 1], after the
    maximum over descendants. A node without a positive in training scores 0, one that all rows have 1.

    Raises EstimatorError where the estimator cannot be imported, made, or fitted.
    """
    counts = np.count_nonzero(labels, axis=0)
    if settings.name in REFERENCES:
        of_node = REFERENCES[settings.name](counts, len(labels))
        return [np.broadcast_to(of_node.astype(np.float32), (len(part), len(of_node))).copy() for part in rows]
    everywhere = counts == len(labels)
    scores = [np.zeros((len(part), len(hierarchy)), dtype=np.float32) for part in rows]
    for part in scores:
        part[:, everywhere] = 1
    nodes = np.flatnonzero((counts > 0) & ~everywhere)
    make = _maker(settings, seed, threads)
    together = settings.block or len(nodes)
    if not _is_multi_output(make()):
        together = 1
    for begin in range(0, len(nodes), max(1, together)):
        block = nodes[begin : begin + together]
        found = _fit_block(make(), settings, features, labels[:, block], rows)
        for target, values in zip(scores, found, strict=True):
            target[:, block] = values
        progress(begin + len(block), len(nodes))
    return [coherent(np.clip(part, 0, 1), hierarchy) for part in scores]


def _predict_all(counts: np.ndarray, rows: int) -> np.ndarray:
    return np.ones(len(counts))


def _training_rate(counts: np.ndarray, rows: int) -> np.ndarray:
    return counts / max(1, rows)


REFERENCES: Mapping[str, Callable[[np.ndarray, int], np.ndarray]] = {
    "predict_all": _predict_all,
    "training_rate": _training_rate,
}
"""Scores that look at no feature: 1 for every node, or the share of training rows that has it."""


def _maker(settings: EstimatorSettings, seed: int, threads: int) -> Callable[[], Any]:
    """What makes the estimator anew, seeded where it takes a seed."""
    module, _, name = settings.name.partition(":")
    at = f"method.estimator.name={settings.name!r}"
    try:
        kind = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise EstimatorError(
            f"{at} cannot be imported ({error}); write module:Class, such as sklearn.ensemble:ExtraTreesRegressor, or one of "
            f"{', '.join(REFERENCES)}"
        ) from None
    given = dict(settings.parameters)
    accepted = inspect.signature(kind).parameters
    if "random_state" in accepted:
        given.setdefault("random_state", seed)
    if "n_jobs" in accepted:
        given.setdefault("n_jobs", threads)

    def make() -> Any:
        try:
            return kind(**given)
        except (TypeError, ValueError) as error:
            known = ", ".join(accepted)
            raise EstimatorError(f"method.estimator.parameters do not fit {settings.name} ({error}); it takes {known}") from None

    return make


def _is_multi_output(estimator: Any) -> bool:
    """Whether one fit serves several nodes."""
    from sklearn import utils

    # Since scikit-learn 1.6; before, a dictionary.
    if hasattr(utils, "get_tags"):
        tags = utils.get_tags(estimator)
        return bool(tags.target_tags.multi_output)
    return bool(estimator._get_tags().get("multioutput", False))


def _fit_block(
    estimator: Any, settings: EstimatorSettings, features: np.ndarray, labels: np.ndarray, rows: Sequence[np.ndarray]
) -> list[np.ndarray]:
    """float [rows, nodes of the block] for each set of rows."""
    from sklearn.base import is_classifier

    targets = labels.astype(np.int8) if is_classifier(estimator) else labels.astype(np.float32)
    try:
        with warnings.catch_warnings():
            # One node of hundreds that does not converge is no news; a fit that fails raises.
            warnings.simplefilter("ignore")
            estimator.fit(features, targets[:, 0] if targets.shape[1] == 1 else targets)
            return [_scores(estimator, part, labels.shape[1]) for part in rows]
    except MemoryError:
        raise
    # An estimator can fail in any way that its library knows.
    except Exception as error:
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        raise EstimatorError(f"{settings.name} failed on a block of {labels.shape[1]} nodes: {reason}") from error


def _scores(estimator: Any, rows: np.ndarray, nodes: int) -> np.ndarray:
    if not len(rows):
        return np.zeros((0, nodes), dtype=np.float32)
    if hasattr(estimator, "predict_proba"):
        found = estimator.predict_proba(rows)
        # Several outputs give a list, one gives an array; the second class is the positive one.
        listed = found if isinstance(found, list) else [found] if nodes == 1 else None
        return np.stack([part[:, 1] for part in listed], axis=1) if listed is not None else np.asarray(found)
    if hasattr(estimator, "decision_function"):
        margin = np.asarray(estimator.decision_function(rows)).reshape(len(rows), nodes)
        return 1 / (1 + np.exp(-margin))
    return np.asarray(estimator.predict(rows)).reshape(len(rows), nodes)
