"""Hierarchical multi-label classification of your own arrays, by scikit-learn's conventions."""

from __future__ import annotations

import dataclasses
import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import DataConversionWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from hmc import configs
from hmc.data.dataset import DataWarning
from hmc.data.frames import columns_of, encoded_like, has_categories
from hmc.data.graphs import labelling_of
from hmc.data.hierarchy_file import Labelling
from hmc.data.subsample import sampled_rows
from hmc.data.targets import Targets, label_matrix, targets_of
from hmc.hierarchy import ROOT
from hmc.metrics.ranking import micro_average_precision
from hmc.rules import decide, needs_held_out_rows
from hmc.settings import DatasetSettings, RunSettings, SettingsError, to_mapping
from hmc.settings.run import run_settings
from hmc.training.arrays import FittedMethod, dataset_of_arrays, fit_method, tune
from hmc.training.saved import Model, ModelError, load_model, preferred_rule, save_model

TRAINING = ("hidden", "layers", "epochs", "learning_rate", "dropout", "batch_size", "weight_decay")
"""The parameters that are settings of the training."""


class HierarchicalClassifier(ClassifierMixin, BaseEstimator):
    """Fit, tune, predict and save a method of hierarchical multi-label classification on your own arrays.

    Scores are coherent: no class is above its parent. Label sets come from scores by a decision rule, whose thresholds are fitted
    on rows that are held out of training; then the method is fitted once more on all rows, unless ``refit=False``.

    Parameters
    ----------
    hierarchy : Hierarchy, (parent, child) pairs, mapping from parents to children, paths, or graph with such edges
        None: no hierarchy, the labels of ``y`` side by side. Several tops get a root above them. A root is carried by every row
        and never scored.
    method : name of a method, such as "chmcnn", "ensemble_summed", "weighted_focal_bbma" or "extra_trees"; any but mixtures
    members : networks of the ensemble; None: as the method has them
    hidden, layers, epochs, learning_rate, dropout, batch_size, weight_decay : None: of ``configs/training/paper.yaml``, where the
        values for own data are 500, 3, 100, 1e-4, 0.7, 4 and 1e-5; without effect on estimators
    rule : decision rule, one of ``hmc.rules.RULES``
    validation_fraction : share of rows that the rule's thresholds are fitted on (ours: 0.2); of no effect for rules that look at
        no held-out row ("half", "prior", "weight_equivalent")
    refit : whether the method is fitted on all rows once thresholds are known (METHOD "refit"), or stays as it is ("holdout")
    protocol : "released", "described" or "corrected"; see the named switches
    random_state : seed; None: a random one
    n_jobs : threads; -1: one a core, as in scikit-learn; None: 1
    device : "auto", "cpu", "cuda" or "cuda:N"

    Attributes
    ----------
    classes_ : ndarray of str (or of y's own type without a hierarchy), the classes in the order of all columns, without the root
    hierarchy_ : Hierarchy
    thresholds_ : ndarray [classes], a row has a class if its score is above
    validation_scores_ : dict, AU(PRC), macro average precision and macro F1 on the held-out rows; empty where none were needed
    learning_curve_ : ndarray [epochs], the mean loss of each epoch; empty for estimators
    n_features_in_, feature_names_in_ : as in scikit-learn

    Examples
    --------
    >>> import numpy as np
    >>> from hmc import HierarchicalClassifier
    >>> X = np.random.default_rng(0).normal(size=(80, 3))
    >>> Y = [["cat"] if row[0] > 0 else ["dog"] for row in X]
    >>> edges = [("animal", "pet"), ("pet", "cat"), ("pet", "dog")]
    >>> model = HierarchicalClassifier(edges, method="chmcnn", hidden=20, epochs=20, learning_rate=0.01, rule="half")
    >>> scores = model.fit(X, Y).predict_proba(X)
    >>> scores.shape, model.classes_.tolist()
    ((80, 3), ['pet', 'cat', 'dog'])
    >>> bool((scores[:, :1] >= scores[:, 1:]).all())
    True
    """

    def __init__(
        self,
        hierarchy: Any = None,
        *,
        method: str = "weighted_focal_bbma",
        members: int | None = None,
        hidden: int | None = None,
        layers: int | None = None,
        epochs: int | None = None,
        learning_rate: float | None = None,
        dropout: float | None = None,
        batch_size: int | None = None,
        weight_decay: float | None = None,
        rule: str = "scaled_rate",
        validation_fraction: float = 0.2,
        refit: bool = True,
        protocol: str = "released",
        random_state: Any = 0,
        n_jobs: int = 1,
        device: str = "auto",
    ) -> None:
        self.hierarchy = hierarchy
        self.method = method
        self.members = members
        self.hidden = hidden
        self.layers = layers
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.dropout = dropout
        self.batch_size = batch_size
        self.weight_decay = weight_decay
        self.rule = rule
        self.validation_fraction = validation_fraction
        self.refit = refit
        self.protocol = protocol
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.device = device

    # --- fitting ------------------------------------------------------------------------------------------------------------

    def fit(self, X: Any, y: Any) -> HierarchicalClassifier:
        """Fit the method and the rule's thresholds.

        X: array, sparse matrix or frame [rows, features]; NaN is a missing number, a frame's columns of text are categories. y: a
        list of labels for each row (the most specific ones suffice), one label a row, or a matrix or frame of 0 and 1 with a
        column for each class.

        Raises ValueError for arrays or parameters that cannot be used, TrainingError where the training diverges.
        """
        settings, threads = self._settings(_seed(self.random_state)), self._threads()
        features, names = self._training_features(X)
        y = self._one_dimensional(y)
        targets = targets_of(y)
        if len(features) != len(targets):
            raise ValueError(
                f"X and y must have as many rows, got {len(features)} and {len(targets)}: inconsistent numbers of samples"
            )
        labelling = labelling_of(self.hierarchy, self._flat_labels(targets))
        # Who wrote the pairs knows of a single top, but not of a root that was added.
        if labelling.hierarchy.names[labelling.hierarchy.root] == ROOT:
            for note in labelling.notes:
                warnings.warn(note, DataWarning, stacklevel=2)
        labels = label_matrix(targets, labelling)
        whole = dataset_of_arrays(labelling.hierarchy, names, features, labels)
        tuning, fitted, scores = None, None, None
        if needs_held_out_rows(self.rule):
            held_out = self._held_out(labels, settings.seed)
            tuning = dataset_of_arrays(labelling.hierarchy, names, features, labels, held_out)
            fitted = fit_method(settings, tuning, self.device, threads)
            scores = fitted.scores_of_prepared(tuning.valid.features, self.device)
        thresholds, validation = tune(self.rule, settings, whole, tuning, scores)
        if fitted is None or self.refit:
            fitted = fit_method(settings, whole, self.device, threads)
        self._labelling, self._form, self._single = labelling, targets.form, self._single_classes(y, targets)
        self._fitted_method = dataclasses.replace(fitted, thresholds={self.rule: thresholds})
        self._finish(validation)
        return self

    def _finish(self, validation: dict[str, float]) -> None:
        """Set what a fitted classifier shows."""
        self.hierarchy_ = self._labelling.hierarchy
        self.classes_ = (
            self._without_root(np.array(self.hierarchy_.names, dtype=object)) if self._single is None else self._single
        )
        self.thresholds_ = self._without_root(self._fitted_method.thresholds[self.rule])
        self.validation_scores_ = validation
        self.learning_curve_ = np.array(self._fitted_method.learning_curve)

    def _held_out(self, labels: np.ndarray, seed: int) -> np.ndarray:
        """The rows that thresholds are fitted on, stratified over label sets, int64."""
        if not 0 < self.validation_fraction < 1:
            raise ValueError(f"validation_fraction must be above 0 and below 1, got {self.validation_fraction!r}")
        held_out = sampled_rows(labels, self.validation_fraction, np.random.Generator(np.random.PCG64(seed)))
        if len(held_out) == len(labels):
            raise ValueError(
                f"rule={self.rule!r} holds rows out of training, so there must be two or more, got n_samples={len(labels)}"
            )
        return held_out

    def _without_root(self, values: np.ndarray) -> np.ndarray:
        """An array with the hierarchy's nodes on its last axis, less the root."""
        return np.delete(values, self._labelling.hierarchy.root, axis=-1)

    def _settings(self, seed: int) -> RunSettings:
        """Raises ValueError for a parameter that is not known or out of range."""
        if not isinstance(self.method, str):
            raise ValueError(f"method must be the name of one, such as 'chmcnn', got {self.method!r}")
        method = configs.read("method", self.method)
        if self.members is not None:
            method["members"] = self.members
        training = configs.read("training", "paper")
        training |= {name: value for name in TRAINING if (value := getattr(self, name)) is not None}
        settings = run_settings(
            {
                "dataset": DatasetSettings("arrays", kind="table"),
                "method": method,
                "training": training,
                "protocol": configs.settings_of("protocol", self.protocol),
                "seed": seed,
            }
        )
        if settings.method.kind not in ("network", "estimator"):
            raise SettingsError(
                f"method must be a network or an estimator, got {self.method!r}, which is a {settings.method.kind}"
            )
        return settings

    # --- arrays -------------------------------------------------------------------------------------------------------------

    def _training_features(self, X: Any) -> tuple[np.ndarray, tuple[str, ...]]:
        """float64 [rows, features], and the features' names."""
        if has_categories(X):
            columns = columns_of(X)
            self.feature_names_in_ = np.array([str(name) for name in X.columns], dtype=object)
            self.n_features_in_ = len(self.feature_names_in_)
            return _checked(columns.encode(X)), columns.names
        found = self._validated(X, reset=True)
        names = getattr(self, "feature_names_in_", None)
        return found, tuple(f"x{place}" for place in range(found.shape[1])) if names is None else tuple(names)

    def _features(self, X: Any) -> np.ndarray:
        """The same of rows to be scored."""
        names = self._fitted_method.feature_names
        if hasattr(X, "columns") and (has_categories(X) or len(names) != self.n_features_in_):
            found = _checked(encoded_like(X, names))
        else:
            found = self._validated(X, reset=False)
        if not len(found):
            raise ValueError("Found array with 0 sample(s) while a minimum of 1 is required: X must have a row")
        return found

    def _threads(self) -> int:
        """Raises ValueError for a number that means nothing."""
        if self.n_jobs is None:
            return 1
        if isinstance(self.n_jobs, bool) or not isinstance(self.n_jobs, (int, np.integer)) or self.n_jobs == 0:
            raise ValueError(f"n_jobs must be a number of threads, or -1 for one a core, got {self.n_jobs!r}")
        return int(self.n_jobs) if self.n_jobs > 0 else max(1, (os.cpu_count() or 1) + 1 + int(self.n_jobs))

    def _validated(self, X: Any, *, reset: bool) -> np.ndarray:
        found = validate_data(
            self, X, reset=reset, accept_sparse=["csr", "csc", "coo"], dtype=np.float64, ensure_all_finite="allow-nan"
        )
        return np.asarray(found.toarray() if hasattr(found, "toarray") else found)

    def _flat_labels(self, targets: Targets) -> list[str]:
        """The classes where there is no hierarchy: the labels named, or the columns of a matrix without names, 0001 and so on."""
        if targets.matrix is None or targets.columns:
            return sorted(targets.labels)
        width = targets.matrix.shape[1]
        return [f"{place:0{len(str(width - 1))}d}" for place in range(width)]

    def _one_dimensional(self, y: Any) -> Any:
        """One label a row that came as a matrix of one column, without a hierarchy, as a vector; anything else as it is."""
        if self.hierarchy is not None or getattr(y, "ndim", 1) != 2 or y.shape[1] != 1 or hasattr(y, "columns"):
            return y
        warnings.warn(
            "A column-vector y was passed when a 1d array was expected; it is taken as one", DataConversionWarning, stacklevel=3
        )
        return np.asarray(y).ravel()

    def _single_classes(self, y: Any, targets: Targets) -> np.ndarray | None:
        """Without a hierarchy and with one label a row: the classes in their own type; predict then returns one of them a row."""
        if self.hierarchy is not None or targets.form != "single":
            return None
        classes = np.unique(np.asarray(y))
        names = [str(name) for name in classes]
        # The hierarchy's nodes are sorted as text.
        return classes[np.argsort(names, kind="stable")]

    # --- predicting ---------------------------------------------------------------------------------------------------------

    def predict_proba(self, X: Any) -> np.ndarray:
        """Coherent scores in [0, 1], float32 [rows, classes], with columns as in ``classes_``.

        Without a hierarchy and with one label a row in fit, a row's scores are divided by their sum, as scikit-learn has them.
        """
        scores = self._without_root(self._scores(X))
        if self._single is None:
            return scores
        total = scores.sum(axis=1, keepdims=True, dtype=np.float64)
        return np.divide(scores, total, out=np.full(scores.shape, 1 / scores.shape[1]), where=total > 0)

    def predict(self, X: Any) -> Any:
        """Label sets by the rule, closed under ancestors, in the form that ``y`` had in fit.

        A matrix or frame of 0 and 1 with columns as in ``classes_``; an object array of tuples of classes; or, without a
        hierarchy and with one label a row in fit, the class with the highest score of each row.
        """
        scores = self._scores(X)
        if self._single is not None:
            return self.classes_[self._without_root(scores).argmax(axis=1)]
        labels = decide(scores, self._fitted_method.thresholds[self.rule], self.hierarchy_).labels
        matrix = self._without_root(labels)
        if self._form == "matrix":
            return matrix.astype(int)
        if self._form == "frame":
            import pandas as pd

            return pd.DataFrame(matrix.astype(int), columns=self.classes_, index=getattr(X, "index", None))
        sets = np.empty(len(matrix), dtype=object)
        sets[:] = [tuple(self.classes_[row]) for row in matrix]
        return sets

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """AU(PRC): micro-averaged average precision of the scores over all classes. Without a hierarchy and with one label a row:
        accuracy.
        """
        if self._is_single():
            return float(super().score(X, y, sample_weight))
        labels = label_matrix(targets_of(y), self._labelling)
        return micro_average_precision(self._without_root(labels), self.predict_proba(X))

    def _is_single(self) -> bool:
        check_is_fitted(self)
        return self._single is not None

    def _scores(self, X: Any) -> np.ndarray:
        """float32 [rows, nodes], the root included."""
        check_is_fitted(self)
        return self._fitted_method.scores(self._features(X), self.device)

    # --- keeping ------------------------------------------------------------------------------------------------------------

    def save(self, folder: str | Path) -> None:
        """Write the fitted model to a folder: names and settings as JSON, numbers as npz. A model that stands there is replaced.

        Raises ModelError for a method that is no network (pickle the classifier, as any of scikit-learn's), UnwritableError.
        """
        check_is_fitted(self)
        model = self._fitted_method.model
        if model is None:
            raise ModelError(f"method={self.method!r} has no networks to save; pickle the classifier, as any of scikit-learn's")
        parameters = {name: value for name, value in self.get_params(deep=False).items() if name != "hierarchy"}
        parameters["random_state"] = _plain(parameters["random_state"])
        about = {
            "classifier": {
                "parameters": parameters,
                "form": self._form,
                "single": None if self._single is None else self._single.tolist(),
                "feature_names_in": None if not hasattr(self, "feature_names_in_") else list(self.feature_names_in_),
                "n_features_in": self.n_features_in_,
                "validation_scores": self.validation_scores_,
                "learning_curve": self.learning_curve_.tolist(),
            },
            "settings": to_mapping(self._settings(0)),
        }
        save_model(Path(folder).expanduser(), dataclasses.replace(model, thresholds=self._fitted_method.thresholds, about=about))

    @classmethod
    def load(cls, folder: str | Path) -> HierarchicalClassifier:
        """A classifier that was saved, or one with the model that ``scripts/train.py save_model=true`` kept.

        The rule of the latter is the tuned one that ``scripts/predict.py`` takes too, where the model has thresholds for one.

        Raises ModelError where the folder holds no model, or a damaged one.
        """
        model = load_model(Path(folder).expanduser())
        about: dict[str, Any] = model.about.get("classifier") or _about_of_cell(model)
        loaded = cls(model.hierarchy, **about["parameters"])
        loaded._labelling = Labelling(model.hierarchy, model.hierarchy.index, "edges")
        loaded._form = about["form"]
        loaded._single = None if about["single"] is None else np.array(about["single"])
        if about["feature_names_in"] is not None:
            loaded.feature_names_in_ = np.array(about["feature_names_in"], dtype=object)
        loaded.n_features_in_ = about["n_features_in"]
        loaded._fitted_method = FittedMethod(
            model.preparation,
            model.feature_names,
            model,
            thresholds=model.thresholds,
            learning_curve=about["learning_curve"],
        )
        loaded._finish(about["validation_scores"])
        return loaded

    # --- scikit-learn -------------------------------------------------------------------------------------------------------

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_fitted_method")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        tags.target_tags.multi_output = True
        tags.input_tags.sparse = True
        tags.input_tags.allow_nan = True
        return tags


def _about_of_cell(model: Model) -> dict[str, Any]:
    """What a classifier knows of itself, of a model that a cell left."""
    settings: Any = model.about["settings"]
    training = {name: settings["training"][name] for name in TRAINING}
    rule = preferred_rule(model.thresholds)
    parameters = {"method": settings["method"]["name"], "protocol": settings["protocol"]["name"], "rule": rule, **training}
    return {
        "parameters": parameters | {"members": settings["method"]["members"], "random_state": settings["seed"]},
        "form": "sets",
        "single": None,
        "feature_names_in": list(model.feature_names),
        "n_features_in": len(model.feature_names),
        "validation_scores": {},
        "learning_curve": [],
    }


def _checked(features: np.ndarray) -> np.ndarray:
    if np.isinf(features).any():
        raise ValueError("X must hold finite numbers or NaN, got infinity")
    return features


def _seed(random_state: Any) -> int:
    """A seed of ours from what scikit-learn takes."""
    if isinstance(random_state, (int, np.integer)) and random_state >= 0:
        return int(random_state)
    return int(check_random_state(random_state).randint(2**31 - 1))


def _plain(random_state: Any) -> int | None:
    return int(random_state) if isinstance(random_state, (int, np.integer)) else None
