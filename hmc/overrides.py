"""The command line before Hydra sees it: every override checked against the settings' own dataclasses.

An unknown key, name or type is then one line with the nearest known one. What Hydra's grammar allows is allowed, and its flags
work as it documents them.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Glob, Override
from hydra.errors import HydraException
from omegaconf import OmegaConf

from hmc.configs import CONFIGS, GROUPS, add_folder, find, names, read
from hmc.settings import SettingsError, did_you_mean

SWEEP_FLAGS = ("-m", "--multirun")
FLAGS_WITH_VALUE = ("--cfg", "-c", "--package", "-p", "--config-dir", "-cd")
FLAGS_WITH_OPTIONAL_VALUE = ("--info", "-i")
RERUN = ("--experimental-rerun", "-e")
COMPLETION = ("--shell-completion", "-sc")
OTHER_CONFIGURATIONS = ("--config-name", "-cn", "--config-path", "-cp")


@dataclass(frozen=True)
class CommandLine:
    """What Hydra is given: flags first, since its parser takes one between overrides for a mistake, then overrides.

    own: the user's word for each file outside the project's ``configs/``, by the name under which Hydra knows it.
    """

    flags: tuple[str, ...]
    overrides: tuple[str, ...]
    own: Mapping[str, str]

    @property
    def sweeps(self) -> bool:
        """Whether Hydra is to run several jobs."""
        return any(flag in SWEEP_FLAGS for flag in self.flags)

    def choices(self, chosen: Mapping[str, Any]) -> dict[str, Any]:
        """Which file was chosen of each group, in the user's words. chosen: in Hydra's."""
        return {group: self.own.get(choice, choice) for group, choice in chosen.items()}


def checked(door: str, arguments: Sequence[str]) -> CommandLine:
    """The command line of a door with every override checked, and marked (++) so that Hydra takes any known key.

    A method's file names only what it changes; the dataclasses know the rest. Ranges for lists (suite.seeds=range(10)) are
    written out, for Hydra would take them for a sweep. Files outside ``configs/`` become known to Hydra. Raises SettingsError.
    """
    if any(argument in COMPLETION for argument in arguments):
        return CommandLine(tuple(arguments), (), {})
    flags, given = _flags(arguments)
    base = typing.cast(dict[str, Any], OmegaConf.to_container(OmegaConf.load(CONFIGS / f"{door}.yaml")))
    keys = _Keys(base)
    own: dict[str, str] = {}
    overrides = [argument if argument.startswith("hydra") else _checked(argument, keys, own) for argument in given]
    return CommandLine(tuple(flags), tuple(overrides), own)


def _flags(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Flags with their values, and the rest."""
    flags, rest = [], []
    waiting = iter(list(arguments))
    following = list(arguments[1:])
    for place, argument in enumerate(waiting):
        name, equals, value = argument.partition("=")
        if not argument.startswith("-"):
            rest.append(argument)
            continue
        if name in OTHER_CONFIGURATIONS:
            raise SettingsError(
                f"{name} must not be given, since every command has a configuration of its own; for files of yours, use "
                "--config-dir FOLDER"
            )
        if name in RERUN:
            raise SettingsError(f"{name} must not be given, since no run leaves files of Hydra's behind; type the command again")
        flags.append(argument)
        after = following[place] if place < len(following) else None
        if name in FLAGS_WITH_VALUE and not equals:
            if after is None:
                raise SettingsError(f"{name} must be followed by a value")
            value = next(waiting)
            flags.append(value)
            following.pop(place)
        elif name in FLAGS_WITH_OPTIONAL_VALUE and not equals:
            if after is not None and "=" not in after and after[:1] != "-":
                flags.append(next(waiting))
                following.pop(place)
            else:
                # Said, since Hydra's parser would take what follows for it.
                flags.append("all")
        if name in ("--config-dir", "-cd"):
            add_folder(value)
    return flags, rest


class _Keys:
    """What may be set. groups: those with files; without_files: those without; door: single keys."""

    def __init__(self, base: Mapping[str, Any]) -> None:
        entries = [entry for entry in base.get("defaults", []) if isinstance(entry, dict)]
        self.groups = [key for entry in entries for key in entry if not key.startswith("override")]
        self.without_files = [key for key in base if key in GROUPS]
        self.door = {key for key in base if key not in ("defaults", "hydra", *GROUPS)}


def _checked(argument: str, keys: _Keys, own: dict[str, str]) -> str:
    try:
        override = OverridesParser.create().parse_overrides([argument])[0]
    except HydraException:
        quoted = _quoted(argument)
        if quoted:
            return _checked(quoted, keys, own)
        raise SettingsError(
            f"{argument!r} must be an override key=value, such as results_dir=here; put a value with other signs than letters, "
            "digits and /._- in quotes of its own: 'key=\"my (own) file\"'"
        ) from None
    key = override.key_or_group
    if override.package is not None:
        raise SettingsError(f"{argument!r} must not name a package (@), since settings have fixed places; leave it out")
    if override.is_delete():
        raise SettingsError(f"{argument!r} deletes a setting, and none can be missing; give it a value instead")
    if key in keys.groups:
        return f"{key}={','.join(_known_to_hydra(key, choice, own) for choice in _choices(key, override))}"
    if key in keys.without_files:
        first = dataclasses.fields(GROUPS[key])[0].name
        raise SettingsError(f"{argument!r}: {key} is a group of settings without files; write {key}.{first}={override.value()}")
    if isinstance(override.value(), Glob):
        raise SettingsError(f"{argument!r}: glob() chooses among files, so it must follow one of {', '.join(keys.groups)}")
    _require_known(key, keys)
    if _is_list(key) and override.is_sweep_override() and argument.partition("=")[2].startswith("range("):
        argument = f"{key}={[int(value) for value in override.sweep_string_iterator()]}".replace(" ", "")
    return f"++{argument.lstrip('+')}"


def _quoted(argument: str) -> str:
    """The override with its value in quotes, for a path with signs that Hydra's grammar knows only there (~/results); empty where
    that could mean something else.
    """
    key, equals, value = argument.partition("=")
    plain = value and not set(value) & set("'\"[]{}(),\\")
    return f"{key}='{value}'" if equals and plain else ""


def _choices(group: str, override: Override) -> Iterator[str]:
    """The files that an override chooses, several of a sweep."""
    value = override.value()
    if isinstance(value, Glob):
        found = value.filter(names(group))
        if not found:
            patterns = ", ".join(value.include)
            raise SettingsError(f"no {group} matches {patterns}; known are {', '.join(names(group))}")
        yield from found
    elif override.is_sweep_override():
        for text in override.sweep_string_iterator():
            yield str(text).partition("=")[2] or str(text)
    else:
        yield str(value)


def _known_to_hydra(group: str, choice: str, own: dict[str, str]) -> str:
    """The name under which Hydra finds a file. Raises SettingsError for one that is not there or cannot be read."""
    path, content = find(group, choice), read(group, choice)
    if CONFIGS in path.parents:
        return choice
    name = f"own-{hashlib.sha256(os.fsencode(path)).hexdigest()[:12]}"
    ConfigStore.instance().store(group=group, name=name, node=content, provider="hmc")
    own[name] = choice
    return name


def _require_known(key: str, keys: _Keys) -> None:
    groups = [*keys.groups, *keys.without_files]
    first, *rest = key.split(".")
    if first in keys.door and not rest:
        return
    if first not in groups or first not in GROUPS:
        raise SettingsError(f"unknown setting {key!r}{did_you_mean(key, sorted(keys.door | set(groups)))}")
    kind, at = GROUPS[first], first
    for part in rest:
        hints = typing.get_type_hints(kind) if dataclasses.is_dataclass(kind) else {}
        hint = Any if kind is Any or typing.get_origin(kind) is Mapping else hints.get(part)
        if hint is None:
            known = [f"{at}.{name}" for name in hints] or [at]
            raise SettingsError(f"unknown setting {key!r}{did_you_mean(key, known)}")
        kind, at = hint, f"{at}.{part}"


def _is_list(key: str) -> bool:
    first, *rest = key.split(".")
    return len(rest) == 1 and first in GROUPS and typing.get_origin(typing.get_type_hints(GROUPS[first]).get(rest[0])) is tuple
