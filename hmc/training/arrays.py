"""A method fitted on arrays, by the parts that the doors use: what :class:`hmc.HierarchicalClassifier` is made of."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from hmc.data import preprocess
from hmc.data.dataset import Dataset, Split
from hmc.data.preprocess import Preparation
from hmc.estimators import FittedEstimator, fitted_estimator
from hmc.hierarchy import Hierarchy
from hmc.losses.weights import weights_of_weighted
from hmc.metrics.evaluate import scored, training_summary, validation_metrics
from hmc.rules import Evidence, RuleError
from hmc.rules import fit as fit_rule
from hmc.settings import RunSettings
from hmc.training.saved import Model


@dataclasses.dataclass(frozen=True, eq=False)
class FittedMethod:
    """A fitted method: a network's model, or an estimator. thresholds: by rule, float64 [nodes]."""

    preparation: Preparation
    feature_names: tuple[str, ...]
    model: Model | None = None
    estimator: FittedEstimator | None = None
    thresholds: Mapping[str, np.ndarray] = dataclasses.field(default_factory=dict)
    learning_curve: Sequence[float] = ()

    def scores(self, features: np.ndarray, device: str) -> np.ndarray:
        """float32 [rows, nodes]. features: float64, neither imputed nor standardised."""
        return self.scores_of_prepared(self.preparation.of(features), device)

    def scores_of_prepared(self, features: np.ndarray, device: str) -> np.ndarray:
        """The same of float32 features that are."""
        if self.estimator is not None:
            return self.estimator.scores(features)
        assert self.model is not None
        return self.model.scores_of_prepared(features, device)


def fit_method(settings: RunSettings, dataset: Dataset, device: str, threads: int) -> FittedMethod:
    """Fit the method of these settings, a network or an estimator, on a dataset's training rows.

    Raises TrainingError, EstimatorError, SettingsError.
    """
    assert dataset.preparation is not None, "datasets of arrays have one"
    method, names = settings.method, dataset.feature_names
    if method.kind == "estimator":
        rows, seed = dataset.training, settings.seed
        estimator = fitted_estimator(method.estimator, rows.features, rows.labels, dataset.hierarchy, seed=seed, threads=threads)
        return FittedMethod(dataset.preparation, names, estimator=estimator)
    # torch takes seconds to import, and only networks need it.
    from hmc.models.constraint import Constraint
    from hmc.training.device import device_for, limit_threads
    from hmc.training.stack import train_stack

    limit_threads(threads)
    constraint = Constraint(dataset.hierarchy, device_for(device))
    trained = train_stack(dataset, method, settings.training, settings.protocol, [settings.seed], constraint)
    layers = tuple(layer.cpu().numpy() for layer in trained.networks.layers)
    model = Model(dataset.hierarchy, names, dataset.preparation, layers)
    return FittedMethod(dataset.preparation, names, model=model, learning_curve=tuple(trained.losses[0].tolist()))


def tune(
    rule: str, settings: RunSettings, whole: Dataset, tuning: Dataset | None, scores: np.ndarray | None
) -> tuple[np.ndarray, dict[str, float]]:
    """A rule's thresholds, float64 [nodes], and the metrics of the held-out rows, empty without any.

    whole: all rows. tuning: the same with rows held out, and scores: of these, where the rule needs them. Raises ValueError where
    the rule lacks what it needs.
    """
    weights = weights_of_weighted(whole, settings.protocol)
    training = whole.training.labels
    evidence = Evidence(whole.hierarchy, training.mean(axis=0), len(training), weights=(weights.positive, weights.negative))
    if tuning is None or scores is None:
        return _thresholds(rule, evidence), {}
    kept, labels = tuning.training.labels, tuning.valid.labels
    evidence = dataclasses.replace(evidence, rate=kept.mean(axis=0), rows=len(kept), scores=scores, labels=labels)
    held_out = scored(scores, labels, tuning.hierarchy, training_summary(kept, tuning.hierarchy))
    return _thresholds(rule, evidence), validation_metrics(held_out)


def dataset_of_arrays(
    hierarchy: Hierarchy, names: tuple[str, ...], features: np.ndarray, labels: np.ndarray, held_out: np.ndarray | None = None
) -> Dataset:
    """A dataset of these rows, with some held out: float64 [rows, features], bool [rows, nodes], int64.

    Raises ValueError for features that cannot be trained on.
    """
    nothing = np.zeros(0, dtype=np.int64)
    held_out = nothing if held_out is None else held_out
    kept = np.setdiff1d(np.arange(len(labels)), held_out)
    fill = preprocess.training_means(features[kept])
    filled = np.where(np.isnan(features), fill, features)
    found = preprocess.scaling(filled[kept])
    ready = found.of(filled)
    if unusable := preprocess.first_unusable({"train": ready}, found, ("train",)):
        if len(kept) < 2:
            raise ValueError(f"X must have two rows or more to be standardised, got n_samples = {len(kept)} to train on")
        raise ValueError(
            f"X must hold numbers that can be standardised, got {filled[unusable.row, unusable.feature]:g} in the feature "
            f"{names[unusable.feature]!r}, row {unusable.row}; remove the column, or divide it by a number of that size"
        )
    prepared = ready.astype(np.float32)

    def split(rows: np.ndarray) -> Split:
        return Split(prepared[rows], labels[rows])

    return Dataset(
        name="arrays",
        hierarchy=hierarchy,
        feature_names=names,
        train=split(kept),
        valid=split(held_out),
        test=split(nothing),
        sha256="",
        holdout="valid" if len(held_out) else "none",
        preparation=Preparation(fill, found.mean, found.scale),
    )


def _thresholds(rule: str, evidence: Evidence) -> np.ndarray:
    try:
        return fit_rule(rule, evidence)
    except RuleError as error:
        raise ValueError(str(error)) from None
