from __future__ import annotations

import dataclasses
import hashlib
import re
import subprocess
import sys
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from hmc.data import load as module
from hmc.data.arff import ArffError
from hmc.data.catalog import PROJECT, DataError
from hmc.data.dataset import DataWarning
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
    some = dataclasses.replace(own, unevaluated=("root", "02"), optional_unevaluated=("01.02", "GO0003674"))
    assert load(some, RELEASED, runtime).hierarchy.evaluated.tolist() == [True, False, False, True, False]
    with pytest.raises(DataError, match=r"unevaluated names '1\.01', but no node .*; did you mean '01\.01'"):
        load(dataclasses.replace(own, unevaluated=("1.01",)), RELEASED, runtime)
    dataset = load(own, RELEASED, runtime)
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
    assert "set cache_dir" in str(caught[-1].message)


def test_several_at_once_leave_one_good_file(own: DatasetSettings, runtime: RuntimeSettings) -> None:
    with ThreadPoolExecutor(4) as pool:
        first, *others = pool.map(lambda _: load(own, RELEASED, runtime), range(8))
    for other_one in others:
        assert_same(first, other_one)
    assert [path.suffix for path in Path(runtime.cache_dir).iterdir()] == [".npz"]


# --- what the user should know, and what is refused before training ------------------------------------------------------------


def files(write: Write, header: str, **rows: str) -> DatasetSettings:
    return DatasetSettings(name="mine", **{split: str(write(header + text, f"{split}.arff")) for split, text in rows.items()})


CLASSES = "@ATTRIBUTE class hierarchical 1,1/1,2\n@DATA\n"


def test_values_that_the_training_file_does_not_declare_are_counted(write: Write, runtime: RuntimeSettings) -> None:
    dataset = files(write, "@RELATION r\n@ATTRIBUTE t {a,b}\n" + CLASSES, train="a,1/1\nb,2\n")
    test = write("@RELATION r\n@ATTRIBUTE t {a,b,c,d}\n" + CLASSES + "c,1\na,1\nc,2\nd,2\n", "test.arff")
    # The second time from the cache.
    for _ in range(2):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            loaded = load(dataclasses.replace(dataset, test=str(test)), RELEASED, runtime)
        assert [str(warning.message) for warning in caught] == [
            f"mine: {test}: 3 entries have values that {dataset.train} does not declare, such as 't'='c' (2 rows); they are "
            "read as none of the declared values"
        ]
    assert loaded.test.features[:, 0].tolist() == [-1, 1, -1, -1]


def test_names_of_rows_are_kept_and_are_no_features(write: Write, runtime: RuntimeSettings) -> None:
    header = "@RELATION r\n@ATTRIBUTE gene string\n@ATTRIBUTE a numeric\n" + CLASSES
    dataset = files(write, header, train="".join(f"g{row},{row},{1 + row % 2}\n" for row in range(10)), test="t,1,1\n")
    for _ in range(2):
        with pytest.warns(DataWarning, match=r"train\.arff: 'gene' is left out of the features; 'gene' names the rows"):
            loaded = load(dataset, RELEASED, runtime)
        assert loaded.feature_names == ("a",)
        assert loaded.ids == {"train": tuple(f"g{row}" for row in range(10)), "valid": (), "test": ("t",)}
    with pytest.warns(DataWarning):
        held = load(dataset, RELEASED, runtime, holdout="valid")
    with pytest.warns(DataWarning):
        part = load(dataclasses.replace(dataset, fraction=0.5), RELEASED, runtime, seed=3)
    assert sorted(held.ids["train"] + held.ids["valid"]) == sorted(loaded.ids["train"])
    raw = held.preparation
    assert raw is not None
    for split in ("train", "valid"):
        numbers = getattr(held, split).features[:, 0] * raw.scale[0] + raw.mean[0]
        assert [f"g{round(number)}" for number in numbers.tolist()] == list(held.ids[split])
    assert len(part.ids["train"]) == len(part.train) == 5


def test_a_root_that_is_added_is_told_with_what_was_read(write: Write, runtime: RuntimeSettings) -> None:
    header = "@RELATION r\n@ATTRIBUTE a numeric\n@ATTRIBUTE class hierarchical A,X,A/B,X/C\n@DATA\n"
    dataset = files(write, header, train="1,B\n2,C\n", test="1,B@C\n")
    with pytest.warns(DataWarning, match=r"2 classes are below no other \('A', 'X'\), so a root was added .*: 5 nodes, 2 levels"):
        loaded = load(dataset, RELEASED, runtime)
    assert loaded.about == "5 nodes, 2 levels below 'root', read as edges"
    assert loaded.hierarchy.evaluated.tolist() == [False, True, True, True, True]


def test_a_hierarchy_that_can_be_read_in_two_ways_is_asked_for(write: Write, runtime: RuntimeSettings) -> None:
    header = "@RELATION r\n@ATTRIBUTE a numeric\n@ATTRIBUTE class hierarchical cat/animal,dog/animal,animal/root\n@DATA\n"
    dataset = files(write, header, train="1,cat\n2,dog\n", test="1,animal\n")
    with pytest.raises(ArffError, match=r"train\.arff:3: .*dataset\.labels=paths, edges \(parent/child\) or edges_child_parent"):
        load(dataset, RELEASED, runtime)
    loaded = load(dataclasses.replace(dataset, labels="edges_child_parent"), RELEASED, runtime)
    assert loaded.hierarchy.names == ("root", "animal", "cat", "dog")
    assert loaded.train.labels.sum(axis=1).tolist() == [3, 3]
    assert loaded.about == "4 nodes, 2 levels below 'root', read as edges_child_parent"


@pytest.mark.parametrize(
    ("train", "test", "words"),
    [
        (
            "1.1e22,1\n1.1e22,2\n1.1e22,1\n" * 300,
            "1.1e22,1\n",
            r"'a' does not vary over the training rows \(\S+train\.arff\), but is so large, 1\.1e\+22, that rounding",
        ),
        (
            "5,1\n5,2\n",
            "5,1\n1e39,1\n",
            r"'a' is 1e\+39 in row 2 of test \(\S+test\.arff\), and between 5 and 5 in the training rows",
        ),
        ("1,1\n2,2\n", "-1e60,1\n", r"'a' is -1e\+60 in row 1 of test \(\S+test\.arff\), and between 1 and 2"),
    ],
)
def test_numbers_that_cannot_be_computed_with_are_refused(
    train: str, test: str, words: str, write: Write, runtime: RuntimeSettings
) -> None:
    dataset = files(write, "@RELATION r\n@ATTRIBUTE b numeric\n@ATTRIBUTE a numeric\n" + CLASSES, train="1,1,1\n", test="1,1,1\n")
    for split, rows in (("train", train), ("test", test)):
        lines = "".join(f"0,{row}\n" for row in rows.splitlines())
        write("@RELATION r\n@ATTRIBUTE b numeric\n@ATTRIBUTE a numeric\n" + CLASSES + lines, f"{split}.arff")
    with pytest.raises(DataError, match=rf"mine: the feature {words}.*; (remove|correct)") as raised:
        load(dataset, RELEASED, runtime)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("constant", ["0", "1", "-7.3", "123456.789", "1e12"])
def test_a_constant_of_usual_size_is_no_mistake(constant: str, write: Write, runtime: RuntimeSettings) -> None:
    dataset = files(write, "@RELATION r\n@ATTRIBUTE a numeric\n" + CLASSES, train=f"{constant},1\n" * 30, test=f"{constant},2\n")
    assert np.abs(load(dataset, RELEASED, runtime).train.features).max() < 1e-3


@pytest.mark.parametrize("imputation", ["split_mean", "train_mean"])
def test_new_rows_are_prepared_as_the_training_rows_were(own: DatasetSettings, runtime: RuntimeSettings, imputation: str) -> None:
    loaded = load(dataclasses.replace(own, valid=""), ProtocolSettings(imputation=imputation), runtime)
    assert loaded.preparation is not None
    raw = module.load_encoded(dataclasses.replace(own, valid=""), runtime).features["train"]
    np.testing.assert_array_equal(loaded.preparation.of(raw), loaded.train.features)


# --- one file of all rows ---------------------------------------------------------------------------------------------


def test_one_file_is_divided_by_shares_alike_each_time(write: Write, runtime: RuntimeSettings) -> None:
    rows = "".join(f"{row},{('1/1', '2')[row % 2]}\n" for row in range(50))
    whole = files(write, "@RELATION r\n@ATTRIBUTE a numeric\n" + CLASSES, train=rows)
    dataset = dataclasses.replace(whole, split=(0.6, 0.2, 0.2))
    loaded = load(dataset, RELEASED, runtime)
    assert [len(loaded.train), len(loaded.valid), len(loaded.test)] == [30, 10, 10]
    # Stratified: each label set has the same share everywhere.
    assert [split.labels[:, 1].sum() * 2 for split in (loaded.train, loaded.valid, loaded.test)] == [30, 10, 10]
    numbers = [module.load_encoded(dataset, runtime).features[split][:, 0] for split in ("train", "valid", "test")]
    assert sorted(np.concatenate(numbers).tolist()) == list(range(50))
    assert_same(loaded, load(dataset, RELEASED, runtime))
    other = module.load_encoded(dataclasses.replace(dataset, name="another"), runtime)
    assert other.features["test"][:, 0].tolist() != numbers[2].tolist()
    assert data_sha256(dataset, runtime) != data_sha256(dataclasses.replace(dataset, split=(0.5, 0.3, 0.2)), runtime)


@pytest.mark.parametrize("split", [(0.5, 0.5), (0.6, 0.2, 0.3), (0.0, 0.5, 0.5), (1.0, 0.0, 0.0)])
def test_shares_that_cannot_be_are_refused(split: tuple[float, ...], own: DatasetSettings, runtime: RuntimeSettings) -> None:
    with pytest.raises(DataError, match=r"dataset\.split=\[.*\] must be the shares of train, valid and test, together 1"):
        load(dataclasses.replace(own, valid="", test="", split=split), RELEASED, runtime)


def test_shares_beside_files_of_the_splits_are_refused(own: DatasetSettings, runtime: RuntimeSettings) -> None:
    with pytest.raises(DataError, match=r"holds the rows of all splits; leave dataset\.valid out"):
        load(dataclasses.replace(own, split=(0.6, 0.2, 0.2)), RELEASED, runtime)
    with pytest.raises(DataError, match=r"dataset\.split divides the rows of files, but dataset\.kind is digits"):
        load(DatasetSettings(name="d", kind="digits", split=(0.6, 0.2, 0.2)), RELEASED, runtime)


def test_importing_needs_no_scikit_learn() -> None:
    code = "import sys, hmc.data.load, hmc.data.overview; print([name for name in ('sklearn', 'scipy') if name in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    assert shown.strip() == "[]"
