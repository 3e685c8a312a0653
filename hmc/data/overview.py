"""What `scripts/data.py` shows: which datasets there are, whether their files are here and right, and what is in them."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from hmc.data import catalog, download
from hmc.data.dataset import SPLITS
from hmc.data.load import load, load_encoded
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
    """One row per dataset: rows per split, features, evaluated nodes, depth, rare, unseen and testable nodes, read as, files.

    depth: edges from the root to the deepest node. rare: evaluated nodes with 1 to 10 positives in the training rows (train and
    valid); unseen: with none; testable: with at least one there and one in test, so that a method can score on them. read as: how
    the files write the hierarchy, see :mod:`hmc.data.notation`.
    Where files are missing, the card's own figures stand in and the rest is empty; nothing is downloaded.
    """
    columns = ["dataset", "group", *SPLITS, "features", "nodes", "depth", "rare", "unseen", "testable", "read as", "files"]
    offline = dataclasses.replace(runtime, download=False)
    rows = []
    for card in datasets:
        row = {"dataset": card.name, "group": card.group, **card.expected, "files": files_state(card, runtime)}
        if not catalog.missing(card, runtime):
            row |= _figures(card, offline)
        rows.append(row)
    table = pd.DataFrame(rows, columns=columns)
    counts = [column for column in columns if column not in ("dataset", "group", "read as", "files")]
    table["read as"] = table["read as"].fillna("")
    return table.astype(dict.fromkeys(counts, "Int64"))


def files_state(dataset: DatasetSettings, runtime: RuntimeSettings) -> str:
    """`present`, `none needed`, or how many of how many are missing."""
    needed = len(catalog.files(dataset))
    absent = len(catalog.missing(dataset, runtime))
    if not needed:
        return "none needed"
    return f"{absent} of {needed} missing" if absent else "present"


def leaks(datasets: Sequence[DatasetSettings], runtime: RuntimeSettings) -> pd.DataFrame:
    """One row per dataset and pair of splits that share rows: dataset, in, also in, rows, of, share, same labels.

    rows: rows of ``in`` whose features are all equal to those of a row of ``also in`` (missing numbers equal missing ones); of:
    the rows of ``in``; same labels: how many of them have the label set of such a row too. Rows that repeat within one split are
    counted with the split twice. Datasets whose files are not at hand are left out; nothing is downloaded.
    """
    offline = dataclasses.replace(runtime, download=False)
    rows = []
    for card in datasets:
        if catalog.missing(card, runtime):
            continue
        found = load_encoded(card, offline)
        seen = {split: _row_keys(found.features[split], found.labels[split]) for split in SPLITS}
        for source, other in (*((split, split) for split in SPLITS), *itertools.combinations(SPLITS[::-1], 2)):
            shared, alike = _shared_rows(seen[source], seen[other], within=source == other)
            if len(seen[source]) and len(seen[other]):
                share = round(shared / len(seen[source]), 4)
                rows.append((card.name, source, other, shared, len(seen[source]), share, alike))
    return pd.DataFrame(rows, columns=["dataset", "in", "also in", "rows", "of", "share", "same labels"])


def _row_keys(features: np.ndarray, labels: np.ndarray) -> list[tuple[bytes, bytes]]:
    """Each row's features and labels as bytes that are equal where the rows are."""
    flat = features.reshape(len(features), math.prod(features.shape[1:]))
    # -0 equals 0, and any NaN is a missing number.
    plain = flat if flat.dtype == np.uint8 else np.where(np.isnan(flat), np.nan, flat + 0.0)
    packed = np.packbits(labels, axis=1)
    return [(row.tobytes(), marks.tobytes()) for row, marks in zip(np.ascontiguousarray(plain), packed, strict=True)]


def _shared_rows(rows: Sequence[tuple[bytes, bytes]], others: Sequence[tuple[bytes, bytes]], *, within: bool) -> tuple[int, int]:
    """How many rows have the features of another one among the others, and how many of these its labels too."""
    least = 1 if within else 0
    features, whole = Counter(row for row, _ in others), Counter(others)
    return sum(features[row] > least for row, _ in rows), sum(whole[key] > least for key in rows)


def _figures(dataset: DatasetSettings, runtime: RuntimeSettings) -> dict[str, int | str]:
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
        "read as": loaded.about.rpartition(" ")[2],
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
