"""What `scripts/data.py` shows: which datasets there are, whether their files are here and right, and what is in them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from hmc.data import catalog, download
from hmc.data.dataset import SPLITS
from hmc.data.load import load
from hmc.settings import DatasetSettings, ProtocolSettings, RuntimeSettings

RARE = 10
"""A rare node has at least one positive in the training rows and at most this many (ours)."""


def cards(names: Sequence[str] = ()) -> list[DatasetSettings]:
    """The cards of these datasets, or of all. Raises SettingsError for an unknown name."""
    return [catalog.card(name) for name in names or catalog.names()]


def listing(datasets: Sequence[DatasetSettings], runtime: RuntimeSettings) -> pd.DataFrame:
    """One row per dataset: dataset, group, title, files (as in :func:`files_state`), source. Opens no file."""
    rows = [(card.name, card.group, card.title, files_state(card, runtime), card.source) for card in datasets]
    return pd.DataFrame(rows, columns=["dataset", "group", "title", "files", "source"])


def fetch(datasets: Sequence[DatasetSettings], runtime: RuntimeSettings) -> pd.DataFrame:
    """Download what is missing; one row per file: dataset, file, status (`present`, `downloaded` or the error's line), ok (bool).

    One dataset's failure does not keep the others from being fetched.
    """
    rows = []
    for card in datasets:
        absent = set(catalog.missing(card, runtime))
        for path in catalog.files(card).values():
            if path not in absent:
                rows.append((card.name, path, "present", True))
                continue
            try:
                download.fetch_file(card, path, dataclasses.replace(runtime, download=True))
                rows.append((card.name, path, "downloaded", True))
            except (OSError, ValueError) as error:
                rows.append((card.name, path, str(error), False))
    return pd.DataFrame(rows, columns=["dataset", "file", "status", "ok"])


def verify(datasets: Sequence[DatasetSettings], runtime: RuntimeSettings) -> pd.DataFrame:
    """Hash every file; one row per file: dataset, file, status (`ok`, `missing`, `wrong`, `not pinned`), found (path or '')."""
    rows = []
    for card in datasets:
        paths = catalog.files(card)
        for split, found in catalog.locate(card, runtime).items():
            rows.append((card.name, paths[split], _state(card, paths[split], found), str(found or "")))
    return pd.DataFrame(rows, columns=["dataset", "file", "status", "found"])


def describe(datasets: Sequence[DatasetSettings], runtime: RuntimeSettings) -> pd.DataFrame:
    """One row per dataset: rows per split, features, evaluated nodes, depth, rare, unseen and testable nodes, files.

    depth: edges from the root to the deepest node. rare: evaluated nodes with 1 to 10 positives in the training rows (train and
    valid); unseen: with none; testable: with at least one there and one in test, so that a method can score on them.
    Where files are missing, the card's own figures stand in and the rest is empty; nothing is downloaded.
    """
    columns = ["dataset", "group", *SPLITS, "features", "nodes", "depth", "rare", "unseen", "testable", "files"]
    offline = dataclasses.replace(runtime, download=False)
    rows = []
    for card in datasets:
        row = {"dataset": card.name, "group": card.group, **card.expected, "files": files_state(card, runtime)}
        if not catalog.missing(card, runtime):
            row |= _figures(card, offline)
        rows.append(row)
    table = pd.DataFrame(rows, columns=columns)
    counts = [column for column in columns if column not in ("dataset", "group", "files")]
    return table.astype(dict.fromkeys(counts, "Int64"))


def files_state(dataset: DatasetSettings, runtime: RuntimeSettings) -> str:
    """`present`, `none needed`, or how many of how many are missing."""
    needed = len(catalog.files(dataset))
    absent = len(catalog.missing(dataset, runtime))
    if not needed:
        return "none needed"
    return f"{absent} of {needed} missing" if absent else "present"


def _figures(dataset: DatasetSettings, runtime: RuntimeSettings) -> dict[str, int]:
    loaded = load(dataset, ProtocolSettings(), runtime)
    evaluated = loaded.hierarchy.evaluated
    counts, in_test = (split.labels[:, evaluated].sum(axis=0) for split in (loaded.training, loaded.test))
    return {
        **{split: len(getattr(loaded, split)) for split in SPLITS},
        "features": math.prod(loaded.test.features.shape[1:]),
        "nodes": int(evaluated.sum()),
        "depth": int(loaded.hierarchy.depth.max()),
        "rare": int(((counts >= 1) & (counts <= RARE)).sum()),
        "unseen": int((counts == 0).sum()),
        "testable": int(((counts > 0) & (in_test > 0)).sum()),
    }


def _state(dataset: DatasetSettings, path: str, found: Path | None) -> str:
    if found is None:
        return "missing"
    pin = catalog.pinned(dataset, path)
    if not pin:
        return "not pinned"
    return "ok" if catalog.matches(found.read_bytes(), pin) else "wrong"


def has_problem(table: pd.DataFrame) -> bool:
    """Whether a table of :func:`fetch` or :func:`verify` holds a file that is missing or wrong; others have no problems."""
    if "ok" in table:
        return not bool(table["ok"].all())
    return "status" in table and bool(table["status"].isin(("missing", "wrong")).any())
