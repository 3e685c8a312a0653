"""Evaluating stored scores again: for other rules, a newer version, held-out scores that came later. Nothing is trained."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from hmc.experiments import evaluate as evaluating
from hmc.experiments import reevaluate
from hmc.experiments.estimated import MissingScoresError
from hmc.experiments.lock import locked
from hmc.experiments.plan import composed
from hmc.experiments.reevaluate import Reevaluation, evaluate_again
from hmc.experiments.reproduce import reproduce
from hmc.experiments.run import run_cells
from hmc.results.record import Record
from hmc.results.store import Store
from hmc.rules import RULES
from hmc.scores import Scores, load_scores, save_scores
from hmc.settings import BlockSettings, Cell, ExecutorSettings, RuntimeSettings, SettingsError, SuiteSettings
from tests.experiments.examples import SMALL, make_cell, runtime_in

HOLDOUT = "training.holdout=valid"


def run(cell: Cell, runtime: RuntimeSettings) -> Record:
    (record,) = run_cells([cell], runtime)
    return record


def without_seconds(record: Record) -> Record:
    """All but how long evaluation took."""
    return dataclasses.replace(record, times={**record.times, "evaluate_seconds": 0.0})


def again(cells: list[Cell], runtime: RuntimeSettings, **options: bool) -> Reevaluation:
    found = evaluate_again(cells, runtime, **options)
    assert found.failed == {}
    return found


@pytest.mark.parametrize("overrides", [(), (HOLDOUT,)])
@pytest.mark.parametrize("method", ["chmcnn", "weighted_focal_bbma", "training_rate"])
def test_stored_scores_give_the_numbers_of_the_training_to_the_last_digit(
    tmp_path: Path, method: str, overrides: tuple[str, ...]
) -> None:
    cell, runtime = make_cell(0, *overrides, method=method), runtime_in(tmp_path)
    first = run(cell, runtime)
    assert again([cell], runtime, force=True).again == [cell]
    second = Store(tmp_path).load(cell)
    assert without_seconds(second) == without_seconds(first)
    again([cell], runtime, force=True)
    assert without_seconds(Store(tmp_path).load(cell)).to_json() == without_seconds(second).to_json()


def test_what_is_up_to_date_is_left_alone(tmp_path: Path) -> None:
    cell, runtime = make_cell(0, HOLDOUT), runtime_in(tmp_path)
    run(cell, runtime)
    (path,) = tmp_path.rglob("record.json")
    before = path.stat().st_mtime_ns
    found = again([cell], runtime)
    assert (found.again, found.up_to_date) == ([], [cell])
    assert path.stat().st_mtime_ns == before
    assert found.text() == "1 up to date"


def test_a_cell_is_evaluated_again_once_its_sibling_is_there(tmp_path: Path) -> None:
    cell, other, runtime = make_cell(), make_cell(0, HOLDOUT), runtime_in(tmp_path)
    before = run(cell, runtime)
    assert again([cell], runtime).up_to_date == [cell]
    run(other, runtime)
    assert again([cell], runtime).again == [cell]
    after = Store(tmp_path).load(cell)
    assert (after.evaluation["tuning"], after.evaluation["sibling"]) == ("refit", other.identity)
    assert (list(after.rules), after.lacking) == (list(RULES), {})
    assert after.rules["half"] == before.rules["half"]
    assert after.metrics == before.metrics
    assert again([cell], runtime).up_to_date == [cell]
    # As if the sibling had been there from the beginning.
    elsewhere = runtime_in(tmp_path / "elsewhere")
    run(other, elsewhere)
    assert run(cell, elsewhere).rules == after.rules


def test_a_rule_that_fails_with_its_sibling_there_is_not_tried_for_ever(tmp_path: Path) -> None:
    cell, runtime = make_cell(), runtime_in(tmp_path, rules=("half", "tests.experiments.test_evaluate:broken"))
    run(make_cell(0, HOLDOUT), runtime)
    run(cell, runtime)
    assert again([cell], runtime).up_to_date == [cell]


def test_a_newer_version_of_metrics_or_rules_evaluates_everything_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cells, runtime = [make_cell(), make_cell(0, HOLDOUT)], runtime_in(tmp_path)
    for cell in cells:
        run(cell, runtime)
    again(cells, runtime)
    for module in (evaluating, reevaluate):
        monkeypatch.setattr(module, "EVALUATION_VERSION", 99)
    assert again(cells, runtime).again == cells
    assert {Store(tmp_path).load(cell).evaluation["version"] for cell in cells} == {99}
    assert again(cells, runtime).up_to_date == cells


def test_other_rules_are_evaluated_and_those_not_asked_for_leave_the_record(tmp_path: Path) -> None:
    cell = make_cell(0, HOLDOUT)
    run(cell, runtime_in(tmp_path))
    found = again([cell], runtime_in(tmp_path, rules=("half", "global", "tests.experiments.test_evaluate:sees_everything")))
    assert found.again == [cell]
    record = Store(tmp_path).load(cell)
    assert list(record.rules) == ["half", "global", "tests.experiments.test_evaluate:sees_everything"]
    again([cell], runtime_in(tmp_path))
    assert list(Store(tmp_path).load(cell).rules) == list(RULES)


def test_a_rule_that_is_not_known_is_a_mistake_and_nothing_changes(tmp_path: Path) -> None:
    cell = make_cell()
    run(cell, runtime_in(tmp_path))
    with pytest.raises(SettingsError, match="rules='haf' is not known"):
        evaluate_again([cell], runtime_in(tmp_path, rules=("haf",)))
    assert list(Store(tmp_path).load(cell).rules) == ["half", "prior", "weight_equivalent"]


def test_cells_without_scores_or_without_a_record_are_told_apart(tmp_path: Path) -> None:
    kept, lost, missing = (make_cell(seed) for seed in range(3))
    run(kept, runtime_in(tmp_path))
    run(lost, runtime_in(tmp_path, keep_scores=False))
    told: list[Cell] = []
    found = evaluate_again([kept, kept, lost, missing], runtime_in(tmp_path), force=True, on_cell=told.append)
    assert (found.again, found.without_scores, found.failed) == ([kept], [lost], {})
    assert told == [kept, lost, missing]
    assert found.text() == "1 evaluated again, 1 without scores on disk"
    assert Reevaluation().text() == "nothing to evaluate"


def test_damaged_scores_are_named_and_the_record_stays(tmp_path: Path) -> None:
    cell, runtime = make_cell(), runtime_in(tmp_path)
    before = run(cell, runtime)
    path = Store(tmp_path).scores_path(cell)
    path.write_bytes(path.read_bytes()[:-20])
    found = evaluate_again([cell], runtime, force=True)
    assert list(found.failed) == [str(cell)]
    assert f"{path} cannot be read" in found.failed[str(cell)]
    assert found.text().endswith(f"not evaluated: {cell}: {found.failed[str(cell)]}")
    assert Store(tmp_path).load(cell) == before


def test_scores_that_do_not_fit_the_dataset_are_named_and_the_record_stays(tmp_path: Path) -> None:
    cell, runtime = make_cell(), runtime_in(tmp_path)
    before = run(cell, runtime)
    path = Store(tmp_path).scores_path(cell)
    save_scores(path, Scores(cell.identity, load_scores(path).test[:, :-1]))
    assert "shape (40, 12), but labels have (40, 13)" in evaluate_again([cell], runtime, force=True).failed[str(cell)]
    assert Store(tmp_path).load(cell) == before


def test_a_cell_that_another_process_runs_is_left_to_it(tmp_path: Path) -> None:
    cell, runtime = make_cell(), runtime_in(tmp_path)
    run(cell, runtime)
    with locked(Store(tmp_path).path(cell)):
        assert "is being run by process" in evaluate_again([cell], runtime, force=True).failed[str(cell)]
    assert again([cell], runtime, force=True).again == [cell]


def test_cells_of_the_same_files_have_their_own_rows_and_nodes(tmp_path: Path) -> None:
    """Other shares of the training rows, or other nodes left out, come with the same data."""
    cells = [
        make_cell(),
        make_cell(0, "dataset.fraction=0.5"),
        make_cell(0, "dataset.fraction=0.25"),
        make_cell(1, "dataset.fraction=0.25"),
        make_cell(0, "dataset.unevaluated=[root, '01']"),
        make_cell(0, HOLDOUT),
    ]
    assert len({cell.data_sha256 for cell in cells}) == 1
    runtime = runtime_in(tmp_path)
    before = [run(cell, runtime) for cell in cells]
    # Those that came before the sibling lacked its held-out scores.
    again(cells, runtime)
    before = [Store(tmp_path).load(cell) for cell in cells]
    assert len({tuple(record.nodes["training_count"]) for record in before}) == len(cells)
    again(cells, runtime, force=True)
    for cell, record in zip(cells, before, strict=True):
        assert without_seconds(Store(tmp_path).load(cell)) == without_seconds(record), cell


# --- suites and mixtures --------------------------------------------------------------------------------------------------


def suite(*methods: str, seeds: tuple[int, ...] = (0,), protocols: tuple[str, ...] = ("released",)) -> SuiteSettings:
    blocks = tuple(
        BlockSettings(("synthetic_tree",), methods, protocols=protocols, seeds=seeds, overrides=(*SMALL, *more))
        for more in ((), (HOLDOUT,))
    )
    return SuiteSettings("some", blocks=blocks)


def test_a_suite_leaves_every_cell_with_thresholds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Cells trained on all rows run before the siblings that tune them, and are evaluated again at the end."""
    outcome = reproduce(suite("chmcnn", "extra_trees", seeds=(0, 1)), runtime_in(tmp_path), ExecutorSettings())
    assert not outcome.unfinished
    store = Store(tmp_path)
    tuning = {
        (cell.method, cell.seed, cell.settings.training.holdout): store.load(cell).evaluation["tuning"] for cell in outcome.cells
    }
    assert len(tuning) == 8
    assert tuning == {key: "refit" if key[2] == "none" else "holdout" for key in tuning}
    assert "4 evaluated again, 4 up to date" in capsys.readouterr().out


def test_a_mixture_runs_after_its_parts_and_is_their_mean(tmp_path: Path) -> None:
    """The parts are no cells of the suite, and are run for their scores."""
    runtime = runtime_in(tmp_path)
    outcome = reproduce(suite("mixture_chmcnn_trees", seeds=(0, 1)), runtime, ExecutorSettings())
    assert (outcome.unfinished, outcome.failed) == (False, {})
    store = Store(tmp_path)
    for cell in outcome.cells:
        record, scores = store.load(cell), load_scores(store.scores_path(cell), cell.identity)
        parts = [load_scores(store.scores_path(part), part.identity) for part in cell.parts]
        assert list(record.parts) == [part.identity for part in cell.parts]
        np.testing.assert_allclose(scores.test, np.mean([part.test for part in parts], axis=0), atol=1e-6)
        held_out = cell.settings.training.holdout == "valid"
        assert (scores.held_out is not None) == held_out
        assert record.evaluation["tuning"] == ("holdout" if held_out else "refit")
        assert record.metrics["incoherent_share"] == 0
    assert len(outcome.cells) == 4
    assert len(list(tmp_path.rglob("record.json"))) == 12


def test_parts_that_lost_their_scores_are_run_again_and_those_that_have_them_are_not(tmp_path: Path) -> None:
    runtime = runtime_in(tmp_path)
    cell = composed("synthetic_tree", "mixture_chmcnn_trees", runtime, overrides=SMALL)
    store, (network, trees) = Store(tmp_path), cell.parts
    run(network, runtime_in(tmp_path, keep_scores=False))
    run(trees, runtime)
    before = (store.path(trees) / "record.json").stat().st_mtime_ns
    some = SuiteSettings("some", blocks=(BlockSettings(("synthetic_tree",), ("mixture_chmcnn_trees",), overrides=SMALL),))
    assert not reproduce(some, runtime, ExecutorSettings()).unfinished
    assert store.state(cell).name == "done"
    assert store.scores_path(network).is_file()
    assert (store.path(trees) / "record.json").stat().st_mtime_ns == before


def test_a_mixture_without_the_scores_of_its_parts_says_what_to_run(tmp_path: Path) -> None:
    runtime = runtime_in(tmp_path)
    cell = composed("synthetic_tree", "mixture_chmcnn_trees", runtime, overrides=SMALL)
    with pytest.raises(
        MissingScoresError, match=r"needs the scores of synthetic_tree, chmcnn.*, seed 0, and .*; run that cell first"
    ):
        run(cell, runtime)
    assert Store(tmp_path).state(cell).name == "failed"


def test_a_mixture_weighted_by_ranking_leans_to_the_better_part(tmp_path: Path) -> None:
    runtime = runtime_in(tmp_path)
    overrides = (*SMALL, HOLDOUT, "method.mixture=[chmcnn, predict_all]", "method.mixture_weights=macro_ap")
    cell = composed("synthetic_tree", "mixture_chmcnn_trees", runtime, overrides=overrides)
    equal = composed("synthetic_tree", "mixture_chmcnn_trees", runtime, overrides=overrides[:-1])
    for part in cell.parts:
        run(part, runtime)
    store = Store(tmp_path)
    run(cell, runtime)
    run(equal, runtime)
    chmcnn, leaning, middle = (
        load_scores(store.scores_path(one), one.identity).test.astype(float) for one in (cell.parts[0], cell, equal)
    )
    assert cell.identity != equal.identity
    assert np.abs(leaning - chmcnn).mean() < np.abs(middle - chmcnn).mean()
    np.testing.assert_allclose(middle, (chmcnn + 1) / 2, atol=1e-6)


def test_a_mixture_with_a_weighted_part_has_no_equivalent_thresholds(tmp_path: Path) -> None:
    runtime = runtime_in(tmp_path)
    for method, lacking in (("mixture_weighted_trees", True), ("mixture_chmcnn_trees", False)):
        cell = composed("synthetic_tree", method, runtime, overrides=SMALL)
        for part in cell.parts:
            run(part, runtime)
        assert ("weight_equivalent" in run(cell, runtime).lacking) == lacking, method
