"""Datasets that leave nothing to learn or to score: a finite record, or an error in one line; never NaN, never a traceback."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from hmc import configs
from hmc.data.identity import data_sha256
from hmc.experiments.run import run_cells
from hmc.settings import Cell, RuntimeSettings

HEADER = "@relation r\n@attribute a numeric\n@attribute b numeric\n@attribute class hierarchical {classes}\n@data\n"
PATHS, EDGES = "1,1/1,1/2,2", "root/A,root/B,A/C,B/C"


def files(folder: Path, classes: str, train: str, test: str) -> list[str]:
    overrides = []
    for split, rows in (("train", train), ("test", test)):
        path = folder / f"{split}.arff"
        path.write_text(HEADER.format(classes=classes) + rows)
        overrides.append(f"dataset.{split}={path}")
    return overrides


@pytest.mark.parametrize(
    ("classes", "train", "test"),
    [
        pytest.param(PATHS, "1,2,1/1\n3,4,2\n", "1,2,root\n2,2,root\n", id="no positive label in test"),
        pytest.param(PATHS, "1,2,root\n3,4,root\n", "1,2,1/1\n2,2,2\n", id="no positive label in training"),
        pytest.param(EDGES, "1,2,root\n", "1,2,root\n", id="no positive label at all"),
        pytest.param(PATHS, "1,2,1/1\n", "5,5,1/1\n", id="one row"),
        pytest.param("1", "1,2,1\n3,4,1\n", "1,2,1\n", id="one class, always positive"),
        pytest.param(PATHS, "?,2,1/1\n?,4,2\n", "?,2,1/2\n", id="a column without values"),
        pytest.param(PATHS, "?,?,1/1\n?,?,2\n", "?,?,1/2\n", id="no values at all"),
        pytest.param(PATHS, "7,2,1/1\n7,2,2\n", "8,2,1/2\n", id="constant columns"),
        pytest.param(PATHS, "1e150,2,1/1\n-1e150,2,2\n", "1e-150,2,1/2\n", id="the largest numbers"),
    ],
)
@pytest.mark.parametrize("method", ["weighted_focal_gmu", "lpros", "hros_pd"])
def test_a_degenerate_dataset_gives_a_finite_record(classes: str, train: str, test: str, method: str, tmp_path: Path) -> None:
    overrides = [*files(tmp_path, classes, train, test), "training.epochs=2", "training.hidden=4"]
    settings = configs.run_settings("arff", method, 0, protocol="corrected", overrides=overrides)
    runtime = RuntimeSettings(results_dir=str(tmp_path / "results"), cache_dir=str(tmp_path / "cache"), progress=False)
    (record,) = run_cells([Cell(settings, data_sha256(settings.dataset, runtime))], runtime)
    assert record.status == "complete"
    assert all(math.isfinite(value) for value in record.metrics.values())
    assert all(math.isfinite(loss) for loss in record.learning_curve)
