"""From stored scores to a record's metrics: every metric of the scores, and every rule's label sets. Needs no torch.

Training calls it when it has scores, and ``scripts/evaluate.py`` calls it again for scores that are on disk, so that a new metric
or rule never means new training.
"""

from __future__ import annotations

import dataclasses
import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from hmc.data.dataset import Dataset
from hmc.data.load import load_labels
from hmc.losses.weights import weights_of_weighted
from hmc.metrics.evaluate import TrainingSummary, rule_metrics, score_metrics, scored, training_summary, validation_metrics
from hmc.results.store import Store
from hmc.rules import Evidence, decide, fit_all, needs_held_out_rows
from hmc.scores import ScoresError, load_scores
from hmc.settings import Cell, RuntimeSettings

EVALUATION_VERSION = 1
"""To be raised with every change to a metric or rule: records of an older version are evaluated again from their scores."""


@dataclass(frozen=True)
class Evaluation:
    """What evaluation says of a cell's scores.

    metrics: of the scores, by name. rules: of label sets, by rule and name. lacking: for each rule that could not be fitted, why.
    nodes: true_positives, false_positives, false_negatives (at 0.5) and training_count, one entry an evaluated node. tuning:
    "holdout", "refit" or "" for where thresholds were fitted; sibling: the identity of the cell whose held-out scores they were
    fitted on. validation: metrics of the cell's own held-out rows, empty without any. thresholds: float64 [nodes] by rule.
    seconds: what it took.
    """

    metrics: Mapping[str, float]
    rules: Mapping[str, Mapping[str, float]]
    nodes: Mapping[str, Sequence[int]]
    lacking: Mapping[str, str] = field(default_factory=dict)
    tuning: str = ""
    sibling: str = ""
    validation: Mapping[str, float] = field(default_factory=dict)
    thresholds: Mapping[str, np.ndarray] = field(default_factory=dict)
    seconds: float = 0.0


@dataclass(frozen=True, eq=False)
class HeldOutScores:
    """Scores of the rows that a cell held out, and the dataset with that holdout. identity: of the cell."""

    identity: str
    scores: np.ndarray
    dataset: Dataset


def sibling(cell: Cell) -> Cell:
    """The same cell with the rows held out that it was trained on, for thresholds: same settings and seed,
    training.holdout=valid.
    """
    training = dataclasses.replace(cell.settings.training, holdout="valid")
    parts = tuple(sibling(part) for part in cell.parts)
    return dataclasses.replace(cell, settings=dataclasses.replace(cell.settings, training=training), parts=parts)


def held_out_of_sibling(cell: Cell, store: Store, runtime: RuntimeSettings) -> HeldOutScores | None:
    """The held-out scores that tune this cell's thresholds (refit); None where its sibling has none on disk that can be used."""
    other = sibling(cell)
    try:
        stored = load_scores(store.scores_path(other), other.identity)
    except FileNotFoundError:
        return None
    except (OSError, ScoresError) as error:
        warnings.warn(f"{cell}: no thresholds are fitted on held-out scores: {error}", RuntimeWarning, stacklevel=2)
        return None
    if stored.held_out is None:
        return None
    settings = other.settings
    dataset = load_labels(settings.dataset, runtime, seed=settings.seed, holdout="valid")
    return HeldOutScores(other.identity, stored.held_out, dataset)


def tuning_scores(
    cell: Cell, held_out: np.ndarray | None, dataset: Dataset, store: Store, runtime: RuntimeSettings
) -> HeldOutScores | None:
    """The held-out scores that a cell's thresholds are fitted on: its own, or else its sibling's.

    held_out: its own, None where it has none. dataset: with the cell's own holdout.
    """
    if held_out is None:
        return held_out_of_sibling(cell, store, runtime)
    return HeldOutScores(cell.identity, held_out, dataset)


def evaluate(cell: Cell, test: np.ndarray, dataset: Dataset, held_out: HeldOutScores | None, rules: Sequence[str]) -> Evaluation:
    """Evaluate a cell's scores.

    test: float32 [test rows, nodes]. dataset: with the cell's own holdout; its features are not looked at. held_out: the cell's
    own held-out scores, or its sibling's; None where there are none. rules: names of :data:`hmc.rules.RULES` or module:name.

    Raises MetricError for scores that cannot be evaluated, SettingsError for a rule that is not known.
    """
    began = time.perf_counter()
    hierarchy, training = dataset.hierarchy, training_summary(dataset.training.labels, dataset.hierarchy)
    checked = scored(test, dataset.test.labels, hierarchy, training)
    thresholds, lacking = fit_thresholds(cell, dataset, held_out, rules, training)
    metrics, counts = {}, None
    for name in rules:
        if name in thresholds:
            decisions = decide(checked.scores, thresholds[name], hierarchy)
            decided = rule_metrics(checked, decisions.labels, decisions.added)
            metrics[name] = decided.metrics
            counts = decided.counts if name == "half" else counts
    nodes: dict[str, Sequence[int]] = {}
    if counts is not None:
        parts = ("true_positives", "false_positives", "false_negatives")
        nodes = {part: getattr(counts, part).tolist() for part in parts}
        nodes["training_count"] = training.counts[checked.evaluated].tolist()
    used = held_out is not None and any(map(needs_held_out_rows, rules))
    its_own = held_out is not None and held_out.identity == cell.identity
    return Evaluation(
        metrics=score_metrics(checked),
        rules=metrics,
        nodes=nodes,
        lacking=lacking,
        tuning=("holdout" if its_own else "refit") if used else "",
        sibling=held_out.identity if held_out is not None and used else "",
        validation=_validation(held_out, training) if held_out is not None and its_own else {},
        thresholds=thresholds,
        seconds=time.perf_counter() - began,
    )


def fit_thresholds(
    cell: Cell,
    dataset: Dataset,
    held_out: HeldOutScores | None,
    rules: Sequence[str],
    training: TrainingSummary | None = None,
) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """The thresholds of a cell's nodes by rule, float64 [nodes], and for each rule that could not be fitted, why.

    Looks at no test row. Takes what :func:`evaluate` takes; training: of the dataset, where it is at hand.

    Raises SettingsError for a rule that is not known.
    """
    hierarchy = dataset.hierarchy
    training = training or training_summary(dataset.training.labels, hierarchy)
    weights = weights_of_weighted(dataset, cell.settings.protocol)
    own = Evidence(hierarchy, training.rate, training.rows, weights=(weights.positive, weights.negative))
    thresholds, lacking = fit_all([name for name in rules if not needs_held_out_rows(name)], own)
    tuned = [name for name in rules if needs_held_out_rows(name)]
    fitted, wanting = fit_all(tuned, own if held_out is None else _tuning(own, held_out))
    thresholds |= fitted
    lacking |= wanting
    if _is_weighted(cell) and "weight_equivalent" in thresholds:
        del thresholds["weight_equivalent"]
        lacking["weight_equivalent"] = "rule weight_equivalent: it is for a network that was trained without node weights"
    return thresholds, lacking


def _validation(held_out: HeldOutScores, training: TrainingSummary) -> dict[str, float]:
    rows = held_out.dataset.held_out
    assert rows is not None, "a dataset with held-out rows has them"
    return validation_metrics(scored(held_out.scores, rows.labels, held_out.dataset.hierarchy, training))


def _is_weighted(cell: Cell) -> bool:
    """Whether node weights moved the cell's scores already, or those of a part of a mixture."""
    return cell.settings.method.node_weights.scheme != "none" or any(_is_weighted(part) for part in cell.parts)


def _tuning(own: Evidence, held_out: HeldOutScores) -> Evidence:
    """Evidence with held-out rows, and with the training rate of the network that scored them."""
    rows = held_out.dataset.held_out
    assert rows is not None, "a dataset with held-out rows has them"
    counted = held_out.dataset.training.labels
    rate = np.count_nonzero(counted, axis=0) / max(1, len(counted))
    return dataclasses.replace(own, rate=rate, rows=len(counted), scores=held_out.scores, labels=rows.labels)
