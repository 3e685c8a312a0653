"""The state of a training on disk, so that a cell of hours that is killed goes on from minutes ago, to the bit.

A stack has one checkpoint, ``checkpoint.pt`` in the folder of its first cell's record. It is written at the end of an epoch, at
most every ``runtime.checkpoint_seconds`` and so that writing takes at most a twentieth of the time; under a temporary name that
nobody can foresee, then renamed. Only the holder of the cell's lock writes it, and so may remove what a kill left.
"""

from __future__ import annotations

import dataclasses
import time
import warnings
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from hmc.files import replacing
from hmc.settings import Cell
from hmc.training.trainer import TrainingState

NAME = "checkpoint.pt"
VERSION = 1
"""Of the file's layout and of what the trainer does with it."""
LARGEST_SHARE = 0.05
"""Of the time, for writing checkpoints (ours)."""


class CheckpointFile:
    """One stack's checkpoint.

    folders: of the cells' records; the first one's holds the checkpoint. device: torch's name of the kind of device; a state of
    another kind is not gone on from. seconds: at least so long between two checkpoints; 0: after every epoch, whatever it costs.
    """

    def __init__(self, folders: Sequence[Path], cells: Sequence[Cell], device: str, seconds: float) -> None:
        self.folders = folders
        self.path = folders[0] / NAME
        self.seconds = seconds
        self._about = {"version": VERSION, "identities": [cell.identity for cell in cells], "device": device}
        self._name = str(cells[0])
        self._saved = time.monotonic()
        self._cost = 0.0

    def load(self) -> TrainingState | None:
        """What was saved last; None, with a warning, where that is damaged or belongs to something else."""
        self._saved = time.monotonic()
        if not self.path.exists():
            return None
        try:
            # torch reads what it maps unchecked; the archive's checksums tell a flipped bit.
            with zipfile.ZipFile(self.path) as archive:
                if damaged := archive.testzip():
                    raise ValueError(f"its part {damaged} is damaged")
            document = torch.load(self.path, map_location="cpu", weights_only=True, mmap=True)
            about = {key: document.get(key) for key in self._about}
            if about != self._about:
                names = ", ".join(key for key in about if about[key] != self._about[key])
                raise ValueError(f"it was made with other {names}")
            return _state(document["state"])
        # A damaged file can fail in any way that unpickling and unzipping know.
        except Exception as error:
            reason = (" ".join(str(error).split()) or type(error).__name__)[:200]
            warnings.warn(
                f"the checkpoint {self.path} is not used ({reason}); {self._name} begins anew", RuntimeWarning, stacklevel=2
            )
            return None

    def offer(self, state: Callable[[], TrainingState]) -> None:
        """Save, if it is time to."""
        pause = max(self.seconds, self._cost / LARGEST_SHARE) if self.seconds else 0
        if time.monotonic() - self._saved >= pause:
            self.save(state())

    def save(self, state: TrainingState) -> None:
        """Write the state, whole or not at all; where that is not possible (a full disk), warn and train on."""
        began = time.monotonic()
        document = {**self._about, "state": {entry.name: getattr(state, entry.name) for entry in dataclasses.fields(state)}}
        try:
            self._remove_unfinished(self.path.parent)
            with replacing(self.path) as file:
                torch.save(document, file)
        except (OSError, RuntimeError) as error:
            # torch says where it noticed, and its context why the file could not be written.
            reason = error.__context__ if isinstance(error.__context__, OSError) else error
            warnings.warn(
                f"no checkpoint of {self._name} could be written ({reason}); it trains on without", RuntimeWarning, stacklevel=2
            )
        self._saved = time.monotonic()
        self._cost = self._saved - began

    def remove(self) -> None:
        """Called when the training diverged. Also removes what was kept when one of the cells was trained in another stack."""
        for folder in self.folders:
            (folder / NAME).unlink(missing_ok=True)
            self._remove_unfinished(folder)

    @staticmethod
    def _remove_unfinished(folder: Path) -> None:
        """Remove what a killed process had written of a checkpoint."""
        for path in folder.glob(f".{NAME}.*tmp"):
            path.unlink(missing_ok=True)


def _state(document: dict[str, Any]) -> TrainingState:
    """Raises TypeError where a part is missing that has no default."""
    known = [entry.name for entry in dataclasses.fields(TrainingState)]
    return TrainingState(**{name: document[name] for name in known if name in document})
