"""The results that this project computed and checked in: ``results/reference/runs.csv``.

They are there to compare with, and are never changed by a user's own run.
"""

from __future__ import annotations

from hmc.results.published import FOLDER as PUBLISHED
from hmc.results.runs_csv import Row, merged
from hmc.results.store import Store

FOLDER = PUBLISHED.parent / "reference"
"""Where a checkout keeps them, whatever folder its own results go to."""


def lines() -> list[Row]:
    """The lines of the checked-in runs.csv; none outside a checkout. Raises RecordError where the file is damaged."""
    return Store(FOLDER).lines()


def known_lines(store: Store) -> list[Row]:
    """These lines and those of the store's own runs.csv, each identity once, the store's first."""
    return merged(lines(), store.lines())


def recorded(store: Store) -> dict[str, Row]:
    """The complete ones of :func:`known_lines` by identity."""
    return {line["identity"]: line for line in known_lines(store) if line["status"] == "complete"}
