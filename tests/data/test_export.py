"""What is exported is read back as the same arrays."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from hmc import configs
from hmc.data import catalog
from hmc.data.catalog import DataError
from hmc.data.export import export
from hmc.data.load import load_encoded
from hmc.settings import DatasetSettings, RuntimeSettings


def exported(dataset: DatasetSettings, runtime: RuntimeSettings, folder: Path, form: str) -> DatasetSettings:
    table = export([dataset], runtime, folder, form)
    assert all(Path(file).is_file() for file in table["file"])
    assert set(table["dataset"]) == {dataset.name}
    card: DatasetSettings = configs.settings_of("dataset", table["file"].iloc[-1])
    return card


def assert_same(one: DatasetSettings, other: DatasetSettings, runtime: RuntimeSettings) -> None:
    before, after = load_encoded(one, runtime), load_encoded(other, runtime)
    assert after.names == before.names
    assert after.feature_names == before.feature_names
    assert after.ids == before.ids
    np.testing.assert_array_equal(after.parents.offsets, before.parents.offsets)
    np.testing.assert_array_equal(after.parents.indices, before.parents.indices)
    for split in ("train", "valid", "test"):
        np.testing.assert_array_equal(after.features[split], before.features[split])
        np.testing.assert_array_equal(after.labels[split], before.labels[split])


@pytest.mark.parametrize("form", ["csv", "arff"])
@pytest.mark.parametrize("name", ["synthetic_tree", "synthetic_dag"])
def test_embedded_datasets_come_back(name: str, form: str, tmp_path: Path, runtime: RuntimeSettings) -> None:
    dataset = catalog.card(name)
    assert_same(dataset, exported(dataset, runtime, tmp_path, form), runtime)


@pytest.mark.parametrize("form", ["csv", "arff"])
@pytest.mark.parametrize("name", ["church_fun", "enron"])
def test_benchmark_datasets_come_back(
    name: str, form: str, tmp_path: Path, benchmark_files: Path, runtime: RuntimeSettings
) -> None:
    dataset = catalog.card(name)
    here = dataclasses.replace(runtime, data_dir=str(benchmark_files))
    assert_same(dataset, exported(dataset, here, tmp_path, form), here)


@pytest.mark.parametrize("form", ["csv", "arff"])
def test_names_of_rows_missing_numbers_and_odd_names_come_back(
    form: str, tmp_path: Path, write: Callable[..., Path], runtime: RuntimeSettings
) -> None:
    header = (
        "@relation r\n@attribute gene string\n@attribute 'two, words' numeric\n@attribute labels {'a b',c}\n"
        "@attribute class hierarchical 'x; y',\"it's/it\",z\n@data\n"
    )
    path = str(write(header + "g1,?,c,'x; y@z'\n'g 2',1e-300,'a b',\"it's/it\"\ng3,-1.1,?,root\n", "odd.arff"))
    dataset = DatasetSettings(name="odd one", train=path, test=path)
    assert_same(dataset, exported(dataset, runtime, tmp_path / "out", form), runtime)


def test_a_name_that_arff_cannot_hold_is_refused_and_csv_holds_it(
    tmp_path: Path, write: Callable[..., Path], runtime: RuntimeSettings
) -> None:
    path = str(write("@relation r\n@attribute 'a \"b\"' numeric\n@attribute class hierarchical x\n@data\n1,x\n"))
    dataset = DatasetSettings(name="quotes", train=path, test=path)
    with pytest.raises(DataError, match="quotes: the name 'a \"b\"' cannot be written as ARFF; use format=csv"):
        exported(dataset, runtime, tmp_path / "arff", "arff")
    assert_same(dataset, exported(dataset, runtime, tmp_path / "csv", "csv"), runtime)


def test_images_are_not_exported(tmp_path: Path, runtime: RuntimeSettings) -> None:
    with pytest.raises(DataError, match="digits: images cannot be exported as tables"):
        export([catalog.card("digits")], runtime, tmp_path)
