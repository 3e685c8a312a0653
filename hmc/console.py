"""The bridge between the command line and the settings: with :mod:`hmc.overrides` and the doors, all that knows Hydra.

Hydra composes one configuration from files and overrides, which were checked before; then the plain mapping becomes frozen
settings.
"""

from __future__ import annotations

import dataclasses
import os
import signal
import sys
import tempfile
import typing
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from hmc import overrides
from hmc.configs import CONFIGS, base_settings, mixed_methods, names, settings_of
from hmc.data.identity import data_sha256
from hmc.files.utf8 import printable, warning_line
from hmc.interrupts import INTERRUPTED, MESSAGE
from hmc.settings import Cell, RuntimeSettings, SettingsError, build, departures
from hmc.settings.run import RUN_KEYS, run_settings
from hmc.settings.sharing import RELEASED, shared

Kind = typing.TypeVar("Kind")

CHOICES = "chosen files"
"""The key under which a door's configuration says which file was chosen of each group."""
LONGEST = 4000
"""Letters of an error that are shown."""
BROKEN_PIPE = 141
"""The exit status of a program whose output nobody reads any more: 128 and SIGPIPE's number."""


def open_door(name: str, main: Callable[[dict[str, Any]], int], *, after_sweep: Callable[[], str] = lambda: "") -> None:
    """Run one door: compose ``configs/<name>.yaml`` with the command line, call ``main`` with the plain mapping, and exit.

    main returns the exit status; with Hydra's multirun it is called once a job, the worst status counts, and what ``after_sweep``
    returns is printed at the end. A mistake of the user's (ValueError, OSError or RuntimeError of ours) is printed as one line,
    without a traceback, and gives status 2; Ctrl-C gives 130, and so does SIGTERM, with which schedulers and ``timeout`` end a
    program.
    """
    statuses: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    _prepare_output()
    # Hydra would print its own errors over several lines and end with status 1; guarded does that for all.
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")

    def composed() -> int:
        # Custom classes and functions lie in the folder of the call; the project's own modules come first.
        sys.path.append(_working_directory())
        line = overrides.checked(name, sys.argv[1:])

        def job(config: DictConfig) -> None:
            plain = typing.cast(dict[str, Any], OmegaConf.to_container(config, resolve=True))
            plain[CHOICES] = line.choices(HydraConfig.get().runtime.choices)
            statuses.append(guarded(lambda: main(plain)))
            if statuses[-1] in (INTERRUPTED, BROKEN_PIPE):
                raise SystemExit(statuses[-1])

        # Hydra writes a file about every sweep, and would do so in the folder of the call. What is typed counts after this.
        with tempfile.TemporaryDirectory(prefix="hmc-") as folder:
            place = [f"hydra.sweep.dir='{folder}'"] if line.sweeps else []
            sys.argv[1:] = [*line.flags, *place, *line.overrides]
            hydra.main(version_base="1.3", config_path=str(CONFIGS), config_name=name)(job)()
        if line.sweeps and (text := after_sweep()):
            print(text)
        return max(statuses, default=0)

    sys.exit(guarded(composed))


def _prepare_output() -> None:
    """Let every terminal show what is printed: signs that its encoding lacks become ?, and a warning is one line."""
    for stream in (sys.stdout, sys.stderr):
        # A test's stream may be of another kind.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    warnings.formatwarning = warning_line


def _working_directory() -> str:
    try:
        return str(Path.cwd())
    except FileNotFoundError:
        raise SettingsError("the working directory must exist, but it was removed; change to another folder") from None


def guarded(action: Callable[[], int]) -> int:
    """The action's exit status, or that of the error it ended with, which is printed as one line."""
    try:
        return action()
    except KeyboardInterrupt:
        # What is left to do is to end; another Ctrl-C must not interrupt that.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        print(MESSAGE, file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read the output has enough (| head). Nothing more may be written, not even when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except (HydraException, OmegaConfBaseException) as error:
        words = [str(one) for one in (error, error.__cause__) if one is not None]
        print(f"error: {' '.join(': '.join(words).split())}; correct it, --help lists all settings", file=sys.stderr)
        return 2
    except (ValueError, OSError, RuntimeError, MemoryError) as error:
        text = str(error)
        if isinstance(error, OSError) and error.filename and error.strerror:
            text = f"{error.filename} cannot be used: {error.strerror}; correct the path, or its rights"
        text = printable(" ".join(text.split())) or type(error).__name__
        print(f"error: {text if len(text) <= LONGEST else f'{text[:LONGEST]}...'}", file=sys.stderr)
        return 2


# --- from a composed configuration to settings --------------------------------------------------------------------------------


def door_settings(kind: type[Kind], config: Mapping[str, Any]) -> Kind:
    """A door's settings: those of a composed configuration that this dataclass names. Raises SettingsError."""
    known = {entry.name for entry in dataclasses.fields(kind)}  # type: ignore[arg-type]
    return build(kind, {key: value for key, value in config.items() if key in known})


def runtime_settings(config: Mapping[str, Any]) -> RuntimeSettings:
    """Where and how to run, from the top-level keys of a composed configuration."""
    return door_settings(RuntimeSettings, config)


def cell(config: Mapping[str, Any], runtime: RuntimeSettings) -> Cell:
    """The cell that a composed configuration describes, as a suite has it: with the cells that it mixes, and the released
    protocol's where no switch touches it. Raises SettingsError, MissingDataError.
    """
    chosen = {group: config[CHOICES][group] for group in ("dataset", "method", "protocol", "training")}
    return _cell({key: config[key] for key in RUN_KEYS}, chosen, runtime)


def _cell(groups: Mapping[str, Any], chosen: Mapping[str, str], runtime: RuntimeSettings) -> Cell:
    """The cell of these settings. chosen: the files that it may depart from."""
    settings = run_settings(groups)
    own = settings.dataset
    if own.group == "own" and chosen["dataset"] != own.name and own.name in names("dataset"):
        raise SettingsError(
            f"dataset.name={own.name} must be a name of your own, since configs/dataset has that one; choose another, or its "
            "results would stand beside those of other data"
        )
    departed = departures(settings, base_settings(settings, **chosen))
    parts = tuple(
        _cell({**groups, "method": settings_of("method", name)}, {**chosen, "method": name}, runtime)
        for name in mixed_methods(settings.method)
    )
    found = Cell(settings, data_sha256(settings.dataset, runtime, settings.encoder), departed, parts)
    if settings.protocol.name == RELEASED:
        return found
    return shared(found, run_settings({**groups, "protocol": settings_of("protocol", RELEASED)}))
