"""Parity with the figures that the authors' program computed from the benchmark files."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from hmc.data import cache, preprocess
from hmc.data.catalog import card, files
from hmc.data.load import load, read_files
from hmc.settings import ProtocolSettings, RuntimeSettings

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "datasets.json").read_text())
SPLITS = ("train", "valid", "test")


def card_name(golden: str) -> str:
    return golden.removesuffix("_others").lower()


@pytest.fixture
def benchmark_runtime(benchmark_files: Path, tmp_path: Path) -> RuntimeSettings:
    return RuntimeSettings(data_dir=str(benchmark_files), cache_dir=str(tmp_path), download=False)


@pytest.mark.parametrize("name", sorted(GOLDEN))
def test_released_figures(name: str, benchmark_files: Path, benchmark_runtime: RuntimeSettings) -> None:
    expected, settings = GOLDEN[name], card(card_name(name))
    if not all((benchmark_files / path).is_file() for path in files(settings).values()):
        pytest.skip(f"{settings.name} is not among the benchmark files at hand")
    dataset = load(settings, ProtocolSettings(imputation="split_mean"), benchmark_runtime)
    hierarchy = dataset.hierarchy

    assert len(hierarchy) == expected["nodes"]
    assert hierarchy.evaluated.sum() == expected["evaluated"]
    assert hashlib.sha256("\n".join(hierarchy.names).encode()).hexdigest() == expected["node_order_sha256"]
    assert list(hierarchy.names[:6]) == expected["first_nodes"]
    assert hierarchy.edges == expected["edges"]
    assert len(hierarchy.descendants.indices) == expected["closure_nnz"]

    (cached,) = Path(benchmark_runtime.cache_dir).iterdir()
    features = preprocess.impute(cache.restore(cached, cached.stem).features, "split_mean")
    for split in SPLITS:
        if split not in expected:
            assert len(getattr(dataset, split)) == 0
            continue
        figures, labels = expected[split], getattr(dataset, split).labels
        assert features[split].shape == (figures["rows"], figures["features"])
        np.testing.assert_allclose(features[split].sum(), figures["x_sum"], rtol=1e-12)
        np.testing.assert_allclose(np.abs(features[split]).sum(), figures["x_abs_sum"], rtol=1e-12)
        assert labels.sum() == figures["positives"]
        assert labels[:, hierarchy.evaluated].sum() == figures["positives_evaluated"]

    standardised = dataset.test.features.astype(np.float64)
    np.testing.assert_allclose(standardised[0, :5], expected["standardized_test_row0_first5"], rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(np.abs(standardised).sum(), expected["standardized_test_abs_sum"], rtol=1e-7)


@pytest.mark.parametrize("name", ["expr_fun", "expr_go"])
def test_the_other_files_of_expr(name: str, benchmark_files: Path) -> None:
    settings = card(name)
    paths = {split: benchmark_files / path for split, path in files(settings).items()}
    # train is not at hand; valid stands in for it here, only so that the two others are read.
    encoded = read_files({"train": paths["valid"], "test": paths["test"]})
    assert len(set(encoded.feature_names)) == settings.expected["features"]
    assert len(encoded.names) - len(set(settings.unevaluated)) == settings.expected["nodes"]
    assert [len(encoded.labels[split]) for split in ("train", "test")] == [settings.expected["valid"], settings.expected["test"]]


def test_a_stand_in_for_expr_is_marked(benchmark_runtime: RuntimeSettings, benchmark_files: Path) -> None:
    settings = card("expr_fun")
    stand_in = dataclasses.replace(settings, train_stand_in=str(benchmark_files / settings.valid))
    dataset = load(stand_in, ProtocolSettings(), benchmark_runtime)
    assert dataset.reconstructed == "expr train reconstructed"
    np.testing.assert_array_equal(dataset.train.labels, dataset.valid.labels)
