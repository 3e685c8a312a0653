"""Estimators of scikit-learn and the two reference predictors: scores that are probabilities, coherent and repeatable."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsRegressor

from hmc import configs
from hmc.data.load import load
from hmc.estimators import EstimatorError, estimated_scores, fitted_estimator
from hmc.experiments.evaluate import evaluate
from hmc.hierarchy import from_edges
from hmc.metrics.grouped import incoherent_share
from hmc.scores import coherent
from hmc.settings import Cell, EstimatorSettings, RuntimeSettings
from tests.strategies import closed_labels, hierarchies

TREE = from_edges(["root", "a", "b", "a/1", "c"], [("root", "a"), ("root", "b"), ("a", "a/1"), ("root", "c")])
TREES = EstimatorSettings(
    "sklearn.ensemble:ExtraTreesRegressor", {"n_estimators": 10, "min_samples_leaf": 3, "max_features": 0.5}
)
FOREST = EstimatorSettings("sklearn.ensemble:ExtraTreesClassifier", {"n_estimators": 10, "min_samples_leaf": 3})
REGRESSION = EstimatorSettings("sklearn.linear_model:LogisticRegression", {"C": 0.5})
NEIGHBOURS = EstimatorSettings("sklearn.neighbors:KNeighborsRegressor", {"n_neighbors": 3})
RIDGE = EstimatorSettings("sklearn.linear_model:RidgeClassifier")


def example(rows=40):
    """Features, labels of which no row has c and all have b, and rows to score."""
    random = np.random.default_rng(0)
    features = random.normal(size=(rows + 7, 6)).astype(np.float32)
    labels = np.zeros((len(features), 5), dtype=bool)
    labels[:, 1], labels[:, 2], labels[:, 3] = features[:, 0] > 0, True, features[:, 0] + features[:, 1] > 1
    return features[:rows], TREE.close(labels[:rows]), features[rows:]


def scores_of(estimator, seed=0, threads=1, rows=None, **changes):
    features, labels, others = example()
    wanted = others if rows is None else rows
    (found,) = estimated_scores(estimator, features, labels, TREE, [wanted], seed=seed, threads=threads, **changes)
    return found


# --- what is fitted -------------------------------------------------------------------------------------------------------


def test_extra_trees_are_scikit_learns_own():
    features, labels, rows = example()
    trees = ExtraTreesRegressor(**TREES.parameters, random_state=7, n_jobs=1).fit(features, labels[:, [1, 3]].astype(np.float32))
    expected = np.array([[0, 0, 1, 0, 0]] * len(rows), dtype=np.float32)
    expected[:, [1, 3]] = trees.predict(rows)
    assert (scores_of(TREES, seed=7) == coherent(expected, TREE)).all()


def test_a_forest_of_classifiers_gives_the_probability_of_the_positive_class():
    features, labels, rows = example()
    forest = ExtraTreesClassifier(**FOREST.parameters, random_state=0).fit(features, labels[:, [1, 3]].astype(np.int8))
    expected = np.array([[0, 0, 1, 0, 0]] * len(rows), dtype=np.float32)
    expected[:, [1, 3]] = np.stack([part[:, 1] for part in forest.predict_proba(rows)], axis=1)
    assert (scores_of(FOREST) == coherent(expected, TREE)).all()


def test_a_classifier_of_one_output_is_fitted_one_node_at_a_time():
    features, labels, rows = example()
    expected = np.array([[0, 0, 1, 0, 0]] * len(rows), dtype=np.float32)
    for node in (1, 3):
        expected[:, node] = LogisticRegression(C=0.5).fit(features, labels[:, node]).predict_proba(rows)[:, 1]
    assert (scores_of(REGRESSION) == coherent(expected, TREE)).all()


def test_neighbours_vote_by_their_labels():
    features, labels, rows = example()
    neighbours = KNeighborsRegressor(3).fit(features, labels[:, [1, 3]].astype(np.float32))
    assert (scores_of(NEIGHBOURS)[:, [1, 3]] == neighbours.predict(rows)).all()
    assert set((3 * scores_of(NEIGHBOURS)).round(4).ravel().tolist()) <= {0, 1, 2, 3}


def test_margins_become_probabilities():
    found = scores_of(RIDGE)[:, [1, 3]]
    assert ((found > 0) & (found < 1)).all()
    assert len(np.unique(found)) > 5


@pytest.mark.parametrize("estimator", [TREES, FOREST, REGRESSION, NEIGHBOURS, RIDGE], ids=lambda one: one.name.partition(":")[2])
def test_scores_are_coherent_probabilities_in_float32(estimator):
    found = scores_of(estimator)
    assert found.dtype == np.float32
    assert ((found >= 0) & (found <= 1)).all()
    assert incoherent_share(found, TREE) == 0


@pytest.mark.parametrize("estimator", [TREES, FOREST, REGRESSION, NEIGHBOURS], ids=lambda one: one.name.partition(":")[2])
def test_a_node_without_positives_scores_zero_and_one_that_all_rows_have_one(estimator):
    found = scores_of(estimator)
    assert (found[:, 4] == 0).all()
    assert (found[:, [0, 2]] == 1).all()


def test_several_sets_of_rows_are_scored_by_the_same_fit():
    features, labels, rows = example()
    together = estimated_scores(TREES, features, labels, TREE, [rows, rows[:3], rows[:0]])
    assert (together[1] == together[0][:3]).all()
    assert together[2].shape == (0, 5)
    assert (fitted_estimator(TREES, features, labels, TREE).scores(rows) == together[0]).all()


def test_the_seed_is_the_cells_unless_the_parameters_name_one():
    assert (scores_of(TREES, seed=1) == scores_of(TREES, seed=1)).all()
    assert (scores_of(TREES, seed=1) != scores_of(TREES, seed=2)).any()
    pinned = EstimatorSettings(TREES.name, {**TREES.parameters, "random_state": 5})
    assert (scores_of(pinned, seed=1) == scores_of(pinned, seed=2)).all()


def test_threads_change_nothing():
    np.testing.assert_allclose(scores_of(TREES, threads=2), scores_of(TREES), atol=1e-6)


def test_blocks_of_nodes_are_fitted_one_after_the_other():
    features, labels, rows = example()
    done = []
    alone = EstimatorSettings(TREES.name, TREES.parameters, block=1)
    found = scores_of(alone, progress=lambda fitted, count: done.append((fitted, count)))
    assert done == [(1, 2), (2, 2)]
    one = ExtraTreesRegressor(**TREES.parameters, random_state=0).fit(features, labels[:, 3].astype(np.float32))
    assert (found[:, 3] == one.predict(rows).astype(np.float32)).all()
    assert (found != scores_of(TREES)).any()


def test_nothing_to_fit_is_no_error():
    features, _, rows = example()
    labels = TREE.close(np.zeros((40, 5)))
    (found,) = estimated_scores(TREES, features, labels, TREE, [rows])
    assert not found.any()


# --- estimators that misbehave ----------------------------------------------------------------------------------------------


class Beyond(RegressorMixin, BaseEstimator):
    """Predicts 1.5 and -0.5 by turns."""

    def fit(self, features, targets):
        self.outputs_ = 1 if targets.ndim == 1 else targets.shape[1]
        return self

    def predict(self, features):
        return np.resize([1.5, -0.5], (len(features), self.outputs_))


class Failing(ClassifierMixin, BaseEstimator):
    def __init__(self, size=1):
        self.size = size

    def fit(self, features, targets):
        raise MemoryError("too large") if self.size > 1 else FloatingPointError("it\n  diverged")


class Plain:
    """Not of scikit-learn's family, but with its methods."""

    def fit(self, features, targets):
        self.share = targets.mean()

    def predict(self, features):
        return np.full(len(features), self.share)


def test_predictions_beyond_probabilities_are_clipped():
    found = scores_of(EstimatorSettings(f"{__name__}:Beyond"))
    assert set(np.unique(found[:, 1]).tolist()) == {0.0, 1.0}
    assert incoherent_share(found, TREE) == 0


def test_a_class_that_only_behaves_like_scikit_learns_is_fitted_one_node_at_a_time():
    _, labels, _ = example()
    found = scores_of(EstimatorSettings(f"{__name__}:Plain"))
    assert found[0, [1, 3]].tolist() == pytest.approx(labels[:, [1, 3]].mean(axis=0))


@pytest.mark.parametrize(
    ("estimator", "words"),
    [
        (
            EstimatorSettings("sklearn.ensemble:ExtraTree"),
            "method.estimator.name='sklearn.ensemble:ExtraTree' cannot be imported",
        ),
        (EstimatorSettings("nowhere:Trees"), "cannot be imported (No module named 'nowhere'); write module:Class, such as"),
        (EstimatorSettings(":Trees"), "method.estimator.name=':Trees' cannot be imported"),
        (EstimatorSettings("math:sqrt"), "must be a class with fit and predict, as scikit-learn's estimators are, got <built-in"),
        (EstimatorSettings("os:path"), "must be a class with fit and predict"),
        (EstimatorSettings(TREES.name, {"trees": 10}), "do not fit sklearn.ensemble:ExtraTreesRegressor"),
        (
            EstimatorSettings(TREES.name, {"n_estimators": "many"}),
            "sklearn.ensemble:ExtraTreesRegressor failed on a block of 2 nodes",
        ),
        (EstimatorSettings(f"{__name__}:Failing"), "Failing failed on a block of 1 nodes: it diverged"),
    ],
)
def test_a_mistake_is_one_line(estimator, words):
    with pytest.raises(EstimatorError) as raised:
        scores_of(estimator)
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)


def test_an_unknown_parameter_is_named_with_the_known_ones():
    with pytest.raises(EstimatorError, match=r"unexpected keyword argument 'trees'.*; it takes n_estimators, .*max_features"):
        scores_of(EstimatorSettings(TREES.name, {"trees": 10}))


def test_want_of_memory_is_not_taken_for_a_mistake():
    with pytest.raises(MemoryError, match="too large"):
        scores_of(EstimatorSettings(f"{__name__}:Failing", {"size": 2}))


# --- reference predictors -----------------------------------------------------------------------------------------------------


def test_predict_all_scores_every_node_one():
    assert scores_of(EstimatorSettings("predict_all")).tolist() == np.ones((7, 5)).tolist()


def test_training_rate_scores_the_share_of_training_rows():
    _, labels, _ = example()
    found = scores_of(EstimatorSettings("training_rate"))
    assert found.tolist() == np.tile(labels.mean(axis=0).astype(np.float32), (7, 1)).tolist()


@settings(max_examples=30)
@given(hierarchies(max_nodes=8), st.data())
def test_reference_predictors_look_at_no_feature_and_are_coherent(hierarchy, data):
    labels = data.draw(closed_labels(hierarchy, rows=data.draw(st.integers(1, 6))))
    for name in ("predict_all", "training_rate"):
        (found,) = estimated_scores(
            EstimatorSettings(name), np.full((len(labels), 2), np.nan), labels, hierarchy, [np.zeros((3, 2))]
        )
        assert incoherent_share(found, hierarchy) == 0
        assert (found == found[0]).all()


@pytest.mark.parametrize(
    ("dataset", "macro_f1"),
    [
        ("cellcycle_fun", 3.26),
        ("derisi_fun", 3.27),
        ("enron", 14.19),
        ("derisi_go", 1.37),
        ("eisen_fun", 3.67),
        ("eisen_go", 1.69),
    ],
)
def test_predict_all_has_its_known_macro_f1(benchmark_files, tmp_path, dataset, macro_f1):
    """Percent, exact and without a seed: what any method must beat."""
    runtime = RuntimeSettings(data_dir=str(benchmark_files), results_dir=str(tmp_path), download=False)
    chosen = configs.run_settings(dataset, "predict_all", 0)
    read = load(chosen.dataset, chosen.protocol, runtime)
    (found,) = estimated_scores(
        chosen.method.estimator, read.training.features, read.training.labels, read.hierarchy, [read.test.features]
    )
    half = evaluate(Cell(chosen, read.sha256), found, read, None, ["half"]).rules["half"]
    assert round(100 * half["macro_f1"], 2) == macro_f1
    assert half["macro_recall_seen"] == 1
    assert half["labels_added"] == 0
