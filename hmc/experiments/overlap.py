"""How far the label sets of two methods overlap, each under a decision rule of its own, from stored scores. Needs no torch."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping

import numpy as np

from hmc.experiments.evaluate import fit_thresholds, tuning_scores
from hmc.experiments.reevaluate import Labels
from hmc.metrics.overlap import Overlap, jaccard
from hmc.results.store import Store
from hmc.rules import RuleError, decide, require_known
from hmc.scores import ScoresError, load_scores
from hmc.settings import Cell, Departures, OverlapSettings, RuntimeSettings, SettingsError


def overlaps(cells: Iterable[Cell], asked: OverlapSettings, runtime: RuntimeSettings) -> list[Overlap]:
    """One overlap a dataset and training on which both methods have scores on disk, in the order of the cells.

    Raises SettingsError for a rule or a method that is not there, or where no dataset has scores of both; ScoresError for a
    damaged file, RuleError where a rule lacks what it needs.
    """
    require_known((asked.rule_a, asked.rule_b))
    store = Store(runtime.results_dir)
    every = [cell for cell in cells if cell.protocol == "released"]
    for key in ("a", "b"):
        method = getattr(asked, key)
        if method not in {cell.method for cell in every}:
            names = ", ".join(sorted({cell.method for cell in every}))
            raise SettingsError(f"overlap.{key} must be a method of the suite ({names}), got {method!r}")
    places: dict[tuple[str, Departures], dict[tuple[str, int], Cell]] = {}
    for cell in every:
        if store.scores_path(cell).is_file() and cell.method in (asked.a, asked.b):
            places.setdefault((cell.dataset, cell.departed), {})[cell.method, cell.seed] = cell
    found = [_overlap(of_place, asked, store, Labels(runtime), runtime) for of_place in places.values()]
    known = [one for one in found if one is not None]
    if not known:
        raise SettingsError(
            f"no dataset has stored scores of both {asked.a} and {asked.b}, same seed and training; run them first: "
            f"python scripts/reproduce.py suite=NAME suite.methods=[{asked.a},{asked.b}]"
        )
    return known


def _overlap(
    cells: Mapping[tuple[str, int], Cell], asked: OverlapSettings, store: Store, labels: Labels, runtime: RuntimeSettings
) -> Overlap | None:
    seeds = sorted({seed for method, seed in cells if method == asked.a and (asked.b, seed) in cells})
    if not seeds:
        return None
    ours = {seed: _label_sets(cells[asked.a, seed], ("half", asked.rule_a), store, labels, runtime) for seed in seeds}
    theirs = {seed: _label_sets(cells[asked.b, seed], (asked.rule_b,), store, labels, runtime)[asked.rule_b] for seed in seeds}
    first = cells[asked.a, seeds[0]]
    return Overlap(
        dataset=first.dataset,
        departed=first.departed,
        seeds=tuple(seeds),
        size_a=tuple(_size(ours[seed][asked.rule_a]) for seed in seeds),
        size_b=tuple(_size(theirs[seed]) for seed in seeds),
        jaccard=tuple(jaccard(ours[seed][asked.rule_a], theirs[seed]) for seed in seeds),
        at_half=tuple(jaccard(ours[seed]["half"], theirs[seed]) for seed in seeds),
        between_seeds=tuple(jaccard(theirs[one], theirs[other]) for one, other in itertools.combinations(seeds, 2)),
        reconstructed=labels.of(first).reconstructed,
    )


def _label_sets(
    cell: Cell, rules: tuple[str, ...], store: Store, labels: Labels, runtime: RuntimeSettings
) -> dict[str, np.ndarray]:
    """The evaluated labels of test rows by rule, bool [rows, evaluated nodes]."""
    try:
        scores = load_scores(store.scores_path(cell), cell.identity)
    except FileNotFoundError:
        raise ScoresError(f"{cell}: its scores were there a moment ago and are gone; run the same command again") from None
    dataset = labels.of(cell)
    tuning = tuning_scores(cell, scores.held_out, dataset, store, runtime)
    thresholds, lacking = fit_thresholds(cell, dataset, tuning, rules)
    for rule in rules:
        if rule in lacking:
            raise RuleError(f"{cell}: {lacking[rule]}")
    hierarchy = dataset.hierarchy
    return {rule: decide(scores.test, thresholds[rule], hierarchy).labels[:, hierarchy.evaluated] for rule in rules}


def _size(labels: np.ndarray) -> float:
    return float(np.count_nonzero(labels) / max(1, len(labels)))
