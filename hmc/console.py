"""The bridge between the command line and the settings: with the doors, all that knows Hydra.

Hydra composes one configuration from files and overrides. Before it does, every override is checked here against the settings'
own dataclasses, so that an unknown key, name or type is one line with the nearest known one; and after, the plain mapping becomes
frozen settings.
"""

from __future__ import annotations

import dataclasses
import itertools
import os
import signal
import sys
import tempfile
import typing
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from hmc.configs import CONFIGS, GROUPS, base_settings, names, read, settings_of
from hmc.data.identity import data_sha256
from hmc.interrupts import INTERRUPTED, MESSAGE
from hmc.settings import Cell, RuntimeSettings, SettingsError, build, departures, did_you_mean
from hmc.settings.run import RUN_KEYS, run_settings

Kind = typing.TypeVar("Kind")

CHOICES = "chosen files"
"""The key under which a door's configuration says which file was chosen of each group."""
SWEEP_FLAGS = ("-m", "--multirun")


def open_door(name: str, main: Callable[[dict[str, Any]], int]) -> None:
    """Run one door: compose ``configs/<name>.yaml`` with the command line, call ``main`` with the plain mapping, and exit.

    main returns the exit status; with Hydra's multirun it is called once a job, and the worst status counts. A mistake of the
    user's (ValueError, OSError or RuntimeError of ours) is printed as one line, without a traceback, and gives status 2; Ctrl-C
    gives 130, and so does SIGTERM, with which schedulers and ``timeout`` end a program.
    """
    statuses: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)

    # Custom classes and functions lie in the folder of the call; the project's own modules come first.
    sys.path.append(str(Path.cwd()))
    # Hydra would print its own errors over several lines and end with status 1; guarded does that for all.
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")

    def job(config: DictConfig) -> None:
        plain = typing.cast(dict[str, Any], OmegaConf.to_container(config, resolve=True))
        plain[CHOICES] = dict(HydraConfig.get().runtime.choices)
        statuses.append(guarded(lambda: main(plain)))
        if statuses[-1] == INTERRUPTED:
            raise SystemExit(INTERRUPTED)

    def composed() -> int:
        arguments = checked_arguments(name, sys.argv[1:])
        # Hydra writes a file about every sweep, and would do so in the folder of the call. What is typed counts after this.
        with tempfile.TemporaryDirectory(prefix="hmc-") as folder:
            if set(SWEEP_FLAGS) & set(arguments):
                flags = list(itertools.takewhile(lambda argument: argument.startswith("-"), arguments))
                arguments = [*flags, f"hydra.sweep.dir='{folder}'", *arguments[len(flags) :]]
            sys.argv[1:] = arguments
            hydra.main(version_base="1.3", config_path=str(CONFIGS), config_name=name)(job)()
        return max(statuses, default=0)

    sys.exit(guarded(composed))


def guarded(action: Callable[[], int]) -> int:
    """The action's exit status, or that of the error it ended with, which is printed as one line."""
    try:
        return action()
    except KeyboardInterrupt:
        # What is left to do is to end; another Ctrl-C must not interrupt that.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        print(MESSAGE, file=sys.stderr)
        return INTERRUPTED
    except (HydraException, OmegaConfBaseException) as error:
        words = [str(one) for one in (error, error.__cause__) if one is not None]
        print(f"error: {' '.join(': '.join(words).split())}; correct it, --help lists all settings", file=sys.stderr)
        return 2
    except (ValueError, OSError, RuntimeError, MemoryError) as error:
        print(f"error: {' '.join(str(error).split()) or type(error).__name__}", file=sys.stderr)
        return 2


# --- the command line -------------------------------------------------------------------------------------------------------


def checked_arguments(door: str, arguments: Sequence[str]) -> list[str]:
    """The command line with every override checked, and marked (++) so that Hydra takes any known key.

    A method's file names only what it changes; the dataclasses know the rest. Ranges for lists (suite.seeds=range(10)) are
    written out, for Hydra would take them for a sweep. Raises SettingsError.
    """
    base = typing.cast(dict[str, Any], OmegaConf.to_container(OmegaConf.load(CONFIGS / f"{door}.yaml")))
    door_keys = {key for key in base if key not in ("defaults", "hydra", *GROUPS)}
    groups = _groups_of(base)
    without_files = [key for key in base if key in GROUPS]
    parser = OverridesParser.create()
    checked = [
        argument if argument.startswith(("-", "hydra")) else _checked(parser, argument, groups, without_files, door_keys)
        for argument in arguments
    ]
    # Hydra's parser takes a flag between overrides for a mistake; the order means nothing, so flags go first.
    return sorted(checked, key=lambda argument: argument not in SWEEP_FLAGS)


def _groups_of(base: Mapping[str, Any]) -> list[str]:
    entries = [entry for entry in base.get("defaults", []) if isinstance(entry, dict)]
    return [key for entry in entries for key in entry if not key.startswith("override")]


def _checked(
    parser: OverridesParser, argument: str, groups: Sequence[str], without_files: Sequence[str], door_keys: set[str]
) -> str:
    try:
        override = parser.parse_overrides([argument])[0]
    except HydraException:
        raise SettingsError(
            f"{argument!r} must be an override key=value, such as results_dir=here; put a value with other signs than letters, "
            "digits and /._- in quotes of its own: 'key=\"my (own) file\"'"
        ) from None
    key = override.key_or_group
    if override.is_delete():
        raise SettingsError(f"{argument!r} deletes a setting, and none can be missing; give it a value instead")
    if key in groups:
        for choice in _choices(override):
            if choice not in names(key):
                raise SettingsError(f"unknown {key} {choice!r}{did_you_mean(choice, names(key))}")
            # Hydra reads it again, but names a mistake in it less well.
            read(key, choice)
        return argument
    if key in without_files:
        raise SettingsError(f"{argument!r}: {key} is a group of settings without files; write {key}.name={override.value()}")
    _require_known(key, [*groups, *without_files], door_keys)
    if _is_list(key) and override.is_sweep_override() and argument.partition("=")[2].startswith("range("):
        argument = f"{key}={[int(value) for value in override.sweep_string_iterator()]}".replace(" ", "")
    return f"++{argument.lstrip('+')}"


def _choices(override: Override) -> list[str]:
    if override.is_sweep_override():
        return [str(value).partition("=")[2] or str(value) for value in override.sweep_string_iterator()]
    return [str(override.value())]


def _require_known(key: str, groups: Sequence[str], door_keys: set[str]) -> None:
    first, *rest = key.split(".")
    if first in door_keys and not rest:
        return
    if first not in groups or first not in GROUPS:
        raise SettingsError(f"unknown setting {key!r}{did_you_mean(key, sorted(door_keys | set(groups)))}")
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


# --- from a composed configuration to settings --------------------------------------------------------------------------------


def door_settings(kind: type[Kind], config: Mapping[str, Any]) -> Kind:
    """A door's settings: those of a composed configuration that this dataclass names. Raises SettingsError."""
    known = {entry.name for entry in dataclasses.fields(kind)}  # type: ignore[arg-type]
    return build(kind, {key: value for key, value in config.items() if key in known})


def runtime_settings(config: Mapping[str, Any]) -> RuntimeSettings:
    """Where and how to run, from the top-level keys of a composed configuration."""
    return door_settings(RuntimeSettings, config)


def cell(config: Mapping[str, Any], runtime: RuntimeSettings) -> Cell:
    """The cell that a composed configuration describes. Raises SettingsError, MissingDataError."""
    groups = {key: config[key] for key in RUN_KEYS}
    settings = run_settings(groups)
    chosen = {group: config[CHOICES][group] for group in ("dataset", "method", "protocol", "training")}
    departed = departures(settings, base_settings(settings, **chosen))
    data = data_sha256(settings.dataset, runtime, settings.encoder)
    parts = [(name, run_settings({**groups, "method": settings_of("method", name)})) for name in settings.method.mixture]
    return Cell(
        settings,
        data,
        departed,
        tuple(Cell(part, data, departures(part, base_settings(part, **{**chosen, "method": name}))) for name, part in parts),
    )
