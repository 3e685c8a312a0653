"""How far the label sets of two methods overlap, as a table."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from hmc.metrics.overlap import Overlap
from hmc.report.notes import SPREAD
from hmc.report.render import slug, terminal, write_tables
from hmc.report.table import DASH, RECONSTRUCTED, Entry, MeanStd, Table
from hmc.settings import OverlapSettings, variant


def write_overlap(found: Iterable[Overlap], asked: OverlapSettings, folder: str | Path) -> str:
    """Write the table to a folder as Markdown, CSV and LaTeX; what to print. Raises UnwritableError."""
    table = overlap_table(found, asked)
    path, *_ = write_tables([table], folder)
    return f"{terminal(table, shutil.get_terminal_size((110, 40)).columns)}\nwritten to {path} (and .csv, .tex)"


def overlap_table(found: Iterable[Overlap], asked: OverlapSettings) -> Table:
    """A row a dataset and training."""
    every, (a, b) = list(found), (asked.a, asked.b)
    rebuilt = sorted({one.reconstructed for one in every} - {""})
    return Table(
        name=slug(f"overlap_{a}_{asked.rule_a}_{b}_{asked.rule_b}"),
        title=f"Label sets of {a} with rule {asked.rule_a} and of {b} with rule {asked.rule_b}: mean ± standard deviation, "
        "n in brackets",
        header=(
            *("dataset", "training", f"labels, {a}", f"labels, {b}", "overlap"),
            *(f"{a} at 0.5", "between seeds"),
        ),
        rows=tuple(_row(one) for one in every),
        notes=(
            "Labels: evaluated ones a row. Overlap (percent): labels that both predict as a share of those that either "
            "predicts, over all test rows, same seed.",
            f"{a} at 0.5 (percent): the overlap that {a} has without its rule.",
            f"Between seeds (percent): every two seeds of {b} against each other, which is as much as can be expected.",
            SPREAD,
            *(f"{RECONSTRUCTED} {words}, not the published dataset." for words in rebuilt),
        ),
        with_seeds=True,
        keys=2,
    )


def _row(one: Overlap) -> tuple[Entry, ...]:
    return (
        f"{one.dataset} {RECONSTRUCTED}" if one.reconstructed else one.dataset,
        variant(one.departed) or "as the papers",
        _mean(one.size_a),
        _mean(one.size_b),
        *(_mean(values, 100) for values in (one.jaccard, one.at_half, one.between_seeds)),
    )


def _mean(values: Sequence[float], scale: float = 1.0) -> Entry:
    if not values:
        return DASH
    scaled = scale * np.asarray(values)
    spread = float(scaled.std(ddof=1)) if len(scaled) > 1 else None
    return MeanStd(float(scaled.mean()), spread, len(scaled), len(scaled), digits=1)
