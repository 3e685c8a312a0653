"""A suite from beginning to end: what is at hand, what is done, run the rest.

Imports torch only when there is something to run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from hmc.data import catalog
from hmc.data.download import fetch
from hmc.experiments import estimate, plan, processes
from hmc.experiments.estimate import Estimate
from hmc.experiments.leftovers import tidy
from hmc.experiments.plan import Planned
from hmc.results.store import Store
from hmc.settings import Cell, DatasetSettings, ExecutorSettings, RuntimeSettings, SuiteSettings


@dataclass(frozen=True)
class Reproduction:
    """What became of a suite.

    cells: all its cells, in order. left_out: per dataset whose files are not to be had, why.
    failed: per cell that failed, its error.
    unfinished: whether a required cell has no result.
    """

    cells: tuple[Cell, ...]
    left_out: dict[str, str]
    failed: dict[str, str]
    unfinished: bool


def show_plan(suite: SuiteSettings, runtime: RuntimeSettings, executor: ExecutorSettings, accepted: Collection[str] = ()) -> None:
    """Print what is done, what is missing and whose files are, and how many hours and how much disk the rest will take.

    accepted: as for :func:`reproduce`.
    """
    store = Store(runtime.results_dir)
    listed = store.listed()
    pairs, left_out = plan.identified(suite, runtime)
    entries = plan.planned([cell for cell, _ in pairs], store)
    left = _wanted(entries, runtime, accepted)
    workers = _workers(runtime, executor)
    expected = _estimated(left, store, executor, workers)
    print(_summary(suite, entries))
    print(_plan_table("dataset", [(entry.cell.dataset, entry) for entry in entries], left, expected, listed))
    columns = {entry.cell.column for entry in entries}
    if len(columns) <= SHOWN_COLUMNS:
        print(_plan_table("column", [(entry.cell.column, entry) for entry in entries], left, expected, listed))
    else:
        print(f"  {len(columns)} columns; suite.methods=[...] selects from them")
    reasons = Counter((entry.state, entry.reason) for entry in entries if entry.reason)
    for (state, reason), count in reasons.most_common(SHOWN_REASONS):
        print(f"  {count} {state}: {reason}")
    if len(reasons) > SHOWN_REASONS:
        print(f"  and {len(reasons) - SHOWN_REASONS} more reasons")
    for card in {entry.cell.dataset: entry.cell.settings.dataset for entry in entries}.values():
        if card.kind == "arff" and catalog.missing(card, runtime):
            print(f"  files of {card.name} are not at hand: {', '.join(catalog.missing(card, runtime))}")
    for reason in left_out.values():
        print(f"  left out: {reason}")
    print(_known(entries, listed, accepted, store), end="")
    if left:
        print(_expectation(left, expected, workers, Path(runtime.results_dir)))


SHOWN_REASONS, SHOWN_COLUMNS = 8, 20


def _known(entries: Sequence[Planned], listed: Collection[str], accepted: Collection[str], store: Store) -> str:
    """A line on the cells that are not done here but have a result in runs.csv, and what becomes of them; empty without any."""
    count = sum(entry.state != "done" and entry.cell.identity in listed for entry in entries)
    if not count:
        return ""
    fate = (
        "they are taken as they stand"
        if accepted
        else "they are run all the same, and then compared (listed=accept takes them as they stand)"
    )
    return f"listed: {store.csv} has results of {count} of the cells that are not done here; {fate}\n"


def _plan_table(
    title: str, named: Sequence[tuple[str, Planned]], left: Sequence[Cell], expected: Estimate, listed: Collection[str]
) -> str:
    """One line a name: cells by state, those that are in runs.csv whatever their state, and hours of those to be run."""
    groups: dict[str, list[Planned]] = {}
    for name, entry in named:
        groups.setdefault(name, []).append(entry)
    to_run = {cell.identity for cell in left}
    states = list(plan.counts([]))
    width = max(len(title), *(len(name) for name in groups))
    lines = [f"  {title:<{width}}" + "".join(f"{state:>9}" for state in states) + f"{'listed':>9}{'hours':>9}"]
    for name, group in groups.items():
        cells = [entry.cell for entry in group if entry.cell.identity in to_run]
        unknown = any(expected.seconds[cell.identity] is None for cell in cells)
        hours = "?" if unknown else f"{expected.hours(cells):.2f}" if cells else ""
        counted = "".join(f"{count or '':>9}" for count in plan.counts(group).values())
        known = sum(entry.cell.identity in listed for entry in group) or ""
        lines.append(f"  {name:<{width}}{counted}{known:>9}{hours:>9}")
    return "\n".join(lines)


def _workers(runtime: RuntimeSettings, executor: ExecutorSettings) -> int:
    """How many cells, or stacks of them, run at a time."""
    return processes.count(runtime, executor) if executor.name == "processes" else max(1, executor.workers)


def _estimated(left: Sequence[Cell], store: Store, executor: ExecutorSettings, workers: int) -> Estimate:
    return estimate.estimate(left, store.rows(), stack=max(1, executor.stack), workers=workers)


def _expectation(left: Sequence[Cell], expected: Estimate, workers: int, folder: Path) -> str:
    hours = expected.hours(left)
    source = f"step times measured for {expected.measured} of {len(left)} cells, the rest by their networks' sizes"
    known = "" if None not in expected.seconds.values() else "; own datasets not counted"
    at_once = f", {hours / workers:.2f} h with {workers} at a time" if workers > 1 else ""
    return (
        f"to run: {len(left)} cells, {hours:.2f} h of one process{at_once} ({source}{known})\n"
        f"disk: {estimate.readable(expected.record_bytes)} of records, up to {estimate.readable(expected.checkpoint_bytes)} of "
        f"checkpoints meanwhile; {estimate.readable(estimate.free_bytes(folder))} are free"
    )


def reproduce(
    suite: SuiteSettings, runtime: RuntimeSettings, executor: ExecutorSettings, accepted: Collection[str] = ()
) -> Reproduction:
    """Run the suite's cells that are not done. Cells of datasets that cannot be had are left out, with a notice.

    accepted: identities of cells whose results in runs.csv are taken as they stand.

    Raises UnwritableError, before anything runs, where the results folder cannot be written.
    """
    pairs, left_out = plan.identified(suite, runtime)
    store = Store(runtime.results_dir)
    entries = plan.planned([cell for cell, _ in pairs], store)
    print(_summary(suite, entries))
    print(_known(entries, store.listed(), accepted, store), end="")
    wanted = _wanted(entries, runtime, accepted)
    unavailable = _unavailable([cell.settings.dataset for cell in wanted], runtime)
    left_out |= unavailable
    if left_out:
        print(_notice(left_out))
    if unavailable:
        print(PAPERS_FILES)
    to_run = [cell for cell in wanted if cell.dataset not in unavailable]
    for entry in entries:
        if entry.state == "done" and not runtime.force:
            tidy(store.path(entry.cell))
    failed: dict[str, str] = {}
    if to_run:
        store.require_writable()
        workers = _workers(runtime, executor)
        print(_expectation(to_run, _estimated(to_run, store, executor, workers), workers, Path(runtime.results_dir)), flush=True)
        from hmc.experiments.execute import execute

        failed = {str(outcome.cell): outcome.error for outcome in execute(to_run, runtime, executor) if outcome.error}
    required_but_left_out = any(required and cell.dataset in unavailable for cell, required in pairs)
    return Reproduction(tuple(cell for cell, _ in pairs), left_out, failed, bool(failed) or required_but_left_out)


def _wanted(entries: Iterable[Planned], runtime: RuntimeSettings, accepted: Collection[str]) -> list[Cell]:
    """Cells to be run: all when forced, else those that are neither done here nor accepted as they stand."""
    if runtime.force:
        return [entry.cell for entry in entries]
    return [entry.cell for entry in entries if entry.state != "done" and entry.cell.identity not in accepted]


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
    lines = [f"Not all datasets were found; left out: {', '.join(left_out)}."]
    lines += [f"  {reason}" for reason in left_out.values()]
    return "\n".join(lines)


PAPERS_FILES = (
    "To include the paper's: put the benchmark's HMC_data folder's contents into data/, or set HMC_DATA_DIR to that folder, "
    "or run `make data` where the network can be reached."
)
