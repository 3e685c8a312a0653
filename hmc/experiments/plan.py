"""Which cells a suite has, and which of them are still to be run. Needs neither torch nor Hydra."""

from __future__ import annotations

import dataclasses
import itertools
import json
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from hmc.configs import mixed_methods, read, run_settings
from hmc.data.catalog import MissingDataError
from hmc.data.identity import data_sha256
from hmc.results.store import Store
from hmc.settings import BlockSettings, Cell, RuntimeSettings, SettingsError, SuiteSettings, build, departures, did_you_mean
from hmc.settings.sharing import RELEASED, shared


@dataclass(frozen=True)
class PlannedCell:
    """A cell, and what the store knows of it: done, stale, failed or missing, with the reason in words."""

    cell: Cell
    state: str
    reason: str


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
                    # One cell may be shown under several protocols.
                    found.setdefault(f"{cell.identity} {cell.shown_protocol}", (cell, block.required))
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
    blocks = [level for block in blocks for level in _levels(block)]
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


def _levels(block: BlockSettings) -> list[BlockSettings]:
    """A block for each combination of the levels that it sweeps."""
    choices = [[f"{key}={json.dumps(value)}" for value in values] for key, values in block.sweep.items()]
    return [dataclasses.replace(block, overrides=(*block.overrides, *levels), sweep={}) for levels in itertools.product(*choices)]


def _block_cells(dataset: str, method: str, protocol: str, block: BlockSettings, runtime: RuntimeSettings) -> Iterable[Cell]:
    return composed(dataset, method, runtime, protocol=protocol, training=block.training, overrides=block.overrides).of_seeds(
        block.seeds
    )


def composed(
    dataset: str,
    method: str,
    runtime: RuntimeSettings,
    *,
    protocol: str = "released",
    training: str = "paper",
    overrides: Sequence[str] = (),
) -> Cell:
    """The cell of seed 0 that these files and overrides describe, with the cells that it mixes.

    Where no switch of its protocol touches it, it is the released one's cell, shown under this protocol; see
    :func:`hmc.settings.sharing.shared`.

    Raises SettingsError, MissingDataError.
    """
    settings = run_settings(dataset, method, 0, protocol=protocol, training=training, overrides=overrides)
    departed = departures(settings, run_settings(dataset, method, 0, protocol=protocol, training=training)) if overrides else ()
    of_parts = [override for override in overrides if not override.startswith("method.")]
    parts = tuple(
        composed(dataset, part, runtime, protocol=protocol, training=training, overrides=of_parts)
        for part in mixed_methods(settings.method)
    )
    cell = Cell(settings, data_sha256(settings.dataset, runtime, settings.encoder), departed, parts)
    if protocol == RELEASED:
        return cell
    others = [override for override in overrides if not override.startswith("protocol.")]
    return shared(cell, run_settings(dataset, method, 0, protocol=RELEASED, training=training, overrides=others))


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


def with_states(cells: Iterable[Cell], store: Store, *, with_scores: bool = False) -> list[PlannedCell]:
    """What the store knows of each cell. with_scores: a cell whose scores are not on disk is missing."""
    found = []
    for cell in cells:
        state = store.state(cell)
        if with_scores and state.name == "done" and not store.scores_path(cell).is_file():
            found.append(PlannedCell(cell, "missing", "its scores are not on disk"))
        else:
            found.append(PlannedCell(cell, state.name, state.reason))
    return found


def in_stages(cells: Sequence[Cell], store: Store, *, force: bool = False) -> tuple[list[Cell], list[Cell]]:
    """Cells to be run, each identity once: first those that stand alone, with the parts of mixtures that have no scores yet; then
    mixtures.
    """
    alone: dict[str, Cell] = {cell.identity: cell for cell in cells if not cell.parts}
    mixtures = {cell.identity: cell for cell in cells if cell.parts}
    for mixture in mixtures.values():
        for part in mixture.parts:
            if force or not store.is_done(part, with_scores=True):
                alone.setdefault(part.identity, part)
    return list(alone.values()), list(mixtures.values())


def counts(plan: Iterable[PlannedCell]) -> Mapping[str, int]:
    """How many cells are done, stale, failed and missing."""
    total = {"done": 0, "stale": 0, "failed": 0, "missing": 0}
    for entry in plan:
        total[entry.state] += 1
    return total
