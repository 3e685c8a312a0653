"""What a killed process leaves beside a finished record (its lock, its checkpoint, temporary files), and its removal."""

from __future__ import annotations

import contextlib
from pathlib import Path

from hmc.experiments.lock import NAME as LOCK
from hmc.experiments.lock import LockedError, locked
from hmc.results.store import COMPLETE
from hmc.scores import SCORES


def tidy(folder: Path) -> None:
    """Keep only record and scores in a finished cell's folder, unless another process works there or it cannot be written."""
    if {path.name for path in folder.iterdir()} - {COMPLETE, SCORES}:
        with contextlib.suppress(LockedError, OSError), locked(folder):
            keep_only_results(folder)


def keep_only_results(folder: Path) -> None:
    """For the holder of the cell's lock, once the record is complete."""
    for path in folder.iterdir():
        if path.name not in (COMPLETE, SCORES, LOCK):
            path.unlink(missing_ok=True)
