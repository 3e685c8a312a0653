"""A suite from beginning to end: what is at hand, what is done, run the rest.

Imports torch only when there is something to run.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from hmc.data import catalog
from hmc.data.download import fetch
from hmc.experiments import cost, plan, processes
from hmc.experiments.cost import Cost
from hmc.experiments.leftovers import remove_leftovers
from hmc.experiments.plan import PlannedCell
from hmc.experiments.reevaluate import evaluate_again
from hmc.results.reference import known_lines, recorded
from hmc.results.runs_csv import merged
from hmc.results.store import Store
from hmc.rules import require_known
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

    def text(self) -> str:
        """What failed, and whether all is done."""
        lines = [f"failed: {cell}: {error}" for cell, error in self.failed.items()]
        if self.unfinished:
            lines.append("not all is done; the same command tries again what failed and goes on")
        else:
            lines.append("all that can be run here is done" if self.left_out else "all is done")
        return "\n".join(lines)


def show_plan(suite: SuiteSettings, runtime: RuntimeSettings, executor: ExecutorSettings, *, reuse: bool = False) -> None:
    """Print what is done, what is missing and whose files are, and how many hours and how much disk the rest will take.

    reuse: as for :func:`reproduce`.
    """
    store = Store(runtime.results_dir)
    known = recorded(store)
    pairs, left_out = plan.identified(suite, runtime)
    entries = plan.with_states([cell for cell, _ in pairs], store)
    left = _to_run(entries, runtime, known if reuse else ())
    workers = _workers(runtime, executor)
    expected = _estimated(left, store, executor, workers)
    print(_summary(suite, entries))
    print(_plan_table("dataset", [(entry.cell.dataset, entry) for entry in entries], left, expected, known))
    columns = {entry.cell.column for entry in entries}
    if len(columns) <= SHOWN_COLUMNS:
        print(_plan_table("column", [(entry.cell.column, entry) for entry in entries], left, expected, known))
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
    print(_known(entries, known, reuse), end="")
    if left:
        print(_expectation(left, expected, workers, store.folder, runtime.keep_scores))


SHOWN_REASONS, SHOWN_COLUMNS = 8, 20


def _known(entries: Sequence[PlannedCell], known: Collection[str], reuse: bool) -> str:
    """A line on the cells that are not done here but recorded, and what becomes of them; empty without any."""
    count = sum(entry.state != "done" and entry.cell.identity in known for entry in entries)
    if not count:
        return ""
    fate = "they are reused" if reuse else "they are computed again and then compared (recorded=reuse takes them as they stand)"
    return f"recorded: {count} of the cells that are not done here have a result in results/reference/runs.csv; {fate}\n"


def _plan_table(
    title: str, named: Sequence[tuple[str, PlannedCell]], left: Sequence[Cell], expected: Cost, known: Collection[str]
) -> str:
    """One line a name: cells by state, those that are recorded whatever their state, and hours of those to be run."""
    groups: dict[str, list[PlannedCell]] = {}
    for name, entry in named:
        groups.setdefault(name, []).append(entry)
    to_run = {cell.identity for cell in left}
    states = list(plan.counts([]))
    width = max(len(title), *(len(name) for name in groups))
    lines = [f"  {title:<{width}}" + "".join(f"{state:>9}" for state in states) + f"{'recorded':>10}{'hours':>9}"]
    for name, group in groups.items():
        cells = [entry.cell for entry in group if entry.cell.identity in to_run]
        unknown = any(expected.seconds[cell.identity] is None for cell in cells)
        hours = "?" if unknown else f"{expected.hours(cells):.2f}" if cells else ""
        counted = "".join(f"{number or '':>9}" for number in plan.counts(group).values())
        count = sum(entry.cell.identity in known for entry in group) or ""
        lines.append(f"  {name:<{width}}{counted}{count:>10}{hours:>9}")
    return "\n".join(lines)


def _workers(runtime: RuntimeSettings, executor: ExecutorSettings) -> int:
    """How many cells, or stacks of them, run at a time."""
    return processes.count(runtime, executor) if executor.name == "processes" else max(1, executor.workers)


def _estimated(left: Sequence[Cell], store: Store, executor: ExecutorSettings, workers: int) -> Cost:
    return cost.cost(left, merged(known_lines(store), store.rows()), stack=executor.stack, workers=workers)


def _expectation(left: Sequence[Cell], expected: Cost, workers: int, folder: Path, keep_scores: bool) -> str:
    hours = expected.hours(left)
    source = f"by measured times for {expected.measured} of {len(left)} cells, by their sizes for the rest"
    known = "" if None not in expected.seconds.values() else "; own datasets not counted"
    size = cost.readable(expected.score_bytes) if expected.score_bytes else "an unknown size"
    scores = f"{size} of scores (keep_scores=false: none), " if keep_scores else ""
    forests = f"\nmemory: up to {cost.readable(expected.memory_bytes)} for one fitted forest; {workers} may be fitted at a time"
    memory = forests if expected.memory_bytes else ""
    at_once = f", {hours / workers:.2f} h with {workers} at a time" if workers > 1 else ""
    return (
        f"to run: {len(left)} cells, {hours:.2f} h of one process{at_once} ({source}{known})\n"
        f"disk: {cost.readable(expected.record_bytes)} of records, {scores}up to {cost.readable(expected.checkpoint_bytes)} of "
        f"checkpoints meanwhile; {cost.readable(cost.free_bytes(folder))} are free{memory}"
    )


def reproduce(suite: SuiteSettings, runtime: RuntimeSettings, executor: ExecutorSettings, *, reuse: bool = False) -> Reproduction:
    """Run the suite's cells that are not done. Cells of datasets that cannot be had are left out, with a notice.

    reuse: whether results that are checked in, or in the results folder's runs.csv, are taken as they stand.

    Raises, before anything runs, UnwritableError where the results folder cannot be written, SettingsError for a rule that is not
    known.
    """
    require_known(runtime.rules)
    pairs, left_out = plan.identified(suite, runtime)
    store = Store(runtime.results_dir)
    entries = plan.with_states([cell for cell, _ in pairs], store, with_scores=runtime.require_scores)
    print(_summary(suite, entries))
    known = recorded(store)
    print(_known(entries, known, reuse), end="")
    wanted = _to_run(entries, runtime, known if reuse else ())
    unavailable = _unavailable([cell.settings.dataset for cell in wanted], runtime)
    left_out |= unavailable
    if left_out:
        print(_notice(left_out))
    if unavailable:
        print(PAPERS_FILES)
    to_run = [cell for cell in wanted if cell.dataset not in unavailable]
    for entry in entries:
        if entry.state == "done" and not runtime.force:
            remove_leftovers(store.path(entry.cell))
    failed: dict[str, str] = {}
    if to_run:
        store.require_writable()
        workers = _workers(runtime, executor)
        print(
            _expectation(to_run, _estimated(to_run, store, executor, workers), workers, store.folder, runtime.keep_scores),
            flush=True,
        )
        from hmc.experiments.execute import execute

        for stage in plan.in_stages(to_run, store, force=runtime.force):
            # Parts that have a record but no scores are run again for their scores.
            forced = dataclasses.replace(runtime, require_scores=True) if any(cell.parts for cell in to_run) else runtime
            failed |= {str(outcome.cell): outcome.error for outcome in execute(stage, forced, executor) if outcome.error}
    evaluated = evaluate_again([cell for cell, _ in pairs], runtime)
    if evaluated.again or evaluated.failed:
        print(evaluated.text())
    required_but_left_out = any(required and cell.dataset in unavailable for cell, required in pairs)
    return Reproduction(tuple(cell for cell, _ in pairs), left_out, failed, bool(failed) or required_but_left_out)


def _to_run(entries: Iterable[PlannedCell], runtime: RuntimeSettings, reused: Collection[str]) -> list[Cell]:
    """Cells to be run: all when forced, else those that are neither done here nor reused."""
    if runtime.force:
        return [entry.cell for entry in entries]
    return [entry.cell for entry in entries if entry.state != "done" and entry.cell.identity not in reused]


def _summary(suite: SuiteSettings, entries: Sequence[PlannedCell]) -> str:
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
