from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from hmc.data import download, overview
from hmc.data.overview import cards
from hmc.settings import DatasetSettings, RuntimeSettings, SettingsError
from tests.data.conftest import HEADER


def test_listing_says_what_is_missing(runtime: RuntimeSettings, own: DatasetSettings) -> None:
    table = overview.listing([*cards(["enron", "synthetic_tree"]), own], runtime)
    assert table["dataset"].tolist() == ["enron", "synthetic_tree", "small"]
    assert table["files"].tolist() == ["2 of 2 missing", "none needed", "present"]


def test_all_cards_or_those_named() -> None:
    assert len(cards()) == 28
    assert [card.name for card in cards(["spo_go"])] == ["spo_go"]
    with pytest.raises(SettingsError, match="did you mean 'spo_go'"):
        cards(["spo_g"])


def test_describe_counts_where_files_are_and_quotes_the_card_elsewhere(runtime: RuntimeSettings, own: DatasetSettings) -> None:
    table = overview.describe([*cards(["enron", "synthetic_tree"]), own], runtime).set_index("dataset")
    assert table.loc["enron", ["train", "valid", "test", "features", "nodes"]].tolist() == [988, 0, 660, 1001, 56]
    assert table.loc["enron", ["depth", "rare", "unseen", "testable"]].isna().all()
    assert table.loc["synthetic_tree", ["train", "nodes", "depth"]].tolist() == [300, 60, 4]
    # Training rows carry 01 three times, 02 twice, 01.01 and 01.02 once.
    assert table.loc["small", ["train", "valid", "test", "features", "nodes", "depth", "rare", "unseen"]].tolist() == [
        3,
        1,
        2,
        4,
        4,
        2,
        4,
        0,
    ]


def test_testable_nodes_are_in_training_and_in_test(
    runtime: RuntimeSettings, own: DatasetSettings, write: Callable[..., Path]
) -> None:
    # Of what is trained on (train and valid), 01 and 01.02 are in test too; 01.01 is not, and 02 is in test alone.
    train, valid = (write(HEADER + rows, name) for rows, name in (("1,red,01/01\n", "a.arff"), ("1,red,01/02\n", "b.arff")))
    test = write(HEADER + "1,red,01/02@02\n", "c.arff")
    dataset = dataclasses.replace(own, train=str(train), valid=str(valid), test=str(test))
    row = overview.describe([dataset], runtime).iloc[0]
    assert (row["testable"], row["unseen"], row["nodes"]) == (2, 1, 4)


def test_verify(runtime: RuntimeSettings, tmp_path: Path, own: DatasetSettings) -> None:
    right = hashlib.sha256(Path(own.train).read_bytes()).hexdigest()
    dataset = dataclasses.replace(own, valid="nowhere.arff", sha256={own.train: right, own.test: "0" * 64, "nowhere.arff": right})
    table = overview.verify([dataset, own], runtime)
    assert table["status"].tolist() == ["ok", "missing", "wrong", "not pinned", "not pinned", "not pinned"]
    assert table["found"][0] == own.train


def test_fetch_goes_on_after_a_failure(runtime: RuntimeSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(url: str, target: Path, pin: str) -> None:
        if url.endswith("bad.arff"):
            raise download.DownloadError(f"{url} answered 404 Not Found")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(b"good")

    monkeypatch.setattr(download, "download", answer)
    pins = dict.fromkeys(("bad.arff", "good.arff"), "0" * 64)
    dataset = DatasetSettings(name="served", url="https://example.org", train="bad.arff", test="good.arff", sha256=pins)
    first, second = (overview.fetch([dataset], runtime) for _ in range(2))
    assert first["ok"].tolist() == [False, True]
    assert "404" in first["status"][0]
    assert [first["status"][1], second["status"][1]] == ["downloaded", "present"]
    assert isinstance(first, pd.DataFrame)


def test_leaks_count_rows_with_equal_features(runtime: RuntimeSettings, own: DatasetSettings, write: Callable[..., Path]) -> None:
    train = write(HEADER + "1,red,01/01\n1,red,02\n?,?,02\n-0.0,blue,01\n", "a.arff")
    test = write(HEADER + "1,red,02\n?,?,01\n0,blue,02\n2,red,01\n", "b.arff")
    dataset = dataclasses.replace(own, train=str(train), valid="", test=str(test))
    table = overview.leaks([dataset, *cards(["enron"])], runtime).set_index(["in", "also in"])
    assert set(table["dataset"]) == {"small"}
    assert table.loc[("train", "train"), ["rows", "of", "same labels"]].tolist() == [2, 4, 0]
    assert table.loc[("test", "test"), "rows"] == 0
    # The last row of test is new; only the first has the labels of its double.
    assert table.loc[("test", "train"), ["rows", "of", "share", "same labels"]].tolist() == [3, 4, 0.75, 1]


def test_describe_says_how_the_hierarchy_was_read(runtime: RuntimeSettings, own: DatasetSettings) -> None:
    table = overview.describe([*cards(["enron", "synthetic_dag"]), own], runtime).set_index("dataset")
    assert table["read as"].tolist() == ["", "edges", "paths"]


def test_the_leaks_of_the_benchmark_are_known(runtime: RuntimeSettings, benchmark_files: Path) -> None:
    here = dataclasses.replace(runtime, data_dir=str(benchmark_files))
    table = overview.leaks(cards(["church_fun", "spo_fun"]), here).set_index(["dataset", "in", "also in"])
    assert table.loc[("church_fun", "test", "train"), "rows"] == 470
    assert table.loc["spo_fun"]["rows"].sum() == 0
