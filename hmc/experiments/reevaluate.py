"""Evaluating stored scores again: for a new metric, another rule, or held-out scores that came later. Needs no torch."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from hmc.data.dataset import Dataset
from hmc.data.load import load_labels
from hmc.experiments.evaluate import EVALUATION_VERSION, evaluate, sibling, tuning_scores
from hmc.experiments.lock import LockedError, locked
from hmc.results.record import Record, RecordError
from hmc.results.store import Store
from hmc.rules import needs_held_out_rows, require_known
from hmc.scores import ScoresError, digest_of, load_scores
from hmc.settings import Cell, RuntimeSettings, canonical_hash, identifying, setting


@dataclass(frozen=True)
class EvaluateSettings:
    """action: what is made of stored scores: records, a table of overlaps, or nothing but records of an earlier layout anew."""

    action: str = setting(choices=("suite", "overlap", "convert"))


@dataclass
class Reevaluation:
    """What became of cells: evaluated again, up to date, without scores on disk, or not evaluated, with the reason."""

    again: list[Cell] = field(default_factory=list)
    up_to_date: list[Cell] = field(default_factory=list)
    without_scores: list[Cell] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)

    def text(self) -> str:
        """How many of each, and what failed."""
        counts = (
            (len(self.again), "evaluated again"),
            (len(self.up_to_date), "up to date"),
            (len(self.without_scores), "without scores on disk"),
        )
        lines = [", ".join(f"{count} {words}" for count, words in counts if count) or "nothing to evaluate"]
        return "\n".join([*lines, *(f"not evaluated: {cell}: {reason}" for cell, reason in self.failed.items())])


def evaluate_again(
    cells: Iterable[Cell],
    runtime: RuntimeSettings,
    *,
    force: bool = False,
    on_cell: Callable[[Cell], None] = lambda cell: None,
) -> Reevaluation:
    """Evaluate the stored scores of every cell whose record an older version, other rules or a missing sibling made.

    force: of all cells that have scores. Records are replaced one at a time, so that an interruption costs nothing.

    Raises SettingsError for a rule that is not known.
    """
    require_known(runtime.rules)
    store, done, labels = Store(runtime.results_dir), Reevaluation(), Labels(runtime)
    for cell in {cell.identity: cell for cell in cells}.values():
        on_cell(cell)
        try:
            record = store.load(cell)
        except RecordError:
            continue
        if not store.scores_path(cell).is_file():
            done.without_scores.append(cell)
        elif not force and not _is_behind(record, cell, store, runtime):
            done.up_to_date.append(cell)
        else:
            try:
                with locked(store.path(cell)):
                    store.save(_evaluated(record, cell, labels.of(cell), store, runtime))
                done.again.append(cell)
            except (ScoresError, LockedError, ValueError, OSError) as error:
                done.failed[str(cell)] = " ".join(str(error).split())
    return done


class Labels:
    """The labels of the dataset that was asked for last, with each holdout: cells of one dataset mostly come together."""

    def __init__(self, runtime: RuntimeSettings) -> None:
        self.runtime = runtime
        self.known: dict[tuple[str, str, str, int], Dataset] = {}

    def of(self, cell: Cell) -> Dataset:
        settings = cell.settings
        drawn = settings.seed if settings.dataset.fraction < 1 else 0
        # Two cells of the same files may evaluate other nodes or train on other shares of the rows.
        read = canonical_hash(identifying(settings)["dataset"])
        key = (cell.data_sha256, read, settings.training.holdout, drawn)
        if key not in self.known:
            self.known = {place: dataset for place, dataset in self.known.items() if place[0] == cell.data_sha256}
            self.known[key] = load_labels(settings.dataset, self.runtime, seed=settings.seed, holdout=settings.training.holdout)
        return self.known[key]


def _is_behind(record: Record, cell: Cell, store: Store, runtime: RuntimeSettings) -> bool:
    if record.evaluation["version"] != EVALUATION_VERSION or {*record.rules, *record.lacking} != set(runtime.rules):
        return True
    lacks_rows = not record.evaluation["sibling"] and any(needs_held_out_rows(rule) for rule in record.lacking)
    return lacks_rows and cell.settings.training.holdout == "none" and store.scores_path(sibling(cell)).is_file()


def _evaluated(record: Record, cell: Cell, dataset: Dataset, store: Store, runtime: RuntimeSettings) -> Record:
    scores = load_scores(store.scores_path(cell), cell.identity)
    tuning = tuning_scores(cell, scores.held_out, dataset, store, runtime)
    found = evaluate(cell, scores.test, dataset, tuning, runtime.rules)
    return record.evaluated_again(
        metrics=found.metrics,
        rules=found.rules,
        nodes=found.nodes,
        lacking=found.lacking,
        validation=found.validation,
        evaluation={
            "version": EVALUATION_VERSION,
            "tuning": found.tuning,
            "sibling": found.sibling,
            "scores": digest_of(scores),
        },
        seconds=round(found.seconds, 3),
    )
