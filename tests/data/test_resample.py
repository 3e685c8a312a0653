"""Oversampling by label set and by path."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from hmc.data.resample import Added, hros_pd, lpros, resample
from hmc.hierarchy import Hierarchy, from_edges
from hmc.settings import SettingsError
from tests.benchmark_labels import card_name, training_labels

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
HROS_COUNTS = {
    name: entry["hros_pd"] for name, entry in json.loads((GOLDEN / "datasets.json").read_text()).items() if "hros_pd" in entry
}


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.fixture
def tree() -> Hierarchy:
    """root > a > (b, c), root > d."""
    return from_edges(["root", "a", "b", "c", "d"], [("root", "a"), ("a", "b"), ("a", "c"), ("root", "d")])


def rows_of(hierarchy: Hierarchy, *rows: str) -> np.ndarray:
    """Closed labels, one row per string of node names."""
    labels = np.zeros((len(rows), len(hierarchy)), dtype=bool)
    for row, names in enumerate(rows):
        labels[row, [hierarchy.index[name] for name in names]] = True
    return hierarchy.close(labels)


def test_there_are_counts_of_seven_datasets() -> None:
    assert len(HROS_COUNTS) == 7


@pytest.mark.parametrize("dataset", HROS_COUNTS)
def test_hros_pd_adds_what_the_released_program_adds(dataset: str, benchmark_files: Path) -> None:
    hierarchy, labels = training_labels(card_name(dataset), benchmark_files)
    added = hros_pd(labels, hierarchy, 0.1, generator())
    assert len(added) == HROS_COUNTS[dataset]["rows_added"]
    assert added.labels.sum() == HROS_COUNTS[dataset]["positives_added"]
    with np.load(GOLDEN / "weights.npz") as stored:
        assert np.array_equal(added.labels.sum(0), stored[f"{dataset}/hros_pd_added_per_node"])


def test_hros_pd_on_the_gene_ontology(benchmark_files: Path) -> None:
    hierarchy, labels = training_labels("cellcycle_go", benchmark_files)
    added = hros_pd(labels, hierarchy, 0.1, generator())
    assert 0 < len(added) < len(labels)
    assert hierarchy.is_closed(added.labels)
    assert not (added.labels & ~labels[added.rows]).any()


def test_hros_pd_keeps_one_path_of_a_row_that_carries_the_leaf(tree: Hierarchy) -> None:
    labels = rows_of(tree, *["b"] * 6, *["d"] * 6, "cd")
    added = hros_pd(labels, tree, 0.5, generator())
    # 14 annotations, 7 to create; c alone is rarer than the mean; mean size ceil(14 / 4), of which c has one.
    assert added.rows.tolist() == [12, 12, 12]
    assert np.array_equal(added.labels, rows_of(tree, "c", "c", "c"))


def test_hros_pd_on_a_diamond_keeps_all_ancestors() -> None:
    diamond = from_edges(
        ["root", "a", "b", "c", "d"], [("root", "a"), ("root", "b"), ("a", "c"), ("b", "c"), ("root", "d"), ("c", "d")]
    )
    labels = rows_of(diamond, *["c"] * 12, "d")
    added = hros_pd(labels, diamond, 1.0, generator())
    assert set(added.rows) == {12}
    assert added.labels.all()


def test_hros_pd_has_nothing_to_add_without_imbalance(tree: Hierarchy) -> None:
    assert len(hros_pd(rows_of(tree, "", "", ""), tree, 0.1, generator())) == 0
    assert len(hros_pd(np.zeros((3, 5), dtype=bool), tree, 0.1, generator())) == 0
    assert len(hros_pd(np.zeros((0, 5), dtype=bool), tree, 0.1, generator())) == 0


def test_lpros_clones_rare_label_sets_up_to_the_mean_size(tree: Hierarchy) -> None:
    labels = rows_of(tree, *["b"] * 9, "c", *["d"] * 2)
    added = lpros(labels, 0.9, generator())
    # Three sets, mean size 4: c has room for 3, d for 2; 10 are asked for.
    assert Counter(added.rows >= 10) == {False: 3, True: 2}
    assert np.array_equal(added.labels, labels[added.rows])
    assert 0 not in added.rows


def test_lpros_shares_equally_and_hands_on_what_is_left(tree: Hierarchy) -> None:
    labels = rows_of(tree, *["b"] * 14, "c", *["d"] * 4, "")
    # Mean size 5: rooms for c, d and the root alone are 4, 1 and 4; of 7, d takes 1 and the others 3 each.
    added = lpros(labels, 7 / 20, generator())
    assert Counter("c" if row == 14 else "root" if row == 19 else "d" for row in added.rows) == {"c": 3, "root": 3, "d": 1}


def test_lpros_grows_sets_below_a_mean_that_is_no_whole_number(tree: Hierarchy) -> None:
    labels = rows_of(tree, "b", "b", "c", "d")
    assert sorted(lpros(labels, 1.0, generator()).rows) == [2, 3]
    assert len(lpros(labels, 0.25, generator())) == 1


def test_lpros_has_nothing_to_add_to_equal_sets(tree: Hierarchy) -> None:
    assert len(lpros(rows_of(tree, "b", "c", "d"), 0.25, generator())) == 0
    assert len(lpros(np.zeros((0, 5), dtype=bool), 0.25, generator())) == 0


@pytest.mark.parametrize("name", ["lpros", "hros_pd"])
def test_the_generator_decides(name: str, tree: Hierarchy) -> None:
    labels = rows_of(tree, *["b"] * 40, *["c"] * 2, *["d"] * 3)
    features = np.zeros((len(labels), 2))
    one, same, other = (resample(name, features, labels, tree, 1.0, generator(seed)).rows.tolist() for seed in (1, 1, 2))
    assert one == same
    assert one != other


def own_resampler(
    features: np.ndarray, labels: np.ndarray, hierarchy: Hierarchy, fraction: float, _: np.random.Generator
) -> Added:
    rows = np.arange(int(fraction * len(features)))
    return Added(rows, labels[rows])


def open_resampler(
    features: np.ndarray, labels: np.ndarray, hierarchy: Hierarchy, fraction: float, _: np.random.Generator
) -> Added:
    leaf = np.zeros((1, len(hierarchy)), dtype=bool)
    leaf[0, -1] = True
    return Added(np.zeros(1, dtype=np.int64), leaf)


def far_resampler(
    features: np.ndarray, labels: np.ndarray, hierarchy: Hierarchy, fraction: float, _: np.random.Generator
) -> Added:
    return Added(np.array([len(labels)]), labels[:1])


def narrow_resampler(
    features: np.ndarray, labels: np.ndarray, hierarchy: Hierarchy, fraction: float, _: np.random.Generator
) -> Added:
    return Added(np.array([0, 1]), labels[:1])


def test_lookup(tree: Hierarchy) -> None:
    labels, features = rows_of(tree, "b", "c", "d"), np.zeros((3, 2))
    assert len(resample("none", features, labels, tree, 0.5, generator())) == 0
    assert resample(f"{__name__}:own_resampler", features, labels, tree, 0.7, generator()).rows.tolist() == [0, 1]
    with pytest.raises(SettingsError, match="name='lprose' is not known; did you mean 'lpros'"):
        resample("lprose", features, labels, tree, 0.5, generator())


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("open", "not closed under ancestors"),
        ("far", "it returned rows 3 to 3; expected 0 to 2"),
        ("narrow", r"labels of shape \(1, 5\)"),
    ],
)
def test_what_an_own_resampler_returns_is_checked(name: str, message: str, tree: Hierarchy) -> None:
    with pytest.raises(ValueError, match=message):
        resample(f"{__name__}:{name}_resampler", np.zeros((3, 2)), rows_of(tree, "b", "c", "d"), tree, 0.5, generator())


def test_arguments_that_do_not_fit_are_refused(tree: Hierarchy) -> None:
    labels = rows_of(tree, "b", "c")
    with pytest.raises(ValueError, match=r"features have shape \(3, 2\) and labels \(2, 5\)"):
        resample("lpros", np.zeros((3, 2)), labels, tree, 0.5, generator())
    with pytest.raises(ValueError, match="fraction must be above 0, got 0"):
        resample("lpros", np.zeros((2, 2)), labels, tree, 0, generator())
