"""Tables of images: what is read from them, and that every fault is told with file and row before anything is trained."""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hmc.data import catalog, images
from hmc.data.catalog import DataError, MissingDataError
from hmc.data.dataset import Dataset, DataWarning
from hmc.data.identity import data_sha256
from hmc.data.load import load
from hmc.settings import DatasetSettings, EncoderSettings, ImageSettings, ProtocolSettings, RuntimeSettings

COLUMNS = ("image", "dataset", "site", "partition", "catami_biota")


def picture(path: Path, value: int = 100, *, size: tuple[int, int] = (48, 32), mode: str = "RGB") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, value if mode == "L" else (value, 10, 20) if mode == "RGB" else (value, 10, 20, 0)).save(path)


def table(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture
def benthicnet(tmp_path: Path) -> tuple[DatasetSettings, RuntimeSettings]:
    """A folder of BenthicNet-E's layout: six images of two sites, the card's own hierarchy and smaller sizes."""
    rows = []
    for place, partition in enumerate(("train", "train", "train", "val", "test", "test")):
        row = dict(zip(COLUMNS, (f"i{place}", "survey", f"s{place % 2}", partition, f"[0, {1 + place % 5}, 6]"), strict=True))
        rows.append(row)
        picture(tmp_path / "benthicnet_e" / "survey" / row["site"] / f"{row['image']}.jpg", 40 * place)
    table(tmp_path / "benthicnet_e" / "benthicnet_e.csv", rows)
    card = catalog.card("benthicnet_e")
    small = dataclasses.replace(card, images=dataclasses.replace(card.images, resize=24, crop=16))
    return small, RuntimeSettings(data_dir=str(tmp_path), cache_dir=str(tmp_path / "cache"))


def loaded(dataset: DatasetSettings, runtime: RuntimeSettings) -> Dataset:
    return load(dataset, ProtocolSettings(), runtime)


def test_the_layout_of_benthicnet_is_read(benthicnet: tuple[DatasetSettings, RuntimeSettings]) -> None:
    dataset = loaded(*benthicnet)
    assert len(dataset.hierarchy) == 13
    assert int(dataset.hierarchy.evaluated.sum()) == 12
    assert sorted(dataset.hierarchy.children.counts.tolist(), reverse=True)[:5] == [5, 2, 2, 2, 1]
    assert [len(getattr(dataset, split)) for split in ("train", "valid", "test")] == [3, 1, 2]
    assert dataset.train.features.shape == (3, 3, 16, 16)
    assert dataset.train.features.dtype == np.uint8
    assert abs(int(dataset.test.features[0, 0, 8, 8]) - 160) <= 3  # the fifth image's red, but for JPEG's losses
    # A child brings its parent: node 6 is below node 1.
    assert np.flatnonzero(dataset.train.labels[1]).tolist() == [0, 1, 2, 6]


def test_the_middle_is_cut_from_the_resized_image(tmp_path: Path) -> None:
    wide = np.zeros((10, 30, 3), dtype=np.uint8)
    wide[:, 10:20] = 255
    Image.fromarray(wide).save(tmp_path / "a.png")
    cut = images.decode(tmp_path / "a.png", ImageSettings(resize=10, crop=10), "t.csv:2")
    assert cut.shape == (3, 10, 10)
    assert (cut == 255).all()


def test_a_second_reading_comes_from_the_cache_and_is_the_same(benthicnet: tuple[DatasetSettings, RuntimeSettings]) -> None:
    first, again = loaded(*benthicnet), loaded(*benthicnet)
    assert list(Path(benthicnet[1].cache_dir).glob("*.npz"))
    assert np.array_equal(first.train.features, again.train.features)
    assert np.array_equal(first.test.labels, again.test.labels)


def edited(column: str, value: str) -> Callable[[Path], None]:
    """Changes the third row (line 4)."""

    def change(folder: Path) -> None:
        path = folder / "benthicnet_e.csv"
        rows = list(csv.DictReader(path.open(newline="")))
        rows[2][column] = value
        table(path, rows)

    return change


FILE = ("survey", "s0", "i2.jpg")

FAULTS: dict[str, tuple[Callable[[Path], None], str]] = {
    "missing image": (lambda folder: folder.joinpath(*FILE).unlink(), r"benthicnet_e\.csv:4: the image \S+i2\.jpg is not there"),
    "corrupt JPEG": (
        lambda folder: folder.joinpath(*FILE).write_bytes(folder.joinpath(*FILE).read_bytes()[:300]),
        r"benthicnet_e\.csv:4: \S+i2\.jpg cannot be read as an image \(.+\); replace the file, or remove the row",
    ),
    "no image": (lambda folder: folder.joinpath(*FILE).write_text("hello"), r"csv:4: \S+i2\.jpg cannot be read as an image"),
    "wrong node": (edited("catami_biota", "[0, 13]"), r"csv:4: the label '13' names no node of the hierarchy"),
    "no label": (edited("catami_biota", "[]"), r"csv:4: i2\.jpg has no label"),
    "wrong channels": (
        lambda folder: picture(folder.joinpath(*FILE), mode="L"),
        r"csv:4: \S+i2\.jpg has 1 channel \(mode L\) where dataset\.images\.channels is 3; convert the image",
    ),
    "wrong split": (edited("partition", "trian"), r"csv:4: partition='trian' must be train, valid or test; did you mean 'train'"),
    "twice": (edited("image", "i0"), r"csv:4: the image \S+i0\.jpg is that of line 2 already"),
    "no column": (
        lambda folder: table(folder / "benthicnet_e.csv", [{"image": "i0", "dataset": "d", "sites": "s", "partition": "train"}]),
        r"csv:1: the table has no column 'site', which dataset\.images\.path names; did you mean 'sites'",
    ),
    "no test": (
        lambda folder: table(folder / "benthicnet_e.csv", list(csv.DictReader((folder / "benthicnet_e.csv").open()))[:3]),
        r"csv: no row has partition=test",
    ),
    "short row": (
        lambda folder: (folder / "benthicnet_e.csv").write_text((folder / "benthicnet_e.csv").read_text() + "i9,survey\n"),
        r"csv:8 has 2 fields, but the header has 5",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_one_line_with_file_and_row(fault: str, benthicnet: tuple[DatasetSettings, RuntimeSettings]) -> None:
    damage, words = FAULTS[fault]
    damage(Path(benthicnet[1].data_dir) / "benthicnet_e")
    with pytest.raises(DataError, match=words) as raised:
        loaded(*benthicnet)
    assert "\n" not in str(raised.value)


def test_what_can_be_known_without_decoding_is_known_with_the_identity(
    benthicnet: tuple[DatasetSettings, RuntimeSettings],
) -> None:
    folder = Path(benthicnet[1].data_dir) / "benthicnet_e"
    folder.joinpath(*FILE).unlink()
    (folder / "survey" / "s1" / "i3.jpg").unlink()
    with pytest.raises(DataError, match=r"i2\.jpg is not there \(1 more are missing\)"):
        data_sha256(*benthicnet)


def test_mixed_sizes_are_told_where_nothing_makes_them_alike(benthicnet: tuple[DatasetSettings, RuntimeSettings]) -> None:
    dataset, runtime = benthicnet
    picture(Path(runtime.data_dir).joinpath("benthicnet_e", *FILE), size=(20, 30))
    as_they_are = dataclasses.replace(dataset, images=dataclasses.replace(dataset.images, resize=0, crop=0))
    with pytest.raises(
        DataError, match=r"csv:4: \S+i2\.jpg is 20 x 30, but i0\.jpg of line 2 is 48 x 32; all images need one size"
    ):
        loaded(as_they_are, runtime)
    assert loaded(dataset, runtime).train.features.shape[1:] == (3, 16, 16)


def test_a_crop_larger_than_the_image_is_told(benthicnet: tuple[DatasetSettings, RuntimeSettings]) -> None:
    dataset, runtime = benthicnet
    large = dataclasses.replace(dataset, images=dataclasses.replace(dataset.images, resize=24, crop=32))
    with pytest.raises(DataError, match=r"csv:2: \S+i0\.jpg is 36 x 24 and dataset\.images\.crop=32 is larger"):
        loaded(large, runtime)


def test_the_identity_follows_contents_and_what_is_made_of_them(benthicnet: tuple[DatasetSettings, RuntimeSettings]) -> None:
    dataset, runtime = benthicnet
    before = data_sha256(dataset, runtime)
    assert data_sha256(dataclasses.replace(dataset, title="another"), runtime) == before
    resized = dataclasses.replace(dataset, images=dataclasses.replace(dataset.images, resize=25))
    assert data_sha256(resized, runtime) != before
    picture(Path(runtime.data_dir).joinpath("benthicnet_e", *FILE), 7)
    assert data_sha256(dataset, runtime) != before


def test_a_checkpoint_counts_by_its_contents(tmp_path: Path) -> None:
    card, runtime = catalog.card("digits"), RuntimeSettings()
    plain = data_sha256(card, runtime)
    own = data_sha256(card, runtime, EncoderSettings("small_convolution"))
    for name, content in (("a", b"1"), ("b", b"1"), ("c", b"2")):
        (tmp_path / name).write_bytes(content)
    a, b, c = (
        data_sha256(card, runtime, EncoderSettings("small_convolution", checkpoint=str(tmp_path / name))) for name in "abc"
    )
    assert a == b
    assert len({plain, own, a, c}) == 4
    # Random weights alone were pretrained on nothing.
    assert data_sha256(card, runtime, EncoderSettings("small_convolution", noise=1.0)) == plain
    with pytest.raises(MissingDataError, match=r"encoder\.checkpoint=\S+ is not there"):
        data_sha256(card, runtime, EncoderSettings("resnet18", checkpoint=str(tmp_path / "none")))


# --- the user's own --------------------------------------------------------------------------------------------------


def own_images(folder: Path, labels: list[str], hierarchy: str) -> tuple[DatasetSettings, RuntimeSettings]:
    rows = []
    for place, label in enumerate(labels):
        picture(folder / "photographs" / f"{place}.png", size=(6, 6), mode="L", value=place)
        rows.append({"image": f"{place}.png", "partition": "test" if place == len(labels) - 1 else "train", "labels": label})
    table(folder / "mine.csv", rows)
    (folder / "mine.txt").write_text(hierarchy)
    card = catalog.card("images")
    own = dataclasses.replace(
        card.images, table="mine.csv", folder="photographs", hierarchy="mine.txt", channels=1, resize=0, crop=0
    )
    runtime = RuntimeSettings(data_dir=str(folder), cache_dir=str(folder / "cache"))
    return dataclasses.replace(card, name="mine", images=own), runtime


PATHS = "# animals\nanimal/cat\nanimal/dog/poodle\nplant/dog\n"


def test_labels_are_paths_names_or_the_last_parts_of_paths(tmp_path: Path) -> None:
    dataset = loaded(*own_images(tmp_path, ["animal/cat", "animal.dog@cat", "poodle", "plant/dog"], PATHS))
    names = dataset.hierarchy.names
    carried = [{names[node] for node in np.flatnonzero(row)} - {"root"} for row in dataset.training.labels]
    assert carried == [
        {"animal", "animal.cat"},
        {"animal", "animal.cat", "animal.dog"},
        {"animal", "animal.dog", "animal.dog.poodle"},
    ]
    assert dataset.test.features.shape == (1, 1, 6, 6)


def test_edges_make_a_graph(tmp_path: Path) -> None:
    dataset = loaded(*own_images(tmp_path, ["c", "a", "['a', 'b']"], "root/a\nroot/b\na/c\nb/c\n"))
    assert not dataset.hierarchy.is_tree
    assert dataset.train.labels[0].all()


@pytest.mark.parametrize(
    ("label", "words"),
    [
        ("dog", r"mine\.csv:2: the label 'dog' is the last part of several nodes' paths; write the whole path"),
        ("animal/cats", r"mine\.csv:2: the label 'animal/cats' names no node of the hierarchy \(did you mean 'animal/cat'\?\)"),
    ],
)
def test_a_label_that_names_no_node_is_told(label: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=words):
        loaded(*own_images(tmp_path, [label, "animal/cat"], PATHS))


def test_files_that_the_card_needs_are_named(tmp_path: Path) -> None:
    runtime = RuntimeSettings(data_dir=str(tmp_path))
    with pytest.raises(DataError, match=r"dataset\.images\.table of 'own_images' is empty"):
        loaded(catalog.card("images"), runtime)
    with pytest.raises(MissingDataError, match=r"benthicnet_e/benthicnet_e\.csv is not there"):
        loaded(catalog.card("benthicnet_e"), runtime)
    dataset, runtime = own_images(tmp_path, ["animal", "animal"], "\n")
    with pytest.raises(DataError, match=r"mine\.txt: the hierarchy is empty"):
        loaded(dataset, runtime)
    nowhere = dataclasses.replace(dataset, images=dataclasses.replace(dataset.images, folder="nowhere"))
    with pytest.raises(MissingDataError, match=r"dataset\.images\.folder=nowhere must be a folder that exists"):
        loaded(nowhere, runtime)


def test_pixels_are_features_where_there_is_no_encoder() -> None:
    generator = np.random.Generator(np.random.PCG64(0))
    pixels = {
        split: generator.integers(0, 256, (rows, 3, 2, 2), dtype=np.uint8)
        for split, rows in (("train", 9), ("valid", 0), ("test", 4))
    }
    features = images.as_features(pixels)
    assert features["train"].shape == (9, 12)
    assert features["valid"].shape == (0, 12)
    assert features["train"].dtype == np.float32
    assert np.allclose(features["train"].mean(0), 0, atol=1e-6)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_an_image_is_turned_as_its_camera_says(orientation: int, tmp_path: Path) -> None:
    """All eight orientations of one picture look alike; without the note in the file they would not."""
    pixels = np.arange(6, dtype=np.uint8).reshape(2, 3) * 40
    turns = {
        1: pixels,
        2: np.fliplr(pixels),
        3: np.rot90(pixels, 2),
        4: np.flipud(pixels),
        5: pixels.T,
        6: np.rot90(pixels, 1),
        7: np.rot90(pixels.T, 2),
        8: np.rot90(pixels, -1),
    }
    stored = Image.fromarray(np.ascontiguousarray(turns[orientation]))
    about = Image.Exif()
    about[0x0112] = orientation
    stored.save(tmp_path / "a.png", exif=about)
    found = images.decode(tmp_path / "a.png", ImageSettings(channels=1, resize=0, crop=0), "t.csv:2")
    np.testing.assert_array_equal(found[0], pixels)


def test_lists_of_names_with_blanks_are_read_as_they_are_quoted(tmp_path: Path) -> None:
    nodes = "Mammalia/Canis lupus\nMammalia/Canis\nMammalia/it's\nItem #1\nItem #2\n"
    labels = ["['Canis lupus', 'Item #2']", '["it\'s"]', "['Canis' 'Item #1']", "[Canis lupus, Canis]", "Item #1@Canis"]
    dataset = loaded(*own_images(tmp_path, [*labels, "Canis"], nodes))
    names = dataset.hierarchy.names
    carried = [{names[node].rpartition(".")[2] for node in np.flatnonzero(row)} - {"root"} for row in dataset.train.labels]
    assert carried == [
        {"Mammalia", "Canis lupus", "Item #2"},
        {"Mammalia", "it's"},
        {"Mammalia", "Canis", "Item #1"},
        {"Mammalia", "Canis lupus", "Canis"},
        {"Item #1", "Mammalia", "Canis"},
    ]


@pytest.mark.parametrize(
    ("label", "words"),
    [
        (
            "[Canis lupus]",
            r"mine\.csv:2: '\[Canis lupus\]' is a list of one name with blanks, or of several; put each name in quotes",
        ),
        ("['Canis lupus', 'Canis]", r"mine\.csv:2: .* is a list whose entries cannot be told apart"),
    ],
)
def test_a_list_that_can_be_read_in_two_ways_is_refused(label: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=words):
        loaded(*own_images(tmp_path, [label, "Canis"], "Mammalia/Canis lupus\nMammalia/Canis\n"))


def test_a_hierarchy_of_pairs_below_a_top_is_asked_for_and_then_told(tmp_path: Path) -> None:
    dataset, runtime = own_images(tmp_path, ["cat", "pet", "animal"], "thing/animal\nanimal/pet\npet/cat\npet/dog\nthing/plant\n")
    with pytest.raises(DataError, match=r"mine\.txt: .*dataset\.labels=paths, edges \(parent/child\) or edges_child_parent"):
        loaded(dataset, runtime)
    with pytest.warns(
        DataWarning, match=r"mine\.txt: the pairs lie below one top: 6 nodes, 3 levels below 'thing', read as edges"
    ):
        found = loaded(dataclasses.replace(dataset, labels="edges"), runtime)
    assert found.train.labels.sum(axis=1).tolist() == [4, 3]
    (tmp_path / "edges.csv").write_text("parent,child\nthing,animal\nanimal,pet\npet,cat\npet,dog\nthing,plant\n")
    as_csv = dataclasses.replace(dataset, images=dataclasses.replace(dataset.images, hierarchy="edges.csv"))
    with pytest.warns(DataWarning):
        again = loaded(as_csv, runtime)
    assert again.train.labels.sum(axis=1).tolist() == [4, 3]
