"""Which cells a suite has, and which of them are still to be run. Needs neither torch nor Hydra.

The configuration files are plain YAML, one thing each, so the planner reads them itself: composing thousands of cells costs
what reading a few dozen small files costs.
"""

from __future__ import annotations

import copy
import dataclasses
import itertools
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from hmc import settings_file
from hmc.data.catalog import MissingDataError
from hmc.data.identity import data_sha256
from hmc.results.store import Store
from hmc.settings import (
    Cell,
    DatasetSettings,
    EncoderSettings,
    MethodSettings,
    ProtocolSettings,
    RunSettings,
    RuntimeSettings,
    SettingsError,
    TrainingSettings,
    build,
    did_you_mean,
    setting,
)

CONFIGS = Path(__file__).resolve().parents[2] / "configs"

_KINDS: dict[str, Any] = {
    "dataset": DatasetSettings,
    "method": MethodSettings,
    "training": TrainingSettings,
    "protocol": ProtocolSettings,
    "encoder": EncoderSettings,
}


@dataclass(frozen=True)
class BlockSettings:
    """A product of datasets, methods, protocols and seeds, with settings that depart from the methods' files."""

    datasets: tuple[str, ...] = setting()
    methods: tuple[str, ...] = setting()
    protocols: tuple[str, ...] = setting(("released",))
    seeds: tuple[int, ...] = setting((0,), minimum=0, maximum=2**31 - 1)
    overrides: tuple[str, ...] = setting(())
    """As on the command line: "method.members=5". Cells with overrides have columns of their own."""
    training: str = setting("paper")
    """The file of configs/training."""
    required: bool = setting(True)
    """False: a dataset of this block whose files are not to be had is left out, with a notice, and counts as no failure."""


@dataclass(frozen=True)
class SuiteSettings:
    """Cells that belong together, and how they are selected from the command line."""

    name: str = setting()
    title: str = setting("")
    blocks: tuple[BlockSettings, ...] = field(default=())
    include: tuple[str, ...] = setting(())
    """Other suites, by name, whose cells are this one's too."""
    datasets: tuple[str, ...] = setting(())
    """Selection: only these datasets, methods, protocols; empty: all that the blocks name."""
    methods: tuple[str, ...] = setting(())
    protocols: tuple[str, ...] = setting(())
    seeds: tuple[int, ...] = setting((), minimum=0, maximum=2**31 - 1)
    """These seeds in place of the blocks' own; empty: the blocks' own."""
    required: bool = setting(True)
    """False: no block is required, whatever it says itself."""


@dataclass(frozen=True)
class SlurmSettings:
    """What each Slurm job asks for. Empty or 0: the cluster's own default."""

    partition: str = setting("")
    account: str = setting("")
    hours: float = setting(24.0, above=0)
    """A job that takes longer is queued again and goes on from its checkpoint."""
    memory_gb: float = setting(4.0, above=0)
    gpus: int = setting(0, minimum=0)
    requeues: int = setting(20, minimum=0)
    """How often one job may reach its time limit."""
    lost_seconds: float = setting(60.0, minimum=0)
    """A job that is in no queue for so long and left no result is taken to be killed."""
    setup: tuple[str, ...] = setting(())
    """Shell lines run first on the node, such as "module load cuda"."""
    options: Mapping[str, Any] = setting({})
    """Further options of sbatch, by their long names."""


@dataclass(frozen=True)
class ExecutorSettings:
    """How many cells run at a time, and where."""

    name: str = setting("inline", choices=("inline", "processes", "slurm"))
    workers: int = setting(1, minimum=0, maximum=1024)
    """Processes, or Slurm jobs at a time; 0: one per core, or as many jobs as Slurm lets run."""
    stack: int = setting(1, minimum=0, maximum=1000)
    """Seeds of one dataset and method that are trained together as one batched network; 0: on a GPU as many as fit into its free
    memory, on a CPU one.
    """
    slurm: SlurmSettings = field(default_factory=SlurmSettings)


@dataclass(frozen=True)
class Planned:
    """A cell, and what the store knows of it: done, stale, failed or missing, with the reason in words."""

    cell: Cell
    state: str
    reason: str


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
    content = settings_file.read(path)
    if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        raise SettingsError(f"{path} holds no settings; write key: value lines")
    return content


def run_settings(
    dataset: str, method: str, seed: int, *, protocol: str = "released", training: str = "paper", overrides: Sequence[str] = ()
) -> RunSettings:
    """The checked settings of one run from the names of its configuration files.

    overrides: "group.key=value" with the value in YAML. Raises SettingsError.
    """
    groups = {"dataset": dataset, "method": method, "training": training, "protocol": protocol}
    built = {group: _built(group, name) for group, name in groups.items()}
    if overrides:
        documents = {group: read(group, name) for group, name in groups.items()} | {"encoder": {}}
        for override in overrides:
            _apply(documents, override)
        built = {group: build(_KINDS[group], document, at=group) for group, document in documents.items()}
    return build(RunSettings, {**built, "seed": seed}).checked()


@cache
def _built(group: str, name: str) -> Any:
    """The settings of one file as it stands."""
    return build(_KINDS[group], read(group, name), at=group)


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
    target[last] = settings_file.parse(value, f"the override {override!r}")


def suite_cells(suite: SuiteSettings, runtime: RuntimeSettings) -> list[tuple[Cell, bool]]:
    """The cells of :func:`identified`, with a warning for each dataset that is left out."""
    cells, left_out = identified(suite, runtime)
    for reason in left_out.values():
        warnings.warn(f"left out: {reason}", RuntimeWarning, stacklevel=2)
    return cells


def identified(suite: SuiteSettings, runtime: RuntimeSettings) -> tuple[list[tuple[Cell, bool]], dict[str, str]]:
    """All cells of a suite after its selection, each once, and whether its dataset is required; and per dataset that is left
    out, why: a cell whose files have no pin and are not there has no identity.

    Raises SettingsError for an unknown name, a selection that names what no block has, a repeated seed, or a suite that includes
    itself, MissingDataError for files of a dataset that is required.
    """
    found: dict[str, tuple[Cell, bool]] = {}
    left_out: dict[str, str] = {}
    for block in _selected_blocks(suite):
        for dataset, method, protocol in itertools.product(block.datasets, block.methods, block.protocols):
            try:
                for cell in _block_cells(dataset, method, protocol, block, runtime):
                    found.setdefault(cell.identity, (cell, block.required))
            except MissingDataError as error:
                if block.required:
                    raise
                left_out[dataset] = str(error)
    if not found:
        remedy = "; ".join(left_out.values()) or "name datasets, methods, protocols and seeds in its blocks"
        raise SettingsError(f"the suite {suite.name} has no cells; {remedy}")
    return list(found.values()), left_out


def _selected_blocks(suite: SuiteSettings, above: tuple[str, ...] = ()) -> list[BlockSettings]:
    """A suite's blocks and those of the suites that it includes, each narrowed to what is selected. above: who includes it."""
    within = (*above, suite.name)
    blocks = list(suite.blocks)
    for name in suite.include:
        if name in within:
            raise SettingsError(f"the suite {name} includes itself ({' > '.join((*within, name))}); take it out of include")
        blocks += _selected_blocks(build(SuiteSettings, read("suite", name), at=f"suite {name}"), within)
    _check_selection(suite, blocks)
    return [
        dataclasses.replace(
            block,
            datasets=_selected(block.datasets, suite.datasets),
            methods=_selected(block.methods, suite.methods),
            protocols=_selected(block.protocols, suite.protocols),
            seeds=suite.seeds or block.seeds,
            required=suite.required and block.required,
        )
        for block in blocks
    ]


def _block_cells(dataset: str, method: str, protocol: str, block: BlockSettings, runtime: RuntimeSettings) -> Iterable[Cell]:
    first = run_settings(dataset, method, 0, protocol=protocol, training=block.training, overrides=block.overrides)
    return Cell(first, data_sha256(first.dataset, runtime, first.encoder), ", ".join(block.overrides)).of_seeds(block.seeds)


def _selected(available: Sequence[str], wanted: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for name in available if not wanted or name in wanted)


def _check_selection(suite: SuiteSettings, blocks: Sequence[BlockSettings]) -> None:
    for group, wanted in (("dataset", suite.datasets), ("method", suite.methods), ("protocol", suite.protocols)):
        key = f"{group}s"
        known = list(dict.fromkeys(name for block in blocks for name in getattr(block, key)))
        for name in wanted:
            if name not in known:
                raise SettingsError(
                    f"suite.{key} selects {name!r}, which the suite {suite.name} has not{did_you_mean(name, known)}"
                )
    for seeds in (suite.seeds, *(block.seeds for block in blocks)):
        if len(set(seeds)) < len(seeds):
            raise SettingsError(f"the seeds {list(seeds)} of the suite {suite.name} name a seed twice; name each once")


def planned(cells: Iterable[Cell], store: Store) -> list[Planned]:
    """What the store knows of each cell."""
    found = []
    for cell in cells:
        state = store.state(cell)
        found.append(Planned(cell, state.name, state.reason))
    return found


def counts(plan: Iterable[Planned]) -> Mapping[str, int]:
    """How many cells are done, stale, failed and missing."""
    total = {"done": 0, "stale": 0, "failed": 0, "missing": 0}
    for entry in plan:
        total[entry.state] += 1
    return total
