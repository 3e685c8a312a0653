"""What a killed process leaves beside a finished record (its lock, its checkpoint, temporary files), and its removal."""

from __future__ import annotations

import contextlib
from pathlib import Path

from hmc.experiments.lock import NAME as LOCK
from hmc.experiments.lock import LockedError, locked
from hmc.results.store import COMPLETE
from hmc.scores import SCORES

RESULTS = (COMPLETE, SCORES)


def remove_leftovers(folder: Path) -> None:
    """Remove them from a finished cell's folder, unless another process works there or it cannot be written."""
    if any(path.name not in RESULTS and path.is_file() for path in folder.iterdir()):
        with contextlib.suppress(LockedError, OSError), locked(folder):
            keep_only_results(folder)


def keep_only_results(folder: Path) -> None:
    """For the holder of the cell's lock, once the record is complete. Folders stay: a saved model, or what a user put there."""
    for path in folder.iterdir():
        if path.name not in (*RESULTS, LOCK) and not path.is_dir():
            path.unlink(missing_ok=True)
