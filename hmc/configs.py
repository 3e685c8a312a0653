"""The one reader of ``configs/``: which files each group has, and the settings that they make. Needs neither Hydra nor torch.

The files are plain YAML, one thing each, so composing thousands of cells costs what reading a few dozen small files costs.
"""

from __future__ import annotations

import copy
import dataclasses
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
    ProtocolSettings,
    RunSettings,
    SettingsError,
    SuiteSettings,
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
}
"""The groups of settings, and what each one's file and overrides become; an encoder has no file of its own."""


def names(group: str) -> list[str]:
    """The names that a configuration group knows, sorted."""
    return sorted(path.stem for path in (CONFIGS / group).glob("*.yaml"))


def read(group: str, name: str) -> dict[str, Any]:
    """One configuration file as a mapping.

    Raises SettingsError for an unknown name, with the nearest known one, and for a file that is no mapping.
    """
    return copy.deepcopy(_read(group, name))


@cache
def _read(group: str, name: str) -> dict[str, Any]:
    path = CONFIGS / group / f"{name}.yaml"
    if not path.is_file():
        raise SettingsError(f"unknown {group} {name!r}{did_you_mean(name, names(group))}")
    return read_file(path)


def read_file(path: Path) -> dict[str, Any]:
    """One file of settings. Raises SettingsError for what is no YAML mapping, OSError where it cannot be read."""
    content = yaml_file.read(path)
    if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        raise SettingsError(f"{path} holds no settings; write key: value lines")
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


@cache
def settings_of(group: str, name: str) -> Any:
    """The settings of one file as it stands. Raises SettingsError as :func:`read` does, and for a mistake, naming the file."""
    document = read(group, name)
    try:
        return build(GROUPS[group], document, at=group)
    except SettingsError as error:
        raise SettingsError(f"{CONFIGS / group / name}.yaml: {error}") from None


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
