"""Rows held out of training where a dataset has no valid split: which they are, and that nothing is computed from them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hmc import configs
from hmc.data.dataset import Dataset, Encoded
from hmc.data.holdout import SHARE, with_valid
from hmc.data.load import load, load_labels
from hmc.hierarchy import from_edges
from hmc.settings import DatasetSettings, ProtocolSettings, RuntimeSettings

TREE = from_edges(["root", "a", "b", "a/1"], [("root", "a"), ("root", "b"), ("a", "a/1")])


def encoded(labels: np.ndarray, valid: int = 0) -> Encoded:
    """A dataset whose one feature is the row's number; test rows are numbered from 1000, valid ones from 2000."""
    features = {"train": np.arange(len(labels)), "test": 1000 + np.arange(3), "valid": 2000 + np.arange(valid)}
    rows = {"train": labels, "test": np.ones((3, 4), dtype=bool), "valid": np.ones((valid, 4), dtype=bool)}
    columns = {split: values[:, None].astype(float) for split, values in features.items()}
    return Encoded(TREE.names, TREE.parents, ("number",), columns, rows)


def numbers(found: Encoded, split: str) -> list[int]:
    return [int(number) for number in found.features[split][:, 0]]


def random_labels(rows: int, seed: int = 0) -> np.ndarray:
    return TREE.close(np.random.default_rng(seed).random((rows, 4)) < 0.3)


# --- which rows -----------------------------------------------------------------------------------------------------------


@given(st.integers(1, 120), st.integers(0, 2**31))
def test_a_fifth_of_the_training_rows_is_held_out_with_its_labels(rows: int, seed: int) -> None:
    labels = random_labels(rows, seed)
    found = with_valid(encoded(labels), "some")
    kept, held_out = numbers(found, "train"), numbers(found, "valid")
    assert sorted([*kept, *held_out]) == list(range(rows))
    assert kept == sorted(kept)
    assert len(held_out) == max(1, round(SHARE * rows))
    assert (found.labels["train"] == labels[kept]).all()
    assert (found.labels["valid"] == labels[held_out]).all()
    assert numbers(found, "test") == [1000, 1001, 1002]


@given(st.integers(0, 2**31))
def test_each_label_set_gives_its_fifth(seed: int) -> None:
    labels = random_labels(400, seed)
    found = with_valid(encoded(labels), f"some {seed}")
    held_out = labels[numbers(found, "valid")]
    for labelset in np.unique(labels, axis=0):
        size, share = ((rows == labelset).all(axis=1).sum() for rows in (labels, held_out))
        assert abs(share - SHARE * size) < 2, (size, share)


def test_a_label_set_of_five_gives_one_row_however_rare_it_is() -> None:
    """By chance alone a third of such sets would give none."""
    sets = np.array([[1, 1, 0, 0], [1, 1, 0, 1], [1, 0, 1, 0], [1, 1, 1, 0], [1, 1, 1, 1]], dtype=bool)
    found = with_valid(encoded(np.repeat(sets, 5, axis=0)), "some")
    assert [int((found.labels["valid"] == one).all(axis=1).sum()) for one in sets] == [1] * 5


def test_the_rows_are_the_same_each_time_and_of_each_dataset_its_own() -> None:
    labels = random_labels(100)
    first = numbers(with_valid(encoded(labels), "one"), "valid")
    assert numbers(with_valid(encoded(labels), "one"), "valid") == first
    assert numbers(with_valid(encoded(labels), "other"), "valid") != first


def test_the_rows_do_not_move() -> None:
    """They are in no identity: other rows would be other results under the same one."""
    held_out = numbers(with_valid(encoded(random_labels(50)), "enron"), "valid")
    assert held_out == [6, 12, 17, 19, 20, 23, 26, 35, 38, 43]


def test_a_valid_split_is_held_out_as_it_is() -> None:
    given_split = encoded(random_labels(30), valid=4)
    assert with_valid(given_split, "some") is given_split


# --- what is computed from which rows ---------------------------------------------------------------------------------------

HEADER = "@relation r\n@attribute x numeric\n@attribute y numeric\n@attribute class hierarchical a,b,a/1\n@data\n"


def write(folder: Path, features: np.ndarray, name: str = "train") -> str:
    """An ARFF file of these features (a question mark where NaN) and labels that repeat."""
    labels = ["a", "b", "a/1", "a@b"]
    lines = [
        ",".join([*("?" if np.isnan(value) else repr(float(value)) for value in row), labels[place % 4]])
        for place, row in enumerate(features)
    ]
    path = folder / f"{name}.arff"
    path.write_text(HEADER + "\n".join([*lines, ""]))
    return str(path)


def example(seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    features = random.normal(size=(60, 2))
    features[random.random(features.shape) < 0.2] = np.nan
    return features


def read(folder: Path, features: np.ndarray, imputation: str = "train_mean", **options: object) -> Dataset:
    dataset = DatasetSettings("mine", train=write(folder, features), test=write(folder, example(1)[:20], "test"))
    runtime = RuntimeSettings(cache_dir=str(folder / "cache"))
    return load(dataset, ProtocolSettings(imputation=imputation), runtime, **{"holdout": "valid", **options})  # type: ignore[arg-type]


@pytest.mark.parametrize("imputation", ["train_mean", "split_mean"])
def test_held_out_rows_change_nothing_that_the_others_become(tmp_path: Path, imputation: str) -> None:
    """Neither means nor scales look at them: with their features poisoned, training and test rows are what they were."""
    before = read(tmp_path, example(), imputation)
    assert (len(before.training), len(before.held_out or ()), len(before.test)) == (48, 12, 20)
    rows = held_out_rows(tmp_path)
    poisoned = example()
    poisoned[rows] = [1e6, np.nan]
    after = read(tmp_path, poisoned, imputation)
    for split in ("train", "test"):
        assert (getattr(after, split).features == getattr(before, split).features).all(), split
        assert (getattr(after, split).labels == getattr(before, split).labels).all(), split
    assert (after.valid.features != before.valid.features).any()
    assert (after.valid.labels == before.valid.labels).all()
    # With all rows trained on they do change the others.
    whole = [read(tmp_path, features, imputation, holdout="none") for features in (example(), poisoned)]
    assert (whole[0].test.features != whole[1].test.features).any()


def held_out_rows(folder: Path) -> np.ndarray:
    """The places in the file, found by marking each row with its number."""
    numbered = np.stack([np.arange(60.0), np.zeros(60)], axis=1)
    found = read(folder, numbered)
    training = np.concatenate([found.train.features[:, 0], found.valid.features[:, 0]])
    places = np.argsort(np.argsort(training))
    return places[len(found.train) :]


@pytest.mark.parametrize("imputation", ["train_mean", "split_mean"])
def test_scales_are_those_of_the_rows_trained_on(tmp_path: Path, imputation: str) -> None:
    found = read(tmp_path, example(), imputation)
    np.testing.assert_allclose(found.train.features.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(found.train.features.std(axis=0), 1, atol=1e-6)
    assert np.abs(found.valid.features.mean(axis=0)).max() > 1e-3


def test_without_a_holdout_all_rows_are_trained_on(tmp_path: Path) -> None:
    found = read(tmp_path, example(), holdout="none")
    assert (len(found.training), found.held_out) == (60, None)
    assert len(found.valid) == 0


def test_all_seeds_and_fractions_hold_out_the_same_rows(tmp_path: Path) -> None:
    first = read(tmp_path, example())
    for options in ({"seed": 1}, {"seed": 7}):
        other = read(tmp_path, example(), **options)
        assert (other.valid.features == first.valid.features).all()
        assert (other.train.features == first.train.features).all()


def test_a_share_of_the_training_rows_leaves_the_held_out_ones_whole() -> None:
    settings = configs.run_settings("synthetic_tree", "chmcnn", 0, overrides=["dataset.synthetic.rows_valid=0"]).dataset
    half = configs.run_settings(
        "synthetic_tree", "chmcnn", 0, overrides=["dataset.synthetic.rows_valid=0", "dataset.fraction=0.5"]
    ).dataset
    whole, fewer = (load_labels(one, RuntimeSettings(), holdout="valid") for one in (settings, half))
    assert (len(whole.train), len(whole.valid)) == (240, 60)
    assert (len(fewer.train), len(fewer.valid)) == (120, 60)
    assert (fewer.valid.labels == whole.valid.labels).all()


def test_labels_alone_have_the_rows_that_training_has(tmp_path: Path) -> None:
    found = read(tmp_path, example())
    dataset = DatasetSettings("mine", train=str(tmp_path / "train.arff"), test=str(tmp_path / "test.arff"))
    alone = load_labels(dataset, RuntimeSettings(cache_dir=str(tmp_path / "cache")), holdout="valid")
    for split in ("train", "valid", "test"):
        assert (getattr(alone, split).labels == getattr(found, split).labels).all()
        assert getattr(alone, split).features.shape == (len(getattr(found, split)), 0)


def test_the_benchmarks_sets_without_valid_hold_out_a_fifth(benchmark_files: Path, tmp_path: Path) -> None:
    settings = configs.run_settings("enron", "chmcnn", 0).dataset
    runtime = RuntimeSettings(data_dir=str(benchmark_files), cache_dir=str(tmp_path), download=False)
    whole, held = load_labels(settings, runtime), load_labels(settings, runtime, holdout="valid")
    assert len(held.valid) == round(SHARE * len(whole.train))
    assert len(held.train) + len(held.valid) == len(whole.train)
    assert hashlib.sha256(np.packbits(held.valid.labels).tobytes()).hexdigest()[:12] == "a70211da6541"
    frequency = whole.train.labels.mean(axis=0)
    np.testing.assert_allclose(held.valid.labels.mean(axis=0), frequency, atol=0.05)
