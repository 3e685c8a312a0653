from __future__ import annotations

import dataclasses
import hashlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from hmc import configs
from hmc.data import catalog
from hmc.data.catalog import DataError, MissingDataError, card
from hmc.data.identity import data_sha256
from hmc.settings import DatasetSettings, RuntimeSettings, SettingsError, SyntheticSettings

GENES = ("cellcycle", "derisi", "eisen", "expr", "gasch1", "gasch2", "seq", "spo")
BENCHMARK = [*(f"{gene}_{group}" for group in ("fun", "go") for gene in GENES), "diatoms", "enron", "imclef07a", "imclef07d"]
IN_NEITHER_PAPER = ["church_fun", "pheno_fun", "pheno_go"]


def test_all_datasets_have_cards() -> None:
    others = {"expr_fun_reconstructed", "expr_go_reconstructed", *IN_NEITHER_PAPER}
    assert [name for name in catalog.names() if name not in others] == [*BENCHMARK, "synthetic_dag", "synthetic_tree", "digits"]
    assert set(catalog.names()) >= others
    assert len(catalog.names()) == 28


@pytest.mark.parametrize("name", [*BENCHMARK, *IN_NEITHER_PAPER])
def test_a_benchmark_card_is_complete(name: str) -> None:
    dataset = card(name)
    assert ("neither paper" in dataset.title) == (name in IN_NEITHER_PAPER)
    assert dataset.name == name
    assert dataset.title
    assert dataset.source
    assert dataset.url.startswith("https://")
    assert set(dataset.expected) == {"train", "valid", "test", "features", "nodes"}
    assert ("valid" in catalog.files(dataset)) == (dataset.expected["valid"] > 0)
    for path in catalog.files(dataset).values():
        assert re.fullmatch(r"sha256:[0-9a-f]{64}|git-blob:[0-9a-f]{40}", catalog.pinned(dataset, path))


def test_the_pins_are_those_of_the_published_files(benchmark_files: Path) -> None:
    wrong = []
    for name in (*BENCHMARK, *IN_NEITHER_PAPER):
        for path in catalog.files(card(name)).values():
            file = benchmark_files / path
            if file.is_file() and not catalog.matches(file.read_bytes(), catalog.pinned(card(name), path)):
                wrong.append(path)
    assert wrong == []


def test_an_unknown_name_gets_the_nearest_one() -> None:
    with pytest.raises(SettingsError, match="did you mean 'cellcycle_fun'"):
        card("celcycle_fun")


def test_a_card_with_a_mistake_names_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(configs, "CONFIGS", tmp_path)
    (tmp_path / "dataset").mkdir()
    (tmp_path / "dataset" / "broken.yaml").write_text("name: broken\ntrian: x\n")
    with pytest.raises(SettingsError, match=r"broken\.yaml: unknown setting 'dataset\.trian'; did you mean 'train'"):
        card("broken")
    (tmp_path / "dataset" / "worse.yaml").write_text("name: [\n")
    with pytest.raises(SettingsError, match=r"worse\.yaml:2: ") as caught:
        card("worse")
    assert "\n" not in str(caught.value)


# --- where files are found ------------------------------------------------------------------------------------------

PINNED = DatasetSettings(
    name="pinned",
    url="https://example.org/files",
    train="a/train.arff",
    test="a/test.arff",
    sha256={"a/train.arff": hashlib.sha256(b"train").hexdigest(), "a/test.arff": hashlib.sha256(b"test").hexdigest()},
)


def put(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(Path(name).stem.encode())


def test_the_explicit_folder_comes_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HMC_DATA_DIR", str(tmp_path / "environment"))
    runtime = RuntimeSettings(data_dir=str(tmp_path / "explicit"))
    put(tmp_path / "environment", "a/train.arff")
    put(tmp_path / "explicit", "a/test.arff")
    assert catalog.locate(PINNED, runtime) == {"train": None, "test": tmp_path / "explicit/a/test.arff"}
    assert catalog.missing(PINNED, runtime) == ["a/train.arff"]
    assert catalog.download_folder(runtime) == tmp_path / "explicit"


def test_the_environment_comes_before_the_projects_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog, "PROJECT", tmp_path / "project")
    monkeypatch.setenv("HMC_DATA_DIR", str(tmp_path / "environment"))
    put(tmp_path / "environment", "a/train.arff")
    put(tmp_path / "project/data", "a/train.arff", "a/test.arff")
    assert catalog.locate(PINNED, RuntimeSettings()) == {
        "train": tmp_path / "environment/a/train.arff",
        "test": tmp_path / "project/data/a/test.arff",
    }
    assert catalog.download_folder(RuntimeSettings()) == tmp_path / "project/data"


def test_the_users_own_path_is_taken_from_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    put(tmp_path, "mine/train.arff")
    own = DatasetSettings(name="mine", train="mine/train.arff", test="mine/test.arff")
    found = catalog.locate(own, RuntimeSettings(data_dir=str(tmp_path / "empty")))
    assert found == {"train": Path("mine/train.arff"), "test": None}


@pytest.mark.parametrize("split", ["train", "test"])
def test_a_dataset_needs_train_and_test(split: str) -> None:
    own = dataclasses.replace(DatasetSettings(name="mine", train="a", test="b"), **{split: ""})
    with pytest.raises(DataError, match=rf"dataset\.{split}=PATH"):
        catalog.files(own)


def test_a_file_of_other_content_is_refused(tmp_path: Path) -> None:
    (tmp_path / "train.arff").write_bytes(b"something else")
    with pytest.raises(DataError, match=r"train\.arff: this is not the file that pinned needs .* fetch it again"):
        catalog.read_checked(PINNED, "a/train.arff", tmp_path / "train.arff")


def test_git_blob_ids_are_gits(tmp_path: Path) -> None:
    # printf 'hello\n' | git hash-object --stdin
    assert catalog.content_hash(b"hello\n", "git-blob") == "git-blob:ce013625030ba8dba906f756967f9e9ca394464a"
    blob = DatasetSettings(name="b", train="x", test="x", git_blob={"x": "CE013625030ba8dba906f756967f9e9ca394464a"})
    (tmp_path / "x").write_bytes(b"hello\n")
    assert catalog.read_checked(blob, "x", tmp_path / "x") == b"hello\n"


# --- identity -------------------------------------------------------------------------------------------------------


def test_a_benchmark_datasets_hash_needs_no_file(runtime: RuntimeSettings) -> None:
    hashes = {data_sha256(card(name), runtime) for name in catalog.names()}
    assert len(hashes) == len(catalog.names())
    assert all(re.fullmatch("[0-9a-f]{64}", value) for value in hashes)


def test_own_files_count_by_content_and_pinned_ones_by_pin(tmp_path: Path, runtime: RuntimeSettings) -> None:
    put(tmp_path, "train.arff", "test.arff")
    own = DatasetSettings(name="mine", train=str(tmp_path / "train.arff"), test=str(tmp_path / "test.arff"))
    before = data_sha256(own, runtime)
    assert before == data_sha256(PINNED, runtime)
    (tmp_path / "test.arff").write_bytes(b"changed")
    assert data_sha256(own, runtime) != before


def test_own_files_that_are_not_there(runtime: RuntimeSettings) -> None:
    with pytest.raises(MissingDataError, match=r"nowhere\.arff is not there .* check the path"):
        data_sha256(DatasetSettings(name="mine", train="nowhere.arff", test="nowhere.arff"), runtime)


def test_a_stand_in_changes_the_hash(tmp_path: Path, runtime: RuntimeSettings) -> None:
    put(tmp_path, "train.arff")
    (tmp_path / "other.arff").write_bytes(b"other")
    plain = data_sha256(PINNED, runtime)
    # Even a stand-in of the true file's content is a stand-in.
    same, other = (
        data_sha256(dataclasses.replace(PINNED, train_stand_in=str(tmp_path / name)), runtime)
        for name in ("train.arff", "other.arff")
    )
    assert len({plain, same, other}) == 3


def test_generated_data_are_hashed_by_their_settings(runtime: RuntimeSettings) -> None:
    tree = DatasetSettings(name="t", kind="synthetic")
    assert data_sha256(tree, runtime) == data_sha256(dataclasses.replace(tree, title="another"), runtime)
    assert data_sha256(tree, runtime) != data_sha256(dataclasses.replace(tree, synthetic=SyntheticSettings(seed=1)), runtime)


def test_importing_the_data_wing_does_not_import_torch() -> None:
    code = "import sys, hmc.data.load, hmc.data.overview; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=catalog.PROJECT, check=False).returncode == 0
