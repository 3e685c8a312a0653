"""hmc.HierarchicalClassifier: forms of input, coherence, thresholds, keeping, and scikit-learn's own checks."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

import hmc
from hmc import HierarchicalClassifier
from hmc.data.dataset import DataWarning
from hmc.hierarchy import from_edges
from hmc.rules import RULES, decide
from hmc.training.saved import ModelError

EDGES = [("life", "animal"), ("life", "plant"), ("animal", "cat"), ("animal", "dog"), ("plant", "oak"), ("plant", "rose")]
NODES = ["animal", "plant", "cat", "dog", "oak", "rose"]
SMALL: dict[str, Any] = {"hidden": 16, "epochs": 15, "learning_rate": 0.01, "dropout": 0.1, "method": "chmcnn"}


@pytest.fixture(scope="module")
def rows() -> tuple[np.ndarray, list[list[str]]]:
    X = np.random.default_rng(3).normal(size=(120, 4))
    return X, [["cat" if row[1] > 0 else "dog"] if row[0] > 0 else ["oak" if row[2] > 0 else "rose"] for row in X]


def matrix_of(Y: list[list[str]]) -> np.ndarray:
    """0/1 in the order of NODES, closed."""
    parents = {child: parent for parent, child in EDGES}
    found = np.zeros((len(Y), len(NODES)), dtype=int)
    for row, labels in enumerate(Y):
        for label in labels:
            for name in (label, parents[label]):
                found[row, NODES.index(name)] = 1
    return found


@pytest.mark.parametrize("method", ["chmcnn", "extra_trees"])
def test_scikit_learns_checks_pass(method: str) -> None:
    """All of them; two do not apply (array API off, no decision_function)."""
    estimator = HierarchicalClassifier(**{**SMALL, "method": method, "epochs": 30, "dropout": 0.0}, rule="half")
    outcomes = check_estimator(estimator, on_fail=None, on_skip=None)
    failed = [(one["check_name"], str(one["exception"])) for one in outcomes if one["status"] == "failed"]
    assert failed == []
    skipped = {one["check_name"] for one in outcomes if one["status"] == "skipped"}
    assert skipped <= {"check_array_api_input", "check_classifiers_multilabel_output_format_decision_function"}
    assert sum(one["status"] == "passed" for one in outcomes) > 40


def test_every_form_of_hierarchy_and_labels_gives_the_same_scores(rows: tuple[np.ndarray, list[list[str]]]) -> None:
    X, Y = rows
    names = ["life", *NODES]
    children: dict[str, list[str]] = {}
    for parent, child in EDGES:
        children.setdefault(parent, []).append(child)

    class Graph:
        edges = EDGES

    expected = HierarchicalClassifier(EDGES, **SMALL, rule="half").fit(X, Y).predict_proba(X)
    matrix = matrix_of(Y)
    frame = pd.DataFrame(matrix, columns=NODES)
    for hierarchy in (EDGES, children, Graph(), from_edges(names, EDGES)):
        for y in (Y, matrix, matrix.tolist(), scipy.sparse.csr_matrix(matrix), frame, [set(labels) for labels in Y]):
            found = HierarchicalClassifier(hierarchy, **SMALL, rule="half").fit(X, y)
            assert np.array_equal(found.predict_proba(X), expected)
            assert found.classes_.tolist() == NODES
    for same in (scipy.sparse.csc_matrix(X), pd.DataFrame(X, columns=list("abcd"))):
        assert np.array_equal(HierarchicalClassifier(EDGES, **SMALL, rule="half").fit(same, Y).predict_proba(same), expected)


def test_paths_are_a_hierarchy_and_several_tops_get_a_root_that_is_said(rows: tuple[np.ndarray, list[list[str]]]) -> None:
    X, Y = rows
    parents = {child: parent for parent, child in EDGES}
    paths = [f"{parents[name]}/{name}" for name in ("cat", "dog", "oak", "rose")]
    model = HierarchicalClassifier(paths, **SMALL, rule="half").fit(X, [[f"{parents[row[0]]}/{row[0]}"] for row in Y])
    assert model.classes_.tolist() == ["animal", "plant", "animal.cat", "animal.dog", "plant.oak", "plant.rose"]
    with pytest.warns(DataWarning, match="2 nodes are below no other, so a root was added"):
        HierarchicalClassifier(EDGES[2:], **SMALL, rule="half").fit(X, Y)


def test_scores_are_coherent_and_label_sets_closed_and_in_the_form_of_y(rows: tuple[np.ndarray, list[list[str]]]) -> None:
    X, Y = rows
    model = HierarchicalClassifier(EDGES, **SMALL, random_state=1).fit(X, Y)
    scores = model.predict_proba(X)
    assert scores.shape == (120, 6)
    for parent, child in EDGES[2:]:
        assert (scores[:, NODES.index(parent)] >= scores[:, NODES.index(child)]).all()
    sets = model.predict(X)
    for labels in sets:
        assert all(parent in labels for parent, child in EDGES[2:] if child in labels)
    assert np.mean([set(given) <= set(found) for given, found in zip(Y, sets, strict=True)]) > 0.8
    frame = pd.DataFrame(matrix_of(Y), columns=NODES, index=[f"r{row}" for row in range(120)])
    as_frame = model.fit(X, frame).predict(pd.DataFrame(X, index=frame.index))
    assert as_frame.columns.tolist() == NODES
    assert as_frame.index.equals(frame.index)
    assert [tuple(as_frame.columns[row == 1]) for row in as_frame.to_numpy()] == sets.tolist()
    assert model.fit(X, matrix_of(Y)).predict(X).tolist() == as_frame.to_numpy().tolist()
    assert 0.5 < model.score(X, Y) <= 1


def test_thresholds_come_from_rows_that_were_held_out_and_refit_uses_all(rows: tuple[np.ndarray, list[list[str]]]) -> None:
    X, Y = rows
    tuned = HierarchicalClassifier(EDGES, **SMALL, rule="scaled_rate").fit(X, Y)
    held_out = HierarchicalClassifier(EDGES, **SMALL, rule="scaled_rate", refit=False).fit(X, Y)
    half = HierarchicalClassifier(EDGES, **SMALL, rule="half").fit(X, Y)
    assert np.array_equal(tuned.thresholds_, held_out.thresholds_)
    assert np.array_equal(tuned.predict_proba(X), half.predict_proba(X))
    assert not np.array_equal(tuned.predict_proba(X), held_out.predict_proba(X))
    assert set(tuned.validation_scores_) == {"au_prc", "macro_ap", "macro_f1"}
    assert half.validation_scores_ == {}
    assert (half.thresholds_ == 0.5).all()
    thresholds = np.insert(tuned.thresholds_, tuned.hierarchy_.root, 0.0)
    scores = np.insert(tuned.predict_proba(X), tuned.hierarchy_.root, 1.0, axis=1)
    decided = np.delete(decide(scores, thresholds, tuned.hierarchy_).labels, tuned.hierarchy_.root, axis=1)
    assert [tuple(tuned.classes_[row]) for row in decided] == tuned.predict(X).tolist()


@pytest.mark.parametrize("rule", list(RULES))
def test_every_rule_can_be_asked_for(rule: str, rows: tuple[np.ndarray, list[list[str]]]) -> None:
    X, Y = rows
    model = HierarchicalClassifier(EDGES, method="training_rate", rule=rule).fit(X, Y)
    assert model.thresholds_.shape == (6,)
    assert len(model.predict(X)) == 120


def test_missing_numbers_and_categories_are_taken_and_kept_with_the_model(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"size": random.normal(size=80), "colour": random.choice(["red", "blue", "green"], size=80)})
    frame.loc[3, "size"] = np.nan
    frame.loc[5, "colour"] = None
    Y = [["cat" if colour == "red" else "dog"] for colour in frame["colour"]]
    model = HierarchicalClassifier(EDGES, **SMALL, rule="half").fit(frame, Y)
    assert model.feature_names_in_.tolist() == ["size", "colour"]
    assert model.n_features_in_ == 2
    scores = model.predict_proba(frame)
    right = [("cat" in found) == ("cat" in given) for found, given in zip(model.predict(frame), Y, strict=True)]
    assert np.mean(right) > 0.9
    # Other columns are left out, their order means nothing, a category that was not seen is none of the known ones.
    other = frame[["colour", "size"]].assign(note="x")
    assert np.array_equal(model.predict_proba(other), scores)
    unseen = model.predict_proba(frame.assign(colour="violet"))
    assert np.array_equal(unseen, model.predict_proba(frame.assign(colour=None)))
    model.save(tmp_path / "model")
    assert np.array_equal(HierarchicalClassifier.load(tmp_path / "model").predict_proba(frame), scores)
    with pytest.raises(ValueError, match="lacks the column 'colour'"):
        model.predict_proba(frame[["size"]])


def test_without_a_hierarchy_one_label_a_row_is_plain_classification() -> None:
    X = np.random.default_rng(1).normal(size=(90, 3))
    y = np.where(X[:, 0] > 0, 7, np.where(X[:, 1] > 0, 10, 2))
    model = HierarchicalClassifier(**SMALL, rule="half").fit(X, y)
    assert sorted(model.classes_.tolist()) == [2, 7, 10]
    assert model.predict(X).dtype == y.dtype
    assert model.score(X, y) > 0.7
    assert model.predict_proba(X).sum(axis=1) == pytest.approx(1)


def test_it_works_where_scikit_learn_expects_an_estimator(rows: tuple[np.ndarray, list[list[str]]]) -> None:
    X, Y = rows
    matrix = matrix_of(Y)
    model = HierarchicalClassifier(EDGES, **SMALL, rule="half")
    assert clone(model).get_params() == model.get_params()
    folds = cross_val_score(make_pipeline(StandardScaler(), model), X, matrix, cv=3)
    assert (folds > 0.5).all()
    search = GridSearchCV(model, {"hidden": [4, 16]}, cv=2).fit(X, matrix)
    assert search.best_params_["hidden"] in (4, 16)
    fitted = model.fit(X, Y)
    assert np.array_equal(pickle.loads(pickle.dumps(fitted)).predict_proba(X), fitted.predict_proba(X))


# --- keeping ----------------------------------------------------------------------------------------------------------------


def test_a_saved_model_predicts_the_same_in_a_new_process(rows: tuple[np.ndarray, list[list[str]]], tmp_path: Path) -> None:
    X, Y = rows
    model = HierarchicalClassifier(EDGES, **SMALL, members=2, random_state=5).fit(X, Y)
    model.save(tmp_path / "model")
    np.save(tmp_path / "X.npy", X)
    script = """
import sys, numpy as np
from hmc import HierarchicalClassifier
model = HierarchicalClassifier.load("model")
X = np.load("X.npy")
labels = ["|".join(row) for row in model.predict(X)]
np.savez("out.npz", scores=model.predict_proba(X), labels=labels, classes=model.classes_.astype(str))
"""
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True, timeout=120)
    with np.load(tmp_path / "out.npz") as out:
        assert np.array_equal(out["scores"], model.predict_proba(X))
        assert out["labels"].tolist() == ["|".join(row) for row in model.predict(X)]
        assert out["classes"].tolist() == NODES
    loaded = HierarchicalClassifier.load(tmp_path / "model")
    assert {**loaded.get_params(), "hierarchy": None} == {**model.get_params(), "hierarchy": None}
    assert loaded.validation_scores_ == model.validation_scores_
    assert np.array_equal(loaded.learning_curve_, model.learning_curve_)


def test_saving_again_replaces_the_model_and_nothing_else_is_overwritten(
    rows: tuple[np.ndarray, list[list[str]]], tmp_path: Path
) -> None:
    X, Y = rows
    model = HierarchicalClassifier(EDGES, **SMALL, rule="half").fit(X, Y)
    model.save(tmp_path / "model")
    model.set_params(random_state=1).fit(X, Y).save(tmp_path / "model")
    assert len(list((tmp_path / "model").iterdir())) == 2
    assert np.array_equal(HierarchicalClassifier.load(tmp_path / "model").predict_proba(X), model.predict_proba(X))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(ModelError, match=r"must be a new or empty folder, .* got one with 'thesis.txt'"):
        model.save(tmp_path / "mine")
    forest = HierarchicalClassifier(EDGES, method="training_rate", rule="half").fit(X, Y)
    with pytest.raises(ModelError, match="has no networks to save"):
        forest.save(tmp_path / "forest")


def test_a_damaged_model_is_refused_in_one_line(rows: tuple[np.ndarray, list[list[str]]], tmp_path: Path) -> None:
    X, Y = rows
    HierarchicalClassifier(EDGES, **SMALL, rule="half").fit(X, Y).save(tmp_path / "m")
    document, arrays = tmp_path / "m" / "model.json", next((tmp_path / "m").glob("*.npz"))
    whole, numbers = document.read_text(), arrays.read_bytes()
    for damage, words in (
        (lambda: document.write_text(whole.replace('"cat"', '"cow"')), "checksum does not fit"),
        (lambda: document.write_text(whole[:100]), "cannot be read as a saved model"),
        (lambda: document.write_text("[]"), "cannot be read as a saved model"),
        (lambda: document.write_text(json.dumps(json.loads(whole) | {"format": 99})), "has format 99, but this program reads 1"),
        (lambda: arrays.write_bytes(numbers[:-20] + bytes(20)), "arrays were changed"),
        (lambda: arrays.unlink(), "has no arrays-"),
        (lambda: document.unlink(), "has no model.json"),
    ):
        document.write_text(whole)
        arrays.write_bytes(numbers)
        damage()
        with pytest.raises(ModelError, match=words) as raised:
            HierarchicalClassifier.load(tmp_path / "m")
        assert "\n" not in str(raised.value)


# --- mistakes ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "y", "words"),
    [
        ({}, [["cat"], ["tiger"]], "y, row 1: the label 'tiger' names no node"),
        ({}, np.zeros((2, 5)), "y must have 6 columns, one for each node below the root"),
        ({}, np.full((2, 6), 0.5), "a matrix y must hold 0 and 1, got 0.5"),
        ({}, pd.DataFrame({"cow": [0, 1]}), "the columns of y: the label 'cow'"),
        ({}, [["cat"]] * 3, "X and y must have as many rows, got 2 and 3"),
        ({}, [["cat"], "dog"], "got a mixture of them"),
        ({}, "cat", "y must be a list of labels"),
        ({"method": "chmcn"}, [["cat"]] * 2, "did you mean 'chmcnn'"),
        ({"method": "mixture_chmcnn_trees"}, [["cat"]] * 2, "must be a network or an estimator, got 'mixture_chmcnn_trees'"),
        ({"rule": "halff"}, [["cat"]] * 2, "did you mean 'half'"),
        ({"protocol": "release"}, [["cat"]] * 2, "did you mean 'released'"),
        ({"epochs": -1}, [["cat"]] * 2, "training.epochs"),
        ({"rule": "rate", "validation_fraction": 1.5}, [["cat"]] * 2, "validation_fraction must be above 0 and below 1, got 1.5"),
        ({"hierarchy": [("a", "b"), ("b", "a")]}, [["a"]] * 2, "cycle"),
        ({"hierarchy": "animal"}, [["a"]] * 2, "hierarchy must be a Hierarchy"),
        ({"hierarchy": [("a", "b", "c")]}, [["a"]] * 2, "hierarchy must be a Hierarchy"),
        ({"device": "xpu"}, [["cat"]] * 2, "device must be auto, cpu, cuda"),
    ],
)
def test_a_mistake_is_one_line(change: dict[str, Any], y: Any, words: str) -> None:
    X = np.random.default_rng(0).normal(size=(2, 3))
    with pytest.raises(ValueError, match=r"\w") as raised:
        HierarchicalClassifier(**{"hierarchy": EDGES, **SMALL, "rule": "half", "epochs": 1, **change}).fit(X, y)
    assert words in str(raised.value)


def test_numbers_that_cannot_be_computed_with_are_named() -> None:
    X = np.random.default_rng(0).normal(size=(20, 2))
    X[7, 1] = 1e300
    X[8, 1] = -1e300
    model = HierarchicalClassifier(EDGES, **SMALL, rule="half")
    with pytest.raises(ValueError, match="contains infinity"):
        model.fit(np.where(X > 1, np.inf, X), [["cat"]] * 20)
    constant = np.column_stack([X[:, 0], np.full(20, 1e22) + np.arange(20)])
    with pytest.raises(ValueError, match="'x1', row"):
        model.fit(constant, [["cat"]] * 20)


def test_importing_hmc_loads_neither_torch_nor_scikit_learn() -> None:
    code = "import sys, hmc; sys.exit(bool({'torch', 'sklearn', 'numpy', 'pandas'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0
    assert hmc.__version__.count(".") == 2
    with pytest.raises(AttributeError, match="no attribute 'Classifier'"):
        _ = hmc.Classifier


class Graph:
    """As networkx has them: ``edges`` is a view that can be called and iterated."""

    class Edges(list):
        def __call__(self, keys=False):
            return self

    def __init__(self, edges, directed=True, multigraph=False):
        self.edges = Graph.Edges(edges)
        self.nodes = list(dict.fromkeys(name for edge in edges for name in edge[:2]))
        self.is_directed, self.is_multigraph = (lambda: directed), (lambda: multigraph)


OBONET = [*((child, parent, "is_a") for parent, child in EDGES), ("cat", "rose", "regulates")]


@pytest.mark.parametrize(
    "hierarchy",
    [
        Graph(EDGES),
        Graph(OBONET, multigraph=True),
        pd.DataFrame(EDGES, columns=["parent", "child"]),
        np.array(EDGES),
        {"life": {"animal": ["cat", "dog"], "plant": {"oak": None, "rose": []}}},
    ],
    ids=["graph", "obonet", "frame", "array", "nested mapping"],
)
def test_a_hierarchy_keeps_its_levels_whatever_object_it_is(rows: Any, hierarchy: Any) -> None:
    fitted = HierarchicalClassifier(hierarchy, rule="half", **SMALL).fit(*rows).hierarchy_
    index = fitted.index
    assert {(fitted.names[parent], name) for name in fitted.names for parent in fitted.parents.of(index[name])} == set(EDGES)


@pytest.mark.parametrize(
    ("hierarchy", "words"),
    [
        (Graph(EDGES, directed=False), "must be directed"),
        (pd.DataFrame(EDGES, columns=["from", "to"]), "columns parent and child, got from, to"),
        ([*EDGES, ("life", float("nan"))], "must name a parent and a child"),
        ([("life", "root"), ("life", "cat")], "the name 'root' is kept for the top"),
        ([("life", "root"), ("life", "cat"), ("rock", "stone")], "the name 'root' is kept for the top"),
    ],
)
def test_an_object_that_is_no_hierarchy_is_refused(rows: Any, hierarchy: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        HierarchicalClassifier(hierarchy, **SMALL).fit(*rows)


def test_without_a_hierarchy_no_label_may_be_called_root() -> None:
    with pytest.raises(ValueError, match="the name 'root' is kept"):
        HierarchicalClassifier(**SMALL).fit(np.zeros((4, 2)), [["root"], ["a"], ["a"], ["root"]])


def test_frames_with_numbers_as_names_are_read_again(rows: Any, tmp_path: Path) -> None:
    X, Y = rows
    frame = pd.DataFrame(X).assign(**{"9": np.where(X[:, 0] > 0, "red", "blue")}).rename(columns={"9": 9})
    model = HierarchicalClassifier(EDGES, rule="half", **SMALL).fit(frame, Y)
    model.save(tmp_path)
    loaded = HierarchicalClassifier.load(tmp_path)
    np.testing.assert_array_equal(loaded.predict_proba(frame), model.predict_proba(frame))


@pytest.mark.parametrize(
    ("parameters", "X", "Y", "words"),
    [
        ({}, pd.DataFrame([[1.0, 2.0, "x"]] * 4, columns=["a", "b", "a"]), [["cat"]] * 4, "'a' twice"),
        ({"n_jobs": 0}, np.eye(4), [["cat"]] * 4, "n_jobs must be a number of threads"),
        ({"method": None}, np.eye(4), [["cat"]] * 4, "method must be the name of one"),
        ({}, np.array([[2.04, 1.0], [0.3, 0.7]]), [["cat"]] * 2, "two rows or more"),
        ({}, np.eye(4), [[2], [3], [4], [5]], "write labels that are numbers as text"),
    ],
)
def test_what_cannot_be_fitted_is_refused_in_one_line(parameters: Any, X: Any, Y: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        HierarchicalClassifier(EDGES, **{**SMALL, **parameters}).fit(X, Y)


def test_no_row_is_refused_as_scikit_learn_does_and_all_cores_may_be_asked_for(rows: Any) -> None:
    model = HierarchicalClassifier(EDGES, rule="half", n_jobs=-1, **SMALL).fit(*rows)
    with pytest.raises(ValueError, match="0 sample"):
        model.predict(rows[0][:0])
