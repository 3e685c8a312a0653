"""Cells without a network of ours: estimators and mixtures, from settings to scores. Needs torch only for encoded images."""

from __future__ import annotations

import time
from collections.abc import Callable

from hmc.data.dataset import Dataset
from hmc.estimators import estimated_scores, mixed, mixture_weights
from hmc.experiments.made import Made
from hmc.results.store import Store
from hmc.scores import Scores, ScoresError, load_scores
from hmc.settings import Cell, RuntimeSettings


class MissingScoresError(ScoresError):
    """A mixture's part has no scores on disk."""


def scores_of_estimator(
    cell: Cell, dataset: Dataset, runtime: RuntimeSettings, progress: Callable[[int, int], None] = lambda done, count: None
) -> Made:
    """Fit the cell's estimator on its training rows and score the test rows and the held-out ones. Raises EstimatorError."""
    began = time.perf_counter()
    if cell.settings.dataset.holds_images:
        # Its encoder, if there is one, needs torch.
        from hmc.experiments.features import frozen_features

        dataset = frozen_features(dataset, cell.settings, runtime)
    held_out = dataset.held_out
    wanted = [dataset.test.features, *([] if held_out is None else [held_out.features])]
    found = estimated_scores(
        cell.settings.method.estimator,
        dataset.training.features,
        dataset.training.labels,
        dataset.hierarchy,
        wanted,
        seed=cell.seed,
        threads=runtime.threads,
        progress=progress,
    )
    return Made(found[0], found[1] if len(found) > 1 else None, (), _times(began))


def scores_of_mixture(cell: Cell, dataset: Dataset, store: Store) -> Made:
    """The mean of the scores of the cell's parts. Raises MissingScoresError where a part has none on disk."""
    began = time.perf_counter()
    parts = [_of_part(part, store) for part in cell.parts]
    held_out = dataset.held_out
    labels = None if held_out is None else held_out.labels
    own = [part.held_out for part in parts]
    weights = mixture_weights(cell.settings.method.mixture_weights, own, labels, dataset.hierarchy)
    known = [part for part in own if part is not None]
    return Made(
        mixed([part.test for part in parts], weights),
        mixed(known, weights) if len(known) == len(own) else None,
        (),
        _times(began),
    )


def _of_part(part: Cell, store: Store) -> Scores:
    path = store.scores_path(part)
    try:
        return load_scores(path, part.identity)
    except FileNotFoundError:
        raise MissingScoresError(
            f"the mixture needs the scores of {part}, and {path} is not there; run that cell first, with keep_scores=true"
        ) from None


def _times(began: float) -> dict[str, float]:
    return {
        "train_seconds": round(time.perf_counter() - began, 3),
        "step_milliseconds": 0.0,
        "steps": 0,
        "stacked_cells": 1,
    }
