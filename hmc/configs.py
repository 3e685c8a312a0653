"""The one reader of ``configs/``: which files each group has, and the settings that they make. Needs neither Hydra nor torch.

The files are plain YAML, one thing each, so composing thousands of cells costs what reading a few dozen small files costs.

Users keep files of their own in folders that are laid out alike (dataset/, method/, suite/, ...), named by the environment's
HMC_CONFIG_DIR or by :func:`add_folder`; or they give the path of one file, ending in .yaml, in place of a name.
"""

from __future__ import annotations

import copy
import dataclasses
import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from hmc.files import yaml_file
from hmc.settings import (
    DatasetSettings,
    EncoderSettings,
    ExecutorSettings,
    MethodSettings,
    OverlapSettings,
    ProtocolSettings,
    RunSettings,
    SettingsError,
    SuiteSettings,
    TableSettings,
    TrainingFile,
    build,
    did_you_mean,
)
from hmc.settings.run import run_settings as settings_of_run

CONFIGS = Path(__file__).resolve().parents[1] / "configs"

GROUPS: dict[str, Any] = {
    "dataset": DatasetSettings,
    "method": MethodSettings,
    "training": TrainingFile,
    "protocol": ProtocolSettings,
    "encoder": EncoderSettings,
    "suite": SuiteSettings,
    "executor": ExecutorSettings,
    "tables": TableSettings,
    "overlap": OverlapSettings,
}
"""The groups of settings, and what each one's file and overrides become; encoder, tables and overlap have no files."""


ENVIRONMENT = "HMC_CONFIG_DIR"
"""Names folders of the user's own, as PATH does."""
FILES = (".yaml", ".yml")


def folders() -> list[Path]:
    """Where configuration files are: the project's folder, then the user's own."""
    return [CONFIGS, *(Path(name).expanduser() for name in os.environ.get(ENVIRONMENT, "").split(os.pathsep) if name)]


def add_folder(path: Path | str) -> None:
    """Look for configuration files in this folder too, in this process and those that it starts.

    Raises SettingsError where there is no such folder.
    """
    folder = Path(path).expanduser().absolute()
    if not folder.is_dir():
        raise SettingsError(f"{path} must be a folder of configuration files (dataset/, method/, ...); correct the path")
    if folder not in folders():
        known = os.environ.get(ENVIRONMENT, "")
        os.environ[ENVIRONMENT] = f"{known}{os.pathsep if known else ''}{folder}"


def names(group: str) -> list[str]:
    """The names that a configuration group knows, sorted."""
    return sorted({path.stem for folder in folders() for path in (folder / group).glob("*.yaml")})


def find(group: str, name: str) -> Path:
    """The file of a name, or the file itself where a path ending in .yaml is given in place of one.

    Raises SettingsError for an unknown name, with the nearest known one, for a name that is in several folders, and for a path
    without a file.
    """
    if name.endswith(FILES):
        path = Path(name).expanduser().absolute()
        if not path.is_file():
            raise SettingsError(f"{group}={name} must be a file that exists; correct the path (looked for {path})")
        return path
    # A name with a slash would lead out of the folder.
    found = [] if "/" in name or os.sep in name else [folder / group / f"{name}.yaml" for folder in folders()]
    found = list({path.resolve(): path for path in found if path.is_file()}.values())
    if not found:
        raise SettingsError(f"unknown {group} {name!r}{did_you_mean(name, names(group))}")
    if len(found) > 1:
        raise SettingsError(f"the {group} {name!r} is in {found[0]} and in {found[1]}; rename one of them")
    return found[0]


def read(group: str, name: str) -> dict[str, Any]:
    """One configuration file as a mapping. name: see :func:`find`.

    A dataset's file outside the project says in ``folder`` where it lies, so that what it names is looked for there too.
    Raises SettingsError as :func:`find` does, and for a file that holds anything but a mapping.
    """
    return copy.deepcopy(_read(group, find(group, name)))


@cache
def _read(group: str, path: Path) -> dict[str, Any]:
    content = read_file(path)
    if group == "dataset" and CONFIGS not in path.parents:
        content.setdefault("folder", str(path.absolute().parent))
    return content


def read_file(path: Path) -> dict[str, Any]:
    """One file of settings. Raises SettingsError for anything but a YAML mapping, OSError where it cannot be read."""
    content = yaml_file.read(path)
    if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        raise SettingsError(f"{path} must hold settings, lines of key: value; correct the file")
    return content


def run_settings(
    dataset: str, method: str, seed: int, *, protocol: str = "released", training: str = "paper", overrides: Sequence[str] = ()
) -> RunSettings:
    """The settings of one run from the names of its configuration files.

    overrides: "group.key=value" with the value in YAML. Raises SettingsError.
    """
    groups = {"dataset": dataset, "method": method, "training": training, "protocol": protocol}
    built = {group: settings_of(group, name) for group, name in groups.items()}
    if overrides:
        documents = {group: read(group, name) for group, name in groups.items()} | {"encoder": {}}
        for override in overrides:
            _apply(documents, override)
        built = {group: build(GROUPS[group], document, at=group) for group, document in documents.items()}
    return settings_of_run({**built, "seed": seed})


def base_settings(settings: RunSettings, *, dataset: str, method: str, protocol: str, training: str) -> RunSettings:
    """The run that these files alone describe, for the same dataset and seed: what ``settings`` may depart from.

    A dataset's name may have been given on the command line (``dataset.name=mine``); its training values are those of that name.
    """
    names = {"dataset": dataset, "method": method, "training": training, "protocol": protocol}
    built = {group: settings_of(group, name) for group, name in names.items()}
    built["dataset"] = dataclasses.replace(built["dataset"], name=settings.dataset.name)
    return settings_of_run({**built, "seed": settings.seed})


def settings_of(group: str, name: str) -> Any:
    """The settings of one file as it stands. Raises SettingsError as :func:`read` does, and for a mistake, naming the file."""
    return _settings_at(group, find(group, name))


@cache
def _settings_at(group: str, path: Path) -> Any:
    try:
        return build(GROUPS[group], copy.deepcopy(_read(group, path)), at=group)
    except SettingsError as error:
        raise SettingsError(f"{path}: {error}") from None


def mixed_methods(method: MethodSettings) -> tuple[str, ...]:
    """The names of the methods that a mixture mixes; none for any other method.

    Raises SettingsError for a name that is not known, and for that of another mixture.
    """
    for name in method.mixture:
        if settings_of("method", name).mixture:
            raise SettingsError(f"method.mixture names {name!r}, which is a mixture itself; name the methods that it mixes")
    return method.mixture


def _apply(documents: dict[str, dict[str, Any]], override: str) -> None:
    key, separator, value = override.partition("=")
    *groups, last = key.split(".")
    if not separator or not groups or groups[0] not in documents:
        raise SettingsError(
            f"the override {override!r} is not of the form group.key=value with group one of {', '.join(documents)}"
        )
    target: dict[str, Any] = documents[groups[0]]
    for place, group in enumerate(groups[1:], start=2):
        target = target.setdefault(group, {})
        if not isinstance(target, dict):
            raise SettingsError(f"the override {override!r} sets a part of {'.'.join(groups[:place])}, which has no parts")
    target[last] = yaml_file.parse(value, f"the override {override!r}")
