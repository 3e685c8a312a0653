from __future__ import annotations

import dataclasses
import hashlib
import re
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from hmc.data import load as module
from hmc.data.arff import ArffError
from hmc.data.catalog import DataError
from hmc.data.identity import data_sha256
from hmc.data.load import load
from hmc.settings import DatasetSettings, ProtocolSettings, RuntimeSettings
from tests.data.conftest import HEADER, ROWS

RELEASED = ProtocolSettings()
Write = Callable[..., Path]


def test_own_files_become_splits(own: DatasetSettings, runtime: RuntimeSettings) -> None:
    dataset = load(own, RELEASED, runtime)
    assert dataset.name == "small"
    assert dataset.hierarchy.names == ("01", "02", "root", "01.01", "01.02")
    assert dataset.feature_names == ("length", "colour=red", "colour=green", "colour=blue")
    assert (len(dataset.train), len(dataset.valid), len(dataset.test), len(dataset.training)) == (3, 1, 2, 4)
    assert dataset.train.features.dtype == np.float32
    assert dataset.train.labels.dtype == bool
    np.testing.assert_array_equal(dataset.train.labels, [[1, 0, 1, 1, 0], [0, 1, 1, 0, 0], [1, 1, 1, 0, 1]])
    np.testing.assert_array_equal(dataset.training.labels[3], dataset.valid.labels[0])
    # length in training: 1, 2, their mean 1.5, and valid's 4.
    lengths = np.array([1, 2, 1.5, 4])
    np.testing.assert_allclose(dataset.training.features[:, 0], (lengths - lengths.mean()) / lengths.std(), rtol=1e-6)
    np.testing.assert_allclose(dataset.test.features[0, 0], (6 - lengths.mean()) / lengths.std(), rtol=1e-6)
    assert dataset.sha256 == data_sha256(own, runtime)
    assert dataset.reconstructed == ""


def test_train_mean_does_not_look_at_the_test_rows(own: DatasetSettings, runtime: RuntimeSettings) -> None:
    dataset = load(own, ProtocolSettings(name="corrected", imputation="train_mean"), runtime)
    np.testing.assert_allclose(dataset.test.features[0, 0], 0, atol=1e-6)


def test_a_dataset_without_valid(own: DatasetSettings, runtime: RuntimeSettings) -> None:
    dataset = load(dataclasses.replace(own, valid=""), RELEASED, runtime)
    assert dataset.valid.features.shape == (0, 4)
    assert dataset.valid.labels.shape == (0, 5)
    assert len(dataset.training) == 3


def test_the_root_is_not_scored_whatever_it_is_called(tmp_path: Path, runtime: RuntimeSettings) -> None:
    header = "@RELATION r\n@ATTRIBUTE a numeric\n@ATTRIBUTE class hierarchical top/A,top/B,A/C\n@DATA\n"
    path = tmp_path / "edges.arff"
    path.write_text(header + "1,C\n2,B\n3,A@B\n")
    own = DatasetSettings(name="mine", group="own", labels="edges", train=str(path), test=str(path))
    hierarchy = load(own, RELEASED, runtime).hierarchy
    assert {name for name, scored in zip(hierarchy.names, hierarchy.evaluated, strict=True) if scored} == {"A", "B", "C"}


def test_unevaluated_nodes_are_a_setting(own: DatasetSettings, runtime: RuntimeSettings) -> None:
    dataset = load(dataclasses.replace(own, unevaluated=("root", "02", "GO0003674")), RELEASED, runtime)
    assert dataset.hierarchy.evaluated.tolist() == [True, False, False, True, True]
    with pytest.raises(DataError, match="no node to evaluate"):
        load(dataclasses.replace(own, unevaluated=dataset.hierarchy.names), RELEASED, runtime)


def test_a_stand_in_marks_the_dataset(own: DatasetSettings, runtime: RuntimeSettings, write: Write) -> None:
    stand_in = str(write(HEADER + ROWS["train"], "stand_in.arff"))
    benchmark = dataclasses.replace(own, name="expr_fun", group="fun", train="missing.arff", train_stand_in=stand_in)
    dataset = load(benchmark, RELEASED, runtime)
    assert dataset.reconstructed == "expr train reconstructed"
    assert len(dataset.train) == 3
    assert dataset.sha256 != load(own, RELEASED, runtime).sha256


# --- files that do not fit ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            HEADER.replace("length numeric", "width numeric") + ROWS["test"],
            r"test\.arff:2: attribute 1 is 'width' .* it is 'length'",
        ),
        (HEADER.replace("{red,green,blue}", "numeric") + "1,2,01\n", r"attribute 2 is 'colour' \(numeric\)"),
        (HEADER.replace("@ATTRIBUTE length numeric\n", "") + "red,01\n", r"test\.arff:3: it has 1 attributes besides the class"),
        (HEADER.replace("01/02,02", "01/02,02,03") + ROWS["test"], r"test\.arff:4: the hierarchy lists '03'"),
        (HEADER.replace("01/02,02", "02") + "1,red,01\n", r"test\.arff:4: the hierarchy lacks '01/02'"),
        (HEADER + "1,red,01/03\n", r"test\.arff:6: the label '01/03' is not in the hierarchy"),
    ],
)
def test_splits_that_do_not_belong_together(
    own: DatasetSettings, runtime: RuntimeSettings, write: Write, text: str, words: str
) -> None:
    write(text, "test.arff")
    with pytest.raises(ArffError, match=words):
        load(own, RELEASED, runtime)


def test_a_cycle_names_file_and_line(own: DatasetSettings, runtime: RuntimeSettings, write: Write) -> None:
    for split in ROWS:
        write(HEADER.replace("01,01/01,01/02,02", "root/A,A/B,B/A") + "1,red,A\n", f"{split}.arff")
    with pytest.raises(ArffError, match=r"train\.arff:4: .*cycle"):
        load(own, RELEASED, runtime)


def pin(own: DatasetSettings, **changes: object) -> DatasetSettings:
    hashes = {path: hashlib.sha256(Path(path).read_bytes()).hexdigest() for path in (own.train, own.valid, own.test)}
    return dataclasses.replace(own, sha256=hashes, **changes)  # type: ignore[arg-type]


def test_a_changed_file_is_refused_even_when_cached(own: DatasetSettings, runtime: RuntimeSettings, write: Write) -> None:
    pinned = pin(own)
    load(pinned, RELEASED, runtime)
    write(HEADER + "1,red,02\n", "valid.arff")
    with pytest.raises(DataError, match=r"valid\.arff: this is not the file that small needs"):
        load(pinned, RELEASED, runtime)


@pytest.mark.parametrize("what", ["train", "features", "nodes"])
def test_a_card_that_announces_something_else(own: DatasetSettings, runtime: RuntimeSettings, what: str) -> None:
    right = {"train": 3, "valid": 1, "test": 2, "features": 4, "nodes": 4}
    assert (
        len(load(pin(own, expected=right), RELEASED, dataclasses.replace(runtime, cache_dir=runtime.cache_dir + "2")).train) == 3
    )
    with pytest.raises(DataError, match=f"expected.{what} is 9"):
        load(pin(own, expected={**right, what: 9}), RELEASED, runtime)


# --- cache ----------------------------------------------------------------------------------------------------------


def assert_same(one: module.Dataset, other: module.Dataset) -> None:
    for split in ("train", "valid", "test"):
        np.testing.assert_array_equal(getattr(one, split).features, getattr(other, split).features)
        np.testing.assert_array_equal(getattr(one, split).labels, getattr(other, split).labels)
    assert one.hierarchy.names == other.hierarchy.names
    np.testing.assert_array_equal(one.hierarchy.parents.indices, other.hierarchy.parents.indices)
    np.testing.assert_array_equal(one.hierarchy.parents.offsets, other.hierarchy.parents.offsets)
    assert one.feature_names == other.feature_names


def no_parsing(*_: object) -> None:
    raise AssertionError("the files were parsed although the cache has them")


def test_the_cached_form_is_the_parsed_one(
    own: DatasetSettings, runtime: RuntimeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed = load(own, RELEASED, runtime)
    monkeypatch.setattr(module, "read_files", no_parsing)
    assert_same(parsed, load(own, RELEASED, runtime))
    # One cached form serves every protocol.
    load(own, ProtocolSettings(imputation="train_mean"), runtime)
    assert [path.suffix for path in Path(runtime.cache_dir).iterdir()] == [".npz"]


def test_another_content_notation_or_parser_is_parsed_again(
    own: DatasetSettings, runtime: RuntimeSettings, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(own, RELEASED, runtime)
    load(dataclasses.replace(own, labels="paths"), RELEASED, runtime)
    write(HEADER + "5,red,02\n", "valid.arff")
    assert load(own, RELEASED, runtime).valid.labels.tolist() == [[False, True, True, False, False]]
    monkeypatch.setattr(module.arff, "PARSER_VERSION", -1)
    load(own, RELEASED, runtime)
    assert len(list(Path(runtime.cache_dir).iterdir())) == 4


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    place = content.find(b"features_train.npy") + 200
    content[place] ^= 255
    path.write_bytes(bytes(content))


def empty(path: Path) -> None:
    path.write_bytes(b"")


def other(path: Path) -> None:
    np.savez(path, key=np.array("another"))


def ask_for_a_password(path: Path) -> None:
    """One bit: the archive's directory says that a part is encrypted."""
    content = bytearray(path.read_bytes())
    content[content.find(b"PK\x01\x02") + 8] ^= 1
    path.write_bytes(bytes(content))


@pytest.mark.parametrize("damage", [cut, flip, empty, other, ask_for_a_password])
def test_a_damaged_cache_is_made_anew_with_a_warning(
    own: DatasetSettings, runtime: RuntimeSettings, damage: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed = load(own, RELEASED, runtime)
    (file,) = Path(runtime.cache_dir).iterdir()
    damage(file)
    with pytest.warns(RuntimeWarning, match=re.escape(f"{file}, cannot be used")):
        assert_same(parsed, load(own, RELEASED, runtime))
    monkeypatch.setattr(module, "read_files", no_parsing)
    assert_same(parsed, load(own, RELEASED, runtime))


def test_files_that_change_while_they_are_read_are_not_kept(
    own: DatasetSettings, runtime: RuntimeSettings, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or the cache would hold the new content under the old one's key."""
    read = module.read_files

    def read_late(*arguments: object) -> object:
        write(HEADER + "5,red,02\n", "valid.arff")
        return read(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "read_files", read_late)
    with pytest.raises(DataError, match="changed while they were read"):
        load(own, RELEASED, runtime)
    assert not Path(runtime.cache_dir).exists()


def test_a_cache_that_cannot_be_written_does_not_stop_a_run(own: DatasetSettings, runtime: RuntimeSettings) -> None:
    Path(runtime.cache_dir).write_text("a file, no folder")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert len(load(own, RELEASED, runtime).train) == 3
    assert "set runtime.cache_dir" in str(caught[-1].message)


def test_several_at_once_leave_one_good_file(own: DatasetSettings, runtime: RuntimeSettings) -> None:
    with ThreadPoolExecutor(4) as pool:
        first, *others = pool.map(lambda _: load(own, RELEASED, runtime), range(8))
    for other_one in others:
        assert_same(first, other_one)
    assert [path.suffix for path in Path(runtime.cache_dir).iterdir()] == [".npz"]
