"""scripts/compare.py on a person's own datasets, from the files to the test."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from hmc.results.store import Store
from tests.doors.conftest import Door

NAMES = [f"own{place}" for place in range(5)]
LABELS = ("1/1/1", "1/1/2", "1/2", "2/1")
HEADER = "\n".join(
    ["@relation r", *(f"@attribute f{place} numeric" for place in range(5)), f"@attribute class hierarchical {','.join(LABELS)}"]
)
SHORT = "training.epochs=1, training.hidden=8"


def write_datasets(folder: Path) -> None:
    """Five small datasets, each with files of its own."""
    random = np.random.default_rng(0)
    for name in NAMES:
        for split, rows in (("train", 40), ("test", 20)):
            chosen = random.integers(0, len(LABELS), rows)
            features = random.normal(size=(rows, 5)) + chosen[:, None] * [1, 0, -1, 0, 0]
            lines = [
                ",".join([*(f"{value:.4f}" for value in row), LABELS[one]]) for row, one in zip(features, chosen, strict=True)
            ]
            (folder / f"{name}_{split}.arff").write_text("\n".join([HEADER, "@data", *lines, ""]))


def test_methods_are_compared_over_own_datasets_whatever_their_files_are_called(door: Door, tmp_path: Path) -> None:
    write_datasets(tmp_path)
    files = [f"dataset.{split}=${{dataset.name}}_{split}.arff" for split in ("train", "test")]
    short = [*SHORT.split(", "), "progress=false", f"cache_dir={tmp_path / 'cache'}"]
    door("train", "-m", "dataset=arff", f"dataset.name={','.join(NAMES)}", *files, "method=chmcnn,weighted", *short)
    frame = Store(tmp_path / "results").frame()
    assert set(frame["column"]) == {f"chmcnn ({SHORT})", f"weighted ({SHORT})"}
    assert sorted(frame["dataset"]) == sorted(2 * NAMES)
    asked = [f"a='weighted ({SHORT})'", f"b='chmcnn ({SHORT})'", "metric=macro_f1", "reference=false"]
    shown = door("compare", *asked, f"datasets=[{','.join(NAMES)}]").stdout
    rows = [line.split() for line in shown.splitlines() if line.startswith("own")]
    assert [row[0] for row in rows] == NAMES
    scores = frame.set_index(["dataset", "method"])["macro_f1"]
    assert [row[1:3] for row in rows] == [
        [f"{100 * scores[name, method]:.2f}" for method in ("weighted", "chmcnn")] for name in NAMES
    ]
    assert "of 5 datasets" in shown
    assert "n = 5" in shown
    # Own datasets count without being named, and with the checked-in results beside them.
    assert door("compare", *asked).stdout == shown
    assert door("compare", *asked[:3]).stdout == shown
    assert f"there are no results of 'weighted'; there are of 'weighted ({SHORT})'" in (
        door("compare", "a=weighted", *asked[1:], status=2).stderr
    )
