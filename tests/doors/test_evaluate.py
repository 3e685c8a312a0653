"""scripts/evaluate.py: stored scores again, records of an earlier layout, and scores from outside."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hmc.data.load import load_labels
from hmc.experiments.plan import composed
from hmc.experiments.run import run_cells
from hmc.results.store import Store
from hmc.rules import RULES
from hmc.scores import load_scores
from hmc.settings import Cell, RuntimeSettings
from tests.doors.conftest import PROJECT, Door
from tests.doors.suites import block
from tests.experiments.examples import SIZES

HOLDOUT = "training.holdout=valid"
SHORT = "training.epochs=1"
BOTH = f"suite.blocks=[{block('chmcnn', 1, SHORT)},{block('chmcnn', 1, SHORT, HOLDOUT)}]"
DATASET = [f"dataset.synthetic.{size.removeprefix('dataset.synthetic.')}" for size in SIZES if size.startswith("dataset.")]


def results(folder: Path) -> RuntimeSettings:
    return RuntimeSettings(results_dir=str(folder / "results"), progress=False)


def trained(folder: Path, *overrides: str) -> Cell:
    cell = composed("synthetic_tree", "chmcnn", results(folder), overrides=(*SIZES, SHORT, *overrides))
    run_cells([cell], results(folder))
    return cell


def records(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in sorted((folder / "results").rglob("record.json"))]


def test_what_is_behind_is_evaluated_again_and_what_is_not_is_left(door: Door, tmp_path: Path) -> None:
    cell, other = trained(tmp_path), trained(tmp_path, HOLDOUT)
    assert "1 evaluated again, 1 up to date\n" in door("evaluate", BOTH).stdout
    record = Store(tmp_path / "results").load(cell)
    assert (record.evaluation["tuning"], record.evaluation["sibling"]) == ("refit", other.identity)
    assert list(record.rules) == list(RULES)
    assert door("evaluate", BOTH).stdout.endswith("2 up to date\n")
    assert door("evaluate", BOTH, "rules=[half,scaled_rate]").stdout.endswith("2 evaluated again\n")
    assert list(Store(tmp_path / "results").load(cell).rules) == ["half", "scaled_rate"]


def test_a_custom_rule_is_found_where_one_runs(door: Door, tmp_path: Path) -> None:
    cell = trained(tmp_path)
    (tmp_path / "my_rules.py").write_text(
        "import numpy\n\ndef low(evidence):\n    return numpy.full(len(evidence.hierarchy), 0.1)\n"
    )
    assert "1 evaluated again" in door("evaluate", BOTH, "rules=[half,my_rules:low]").stdout
    low = Store(tmp_path / "results").load(cell).rules["my_rules:low"]
    assert low["macro_recall"] > Store(tmp_path / "results").load(cell).rules["half"]["macro_recall"]


def test_damaged_scores_give_the_status_and_say_which(door: Door, tmp_path: Path) -> None:
    cell = trained(tmp_path)
    path = Store(tmp_path / "results").scores_path(cell)
    path.write_bytes(path.read_bytes()[:-9])
    shown = door("evaluate", BOTH, "force=true", status=1).stdout
    assert f"not evaluated: {cell}: {path} cannot be read" in shown


def test_records_of_the_first_layout_are_converted_and_evaluated(door: Door, tmp_path: Path) -> None:
    with zipfile.ZipFile(PROJECT / "tests" / "results" / "schema_1.zip") as archive:
        archive.extractall(tmp_path / "results")
    assert {record["schema"] for record in records(tmp_path)} == {1}
    assert door("evaluate", "action=convert").stdout == "4 records of an earlier layout converted\n"
    assert {record["schema"] for record in records(tmp_path)} == {2}
    assert door("evaluate", "action=convert").stdout == "0 records of an earlier layout converted\n"
    three = "training.epochs=3"
    some = f"suite.blocks=[{block('chmcnn', 1, three)},{block('chmcnn', 1, three, HOLDOUT)}]"
    assert door("evaluate", some).stdout.endswith("2 evaluated again\n")
    evaluated = [record for record in records(tmp_path) if record["cell"]["method"] == "chmcnn"]
    assert {record["evaluation"]["tuning"] for record in evaluated} == {"refit", "holdout"}
    assert all("scaled_rate" in record["rules"] for record in evaluated)


# --- scores from outside --------------------------------------------------------------------------------------------------


def test_scores_from_outside_have_the_numbers_of_the_cell_that_they_came_from(door: Door, tmp_path: Path) -> None:
    cell = trained(tmp_path, HOLDOUT)
    store = Store(tmp_path / "results")
    scores, ours = load_scores(store.scores_path(cell)), store.load(cell)
    np.savez(tmp_path / "mine.npz", test=scores.test, held_out=scores.held_out)
    shown = door("evaluate", "scores=mine.npz", "dataset=synthetic_tree", *DATASET, "method.name=mine", "seed=3").stdout
    assert "from outside: mine.npz" in shown
    (theirs,) = [record for record in records(tmp_path) if record["cell"]["method"] == "mine"]
    assert theirs["metrics"] == ours.metrics
    assert theirs["rules"] == ours.rules
    assert (theirs["cell"]["seed"], theirs["cell"]["variant"]) == (3, "training.holdout=valid")
    assert theirs["data"]["origin"].startswith("scores from outside, file sha256 ")
    assert theirs["evaluation"]["tuning"] == "holdout"


def test_scores_from_outside_come_as_a_csv_with_ids_too(door: Door, tmp_path: Path) -> None:
    cell = trained(tmp_path)
    store = Store(tmp_path / "results")
    scores = load_scores(store.scores_path(cell)).test
    names = load_labels(cell.settings.dataset, RuntimeSettings()).hierarchy.names
    lines = [",".join(["id", *names])]
    lines += [",".join([str(row), *(repr(float(score)) for score in scores[row])]) for row in reversed(range(len(scores)))]
    (tmp_path / "mine.csv").write_text("\n".join(lines))
    door("evaluate", "scores=mine.csv", "dataset=synthetic_tree", *DATASET, "method.name=mine")
    (theirs,) = [record for record in records(tmp_path) if record["cell"]["method"] == "mine"]
    assert theirs["metrics"] == store.load(cell).metrics
    assert set(theirs["rules"]) == {"half", "prior", "weight_equivalent"}
    assert "it needs held-out scores" in theirs["lacking"]["node"]


def test_another_file_of_the_same_name_is_another_result(door: Door, tmp_path: Path) -> None:
    cell = trained(tmp_path)
    scores = load_scores(Store(tmp_path / "results").scores_path(cell)).test
    asked = ["scores=mine.npz", "dataset=synthetic_tree", *DATASET, "method.name=mine"]
    for factor in (1.0, 0.5):
        np.savez(tmp_path / "mine.npz", test=scores * np.float32(factor))
        door("evaluate", *asked)
    assert len({record["identity"] for record in records(tmp_path) if record["cell"]["method"] == "mine"}) == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["scores=nowhere.npz", "method.name=mine"], "nowhere.npz must be a file of scores, but there is no such file"),
        (
            ["scores=mine.npz", "method.name=chmcnn"],
            "method.name='chmcnn' is a method of configs/method; give scores from outside a name",
        ),
        (["scores=mine.npz", "method.name=mine"], "test must have 40 rows, one for each row of the dataset's split, got 2"),
        (
            ["scores=mine.npz", "method.name=mine", "held_out_scores=held.csv"],
            "held_out_scores=held.csv goes with test scores in a .csv",
        ),
        (["rules=[haf]"], "rules='haf' is not known; did you mean 'half'?"),
    ],
)
def test_a_mistake_is_one_line(door: Door, tmp_path: Path, arguments: list[str], words: str) -> None:
    np.savez(tmp_path / "mine.npz", test=np.ones((2, 13)))
    (tmp_path / "held.csv").touch()
    (tmp_path / "results").mkdir()
    dataset = ["dataset=synthetic_tree", *DATASET] if arguments[0].startswith("scores") else []
    shown = door("evaluate", *arguments, *dataset, status=2)
    assert words in shown.stderr
    assert shown.stderr.startswith("error: ")
    assert shown.stderr.count("\n") == 1
    assert not records(tmp_path)


def test_a_results_folder_that_is_not_there_is_a_mistake(door: Door, tmp_path: Path) -> None:
    for arguments in ([], ["action=convert"]):
        assert "must be a folder that exists" in door("evaluate", *arguments, status=2).stderr
    assert list(tmp_path.iterdir()) == []


def test_help_teaches(door: Door) -> None:
    shown = door("evaluate", "--help").stdout
    assert "A new metric or rule never means new training." in shown
    assert "action=convert" in shown


def test_overlap_says_how_far_the_label_sets_of_two_methods_are_the_same(door: Door, tmp_path: Path) -> None:
    sizes = (*SIZES, SHORT)
    cells = [composed("synthetic_tree", method, results(tmp_path), overrides=sizes) for method in ("ensemble", "weighted")]
    for cell in cells:
        run_cells([cell], results(tmp_path))
    suite = f"suite.blocks=[{block('ensemble', 1, SHORT)},{block('weighted', 1, SHORT)}]"
    shown = door("evaluate", "action=overlap", suite).stdout
    assert shown.startswith("Label sets of ensemble with rule weight_equivalent and of weighted with rule")
    table = tmp_path / "results" / "comparisons" / "overlap_ensemble_weight_equivalent_weighted_half.csv"
    assert table.is_file()
    same = door("evaluate", "action=overlap", suite, "overlap.a=weighted", "overlap.rule_a=half").stdout
    assert "100.0 (1)" in same
    refused = door("evaluate", "action=overlap", suite, "overlap.a=chmcnn", status=2).stderr
    assert "overlap.a must be a method of the suite (ensemble, weighted), got 'chmcnn'" in refused
    refused = door("evaluate", "action=overlap", suite, "overlap.rule_b=weight_equivalent", status=2).stderr
    assert "it is for a network that was trained without node weights" in refused
