"""What rows carry, from Python objects: label sets, a 0/1 matrix or frame, or one label a row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hmc.data.hierarchy_file import Labelling

FORMS = "a list of labels for each row, one label a row, or a matrix or frame of 0 and 1 with a column for each class"


@dataclass(frozen=True, eq=False)
class Targets:
    """form: sets, single (one label a row), matrix or frame. rows: of the first two, each row's labels as text. matrix: of the
    others, bool [rows, columns]. columns: a frame's.
    """

    form: str
    rows: Sequence[tuple[str, ...]] = ()
    matrix: np.ndarray | None = None
    columns: tuple[str, ...] = ()

    @property
    def labels(self) -> set[str]:
        """All labels that are named."""
        return {label for row in self.rows for label in row} | set(self.columns)

    def __len__(self) -> int:
        return len(self.rows) if self.matrix is None else len(self.matrix)


def targets_of(y: Any) -> Targets:
    """What ``y`` says. Raises ValueError for what is none of FORMS.

    >>> targets_of([["cat"], ["dog", "cat"]]).rows
    (('cat',), ('dog', 'cat'))
    >>> targets_of(np.array([[0, 1], [1, 1]])).form
    'matrix'
    """
    if y is None:
        raise ValueError(f"y must be {FORMS}, got None: it requires y to be passed, but the target y is None")
    if hasattr(y, "columns") and hasattr(y, "to_numpy"):
        return Targets("frame", matrix=_zero_one(y.to_numpy()), columns=tuple(map(str, y.columns)))
    if hasattr(y, "toarray"):
        return Targets("matrix", matrix=_zero_one(y.toarray()))
    if isinstance(y, np.ndarray) and y.ndim == 2 and y.dtype != object:
        return Targets("matrix", matrix=_zero_one(y))
    if hasattr(y, "__array__") and not hasattr(y, "__len__"):
        return targets_of(np.asarray(y))
    if isinstance(y, str) or not hasattr(y, "__len__") or getattr(y, "ndim", 1) != 1:
        raise ValueError(f"y must be {FORMS}, got {_described(y)}")
    rows = list(y)
    nested = [isinstance(row, (list, tuple, set, frozenset, np.ndarray)) for row in rows]
    if not any(nested):
        if any(row is None or row != row or row in (np.inf, -np.inf) for row in rows):
            raise ValueError("y must hold a label for each row, got a missing one (NaN or None) or infinity")
        if any(isinstance(row, (float, np.floating)) and row != int(row) for row in rows):
            raise ValueError("y must hold labels, got numbers with fractions. Unknown label type: continuous")
        return Targets("single", rows=tuple((str(row),) for row in rows))
    if not all(nested):
        raise ValueError(f"y must be {FORMS}, got a mixture of them")
    # A matrix in lists of lists has numbers of one length; label sets of numbers are given as text.
    if all(isinstance(entry, (bool, int, float, np.number, np.bool_)) for row in rows for entry in row):
        if len({len(row) for row in rows}) == 1:
            return Targets("matrix", matrix=_zero_one(np.asarray(rows)))
        raise ValueError(f"y must be {FORMS}, got rows of numbers of different lengths; write labels as text")
    return Targets("sets", rows=tuple(tuple(str(label) for label in row) for row in rows))


def label_matrix(targets: Targets, labelling: Labelling) -> np.ndarray:
    """bool [rows, nodes], closed under ancestors; the root is carried by every row.

    A matrix without names has a column for each node in the hierarchy's order, with or without the root. Raises ValueError for a
    label that names no node, or another number of columns.
    """
    hierarchy = labelling.hierarchy
    closed = np.zeros((len(targets), len(hierarchy)), dtype=bool)
    if targets.matrix is None:
        for row, labels in enumerate(targets.rows):
            for label in labels:
                closed[row, labelling.place(label, f"y, row {row}")] = True
    elif targets.columns:
        places = [labelling.place(name, "the columns of y") for name in targets.columns]
        for place, column in zip(places, targets.matrix.T, strict=True):
            closed[:, place] |= column
    else:
        without_root = np.delete(np.arange(len(hierarchy)), hierarchy.root)
        width = targets.matrix.shape[1]
        if width not in (len(hierarchy), len(without_root)):
            raise ValueError(
                f"y must have {len(without_root)} columns, one for each node below the root in the hierarchy's order, got {width}"
            )
        closed[:, without_root if width == len(without_root) else slice(None)] = targets.matrix
    closed[:, hierarchy.root] = True
    return hierarchy.close(closed)


def _zero_one(values: np.ndarray) -> np.ndarray:
    found = np.asarray(values)
    try:
        numbers = found.astype(float)
    except (TypeError, ValueError):
        raise ValueError(f"a matrix y must hold 0 and 1, got values of type {found.dtype}") from None
    if not np.isin(numbers, (0, 1)).all():
        wrong = numbers[~np.isin(numbers, (0, 1))].flat[0]
        raise ValueError(f"a matrix y must hold 0 and 1, got {wrong:g}; write labels that are numbers as text")
    return numbers.astype(bool)


def _described(y: Any) -> str:
    return f"an array of shape {y.shape}" if hasattr(y, "shape") else type(y).__name__
