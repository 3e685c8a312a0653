"""How far label sets overlap, from stored scores."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hmc.data.load import load_labels
from hmc.experiments.overlap import overlaps
from hmc.experiments.run import run_cells
from hmc.metrics.overlap import jaccard
from hmc.report.overlap_table import overlap_table
from hmc.results.store import Store
from hmc.scores import Scores, load_scores, save_scores
from hmc.settings import Cell, OverlapSettings, SettingsError
from tests.experiments.examples import make_cell, runtime_in

HALVES = OverlapSettings(a="chmcnn", rule_a="half", b="ensemble", rule_b="half")


def run(folder: Path, *cells: Cell) -> list[Cell]:
    for cell in cells:
        run_cells([cell], runtime_in(folder))
    return list(cells)


def test_jaccard_is_over_all_rows_together() -> None:
    first = np.array([[True, True, False], [False, False, True]])
    second = np.array([[True, False, False], [True, False, True]])
    assert jaccard(first, second) == 2 / 4
    assert jaccard(first, ~first) == 0
    assert jaccard(first & False, first & False) == 1


def test_overlap_is_that_of_the_evaluated_labels_of_the_stored_scores(tmp_path: Path) -> None:
    runtime = runtime_in(tmp_path)
    cells = run(tmp_path, *(make_cell(seed, method=method) for method in ("chmcnn", "ensemble") for seed in (0, 1)))
    dataset = load_labels(cells[0].settings.dataset, runtime, seed=0)
    evaluated = dataset.hierarchy.evaluated
    store, generator, sets = Store(tmp_path), np.random.default_rng(0), []
    for cell in cells:
        # Coherent and on both sides of 0.5, which two epochs of training need not give.
        cut = generator.random(len(dataset.test))[:, None] < 0.5
        scores = np.where(cut, 0.9, 0.1).astype(np.float32) * np.ones((1, len(dataset.hierarchy)), np.float32)
        save_scores(store.scores_path(cell), Scores(cell.identity, scores))
        sets.append(load_scores(store.scores_path(cell)).test[:, evaluated] > 0.5)
    (found,) = overlaps(cells, HALVES, runtime)
    assert found.seeds == (0, 1)
    assert found.jaccard == (jaccard(sets[0], sets[2]), jaccard(sets[1], sets[3])) == found.at_half
    assert found.between_seeds == (jaccard(sets[2], sets[3]),)
    assert found.size_a == tuple(float(sets[seed].sum(axis=1).mean()) for seed in (0, 1))
    row = dict(zip(overlap_table([found], HALVES).header, overlap_table([found], HALVES).text()[0], strict=True))
    assert row["overlap"].startswith(f"{100 * np.mean(found.jaccard):.1f} ± ")
    assert row["training"] == "as the papers"


def test_only_seeds_and_trainings_that_both_methods_have_are_compared(tmp_path: Path) -> None:
    ours = [make_cell(seed) for seed in (0, 1)] + [make_cell(0, "training.holdout=valid")]
    theirs = [make_cell(seed, method="ensemble") for seed in (1, 2)]
    cells = run(tmp_path, *ours, *theirs)
    (found,) = overlaps(cells, HALVES, runtime_in(tmp_path))
    assert (found.seeds, found.departed, found.between_seeds) == ((1,), (), ())


def test_without_stored_scores_of_both_it_says_what_to_run(tmp_path: Path) -> None:
    cells = run(tmp_path, make_cell(0))
    cells.append(make_cell(0, method="ensemble"))
    with pytest.raises(SettingsError, match=r"no dataset has stored scores of both chmcnn and ensemble.*run them first"):
        overlaps(cells, HALVES, runtime_in(tmp_path))
