"""Tables as datasets: what becomes a feature, a label or a row's name, and what is refused."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hmc.data import catalog
from hmc.data.catalog import DataError, MissingDataError
from hmc.data.dataset import Dataset, DataWarning, Encoded
from hmc.data.identity import data_sha256
from hmc.data.load import load, load_encoded, read_rows
from hmc.settings import DatasetSettings, ProtocolSettings, RuntimeSettings

Write = Callable[..., Path]
EDGES = "parent,child\nroot,A\nroot,B\nA,A1\nA,A2\nB,B1\n"
TRAIN = "gene,length,colour,terms\ng1,1.5,red,A1@B\ng2,,green,A2\ng3,-2e-1,,B1\ng4,4,red,root\n"
TEST = "colour,terms,gene,length\nred,B1@A,t1,7\nblue,A1,t2,?\n"


@pytest.fixture
def mine(write: Write) -> DatasetSettings:
    paths = {"train": write(TRAIN, "train.csv"), "test": write(TEST, "test.csv")}
    table = {"labels": "terms", "hierarchy": str(write(EDGES, "edges.csv")), "id": "gene"}
    return changed(catalog.card("table"), name="mine", **{key: str(path) for key, path in paths.items()}, table=table)


def changed(dataset: DatasetSettings, *, table: dict[str, Any] | None = None, **changes: Any) -> DatasetSettings:
    return dataclasses.replace(dataset, table=dataclasses.replace(dataset.table, **(table or {})), **changes)


def with_file(dataset: DatasetSettings, split: str, text: str) -> DatasetSettings:
    Path(getattr(dataset, split)).write_text(text)
    return dataset


def carried(found: Encoded | Dataset, labels: np.ndarray) -> list[set[str]]:
    names = found.names if isinstance(found, Encoded) else found.hierarchy.names
    return [{names[node] for node in np.flatnonzero(row)} - {"root"} for row in labels]


def test_columns_become_features_labels_and_names(mine: DatasetSettings, runtime: RuntimeSettings) -> None:
    found = load_encoded(mine, runtime)
    assert found.feature_names == ("length", "colour=green", "colour=red")
    np.testing.assert_array_equal(found.features["train"], [[1.5, 0, 1], [np.nan, 1, 0], [-0.2, 0, 0], [4, 0, 1]])
    np.testing.assert_array_equal(found.features["test"], [[7, 0, 1], [np.nan, 0, 0]])
    assert carried(found, found.labels["train"]) == [{"A", "A1", "B"}, {"A", "A2"}, {"B", "B1"}, set()]
    assert carried(found, found.labels["test"]) == [{"B", "B1", "A"}, {"A", "A1"}]
    assert found.ids == {"train": ("g1", "g2", "g3", "g4"), "valid": (), "test": ("t1", "t2")}
    with pytest.warns(DataWarning) as caught:
        dataset = load(mine, ProtocolSettings(), runtime)
    assert dataset.hierarchy.names == ("root", "A", "B", "A1", "A2", "B1")
    told = "\n".join(str(warning.message) for warning in caught)
    assert "read as categories, one feature a value: 'colour' (2 values)" in told
    assert "test.csv: 1 entry has a value that no training row has, such as 'colour'='blue'" in told


@pytest.mark.parametrize(
    ("cells", "settings"),
    [
        (("A1;B", "A2"), {}),
        (("A1| B ", "A2"), {}),
        (('"A1,B"', "A2"), {}),
        (("\"['A1', 'B']\"", "[A2]"), {}),
        (("A1 B", "A2"), {"label_separator": " "}),
    ],
)
def test_separators_of_labels(
    cells: tuple[str, str], settings: dict[str, str], mine: DatasetSettings, runtime: RuntimeSettings
) -> None:
    with_file(mine, "test", TEST.replace("B1@A", "B1"))
    rows = "".join(f"g,{place},red,{cell}\n" for place, cell in enumerate(cells))
    found = load_encoded(changed(with_file(mine, "train", "gene,length,colour,terms\n" + rows), table=settings), runtime)
    assert carried(found, found.labels["train"]) == [{"A", "A1", "B"}, {"A", "A2"}]


def test_a_separator_that_is_part_of_a_name_is_none(mine: DatasetSettings, write: Write, runtime: RuntimeSettings) -> None:
    write('parent,child\nroot,"a; b"\nroot,c\n', "edges.csv")
    with_file(mine, "train", "gene,length,colour,terms\ng,1,red,a; b\ng,2,red,a; b@c\n")
    with_file(mine, "test", "gene,length,colour,terms\ng,1,red,c\n")
    found = load_encoded(mine, runtime)
    assert carried(found, found.labels["train"]) == [{"a; b"}, {"a; b", "c"}]
    write('parent,child\nroot,"a; b"\nroot,a\nroot,b\n', "edges.csv")
    with_file(mine, "train", "gene,length,colour,terms\ng,1,red,a; b\n")
    with_file(mine, "test", "gene,length,colour,terms\ng,1,red,a\n")
    with pytest.raises(DataError, match=r"may be joined by ';' or not at all; say which: dataset\.table\.label_separator=';'"):
        load_encoded(mine, runtime)


def test_labels_in_columns_of_0_and_1(mine: DatasetSettings, write: Write, runtime: RuntimeSettings) -> None:
    header, rows = "x,is_A1,is_B,is_A\n", "1,1,0,0\n2,0,1,1\n"
    for settings in ({"label_prefix": "is_"}, {"label_columns": ("A1", "B", "A")}):
        text = (header if "label_prefix" in settings else header.replace("is_", "")) + rows
        for split in ("train", "test"):
            with_file(mine, split, text)
        found = load_encoded(changed(mine, table={"labels": "", "id": "", **settings}), runtime)
        assert found.feature_names == ("x",)
        assert carried(found, found.labels["train"]) == [{"A", "A1"}, {"A", "B"}]


def test_a_column_of_splits_and_shares_of_one_file(mine: DatasetSettings, write: Write, runtime: RuntimeSettings) -> None:
    rows = "".join(f"{place},{name},{'A1' if place % 2 else 'B'}\n" for place, name in enumerate(["Train", "val", "test"] * 20))
    path = str(write("x,part,terms\n" + rows, "all.csv"))
    one = changed(mine, train=path, test="", table={"split": "part", "id": ""})
    found = load_encoded(one, runtime)
    assert found.features["valid"][:, 0].tolist() == list(range(1, 60, 3))
    shared = changed(mine, train=path, test="", split=(0.5, 0.25, 0.25), table={"ignore": ("part",), "id": ""})
    assert [len(load_encoded(shared, runtime).labels[split]) for split in ("train", "valid", "test")] == [30, 15, 15]
    with pytest.raises(DataError, match="both say which rows are in which split"):
        load_encoded(changed(one, split=(0.5, 0.25, 0.25)), runtime)
    with_file(one, "train", "x,part,terms\n1,train,A1\n2,tset,A1\n")
    with pytest.raises(DataError, match=r"all\.csv:3: part='tset' must be train, valid or test; did you mean 'test'"):
        load_encoded(one, runtime)


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_separators_of_columns(delimiter: str, mine: DatasetSettings, runtime: RuntimeSettings) -> None:
    before = load_encoded(mine, runtime)
    for split, text in (("train", TRAIN), ("test", TEST)):
        with_file(mine, split, text.replace(",", delimiter))
    found = load_encoded(mine, runtime)
    assert found.feature_names == before.feature_names
    np.testing.assert_array_equal(found.features["train"], before.features["train"])
    with_file(mine, "train", TRAIN.replace("gene,", "gene|"))
    with pytest.raises(
        DataError, match=r"train\.csv:1: columns may be separated by , or \|; say which: dataset\.table\.separator"
    ):
        load_encoded(mine, runtime)


def test_parquet_gives_the_same(mine: DatasetSettings, tmp_path: Path, runtime: RuntimeSettings) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    before = load_encoded(mine, runtime)
    train = {
        "gene": ["g1", "g2", "g3", "g4"],
        "length": [1.5, None, -0.2, 4.0],
        "colour": ["red", "green", None, "red"],
        "terms": [["A1", "B"], ["A2"], ["B1"], ["root"]],
    }
    test = {"gene": ["t1", "t2"], "length": [7, None], "colour": ["red", "blue"], "terms": ["B1@A", "A1"]}
    paths = {split: str(tmp_path / f"{split}.parquet") for split in ("train", "test")}
    for split, columns in (("train", train), ("test", test)):
        parquet.write_table(pyarrow.table(columns), paths[split])
    found = load_encoded(changed(mine, **paths), runtime)
    assert found.feature_names == before.feature_names
    assert found.ids == before.ids
    for split in ("train", "test"):
        np.testing.assert_array_equal(found.features[split], before.features[split])
        np.testing.assert_array_equal(found.labels[split], before.labels[split])
    Path(paths["train"]).write_bytes(Path(paths["train"]).read_bytes()[:200])
    with pytest.raises(DataError, match=r"train\.parquet: it cannot be read as Parquet"):
        load_encoded(changed(mine, **paths), runtime)


# --- plain multi-label ARFF -------------------------------------------------------------------------------------------

MEKA = "@relation 'small: -C 3'\n@attribute A1 {0,1}\n@attribute B {0,1}\n@attribute A {0,1}\n"
FEATURES = "@attribute x numeric\n@attribute kind {u,v}\n"
ROWS = "1,0,0,1.5,v\n0,1,1,?,u\n"


@pytest.fixture
def plain(mine: DatasetSettings, write: Write) -> DatasetSettings:
    path = str(write(MEKA + FEATURES + "@data\n" + ROWS, "train.arff"))
    return changed(mine, train=path, test=path, table={"labels": "", "id": ""})


def test_mekas_labels_are_told_by_the_relation(plain: DatasetSettings, write: Write, runtime: RuntimeSettings) -> None:
    found = load_encoded(plain, runtime)
    assert found.feature_names == ("x", "kind=u", "kind=v")
    np.testing.assert_array_equal(found.features["train"], [[1.5, 0, 1], [np.nan, 1, 0]])
    assert carried(found, found.labels["train"]) == [{"A", "A1"}, {"A", "B"}]
    last = FEATURES + MEKA.partition("\n")[2]
    write("@relation 'small: -C -3'\n" + last + "@data\n1.5,v,1,0,0\n?,u,0,1,1\n", "train.arff")
    again = load_encoded(plain, runtime)
    np.testing.assert_array_equal(again.features["train"], found.features["train"])
    np.testing.assert_array_equal(again.labels["train"], found.labels["train"])
    write("@relation 'small: -C 3'\n" + last + "@data\n{0 1.5,1 v,2 1}\n{3 1,4 1}\n", "train.arff")
    with pytest.raises(DataError, match="the label column 'x' must be 0 or 1"):
        load_encoded(plain, runtime)


def test_mulans_labels_are_told_by_the_xml(plain: DatasetSettings, write: Write, runtime: RuntimeSettings) -> None:
    write(MEKA.replace("small: -C 3", "small") + FEATURES + "@data\n{0 1,3 1.5,4 v}\n{1 1,2 1,3 ?}\n", "train.arff")
    xml = write('<labels><label name="A"><label name="A1"/></label><label name="B"/></labels>', "labels.xml")
    found = load_encoded(changed(plain, table={"hierarchy": str(xml)}), runtime)
    np.testing.assert_array_equal(found.features["train"], [[1.5, 0, 1], [np.nan, 1, 0]])
    assert carried(found, found.labels["train"]) == [{"A", "A1"}, {"A", "B"}]
    write('<labels><label name="A"><label name="Z"/></label></labels>', "labels.xml")
    with pytest.raises(DataError, match=r"train\.arff: no attribute is called 'Z', a label of"):
        load_encoded(changed(plain, table={"hierarchy": str(xml)}), runtime)


def test_labels_that_the_file_marks_do_not_become_features(plain: DatasetSettings, runtime: RuntimeSettings) -> None:
    with pytest.raises(DataError, match=r"marks 'B' as a label, but dataset\.table\.label_columns names others"):
        load_encoded(changed(plain, table={"label_columns": ("A1", "A")}), runtime)


# --- what is refused ------------------------------------------------------------------------------------------------

REFUSED: list[tuple[dict[str, Any], str, str, str]] = [
    ({}, "train", TRAIN.replace("A1@B", "A1@X"), r"train\.csv:2: the label 'X' names no node of the hierarchy"),
    ({}, "train", TRAIN.replace("A1@B", "A1;B"), r"'A1;B' names no node .*; labels were read as joined by '@', else set"),
    ({}, "train", TRAIN.replace(",A2", ",@"), r"train\.csv:3: the row has no label"),
    ({}, "train", TRAIN.replace(",A2", ",[]"), r"train\.csv:3: the row has no label"),
    ({}, "train", TRAIN.replace(",A2", ","), r"train\.csv:3: the row has no label"),
    ({}, "train", TRAIN.replace("1.5", "1e200"), r"train\.csv:2: the column 'length' has the value '1e200'; write a number"),
    ({}, "train", TRAIN.replace("1.5", "inf"), r"train\.csv:2: the column 'length' has the value 'inf'"),
    ({}, "test", TEST.replace("t1,7", "t1,seven"), r"test\.csv:2: the column 'length' holds numbers, but here 'seven'"),
    ({}, "test", TEST.replace("colour", "color"), r"test\.csv: the table lacks the column 'colour'; all splits need the same"),
    (
        {},
        "test",
        "extra," + TEST.replace("\n", "\n1,", 2),
        r"test\.csv: the table has a column 'extra' that the training table lacks",
    ),
    (
        {},
        "train",
        TRAIN.replace("gene,", "gena,"),
        r"train\.csv: the table has no column 'gene', which dataset\.table\.id names; did",
    ),
    ({}, "train", "gene,length,colour,terms\n", r"train\.csv: there are no rows"),
    ({}, "train", TRAIN + "g5,1\n", r"train\.csv:6 has 2 fields, but the header has 4"),
    ({}, "train", TRAIN.replace("colour", "length"), r"train\.csv:1 has the column 'length' twice; rename one"),
    ({"labels": ""}, "train", TRAIN, r"train\.csv: where are the labels\? Set dataset\.table\.labels=COLUMN"),
    ({"label_prefix": "is_"}, "train", TRAIN, r"dataset\.table\.labels and dataset\.table\.label_prefix both say"),
    ({"labels": "", "label_prefix": "is_"}, "train", TRAIN, r"no column begins with 'is_'"),
    ({"ignore": ("length", "colour")}, "train", TRAIN, r"no column is left to be a feature"),
    ({"hierarchy": ""}, "train", TRAIN, r"dataset\.table\.hierarchy of 'mine' is empty"),
    (
        {"id": ""},
        "train",
        "gene,length,colour,terms\n" + "".join(f"g{place},1,red,A\n" for place in range(1001)),
        r"the column 'gene' has 1001 different texts, too many for a category; set dataset\.table\.id=gene",
    ),
]


@pytest.mark.parametrize(("settings", "split", "text", "words"), REFUSED, ids=[words[:40] for *_, words in REFUSED])
def test_what_cannot_be_read_is_one_line(
    settings: dict[str, Any], split: str, text: str, words: str, mine: DatasetSettings, runtime: RuntimeSettings
) -> None:
    with pytest.raises(DataError, match=words) as raised:
        load_encoded(changed(with_file(mine, split, text), table=settings), runtime)
    assert "\n" not in str(raised.value)
    assert re.search(r"[;?] ", str(raised.value))


def test_a_table_that_is_read_as_another_kind_is_told_so(mine: DatasetSettings, runtime: RuntimeSettings) -> None:
    with pytest.raises(DataError, match=r"train\.csv: a table must have dataset\.kind=table, got arff"):
        load_encoded(changed(mine, kind="arff"), runtime)


def test_a_column_that_is_mostly_numbers_is_told(mine: DatasetSettings, runtime: RuntimeSettings) -> None:
    with_file(
        mine,
        "train",
        "gene,length,colour,terms\n" + "".join(f"g,{v},r,A\n" for v in ("1", "2", "3", "1,5")).replace("1,5", '"1,5"'),
    )
    found = load_encoded(mine, runtime)
    assert found.feature_names[:4] == ("length=1", "length=1,5", "length=2", "length=3")
    assert any(
        "train.csv:5: the column 'length' is categorical because of '1,5', though 3 of its 4" in note for note in found.notes
    )
    numbers = load_encoded(changed(with_file(mine, "train", TRAIN), table={"categorical": ("length",)}), runtime)
    assert numbers.feature_names[:3] == ("length=-2e-1", "length=1.5", "length=4")


def test_files_count_by_content_and_the_settings_with_them(mine: DatasetSettings, write: Write, runtime: RuntimeSettings) -> None:
    before = data_sha256(mine, runtime)
    assert data_sha256(changed(mine, title="another"), runtime) == before
    assert data_sha256(changed(mine, table={"hierarchy": str(write(EDGES, "copy.csv"))}), runtime) == before
    assert data_sha256(changed(mine, table={"ignore": ("length",)}), runtime) != before
    write(EDGES + "B,B2\n", "edges.csv")
    assert data_sha256(mine, runtime) != before
    with pytest.raises(MissingDataError, match="nowhere"):
        data_sha256(changed(mine, table={"hierarchy": "nowhere.csv"}), runtime)


# --- new rows ---------------------------------------------------------------------------------------------------------


def test_new_rows_have_the_features_that_were_trained_on(mine: DatasetSettings, write: Write, runtime: RuntimeSettings) -> None:
    like = load_encoded(mine, runtime).feature_names
    rows = read_rows(write("colour,length,gene\ngreen,2,n1\npink,,n2\n", "new.csv"), mine, like)
    np.testing.assert_array_equal(rows.features, [[2, 1, 0], [np.nan, 0, 0]])
    assert rows.ids == ("n1", "n2")
    assert "1 entry has a value that no training row has, such as 'colour'='pink'" in rows.notes[0]
    labelled = read_rows(Path(mine.train), mine, like)
    np.testing.assert_array_equal(labelled.features, load_encoded(mine, runtime).features["train"])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("length,gene\n1,n\n", r"new\.csv: it lacks the column 'colour', which was trained on; add it"),
        ("length,colour,width\n1,red,2\n", r"new\.csv: the column 'width' is not among the features that were trained on"),
        ("length,colour\nx,red\n", r"new\.csv:2: the column 'length' holds numbers"),
    ],
)
def test_new_rows_that_do_not_fit_are_refused(
    text: str, words: str, mine: DatasetSettings, write: Write, runtime: RuntimeSettings
) -> None:
    like = load_encoded(mine, runtime).feature_names
    with pytest.raises(DataError, match=words):
        read_rows(write(text, "new.csv"), mine, like)
