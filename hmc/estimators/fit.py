"""Fitting a scikit-learn estimator, or a reference predictor, and scoring rows with it."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
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
    base = _base(settings, labels)
    scores = [np.tile(base, (len(part), 1)) for part in rows]
    # One block at a time, since a forest of all of them may not fit into memory.
    for block in _fitted_blocks(settings, features, labels, seed, threads, progress):
        for target, part in zip(scores, rows, strict=True):
            target[:, block.nodes] = block.scores(part)
    return [coherent(np.clip(part, 0, 1), hierarchy) for part in scores]


@dataclass(frozen=True)
class Block:
    """An estimator that serves some nodes. nodes: int64, their places."""

    name: str
    estimator: Any
    nodes: np.ndarray

    def scores(self, rows: np.ndarray) -> np.ndarray:
        """float [rows, nodes of the block]. Raises EstimatorError."""
        with _named(self.name, len(self.nodes)):
            return _scores(self.estimator, rows, len(self.nodes))


@dataclass(frozen=True)
class FittedEstimator:
    """An estimator that was fitted on training rows. base: float32 [nodes], the scores of nodes that no block serves."""

    hierarchy: Hierarchy
    base: np.ndarray
    blocks: tuple[Block, ...]

    def scores(self, rows: np.ndarray) -> np.ndarray:
        """Coherent scores of rows, see :func:`estimated_scores`."""
        found = np.tile(self.base, (len(rows), 1))
        for block in self.blocks:
            found[:, block.nodes] = block.scores(rows)
        return coherent(np.clip(found, 0, 1), self.hierarchy)


def fitted_estimator(
    settings: EstimatorSettings,
    features: np.ndarray,
    labels: np.ndarray,
    hierarchy: Hierarchy,
    *,
    seed: int = 0,
    threads: int = 1,
) -> FittedEstimator:
    """An estimator fitted on training rows, all of its blocks in memory; arguments and errors as of :func:`estimated_scores`."""
    blocks = _fitted_blocks(settings, features, labels, seed, threads, lambda done, count: None)
    return FittedEstimator(hierarchy, _base(settings, labels), tuple(blocks))


def _base(settings: EstimatorSettings, labels: np.ndarray) -> np.ndarray:
    """Scores of nodes that nothing is fitted for: 0 of those that no training row has, 1 of those that all have."""
    counts = np.count_nonzero(labels, axis=0)
    if settings.name in REFERENCES:
        return REFERENCES[settings.name](counts, len(labels)).astype(np.float32)
    return (counts == len(labels)).astype(np.float32)


def _fitted_blocks(
    settings: EstimatorSettings, features: np.ndarray, labels: np.ndarray, seed: int, threads: int, progress: Progress
) -> Iterator[Block]:
    if settings.name in REFERENCES:
        return
    counts = np.count_nonzero(labels, axis=0)
    nodes = np.flatnonzero((counts > 0) & (counts < len(labels)))
    make = _maker(settings, seed, threads)
    together = max(1, settings.block or len(nodes)) if _is_multi_output(make()) else 1
    for begin in range(0, len(nodes), together):
        block = nodes[begin : begin + together]
        yield Block(settings.name, _fitted(make(), settings.name, features, labels[:, block]), block)
        progress(begin + len(block), len(nodes))


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
    if not inspect.isclass(kind) or not hasattr(kind, "fit"):
        raise EstimatorError(f"{at} must be a class with fit and predict, as scikit-learn's estimators are, got {kind!r}")
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
    """Whether one fit serves several nodes; a class without scikit-learn's tags is asked for one node at a time."""
    from sklearn import utils

    # Since scikit-learn 1.6; before, a dictionary.
    if hasattr(utils, "get_tags"):
        return hasattr(estimator, "__sklearn_tags__") and bool(utils.get_tags(estimator).target_tags.multi_output)
    return hasattr(estimator, "_get_tags") and bool(estimator._get_tags().get("multioutput", False))


def _fitted(estimator: Any, name: str, features: np.ndarray, labels: np.ndarray) -> Any:
    """The estimator, fitted on the nodes of one block."""
    from sklearn.base import is_classifier

    tagged = hasattr(estimator, "__sklearn_tags__") or hasattr(estimator, "_get_tags")
    targets = labels.astype(np.int8) if tagged and is_classifier(estimator) else labels.astype(np.float32)
    with _named(name, labels.shape[1]):
        estimator.fit(features, targets[:, 0] if targets.shape[1] == 1 else targets)
    return estimator


@contextlib.contextmanager
def _named(name: str, nodes: int) -> Iterator[None]:
    """Errors within become an EstimatorError that names the estimator; warnings are silenced."""
    try:
        with warnings.catch_warnings():
            # One node of hundreds that does not converge is not worth a warning; a fit that fails raises.
            warnings.simplefilter("ignore")
            yield
    except MemoryError:
        raise
    # An estimator can fail in any way that its library knows.
    except Exception as error:
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        raise EstimatorError(f"{name} failed on a block of {nodes} nodes: {reason}") from error


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
