"""Small cells and records for the tests of the results and the report."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from hmc.metrics.evaluate import RULE_METRICS
from hmc.results import Record
from hmc.settings import Cell, Departures
from hmc.settings.run import run_settings

DATA = {
    "reconstructed": "",
    "rows_train": 4,
    "rows_valid": 2,
    "rows_test": 3,
    "features": 5,
    "nodes": 4,
    "evaluated_nodes": 3,
}

TIMES = {
    "started": "2026-01-01T00:00:00+00:00",
    "finished": "2026-01-01T00:00:01+00:00",
    "train_seconds": 0.5,
    "step_milliseconds": 0.25,
    "data_seconds": 0.125,
    "evaluate_seconds": 0.0625,
    "steps": 2,
}


def make_cell(
    dataset: str = "enron",
    method: str = "chmcnn",
    seed: int = 0,
    *,
    group: str = "non_genomic",
    epochs: int = 2,
    protocol: str = "released",
    departed: Departures = (),
    data_sha256: str = "ab" * 32,
) -> Cell:
    settings = {
        "dataset": {"name": dataset, "group": group},
        "method": {"name": method},
        "training": {"hidden": 3, "epochs": epochs, "learning_rate": 1e-4},
        "protocol": {"name": protocol},
        "seed": seed,
    }
    return Cell(run_settings(settings), data_sha256, departed)


def renamed(cell: Cell, name: str) -> Cell:
    """The same cell with this name of its dataset and its method, whether settings would take it or not."""
    settings = cell.settings
    parts = {part: dataclasses.replace(getattr(settings, part), name=name) for part in ("dataset", "method")}
    return Cell(dataclasses.replace(settings, **parts), cell.data_sha256, cell.departed)


EVALUATION = {"version": 1, "tuning": "", "sibling": "", "scores": "cd" * 32}


def split_by_rule(metrics: Mapping[str, float]) -> dict[str, dict[str, dict[str, float]]]:
    """Metrics under the names of the report (macro_f1, macro_f1@global, au_prc) as a record has them."""
    of_scores: dict[str, float] = {}
    rules: dict[str, dict[str, float]] = {}
    for name, value in metrics.items():
        metric, _, rule = name.partition("@")
        if rule or metric in RULE_METRICS or metric.startswith("recall_depth_"):
            rules.setdefault(rule or "half", {})[metric] = value
        else:
            of_scores[name] = value
    return {"metrics": {**of_scores} or {"au_prc": 0.75}, "rules": rules}


def make_record(cell: Cell, metrics: Mapping[str, float] | None = None, *, reconstructed: str = "", **parts: Any) -> Record:
    content: dict[str, Any] = {
        "data": {**DATA, "reconstructed": reconstructed},
        **split_by_rule(metrics or {"au_prc": 0.75, "macro_f1": 0.125}),
        "lacking": {},
        "evaluation": EVALUATION,
        "nodes": {"true_positives": [1, 0, 3], "false_positives": [0, 0, 2]},
        "learning_curve": [0.7, 0.6],
        "times": TIMES,
        "environment": {"python": "3.11", "commit": "c0ffee", "dirty": False, "cores": 2},
    }
    return Record.complete(cell, **{**content, **parts})
