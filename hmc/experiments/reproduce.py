"""A suite from beginning to end: what is at hand, what is done, run the rest. Imports torch only when there is something to
run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hmc.data import catalog
from hmc.data.download import fetch
from hmc.experiments import plan
from hmc.experiments.plan import ExecutorSettings, Planned, SuiteSettings
from hmc.results.store import Store
from hmc.settings import Cell, DatasetSettings, RuntimeSettings


@dataclass(frozen=True)
class Reproduction:
    """What became of a suite.

    cells: all its cells, in order. left_out: per dataset whose files are not to be had, why. failed: per cell that failed, its
    error.
    unfinished: whether a required cell has no result.
    """

    cells: tuple[Cell, ...]
    left_out: dict[str, str]
    failed: dict[str, str]
    unfinished: bool


def show_plan(suite: SuiteSettings, runtime: RuntimeSettings) -> None:
    """Print how many cells are done, stale, failed and missing, in all and per dataset and method, and whose files are
    missing.
    """
    entries = plan.planned([cell for cell, _ in plan.suite_cells(suite, runtime)], Store(runtime.results_dir))
    print(_summary(suite, entries))
    groups: dict[tuple[str, str], list[Planned]] = {}
    for entry in entries:
        groups.setdefault((entry.cell.dataset, entry.cell.column), []).append(entry)
    for (dataset, column), group in groups.items():
        states = ", ".join(f"{count} {state}" for state, count in plan.counts(group).items() if count)
        reasons = next((f" ({entry.reason})" for entry in group if entry.reason), "")
        print(f"  {dataset:<16} {column:<40} {states}{reasons}")
    for card in {entry.cell.dataset: entry.cell.settings.dataset for entry in entries}.values():
        if card.kind == "arff" and catalog.missing(card, runtime):
            print(f"  files of {card.name} are not at hand: {', '.join(catalog.missing(card, runtime))}")


def reproduce(suite: SuiteSettings, runtime: RuntimeSettings, executor: ExecutorSettings) -> Reproduction:
    """Run the suite's cells that are not done. Cells of datasets that cannot be had are left out, with a notice."""
    pairs = plan.suite_cells(suite, runtime)
    store = Store(runtime.results_dir)
    entries = plan.planned([cell for cell, _ in pairs], store)
    print(_summary(suite, entries))
    wanted = [entry.cell for entry in entries if runtime.force or entry.state != "done"]
    left_out = _unavailable([cell.settings.dataset for cell in wanted], runtime)
    if left_out:
        print(_notice(left_out))
    to_run = [cell for cell in wanted if cell.dataset not in left_out]
    failed: dict[str, str] = {}
    if to_run:
        from hmc.experiments.execute import execute

        failed = {str(outcome.cell): outcome.error for outcome in execute(to_run, runtime, executor) if outcome.error}
    required_but_left_out = any(required and cell.dataset in left_out for cell, required in pairs)
    return Reproduction(tuple(cell for cell, _ in pairs), left_out, failed, bool(failed) or required_but_left_out)


def _summary(suite: SuiteSettings, entries: Sequence[Planned]) -> str:
    states = ", ".join(
        f"{count} {state}" for state, count in plan.counts(entries).items() if count or state in ("done", "missing")
    )
    return f"suite {suite.name}: {len(entries)} cells ({states})"


def _unavailable(datasets: Sequence[DatasetSettings], runtime: RuntimeSettings) -> dict[str, str]:
    """Datasets whose files are neither at hand nor to be downloaded, with the reason."""
    reasons = {}
    for dataset in {one.name: one for one in datasets if one.kind == "arff"}.values():
        if catalog.missing(dataset, runtime):
            try:
                fetch(dataset, runtime)
            except (OSError, ValueError) as error:
                reasons[dataset.name] = str(error)
    return reasons


def _notice(left_out: dict[str, str]) -> str:
    lines = [f"The paper's datasets were not all found; left out: {', '.join(left_out)}."]
    lines += [f"  {reason}" for reason in left_out.values()]
    lines.append(
        "To include them: put the benchmark's HMC_data folder's contents into data/, or set HMC_DATA_DIR to that folder, "
        "or run `make data` where the network can be reached."
    )
    return "\n".join(lines)
