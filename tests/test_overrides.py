"""Hydra's own flags and choices of files, before Hydra sees them."""

from __future__ import annotations

from pathlib import Path

import pytest

from hmc.configs import ENVIRONMENT
from hmc.overrides import checked
from hmc.settings import SettingsError


@pytest.fixture
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of a user's own files, laid out as ``configs/`` is."""
    monkeypatch.setenv(ENVIRONMENT, "")
    for group, name, text in (
        ("method", "mine", "name: mine\nmembers: 3\n"),
        ("dataset", "pets", "name: pets\nkind: table\ntrain: a.csv\n"),
    ):
        (tmp_path / group).mkdir()
        (tmp_path / group / f"{name}.yaml").write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("given", "flags", "overrides"),
    [
        (["--cfg", "job", "seed=1"], ["--cfg", "job"], ["++seed=1"]),
        (["seed=1", "--cfg=job"], ["--cfg=job"], ["++seed=1"]),
        (["--info", "config"], ["--info", "config"], []),
        (["--info", "seed=1"], ["--info", "all"], ["++seed=1"]),
        (["seed=1", "--info"], ["--info", "all"], ["++seed=1"]),
        (["--info"], ["--info", "all"], []),
        (["seed=1,2", "-m"], ["-m"], ["++seed=1,2"]),
        (["--cfg", "job", "--package", "dataset", "--resolve"], ["--cfg", "job", "--package", "dataset", "--resolve"], []),
    ],
)
def test_hydras_flags_keep_their_values_and_come_first(given: list[str], flags: list[str], overrides: list[str]) -> None:
    line = checked("train", given)
    assert (list(line.flags), list(line.overrides)) == (flags, overrides)
    assert line.sweeps == ("-m" in given)


def test_glob_chooses_among_the_files_of_a_group() -> None:
    (override,) = checked("train", ["-m", "method=glob(weighted_focal_e*)"]).overrides
    assert override == "method=weighted_focal_epistemic_js,weighted_focal_epistemic_kl"
    (override,) = checked("train", ["-m", "method=glob(weighted_l*,exclude=*x)"]).overrides
    assert override == "method=weighted_linear"
    for argument, words in (("method=glob(x*)", "no method matches x*"), ("seed=glob(*)", "glob() chooses among files")):
        with pytest.raises(SettingsError) as raised:
            checked("train", ["-m", argument])
        assert words in str(raised.value)


def test_a_folder_of_ones_own_is_looked_into_and_a_file_can_be_named(own_folder: Path) -> None:
    for given in (["--config-dir", str(own_folder)], [f"--config-dir={own_folder}"]):
        line = checked("train", [*given, "method=mine", "dataset=pets"])
        assert list(line.flags) == given
        chosen = dict(override.split("=") for override in line.overrides)
        assert line.choices(chosen) == {"method": "mine", "dataset": "pets"}
        # Under a name that no file of the project can have.
        assert all(name.startswith("own-") for name in chosen.values())
    path = str(own_folder / "method" / "mine.yaml")
    line = checked("train", ["-m", f"method={path},chmcnn"])
    (override,) = line.overrides
    own, shipped = override.removeprefix("method=").split(",")
    assert (line.own[own], shipped) == (path, "chmcnn")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["--config-name", "x"], "--config-name must not be given"),
        (["--config-path=x"], "--config-path must not be given"),
        (["-e", "x"], "-e must not be given, since no run leaves files"),
        (["dataset@x=enron"], "must not name a package (@)"),
        (["--cfg"], "--cfg must be followed by a value"),
        (["--config-dir", "nowhere"], "nowhere must be a folder of configuration files"),
        (["method=nowhere.yaml"], "method=nowhere.yaml must be a file that exists"),
    ],
)
def test_a_mistake_is_one_line(given: list[str], words: str) -> None:
    with pytest.raises(SettingsError) as raised:
        checked("train", given)
    assert words in str(raised.value)
