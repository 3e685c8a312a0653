"""The bridge between the command line and the settings: with the doors, all that knows Hydra.

Hydra composes one configuration from files and overrides. Before it does, every override is checked here against the
settings' own dataclasses, so that an unknown key, name or type is one line with the nearest known one; and after, the plain
mapping becomes frozen settings.
"""

from __future__ import annotations

import dataclasses
import os
import shutil
import signal
import sys
import typing
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import hydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from hmc.configs import CONFIGS, names, read
from hmc.report import claims, sweeps
from hmc.report.page import Results, write_page
from hmc.report.render import Table, terminal, write_tables
from hmc.report.significance import planned
from hmc.report.tables import tables
from hmc.results import published
from hmc.results.record import Record
from hmc.settings import (
    Cell,
    DatasetSettings,
    EncoderSettings,
    ExecutorSettings,
    MethodSettings,
    ProtocolSettings,
    RunSettings,
    RuntimeSettings,
    SettingsError,
    SuiteSettings,
    TrainingSettings,
    build,
    did_you_mean,
)

Kind = typing.TypeVar("Kind")

GROUPS: dict[str, Any] = {
    "dataset": DatasetSettings,
    "method": MethodSettings,
    "training": TrainingSettings,
    "protocol": ProtocolSettings,
    "encoder": EncoderSettings,
    "suite": SuiteSettings,
    "executor": ExecutorSettings,
}
"""The groups of settings, and what each one's file and overrides become; an encoder has no file of its own."""

RUN_KEYS = ("dataset", "method", "training", "protocol", "encoder", "seed")


def open_door(name: str, main: Callable[[dict[str, Any]], int]) -> None:
    """Run one door: compose ``configs/<name>.yaml`` with the command line, call ``main`` with the plain mapping, and exit.

    main returns the exit status; with Hydra's multirun it is called once a job, and the worst status counts. What a person
    can mend (ValueError, OSError, RuntimeError of ours) is printed as one line, without a traceback, and gives status 2; Ctrl-C
    gives 130, and so does SIGTERM, with which schedulers and ``timeout`` end a program.
    """
    statuses: list[int] = []
    signal.signal(signal.SIGTERM, signal.default_int_handler)

    # A person's own classes and functions lie where they run this; the project's own modules come first.
    sys.path.append(str(Path.cwd()))
    # Hydra would print its own errors over several lines and end with status 1; guarded does that for all.
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")

    def job(config: DictConfig) -> None:
        plain = typing.cast(dict[str, Any], OmegaConf.to_container(config, resolve=True))
        statuses.append(guarded(lambda: main(plain)))
        if statuses[-1] == INTERRUPTED:
            raise SystemExit(INTERRUPTED)

    def composed() -> int:
        sys.argv[1:] = checked_arguments(name, sys.argv[1:])
        hydra.main(version_base="1.3", config_path=str(CONFIGS), config_name=name)(job)()
        return max(statuses, default=0)

    sys.exit(guarded(composed))


INTERRUPTED = 130


def guarded(action: Callable[[], int]) -> int:
    """The action's exit status, or that of the error it ended with, which is printed as one line."""
    try:
        return action()
    except KeyboardInterrupt:
        print("interrupted: what was complete is kept; the same command goes on from there", file=sys.stderr)
        return INTERRUPTED
    except (HydraException, OmegaConfBaseException) as error:
        words = [str(one) for one in (error, error.__cause__) if one is not None]
        print(f"error: {' '.join(': '.join(words).split())}; correct it, --help lists all settings", file=sys.stderr)
        return 2
    except (ValueError, OSError, RuntimeError, MemoryError) as error:
        print(f"error: {' '.join(str(error).split()) or type(error).__name__}", file=sys.stderr)
        return 2


def checked_arguments(door: str, arguments: Sequence[str]) -> list[str]:
    """The command line with every override checked, and marked (++) so that Hydra takes any known key.

    A method's file names only what it changes; the dataclasses know the rest. Ranges for lists (suite.seeds=range(10)) are
    written out, for Hydra would take them for a sweep. Raises SettingsError.
    """
    base = OmegaConf.to_container(OmegaConf.load(CONFIGS / f"{door}.yaml"))
    own = {key for key in typing.cast(dict[str, Any], base) if key not in ("defaults", "hydra", *GROUPS)}
    groups = _groups_of(typing.cast(dict[str, Any], base))
    plain = [key for key in typing.cast(dict[str, Any], base) if key in GROUPS]
    parser = OverridesParser.create()
    checked = [
        argument if argument.startswith(("-", "hydra")) else _checked(parser, argument, groups, plain, own)
        for argument in arguments
    ]
    # Hydra's parser takes a flag between overrides for a mistake; the order means nothing, so flags go first.
    return sorted(checked, key=lambda argument: argument not in ("-m", "--multirun"))


def _groups_of(base: Mapping[str, Any]) -> list[str]:
    entries = [entry for entry in base.get("defaults", []) if isinstance(entry, dict)]
    return [key for entry in entries for key in entry if not key.startswith("override")]


def _checked(parser: OverridesParser, argument: str, groups: Sequence[str], plain: Sequence[str], own: set[str]) -> str:
    try:
        override = parser.parse_overrides([argument])[0]
    except HydraException:
        raise SettingsError(
            f"{argument!r} is no override; write key=value, such as results_dir=here, "
            "and a value with other signs than letters, digits and /._- in quotes of its own: 'key=\"my (own) file\"'"
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
    if key in plain:
        raise SettingsError(f"{argument!r}: {key} is a group of settings without files; write {key}.name={override.value()}")
    _require_known(key, [*groups, *plain], own)
    if _is_list(key) and override.is_sweep_override() and argument.partition("=")[2].startswith("range("):
        argument = f"{key}={[int(value) for value in override.sweep_string_iterator()]}".replace(" ", "")
    return f"++{argument.lstrip('+')}"


def _choices(override: Override) -> list[str]:
    if override.is_sweep_override():
        return [str(value).partition("=")[2] or str(value) for value in override.sweep_string_iterator()]
    return [str(override.value())]


def _require_known(key: str, groups: Sequence[str], own: set[str]) -> None:
    first, *rest = key.split(".")
    if first in own and not rest:
        return
    if first not in groups or first not in GROUPS:
        raise SettingsError(f"unknown setting {key!r}{did_you_mean(key, sorted(own | set(groups)))}")
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


def own_settings(kind: type[Kind], config: Mapping[str, Any]) -> Kind:
    """A door's own settings, those of a composed configuration that this dataclass names. Raises SettingsError."""
    known = {entry.name for entry in dataclasses.fields(kind)}  # type: ignore[arg-type]
    return build(kind, {key: value for key, value in config.items() if key in known})


def runtime_settings(config: Mapping[str, Any]) -> RuntimeSettings:
    """Where and how to run, from the top-level keys of a composed configuration."""
    return own_settings(RuntimeSettings, config)


def run_settings(config: Mapping[str, Any]) -> RunSettings:
    """The checked settings of one run from a composed configuration."""
    return build(RunSettings, {key: config[key] for key in RUN_KEYS}).checked()


def variant(overrides: Sequence[str]) -> str:
    """The overrides, as typed, that make a cell's settings depart from its files: not the choices, the seed or where to run."""
    settings = ("dataset.", "method.", "training.", "protocol.", "encoder.")
    typed = [override.lstrip("+") for override in overrides]
    return ", ".join(sorted(text for text in typed if text.startswith(settings)))


def show_record(record: Record, path: Path) -> None:
    """Print a record's metrics, and where it is."""
    for name, value in record.metrics.items():
        print(f"  {name:<28} {value:.4f}")
    if record.data["reconstructed"]:
        print(f"  data: {record.data['reconstructed']}")
    print(f"  trained {record.times['train_seconds']:.1f} s, {record.times['step_milliseconds']:.2f} ms a step; record: {path}")


def show_results(suite: SuiteSettings, cells: Sequence[Cell], results: Results, results_dir: str) -> None:
    """Write a suite's tables, see :func:`show_tables`, and its page to ``<results_dir>/report/<suite>.html``."""
    made, judged = show_tables(suite, cells, results, results_dir)
    report = Path(results_dir) / "report"
    page = write_page(
        cells, results.frame, made, report, suite=suite.name, title=suite.title, curves=results.curves, judged=judged
    )
    print(f"the report is {page}")


def show_tables(
    suite: SuiteSettings, cells: Sequence[Cell], results: Results, results_dir: str
) -> tuple[list[Table], list[claims.Judgement]]:
    """Write a suite's tables below ``<results_dir>/tables/<suite>/`` and return them, and what became of the paper's claims.

    The claims' table is written where a claim could be judged, and not returned: the page tells them at more length. Prints the
    tables against published numbers and those of sweeps, then where all are.
    """
    plan = planned(cells, results.frame)
    swept = sweeps.tables(plan)
    made = [*tables(cells, results.frame, published.load()), *swept]
    judged = claims.judge(claims.load(), plan)
    told = [claims.table(judged)] if any(one.verdict != claims.NOT_TESTED for one in judged) else []
    folder = Path(results_dir) / "tables" / suite.name
    write_tables([*made, *told], folder)
    shown = [*(table for table in made if table.name.startswith("published")), *swept] or made
    for table in shown:
        print(f"\n{_as_printed(table)}")
    print(f"\n{len(made) + len(told)} tables (Markdown, CSV, LaTeX) are in {folder}/")
    return made, judged


def show_table(table: Table, folder: Path) -> None:
    """Write a table into a folder, and print it."""
    write_tables([table], folder)
    print(_as_printed(table))
    print(f"also as {folder / table.name}.md, .csv and .tex")


def _as_printed(table: Table) -> str:
    return terminal(table, shutil.get_terminal_size((110, 40)).columns)
