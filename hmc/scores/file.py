"""One cell's scores as one file: npz without pickles, compressed, checksummed, and whole or not there."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hmc.files import replacing

SCORES = "scores.npz"
"""The file's name, beside the cell's record."""
VERSION = 1
"""Of the file's layout."""


class ScoresError(ValueError):
    """A file of scores is damaged or belongs to something else. The message is for the user."""


@dataclass(frozen=True, eq=False)
class Scores:
    """Coherent probabilities of one cell.

    identity: of the cell. test: float32 [test rows, nodes], every node of the hierarchy in its order, roots included.
    held_out: the same of the rows that were held out of training, None where none were.
    """

    identity: str
    test: np.ndarray
    held_out: np.ndarray | None = None


def save_scores(path: Path, scores: Scores) -> None:
    """Write the file, complete or not at all. Raises UnwritableError."""
    arrays = {"test": scores.test} | ({} if scores.held_out is None else {"held_out": scores.held_out})
    about = {"version": np.array(VERSION), "identity": np.array(scores.identity), "sha256": np.array(digest_of(scores))}
    with replacing(path) as file:
        np.savez_compressed(file, **arrays, **about)  # type: ignore[arg-type]


def load_scores(path: Path, identity: str = "") -> Scores:
    """The scores of the cell with this identity, or of whatever cell.

    Raises FileNotFoundError where there is no such file, ScoresError where it is damaged, of another cell, or of another layout.
    """
    remedy = "delete it and run the cell again"
    try:
        with np.load(path, allow_pickle=False) as arrays:
            version, owner, digest = (arrays[name].item() for name in ("version", "identity", "sha256"))
            if version != VERSION:
                raise ScoresError(f"{path} has the layout {version}, but this program reads {VERSION}; {remedy}")
            scores = Scores(owner, arrays["test"], arrays.get("held_out"))
    except (FileNotFoundError, ScoresError):
        raise
    # A damaged file can fail in any way that unzipping knows.
    except Exception as error:
        raise ScoresError(f"{path} cannot be read ({type(error).__name__}); {remedy}") from None
    if identity and owner != identity:
        raise ScoresError(f"{path} holds the scores of another cell ({owner[:12]!r}, not {identity[:12]!r}); {remedy}")
    if digest_of(scores) != digest:
        raise ScoresError(f"{path} was changed after it was written (its checksum does not fit); {remedy}")
    return scores


def digest_of(scores: Scores) -> str:
    """sha256 over layout, identity and arrays."""
    digest = hashlib.sha256(f"{VERSION}|{scores.identity}".encode())
    for array in (scores.test, scores.held_out):
        if array is not None:
            digest.update(f"|{array.dtype.str}|{array.shape}|".encode())
            digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
