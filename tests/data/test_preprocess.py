from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hmc.data import catalog
from hmc.data.arff import ArffTable, Attribute
from hmc.data.catalog import DataError
from hmc.data.load import load_encoded
from hmc.data.preprocess import encode, feature_names, first_unusable, impute, one_hot, scaling, standardise
from hmc.settings import RuntimeSettings

NAN = np.nan


def splits(train: object, valid: object, test: object) -> dict[str, np.ndarray]:
    return {"train": np.array(train, float), "valid": np.array(valid, float), "test": np.array(test, float)}


@given(st.data())
def test_one_hot_marks_exactly_the_wanted_value(data: st.DataObject) -> None:
    values = data.draw(st.lists(st.sampled_from("abcdef"), min_size=1, unique=True))
    wanted = data.draw(st.lists(st.sampled_from("abcdef"), min_size=1, unique=True))
    codes = np.array(data.draw(st.lists(st.integers(-1, len(values) - 1), min_size=1)))
    encoded = one_hot(codes, values, wanted)
    assert encoded.shape == (len(codes), len(wanted))
    for code, row in zip(codes, encoded, strict=True):
        value = None if code < 0 else values[code]
        assert [name for name, mark in zip(wanted, row, strict=True) if mark == 1] == ([value] if value in wanted else [])
        assert set(row) <= {0.0, 1.0}


def test_columns_stay_in_file_order_and_test_takes_the_training_values() -> None:
    training = (Attribute("a"), Attribute("b", ("x", "y")), Attribute("c"))
    own = (Attribute("a"), Attribute("b", ("z", "y")), Attribute("c"))
    columns = (np.array([1.0, NAN, 3.0]), np.array([0, 1, -1]), np.array([7.0, 8.0, 9.0]))
    table = ArffTable(Path("t"), own, columns, ("1",), 1, (("1",),) * 3, np.arange(3))
    assert feature_names(training) == ("a", "b=x", "b=y", "c")
    np.testing.assert_array_equal(encode(table, training), [[1, 0, 0, 7], [NAN, 0, 1, 8], [3, 0, 0, 9]])


def test_split_mean_takes_each_splits_own() -> None:
    filled = impute(splits([[1], [3], [NAN]], [[10], [NAN]], [[NAN], [100]]), "split_mean")
    assert [filled[name].ravel().tolist() for name in ("train", "valid", "test")] == [[1, 3, 2], [10, 10], [100, 100]]


def test_train_mean_takes_the_mean_of_train_and_valid() -> None:
    filled = impute(splits([[1], [3], [NAN]], [[11], [NAN]], [[NAN], [100]]), "train_mean")
    assert [filled[name].ravel().tolist() for name in ("train", "valid", "test")] == [[1, 3, 5], [11, 5], [5, 100]]


@pytest.mark.parametrize("imputation", ["split_mean", "train_mean"])
def test_a_feature_without_any_value_falls_back(imputation: str) -> None:
    filled = impute(splits([[2, NAN], [4, NAN]], np.zeros((0, 2)), [[NAN, NAN]]), imputation)
    assert filled["test"].tolist() == [[3, 0]]
    assert filled["train"].tolist() == [[2, 0], [4, 0]]
    assert filled["valid"].shape == (0, 2)


def test_an_unknown_imputation_is_refused() -> None:
    with pytest.raises(ValueError, match="imputation='median' is not known"):
        impute(splits([[1]], [[1]], [[1]]), "median")


def matrices(rows: int) -> st.SearchStrategy[np.ndarray]:
    return hnp.arrays(np.float64, (rows, 3), elements=st.one_of(st.just(NAN), st.floats(-1e6, 1e6)))


@given(matrices(4), matrices(2), matrices(3), st.sampled_from(["split_mean", "train_mean"]))
def test_imputing_fills_the_gaps_and_nothing_else(
    train: np.ndarray, valid: np.ndarray, test: np.ndarray, imputation: str
) -> None:
    before = splits(train, valid, test)
    after = impute(before, imputation)
    for name, features in after.items():
        assert np.isfinite(features).all()
        known = ~np.isnan(before[name])
        np.testing.assert_array_equal(features[known], before[name][known])


def test_standardising_uses_train_and_valid_together() -> None:
    scaled = standardise(splits([[0, 5], [2, 5]], [[4, 5], [6, 5]], [[3, 7]]))
    together = np.concatenate([scaled["train"], scaled["valid"]])
    np.testing.assert_allclose(together[:, 0].mean(), 0, atol=1e-12)
    np.testing.assert_allclose(together[:, 0].std(), 1)
    # The second feature is constant in training: shifted, not scaled.
    np.testing.assert_allclose(scaled["test"], [[0, 2]], atol=1e-12)


def test_standardising_an_empty_split() -> None:
    assert standardise(splits([[0], [2]], np.zeros((0, 1)), [[3]]))["valid"].shape == (0, 1)


# --- against scikit-learn's, bit for bit ----------------------------------------------------------------------------------


def same_as_standard_scaler(rows: np.ndarray, others: np.ndarray) -> None:
    from sklearn.preprocessing import StandardScaler

    wanted, found = StandardScaler().fit(rows), scaling(rows)
    assert found.scale.tobytes() == wanted.scale_.tobytes()
    assert found.mean.tobytes() == wanted.mean_.tobytes()
    for part in (rows, others):
        assert found.of(part).tobytes() == wanted.transform(part).tobytes()


@given(st.data())
def test_scaling_is_that_of_scikit_learn(data: st.DataObject) -> None:
    width = data.draw(st.integers(1, 4))
    size = data.draw(st.sampled_from([1.0, 1e-150, 1e9, 1e22, 1e140]))
    numbers = st.floats(-1, 1, allow_subnormal=False)
    rows = data.draw(hnp.arrays(np.float64, st.tuples(st.integers(1, 12), st.just(width)), elements=numbers)) * size
    constant = data.draw(st.lists(st.integers(0, width - 1), max_size=2))
    rows[:, constant] = rows[0, constant]
    same_as_standard_scaler(rows, rows[::-1] * 3)


@pytest.mark.parametrize("name", ["cellcycle_fun", "church_fun", "seq_fun", "spo_go", "enron", "imclef07a", "diatoms"])
def test_scaling_of_the_benchmark_is_that_of_scikit_learn(name: str, benchmark_files: Path, tmp_path: Path) -> None:
    card = catalog.card(name)
    runtime = RuntimeSettings(data_dir=str(benchmark_files), cache_dir=str(tmp_path), download=False)
    splits = impute(load_encoded(card, runtime).features, "split_mean")
    same_as_standard_scaler(np.concatenate([splits["train"], splits["valid"]]), splits["test"])
    assert first_unusable(standardise(splits), scaling(np.concatenate([splits["train"], splits["valid"]])), ("train",)) is None


def test_a_long_name_with_many_values_is_refused_before_it_fills_the_memory():
    long = Attribute("n" * 100_000, tuple(map(str, range(300))))
    with pytest.raises(DataError, match="a name of 100000 letters and 300 values"):
        feature_names([long])
