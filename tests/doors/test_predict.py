"""scripts/predict.py, and the model that scripts/train.py keeps: a table's way from rows to predicted terms."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hmc import HierarchicalClassifier
from hmc.experiments.made import MODEL
from hmc.results.store import Store
from hmc.scores import load_scores
from tests.doors.conftest import Door

EDGES = [("life", "animal"), ("life", "plant"), ("animal", "cat"), ("animal", "dog"), ("plant", "oak"), ("plant", "rose")]
TABLE = (
    *("dataset=table", "dataset.name=mine", "dataset.train=train.csv", "dataset.test=test.csv", "dataset.table.id=name"),
    *("dataset.table.labels=terms", "dataset.table.hierarchy=edges.csv", "training.epochs=3", "training.hidden=16"),
    *("method=ensemble_summed", "progress=false"),
)


def write_csv(path: Path, lines: list[list[object]]) -> None:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(lines)


@pytest.fixture
def table(tmp_path: Path) -> tuple[np.ndarray, list[str], np.ndarray]:
    """train.csv, test.csv, new.csv and edges.csv; training features and labels, and test features."""
    random = np.random.default_rng(0)
    X = np.round(random.normal(size=(140, 3)), 4)
    labels = [("cat" if row[1] > 0 else "dog") if row[0] > 0 else ("oak" if row[2] > 0 else "rose") for row in X]
    lines: list[list[object]] = [[f"r{place}", *row, label] for place, (row, label) in enumerate(zip(X, labels, strict=True))]
    header: list[object] = ["name", "a", "b", "c", "terms"]
    write_csv(tmp_path / "train.csv", [header, *lines[:100]])
    write_csv(tmp_path / "test.csv", [header, *lines[100:]])
    write_csv(tmp_path / "new.csv", [[*reversed(header[:-1])], *[[*reversed(line[:-1])] for line in lines[100:]]])
    write_csv(tmp_path / "edges.csv", [["parent", "child"], *map(list, EDGES)])
    return X[:100], labels[:100], X[100:]


def model_in(folder: Path) -> Path:
    (found,) = folder.glob(f"results/runs/*/*/*/*/*/model/{MODEL}")
    return found.parent


def read(path: Path) -> list[list[str]]:
    with path.open(newline="") as file:
        return list(csv.reader(file))


def test_a_kept_model_scores_new_rows_as_the_cell_scored_its_test_rows(
    door: Door, tmp_path: Path, table: tuple[np.ndarray, list[str], np.ndarray]
) -> None:
    trained = door("train", *TABLE, "save_model=true")
    model = model_in(tmp_path)
    assert f"model: {model}" in trained.stdout
    done = door("predict", f"model={model}", "features=new.csv", "rule=half")
    assert "40 rows scored by mine, ensemble_summed" in done.stdout
    header, *lines = read(tmp_path / "predictions" / "scores.csv")
    assert header == ["id", "animal", "plant", "cat", "dog", "oak", "rose"]
    assert [line[0] for line in lines] == [f"r{row}" for row in range(100, 140)]
    (record,) = Store(tmp_path / "results").records()
    stored = load_scores(model.parent / "scores.npz", record.identity).test
    assert np.array_equal(np.array([line[1:] for line in lines], dtype=np.float32), stored[:, 1:])
    _, *terms = read(tmp_path / "predictions" / "terms.csv")
    predicted = {(f"r{100 + row}", header[node]) for row, node in zip(*np.nonzero(stored > 0.5), strict=True) if node}
    assert {(line[0], line[1]) for line in terms} == predicted
    for name, term, _, specific in terms:
        below = [child for parent, child in EDGES if parent == term]
        assert specific == str(int(not any((name, child) in predicted for child in below)))


def test_the_python_front_and_the_door_give_the_same_numbers(
    door: Door, tmp_path: Path, table: tuple[np.ndarray, list[str], np.ndarray]
) -> None:
    X, labels, new = table
    door("train", *TABLE, "seed=4", "save_model=true")
    model = HierarchicalClassifier(EDGES, method="ensemble_summed", hidden=16, epochs=3, rule="half", random_state=4)
    frame, new_frame = (pd.DataFrame(rows, columns=list("abc")) for rows in (X, new))
    scores = model.fit(frame, [[label] for label in labels]).predict_proba(new_frame)
    by_array = model.fit(X, [[label] for label in labels]).predict_proba(new)
    assert np.array_equal(by_array, scores)
    (record,) = Store(tmp_path / "results").records()
    stored = load_scores(model_in(tmp_path).parent / "scores.npz", record.identity).test
    assert np.array_equal(scores, np.delete(stored, model.hierarchy_.root, axis=1))
    loaded = HierarchicalClassifier.load(model_in(tmp_path))
    assert loaded.rule == "half"
    assert np.array_equal(loaded.predict_proba(new_frame), scores)
    model.fit(frame, [[label] for label in labels]).save(tmp_path / "by_python")
    door("predict", "model=by_python", "features=new.csv", "id=name")
    header, *lines = read(tmp_path / "predictions" / "scores.csv")
    assert header[1:] == model.classes_.tolist()
    assert np.array_equal(np.array([line[1:] for line in lines], dtype=np.float32), scores)


def test_the_best_terms_in_place_of_a_rule(door: Door, tmp_path: Path, table: tuple[np.ndarray, list[str], np.ndarray]) -> None:
    door("train", *TABLE, "save_model=true")
    door("predict", f"model={model_in(tmp_path)}", "features=new.csv", "top=2", "output=best")
    _, *terms = read(tmp_path / "best" / "terms.csv")
    assert len(terms) == 80
    for first, second in zip(terms[::2], terms[1::2], strict=True):
        assert first[0] == second[0]
        assert float(first[2]) >= float(second[2])


def test_a_cell_that_is_done_without_its_model_is_run_again(
    door: Door, tmp_path: Path, table: tuple[np.ndarray, list[str], np.ndarray]
) -> None:
    door("train", *TABLE)
    assert list(tmp_path.glob("results/runs/*/*/*/*/*/model")) == []
    assert "already done" in door("train", *TABLE).stdout
    assert "already done" not in door("train", *TABLE, "save_model=true").stdout
    assert "already done" in door("train", *TABLE, "save_model=true").stdout


def test_thresholds_of_held_out_rows_are_kept_with_the_model(
    door: Door, tmp_path: Path, table: tuple[np.ndarray, list[str], np.ndarray]
) -> None:
    door("train", *TABLE, "training.holdout=valid", "save_model=true")
    done = door("predict", f"model={model_in(tmp_path)}", "features=new.csv")
    assert "by the rule scaled_rate" in done.stdout
    _, *terms = read(tmp_path / "predictions" / "terms.csv")
    loaded = HierarchicalClassifier.load(model_in(tmp_path))
    predicted = loaded.predict(pd.DataFrame(table[2], columns=list("abc")))
    assert loaded.rule == "scaled_rate"
    assert {(f"r{100 + row}", name) for row, names in enumerate(predicted) for name in names} == {
        (one[0], one[1]) for one in terms
    }
    # The sibling's held-out scores tune the model of all rows.
    door("train", *TABLE, "save_model=true")
    folders = [path.parent for path in tmp_path.glob(f"results/runs/*/*/*/*/*/model/{MODEL}")]
    for folder in folders:
        assert "by the rule scaled_rate" in door("predict", f"model={folder}", "features=new.csv").stdout
    assert len(folders) == 2


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (("model=nowhere", "features=new.csv"), "nowhere must be a folder with a saved model, but it has no model.json"),
        (("features=new.csv",), "model must name a folder; set model=PATH"),
        (("model=M",), "features must name a file; set features=PATH"),
        (("model=M", "features=gone.csv"), "features='gone.csv' must be a file of rows, but there is no such file"),
        (("model=results/*", "features=new.csv"), "got 0; train one with save_model=true"),
        (("model=M", "features=named.csv"), "remove it, or set id=name if it names the rows"),
        (("model=M", "features=lacks.csv"), "lacks the column 'b', which was trained on; add it"),
        (("model=M", "features=new.csv", "rule=hlaf"), "rule='hlaf' has no thresholds in this model; did you mean 'half'"),
        (("model=M", "features=text.csv"), "text.csv:2"),
    ],
)
def test_a_mistake_is_one_line(
    overrides: tuple[str, ...], words: str, door: Door, tmp_path: Path, table: tuple[np.ndarray, list[str], np.ndarray]
) -> None:
    X, labels, _ = table
    HierarchicalClassifier(EDGES, method="chmcnn", hidden=4, epochs=1, rule="half").fit(
        pd.DataFrame(X, columns=list("abc")), [[label] for label in labels]
    ).save(tmp_path / "M")
    write_csv(tmp_path / "lacks.csv", [["a", "c"], [1, 2]])
    write_csv(tmp_path / "named.csv", [["name", "a", "b", "c"], ["r1", 1, 2, 3]])
    write_csv(tmp_path / "text.csv", [["a", "b", "c"], ["red", 1, 2]])
    failed = door("predict", *overrides, status=2)
    assert words in failed.stderr
    assert failed.stderr.count("\n") == 1
    assert not (tmp_path / "predictions").exists()


def test_what_cannot_be_kept_is_said_before_it_is_trained(door: Door) -> None:
    for override, words in (
        ("method=extra_trees", "keeps networks, and extra_trees is not one"),
        ("dataset=digits", "for images"),
    ):
        failed = door("train", override, "save_model=true", "training.epochs=1", status=2)
        assert words in failed.stderr
