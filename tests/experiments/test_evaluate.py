"""From scores to a record's metrics: where thresholds are fitted, and that no test label is looked at."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hmc.data.dataset import Dataset, Split
from hmc.data.load import load_labels
from hmc.experiments import evaluate as module
from hmc.experiments.evaluate import EVALUATION_VERSION, Evaluation, HeldOutScores, evaluate, held_out_of_sibling, sibling
from hmc.experiments.plan import composed
from hmc.experiments.run import run_cells
from hmc.losses.weights import node_weights
from hmc.metrics.evaluate import rule_metrics, scored, training_summary
from hmc.results.record import Record
from hmc.results.store import Store
from hmc.rules import RULES, Evidence, decide, fit
from hmc.scores import SCORES, Scores, digest_of, load_scores, save_scores
from hmc.settings import Cell, NodeWeightSettings, RuntimeSettings, SettingsError
from tests.experiments.examples import SMALL, make_cell, runtime_in

TUNED = {"global", "rate", "scaled_rate", "node", "node_supported", "expected_f1"}
HOLDOUT = "training.holdout=valid"


def run(cell: Cell, runtime: RuntimeSettings) -> Record:
    (record,) = run_cells([cell], runtime)
    return record


def labels_of(cell: Cell, runtime: RuntimeSettings) -> Dataset:
    return load_labels(cell.settings.dataset, runtime, seed=cell.seed, holdout=cell.settings.training.holdout)


def stored(cell: Cell, runtime: RuntimeSettings) -> Scores:
    return load_scores(Store(runtime.results_dir).scores_path(cell), cell.identity)


def macro_f1(scores: np.ndarray, thresholds: np.ndarray, dataset: Dataset) -> float:
    decided = decide(scores, thresholds, dataset.hierarchy)
    training = training_summary(dataset.training.labels, dataset.hierarchy)
    return rule_metrics(scored(scores, dataset.test.labels, dataset.hierarchy, training), decided.labels).metrics["macro_f1"]


# --- where thresholds are fitted --------------------------------------------------------------------------------------


def test_a_cell_that_held_rows_out_fits_its_thresholds_on_them(tmp_path: Path) -> None:
    cell, runtime = make_cell(0, HOLDOUT), runtime_in(tmp_path)
    record = run(cell, runtime)
    assert (record.evaluation["tuning"], record.evaluation["sibling"]) == ("holdout", cell.identity)
    assert list(record.rules) == list(RULES)
    assert record.lacking == {}
    dataset, scores = labels_of(cell, runtime), stored(cell, runtime)
    assert (len(dataset.training), len(dataset.held_out or ())) == (60, 20)
    assert scores.held_out is not None
    evidence = Evidence(dataset.hierarchy, dataset.train.labels.mean(axis=0), 60, scores.held_out, dataset.valid.labels)
    for rule in TUNED:
        assert record.rules[rule]["macro_f1"] == macro_f1(scores.test, fit(rule, evidence), dataset), rule
    assert len({values["macro_f1"] for values in record.rules.values()}) > 3


def test_a_cell_trained_on_all_rows_takes_the_thresholds_of_its_sibling(tmp_path: Path) -> None:
    cell, other, runtime = make_cell(), make_cell(0, HOLDOUT), runtime_in(tmp_path)
    assert sibling(cell).identity == other.identity != cell.identity
    run(other, runtime)
    record = run(cell, runtime)
    assert (record.evaluation["tuning"], record.evaluation["sibling"]) == ("refit", other.identity)
    assert list(record.rules) == list(RULES)
    held_out, theirs = stored(other, runtime).held_out, labels_of(other, runtime)
    dataset, scores = labels_of(cell, runtime), stored(cell, runtime)
    # The sibling's held-out rows and rates, applied to this cell's own scores.
    evidence = Evidence(dataset.hierarchy, theirs.train.labels.mean(axis=0), 60, held_out, theirs.valid.labels)
    for rule in TUNED:
        assert record.rules[rule]["macro_f1"] == macro_f1(scores.test, fit(rule, evidence), dataset), rule
    # The prior is that of the rows this cell was trained on.
    own = Evidence(dataset.hierarchy, dataset.training.labels.mean(axis=0), 80)
    assert record.rules["prior"]["macro_f1"] == macro_f1(scores.test, fit("prior", own), dataset)
    assert (scores.test != stored(other, runtime).test).any()


def test_without_a_sibling_the_record_says_what_is_lacking(tmp_path: Path) -> None:
    record = run(make_cell(), runtime_in(tmp_path))
    assert list(record.rules) == ["half", "prior", "weight_equivalent"]
    assert set(record.lacking) == TUNED
    for rule, reason in record.lacking.items():
        assert reason == f"rule {rule}: it needs held-out scores: run the same cell with training.holdout=valid"
    assert (record.evaluation["tuning"], record.evaluation["sibling"]) == ("", "")


def test_a_dataset_without_a_valid_split_has_a_fifth_of_its_training_rows_held_out(tmp_path: Path) -> None:
    cell = make_cell(0, HOLDOUT, "dataset.synthetic.rows_valid=0")
    record = run(cell, runtime_in(tmp_path))
    assert (record.data["rows_train"], record.data["rows_valid"]) == (48, 12)
    held_out = stored(cell, runtime_in(tmp_path)).held_out
    assert held_out is not None
    assert len(held_out) == 12
    assert record.evaluation["tuning"] == "holdout"


@pytest.mark.parametrize("method", ["extra_trees", "predict_all", "nearest_neighbours"])
def test_an_estimator_is_tuned_like_a_network(tmp_path: Path, method: str) -> None:
    runtime = runtime_in(tmp_path)
    other = run(make_cell(0, HOLDOUT, method=method), runtime)
    record = run(make_cell(0, method=method), runtime)
    assert (other.evaluation["tuning"], record.evaluation["tuning"]) == ("holdout", "refit")
    assert list(record.rules) == list(RULES)
    assert record.learning_curve == ()
    assert record.times["steps"] == 0
    # Its training settings change nothing, and so are not in its identity.
    assert make_cell(0, "training.dropout=0.2", "training.epochs=9", method=method).identity == record.identity
    assert make_cell(0, HOLDOUT, method=method).identity == other.identity != record.identity


def test_weights_that_the_network_has_already_are_no_rule_for_it(tmp_path: Path) -> None:
    record = run(make_cell(0, HOLDOUT, method="weighted"), runtime_in(tmp_path))
    assert list(record.lacking) == ["weight_equivalent"]
    assert record.lacking["weight_equivalent"] == (
        "rule weight_equivalent: it is for a network that was trained without node weights"
    )
    assert "weight_equivalent" not in record.rules


@pytest.mark.parametrize("protocol", ["released", "corrected"])
def test_the_equivalent_thresholds_are_those_of_the_method_weighted_under_the_cells_protocol(
    tmp_path: Path, protocol: str
) -> None:
    runtime = runtime_in(tmp_path)
    cell = composed("synthetic_tree", "chmcnn", runtime, protocol=protocol, overrides=SMALL)
    record, dataset = run(cell, runtime), labels_of(cell, runtime)
    counted = dataset.train.labels if protocol == "released" else dataset.training.labels
    settings = cell.settings.protocol
    weights = node_weights(counted, dataset.hierarchy, NodeWeightSettings("class_wise"), settings).assigned(
        settings.weights_apply_to
    )
    thresholds = weights.negative / (weights.positive + weights.negative)
    assert record.rules["weight_equivalent"]["macro_f1"] == macro_f1(stored(cell, runtime).test, thresholds, dataset)
    assert thresholds.min() < 0.3


# --- no rule sees a test label ----------------------------------------------------------------------------------------


def evaluated(
    dataset: Dataset, cell: Cell, scores: Scores, rules: Any = tuple(RULES)
) -> tuple[Evaluation, dict[str, np.ndarray]]:
    """What evaluation says, and the label sets by rule."""
    own = None if scores.held_out is None else HeldOutScores(cell.identity, scores.held_out, dataset)
    found = evaluate(cell, scores.test, dataset, own, rules)
    return found, {rule: decide(scores.test, found.thresholds[rule], dataset.hierarchy).labels for rule in found.thresholds}


@pytest.fixture(scope="module")
def held_out_cell(tmp_path_factory: pytest.TempPathFactory) -> tuple[Cell, Dataset, Scores]:
    cell, runtime = make_cell(0, HOLDOUT), runtime_in(tmp_path_factory.mktemp("held_out"))
    run(cell, runtime)
    return cell, labels_of(cell, runtime), stored(cell, runtime)


def poisoned(dataset: Dataset, labels: np.ndarray) -> Dataset:
    return dataclasses.replace(dataset, test=Split(dataset.test.features, labels))


def test_poisoned_test_labels_change_no_threshold_and_no_label_set(held_out_cell: tuple[Cell, Dataset, Scores]) -> None:
    cell, dataset, scores = held_out_cell
    before, sets = evaluated(dataset, cell, scores)
    assert set(sets) == set(RULES)
    random = np.random.default_rng(0)
    hierarchy, true = dataset.hierarchy, dataset.test.labels
    for labels in (
        np.zeros_like(true),
        np.ones_like(true),
        hierarchy.close(random.random(true.shape) < 0.3),
        true[::-1].copy(),
        hierarchy.close(scores.test < 0.5),
    ):
        after, others = evaluated(poisoned(dataset, labels), cell, scores)
        for rule in RULES:
            assert after.thresholds[rule].tolist() == before.thresholds[rule].tolist(), rule
            assert (others[rule] == sets[rule]).all(), rule
        assert after.rules["half"] != before.rules["half"]


def test_poisoned_held_out_labels_change_the_thresholds_that_look_at_them(held_out_cell: tuple[Cell, Dataset, Scores]) -> None:
    """So that the test above would notice a rule that looks."""
    cell, dataset, scores = held_out_cell
    before, _ = evaluated(dataset, cell, scores)
    random, true, changed = np.random.default_rng(0), dataset.valid.labels, set()
    for labels in (np.zeros_like(true), np.ones_like(true), dataset.hierarchy.close(random.random(true.shape) < 0.3)):
        other = dataclasses.replace(dataset, valid=Split(dataset.valid.features, labels))
        after, _ = evaluated(other, cell, scores)
        changed |= {rule for rule in RULES if after.thresholds[rule].tolist() != before.thresholds[rule].tolist()}
    assert changed >= {"global", "scaled_rate", "node", "node_supported"}
    assert not changed & {"half", "rate", "expected_f1", "prior", "weight_equivalent"}


def test_thresholds_do_not_depend_on_test_scores(held_out_cell: tuple[Cell, Dataset, Scores]) -> None:
    cell, dataset, scores = held_out_cell
    before, _ = evaluated(dataset, cell, scores)
    after, _ = evaluated(dataset, cell, dataclasses.replace(scores, test=np.sqrt(scores.test)))
    for rule in RULES:
        assert after.thresholds[rule].tolist() == before.thresholds[rule].tolist(), rule


def sees_everything(evidence: Evidence) -> np.ndarray:
    """A custom rule that keeps what it was given."""
    seen.append(evidence)
    return np.full(len(evidence.hierarchy), 0.25)


seen: list[Evidence] = []


def test_a_custom_rule_is_given_no_array_of_the_test_rows(held_out_cell: tuple[Cell, Dataset, Scores]) -> None:
    cell, dataset, scores = held_out_cell
    seen.clear()
    found, _ = evaluated(dataset, cell, scores, [f"{__name__}:sees_everything", "half"])
    (evidence,) = seen
    assert list(found.rules) == [f"{__name__}:sees_everything", "half"]
    assert {entry.name for entry in dataclasses.fields(Evidence)} == {"hierarchy", "rate", "rows", "scores", "labels", "weights"}
    arrays = [value for value in vars(evidence).values() if isinstance(value, np.ndarray)]
    assert {array.shape for array in arrays} == {(len(dataset.hierarchy),), (20, len(dataset.hierarchy))}
    assert not any(np.shares_memory(array, given) for array in arrays for given in (scores.test, dataset.test.labels))


# --- what is kept and evaluated ---------------------------------------------------------------------------------------


def test_metrics_are_those_of_the_scores_as_stored(tmp_path: Path) -> None:
    cell, runtime = make_cell(0, HOLDOUT), runtime_in(tmp_path)
    record, scores = run(cell, runtime), stored(cell, runtime)
    assert scores.test.dtype == np.float32
    assert record.evaluation["scores"] == digest_of(scores)
    assert record.evaluation["version"] == EVALUATION_VERSION
    found, _ = evaluated(labels_of(cell, runtime), cell, scores)
    assert found.metrics == record.metrics
    assert found.rules == record.rules
    assert {name: list(counts) for name, counts in found.nodes.items()} == record.nodes


def test_scores_that_are_not_to_be_kept_are_not(tmp_path: Path) -> None:
    cell, runtime = make_cell(0, HOLDOUT), runtime_in(tmp_path, keep_scores=False)
    record = run(cell, runtime)
    assert not list(tmp_path.rglob(SCORES))
    assert record.evaluation["scores"] == ""
    # They were there while the cell ran.
    assert list(record.rules) == list(RULES)
    kept = run(cell, runtime_in(tmp_path / "kept"))
    assert (kept.metrics, kept.rules) == (record.metrics, record.rules)


def test_a_cell_without_its_scores_is_run_again_where_they_are_required(tmp_path: Path) -> None:
    cell, runtime = make_cell(), runtime_in(tmp_path)
    run(cell, runtime_in(tmp_path, keep_scores=False))
    first = run(cell, runtime)
    assert not list(tmp_path.rglob(SCORES))
    second = run(cell, runtime_in(tmp_path, require_scores=True))
    assert len(list(tmp_path.rglob(SCORES))) == 1
    assert second.metrics == first.metrics


def test_only_the_rules_asked_for_are_evaluated(tmp_path: Path) -> None:
    custom = f"{__name__}:sees_everything"
    record = run(make_cell(), runtime_in(tmp_path, rules=("prior", custom)))
    assert list(record.rules) == ["prior", custom]
    assert record.lacking == {}
    # The counts are those of half, which was not asked for.
    assert record.nodes == {}


def broken(evidence: Evidence) -> np.ndarray:
    raise IndexError("on purpose")


def test_a_custom_rule_that_fails_does_not_cost_the_training(tmp_path: Path) -> None:
    rule = f"{__name__}:broken"
    record = run(make_cell(), runtime_in(tmp_path, rules=("half", rule)))
    assert record.status == "complete"
    assert record.lacking == {rule: f"rule {rule}: it failed with IndexError (on purpose)"}


def test_a_rule_that_is_not_known_is_a_mistake_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="rules='haf' is not known; did you mean 'half'"):
        run(make_cell(), runtime_in(tmp_path, rules=("haf",)))
    assert list(tmp_path.iterdir()) == []


def test_scores_of_another_shape_are_recorded_as_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "scored", lambda *_: (_ for _ in ()).throw(ValueError("too few rows")))
    with pytest.raises(ValueError, match="too few rows"):
        run(make_cell(), runtime_in(tmp_path))
    assert Store(tmp_path).state(make_cell()).reason == "ValueError: too few rows"


def test_a_sibling_whose_scores_are_damaged_costs_a_warning_that_names_the_file(tmp_path: Path) -> None:
    cell, other, runtime = make_cell(), make_cell(0, HOLDOUT), runtime_in(tmp_path)
    run(other, runtime)
    path = Store(tmp_path).scores_path(other)
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.warns(
        RuntimeWarning, match=r"no thresholds are fitted on held-out scores: .*scores\.npz cannot be read .*delete it"
    ):
        record = run(cell, runtime)
    assert set(record.lacking) == TUNED


def test_a_siblings_scores_without_held_out_rows_are_no_use(tmp_path: Path) -> None:
    cell = make_cell()
    path = Store(tmp_path).scores_path(sibling(cell))
    save_scores(path, Scores(sibling(cell).identity, np.zeros((1, 1), dtype=np.float32)))
    assert held_out_of_sibling(cell, Store(tmp_path), runtime_in(tmp_path)) is None


def test_a_sibling_differs_in_its_holdout_alone(tmp_path: Path) -> None:
    cell = composed("synthetic_tree", "mixture_chmcnn_trees", runtime_in(tmp_path), overrides=SMALL)
    other = sibling(cell)
    assert other.settings == dataclasses.replace(
        cell.settings, training=dataclasses.replace(cell.settings.training, holdout="valid")
    )
    assert [part.settings.training.holdout for part in other.parts] == ["valid", "valid"]
    assert sibling(other) == other
    expected = composed("synthetic_tree", "mixture_chmcnn_trees", runtime_in(tmp_path), overrides=(*SMALL, HOLDOUT))
    assert other.identity == expected.identity
    assert [part.identity for part in other.parts] == [part.identity for part in expected.parts]
