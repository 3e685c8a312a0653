"""Configuration files of the user's own: by path, and in folders laid out like configs/."""

from __future__ import annotations

from pathlib import Path

import pytest

from hmc import configs
from hmc.data import catalog
from hmc.data.catalog import DataError
from hmc.data.load import load_encoded
from hmc.settings import RuntimeSettings, SettingsError
from tests.data.conftest import HEADER, ROWS

CARD = "name: mine\ntrain: train.arff\ntest: test.arff\n"


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv(configs.ENVIRONMENT, raising=False)
    monkeypatch.delenv(catalog.ENVIRONMENT, raising=False)
    for group in ("dataset", "method", "suite"):
        (tmp_path / group).mkdir()
    return tmp_path


def card(folder: Path, text: str = CARD) -> Path:
    for split in ("train", "test"):
        (folder / f"{split}.arff").write_text(HEADER + ROWS[split])
    path = folder / "mine.yaml"
    path.write_text(text)
    return path


def test_a_card_is_read_by_its_path_and_its_files_lie_beside_it(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    card(own / "dataset")
    runtime = RuntimeSettings(data_dir=str(own / "data"), cache_dir=str(own / "cache"))
    for where, name in (
        (own, "dataset/mine.yaml"),
        (own / "dataset", "mine.yaml"),
        (own / "method", str(own / "dataset/mine.yaml")),
    ):
        monkeypatch.chdir(where)
        settings = configs.run_settings(name, "chmcnn", 0).dataset
        assert settings.name == "mine"
        assert len(load_encoded(settings, runtime).labels["train"]) == 3
        assert catalog.card(name) == settings
    monkeypatch.chdir(own / "method")
    (own / "method" / "train.arff").write_text(HEADER + "1,red,01\n")
    with pytest.raises(DataError, match=r"mine: the file train\.arff is both \S+/method/train\.arff and \S+/dataset/train\.arff"):
        load_encoded(settings, runtime)


def test_a_folder_adds_names_for_this_process_and_those_it_starts(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(configs.ENVIRONMENT, "")
    (own / "method" / "ours.yaml").write_text("name: ours\nmembers: 3\n")
    card(own / "dataset")
    assert "ours" not in configs.names("method")
    configs.add_folder(own)
    configs.add_folder(own)
    assert configs.folders() == [configs.CONFIGS, own]
    assert {"ours", "chmcnn"} <= set(configs.names("method"))
    assert configs.settings_of("method", "ours").members == 3
    assert configs.find("method", "ours") == own / "method" / "ours.yaml"
    assert configs.settings_of("dataset", "mine").folder == str(own / "dataset")
    assert configs.settings_of("dataset", "enron").folder == ""
    assert "mine" in catalog.names()
    with pytest.raises(SettingsError, match="must be a folder of configuration files"):
        configs.add_folder(own / "nowhere")


def test_a_name_in_two_places_is_refused(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(configs.ENVIRONMENT, str(own))
    (own / "method" / "chmcnn.yaml").write_text("name: chmcnn\nmembers: 9\n")
    with pytest.raises(SettingsError, match=r"the method 'chmcnn' is in \S+ and in \S+; rename one of them"):
        configs.settings_of("method", "chmcnn")
    assert configs.settings_of("method", str(own / "method" / "chmcnn.yaml")).members == 9


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nowhere/mine.yaml", r"dataset=nowhere/mine\.yaml must be a file that exists; correct the path"),
        ("../train", r"unknown dataset '\.\./train'"),
        ("enrn", r"unknown dataset 'enrn'; did you mean 'enron'"),
    ],
)
def test_what_is_not_there_is_told(name: str, words: str, own: Path) -> None:
    with pytest.raises(SettingsError, match=words):
        configs.settings_of("dataset", name)


def test_a_mistake_in_ones_own_card_names_the_file(own: Path) -> None:
    path = card(own / "dataset", CARD + "trian: x\n")
    with pytest.raises(SettingsError, match=r"dataset/mine\.yaml: unknown setting 'dataset\.trian'; did you mean 'train'"):
        configs.settings_of("dataset", str(path))
