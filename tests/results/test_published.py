import shutil

import pytest

from hmc.results import published


def test_every_dataset_of_both_papers_is_there():
    numbers = published.load()
    baseline = {dataset for dataset, method in numbers.au_prc if method == "chmcnn"}
    assert len(baseline) == 20
    assert set(numbers.macro_f1) <= baseline
    assert len(numbers.macro_f1) == 10


def test_values_keep_the_unit_of_their_source():
    numbers = published.load()
    enron = numbers.au_prc["enron", "chmcnn"]
    assert (enron.value, enron.digits, enron.seeds, enron.spread) == (0.756, 3, 10, None)
    assert numbers.au_prc["enron", "hmcn_f"].seeds is None
    assert all(0 < one.value < 1 for one in numbers.au_prc.values())
    assert numbers.macro_f1["derisi_go"].value == 0.77
    assert numbers.macro_f1["diatoms"].digits == 2
    assert {one.method for one in numbers.macro_f1.values()} == {""}
    assert "read as 2.66" in numbers.macro_f1["gasch1_go"].note


def test_posted_seeds_give_the_mean_and_its_spread():
    cellcycle = published.load().au_prc["cellcycle_fun", "chmcnn"]
    assert cellcycle.value == pytest.approx(0.2554, abs=5e-5)
    assert cellcycle.spread == pytest.approx(0.00084, abs=5e-6)
    assert cellcycle.seeds == 10


@pytest.fixture
def folder(tmp_path):
    return shutil.copytree(published.FOLDER, tmp_path / "published")


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda path: path.unlink(), r"au_prc\.csv does not exist"),
        (
            lambda path: path.write_text(path.read_text().replace("0.255,", "0,255,")),
            r"au_prc\.csv:2 has \d+ fields?, but the header has 5",
        ),
        (lambda path: path.write_text(path.read_text().replace("0.255", "n/a")), r"au_prc\.csv:2 has 'n/a' where a number"),
        (lambda path: path.write_text(path.read_text().replace("au_prc", "auprc")), r"au_prc\.csv:1 lacks the column 'au_prc'"),
    ],
)
def test_a_damaged_file_is_named_with_its_line(folder, damage, words):
    damage(folder / "au_prc.csv")
    with pytest.raises(published.PublishedError, match=words):
        published.load(folder)
