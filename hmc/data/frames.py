"""Features from Python objects: an array, a sparse matrix, or a frame with numeric and categorical columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hmc.data.arff import Attribute
from hmc.data.catalog import DataError
from hmc.data.preprocess import feature_names, one_hot
from hmc.data.rows import attributes_of


@dataclass(frozen=True)
class Columns:
    """The columns that a model was fitted on: numeric ones, and categorical ones with the values that were seen."""

    attributes: tuple[Attribute, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The features' names, ``column=value`` for each value of a categorical column."""
        return feature_names(self.attributes)

    def encode(self, frame: Any) -> np.ndarray:
        """float64 [rows, features] of a frame with these columns; NaN where a number is missing; a category that was not seen
        becomes all zeros. Raises ValueError for a text among numbers.
        """
        places = {str(name): place for place, name in reversed(list(enumerate(frame.columns)))}
        blocks = []
        for attribute in self.attributes:
            column = frame.iloc[:, places[attribute.name]]
            if attribute.values is None:
                blocks.append(_numbers(column, attribute.name)[:, None])
            else:
                known = {value: code for code, value in enumerate(attribute.values)}
                codes = np.array([-1 if _missing(value) else known.get(str(value), -1) for value in column], dtype=np.int64)
                blocks.append(one_hot(codes, attribute.values, attribute.values))
        return np.concatenate(blocks, axis=1, dtype=np.float64)


def has_categories(X: Any) -> bool:
    """Whether it is a frame with a column that is not of numbers."""
    return hasattr(X, "dtypes") and hasattr(X, "columns") and not all(_is_numeric(dtype) for dtype in X.dtypes)


def columns_of(frame: Any) -> Columns:
    """The columns of a training frame. Raises ValueError for two of one name.

    >>> import pandas as pd
    >>> columns_of(pd.DataFrame({"age": [1, 2], "kind": ["a", "b"]})).names
    ('age', 'kind=a', 'kind=b')
    """
    names = [str(name) for name in frame.columns]
    if twice := next((name for name, count in Counter(names).items() if count > 1), None):
        raise ValueError(f"every column of X must have a name of its own, got {twice!r} twice; rename one")
    attributes = []
    for place, (name, dtype) in enumerate(zip(names, frame.dtypes, strict=True)):
        if _is_numeric(dtype):
            attributes.append(Attribute(name))
        else:
            values = sorted({str(value) for value in frame.iloc[:, place] if not _missing(value)})
            attributes.append(Attribute(name, tuple(values)))
    return Columns(tuple(attributes))


def encoded_like(frame: Any, names: Sequence[str]) -> np.ndarray:
    """The features of a frame, float64 [rows, features], for what was fitted on features of these names.

    Raises ValueError where a column that they come from is missing. Other columns are left out.
    """
    try:
        attributes = attributes_of(names, [str(name) for name in frame.columns], "X")
    except DataError as error:
        raise ValueError(str(error)) from None
    return Columns(tuple(attributes)).encode(frame)


def _is_numeric(dtype: Any) -> bool:
    # Python's own kinds: b, i, u, f; pandas' extension types say the same.
    return getattr(dtype, "kind", "O") in "biuf"


def _numbers(column: Any, name: str) -> np.ndarray:
    try:
        return np.asarray(column, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"the column {name!r} must hold numbers, as it did in fit, got values of type {column.dtype}") from None


def _missing(value: Any) -> bool:
    return value is None or value != value
