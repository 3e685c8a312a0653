"""Scores from outside: a file of somebody's scores for a dataset's test rows, in the dataset's order of rows and nodes.

npz: ``test`` and, where there are any, ``held_out``, float [rows, nodes], and optionally ``nodes``, the names of the columns.
CSV: one line a test row, one column a node, by name; a column ``id`` names the rows, else they are in the dataset's order.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from hmc.files import csv_file
from hmc.hierarchy import Hierarchy, short
from hmc.scores.coherent import coherent
from hmc.scores.file import ScoresError

ID = "id"
COHERENT = ("refuse", "maximum")


def read_outside(
    path: Path,
    hierarchy: Hierarchy,
    rows: Mapping[str, int],
    ids: Mapping[str, Sequence[str]],
    *,
    incoherent: str = "refuse",
    held_out_path: Path | None = None,
) -> dict[str, np.ndarray]:
    """The scores of ``test`` and, where the file has them, ``held_out``: float32 [rows, nodes], in [0, 1] and coherent.

    rows: how many rows each split has; ids: their names, for a CSV with a column ``id``. incoherent: what becomes of a child
    above its parent, ``refuse`` or ``maximum`` (the maximum over descendants). held_out_path: a second CSV, of the held-out rows.

    Raises ScoresError, one line, for a file that is neither, a missing node, a wrong number of rows, a value outside [0, 1], or
    incoherent rows that are to be refused; OSError where the file cannot be read.
    """
    if held_out_path and path.suffix != ".csv":
        raise ScoresError(f"held_out_scores={held_out_path} goes with test scores in a .csv; an .npz has an array 'held_out'")
    if path.suffix == ".npz":
        found, names = _npz(path)
        places = {split: f"{path}: {split}" for split in found}
        ordered = {split: _ordered(array, names, hierarchy, places[split]) for split, array in found.items()}
    elif path.suffix == ".csv":
        paths = {"test": path} | ({"held_out": held_out_path} if held_out_path else {})
        places = {split: str(one) for split, one in paths.items()}
        ordered = {split: _csv(one, hierarchy, ids.get(split, ())) for split, one in paths.items()}
    else:
        raise ScoresError(f"scores={path} must be an .npz or a .csv file, got {path.suffix or 'no ending'!r}")
    return {split: _checked(array, hierarchy, rows.get(split, 0), places[split], incoherent) for split, array in ordered.items()}


def _npz(path: Path) -> tuple[dict[str, np.ndarray], tuple[str, ...]]:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            found = {split: arrays[split] for split in ("test", "held_out") if split in arrays.files}
            names = tuple(str(name) for name in arrays["nodes"].tolist()) if "nodes" in arrays.files else ()
    except OSError:
        raise
    # A damaged file can fail in any way that unzipping knows.
    except Exception as error:
        raise ScoresError(
            f"{path} cannot be read as .npz ({type(error).__name__}); write it with numpy.savez, without objects"
        ) from None
    if "test" not in found:
        raise ScoresError(f"{path} must have an array 'test' [test rows, nodes]")
    return found, names


def _csv(path: Path, hierarchy: Hierarchy, ids: Sequence[str]) -> np.ndarray:
    try:
        columns, entries = csv_file.read(path, "correct it there")
        names = [name for name in columns if name != ID]
        values: list[list[float]] = []
        found: list[str] = []
        for line, entry in entries:
            numbers = [csv_file.number(entry[name]) for name in names]
            if None in numbers:
                name = names[numbers.index(None)]
                raise ScoresError(f"{path}:{line}: the score of {short(name)} must be a number, got {short(entry[name])}")
            values.append([number for number in numbers if number is not None])
            found.append(entry.get(ID, ""))
    except csv_file.CsvError as error:
        raise ScoresError(str(error)) from None
    array = np.array(values, dtype=np.float64).reshape(len(values), len(names))
    if ID in columns:
        array = array[_places(path, found, ids)]
    return _ordered(array, tuple(names), hierarchy, str(path))


def _places(path: Path, found: Sequence[str], ids: Sequence[str]) -> list[int]:
    """For each row of the dataset its line in the file."""
    place = {name: line for line, name in enumerate(found)}
    if len(place) < len(found):
        repeated = next(name for line, name in enumerate(found) if place[name] != line)
        raise ScoresError(f"{path}: the id {short(repeated)} stands twice; every row must have its own")
    known = set(ids)
    missing = [name for name in ids if name not in place]
    unknown = [name for name in found if name not in known]
    if missing or unknown:
        problem = (
            f"has no row with id {short(missing[0])}"
            if missing
            else f"has a row with id {short(unknown[0])}, which the dataset's split has not"
        )
        raise ScoresError(
            f"{path} {problem}; ids must be those of the split's rows (their numbers from 0, where the dataset has none)"
        )
    return [place[name] for name in ids]


def _ordered(array: np.ndarray, names: tuple[str, ...], hierarchy: Hierarchy, at: str) -> np.ndarray:
    """The columns in the dataset's order; unevaluated nodes that are not given get the maximum over their descendants."""
    if array.ndim != 2:
        raise ScoresError(f"{at} must have two axes, [rows, nodes], got shape {array.shape}")
    if not np.issubdtype(array.dtype, np.number) or np.issubdtype(array.dtype, np.complexfloating):
        raise ScoresError(f"{at} must hold numbers, got {array.dtype}")
    if not names:
        if array.shape[1] != len(hierarchy):
            raise ScoresError(
                f"{at} must have {len(hierarchy)} columns, all nodes in the dataset's order, roots included, got "
                f"{array.shape[1]}; or name the columns in an array 'nodes'"
            )
        return array
    if len(names) != array.shape[1]:
        raise ScoresError(f"{at} has {array.shape[1]} columns and {len(names)} names; give each column one name")
    if len(set(names)) < len(names):
        repeated = next(name for place, name in enumerate(names) if name in names[:place])
        raise ScoresError(f"{at}: the node {short(repeated)} stands twice; keep one column")
    for name in names:
        if name not in hierarchy.index:
            nearest = difflib.get_close_matches(name, hierarchy.names, n=1, cutoff=0.5)
            hint = f"; did you mean {nearest[0]!r}?" if nearest else ""
            raise ScoresError(f"{at}: {short(name)} is not a node of the dataset{hint}")
    given = set(names)
    missing = [
        name for name, evaluated in zip(hierarchy.names, hierarchy.evaluated, strict=True) if evaluated and name not in given
    ]
    if missing:
        raise ScoresError(f"{at} lacks {len(missing)} nodes, first {short(missing[0])}; every evaluated node needs a column")
    ordered = np.zeros((len(array), len(hierarchy)), dtype=array.dtype)
    ordered[:, [hierarchy.index[name] for name in names]] = array
    absent = [place for place, name in enumerate(hierarchy.names) if name not in given]
    if absent:
        ordered[:, absent] = coherent(ordered, hierarchy)[:, absent]
    return ordered


def _checked(array: np.ndarray, hierarchy: Hierarchy, rows: int, at: str, incoherent: str) -> np.ndarray:
    if len(array) != rows:
        raise ScoresError(f"{at} must have {rows} rows, one for each row of the dataset's split, got {len(array)}")
    scores = array.astype(np.float32)
    bad = np.argwhere(~((scores >= 0) & (scores <= 1)))
    if len(bad):
        row, node = bad[0]
        raise ScoresError(
            f"{at}: row {row}, node {short(hierarchy.names[node])} has the score {scores[row, node]}; scores must lie in [0, 1]"
        )
    whole = coherent(scores, hierarchy)
    if incoherent == "refuse" and not np.array_equal(whole, scores):
        row, node = np.argwhere(whole != scores)[0]
        raise ScoresError(
            f"{at}: in row {row} the node {short(hierarchy.names[node])} has {scores[row, node]:.4g}, less than one below it "
            f"({whole[row, node]:.4g}); correct it, or set coherent=maximum to take the maximum over descendants"
        )
    return whole


def has_held_out(path: Path) -> bool:
    """Whether a file of scores, .npz, holds held-out rows too. Raises ScoresError where it cannot be read, OSError."""
    if path.suffix != ".npz":
        return False
    found, _ = _npz(path)
    return "held_out" in found
