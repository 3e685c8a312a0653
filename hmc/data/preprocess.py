"""From one file's columns to a matrix of features: one-hot encoding, imputation, standardisation.

Every function takes and returns float64; the trainer's float32 is made last, by `hmc.data.load`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hmc.data.arff import ArffTable, Attribute
from hmc.data.catalog import DataError
from hmc.hierarchy import short

MOST_LETTERS = 20_000_000
"""Of the names of one nominal attribute's features together (ours)."""
LARGEST = 1e30
"""Of a standardised number (ours): a network computes in float32, which ends at 3e38, and multiplies it by weights."""
LARGEST_OF_CONSTANT = 1.0
"""Of what rounding may leave of a constant feature after its mean is subtracted (ours)."""


def feature_names(attributes: Sequence[Attribute]) -> tuple[str, ...]:
    """One name per column of :func:`encode`: a numeric attribute's own, `attribute=value` for each value of a nominal one.

    Raises DataError where an attribute's names would fill the memory.
    """
    for attribute in attributes:
        letters = len(attribute.name) * len(attribute.values or ())
        if letters > MOST_LETTERS:
            raise DataError(
                f"the attribute {short(attribute.name)} has a name of {len(attribute.name)} letters and "
                f"{len(attribute.values or ())} values, so that its features' names would have {letters} letters, where at most "
                f"{MOST_LETTERS} are kept; shorten it"
            )
    return tuple(
        name
        for attribute in attributes
        for name in (
            [attribute.name] if attribute.values is None else [f"{attribute.name}={value}" for value in attribute.values]
        )
    )


def encode(table: ArffTable, attributes: Sequence[Attribute]) -> np.ndarray:
    """float64 [rows, features], nominal attributes one-hot in place, NaN where a number is missing.

    attributes: the training file's, so that all splits have the same columns. A nominal value that is missing, or that
    the training file does not declare, becomes all zeros (released).
    """
    blocks = []
    for own, wanted, column in zip(table.attributes, attributes, table.columns, strict=True):
        if own.values is None or wanted.values is None:
            blocks.append(column[:, None])
        else:
            blocks.append(one_hot(column, own.values, wanted.values))
    return np.concatenate(blocks, axis=1, dtype=np.float64)


def undeclared(table: ArffTable, attributes: Sequence[Attribute]) -> list[tuple[str, str, int]]:
    """The nominal values in a table that the training file's attributes do not have: attribute, value, and in how many rows."""
    found = []
    for own, wanted, column in zip(table.attributes, attributes, table.columns, strict=True):
        if own.values != wanted.values and own.values is not None and wanted.values is not None:
            counts = np.bincount(column[column >= 0], minlength=len(own.values))
            unknown = sorted(set(own.values) - set(wanted.values))
            found += [(own.name, value, int(counts[own.values.index(value)])) for value in unknown]
    return [entry for entry in found if entry[2]]


def one_hot(codes: np.ndarray, values: Sequence[str], wanted: Sequence[str]) -> np.ndarray:
    """float64 [rows, wanted values]: 1 where the row has the value; a row whose value is missing or not wanted is all zeros.

    codes: int [rows], places in ``values``, -1 where missing.
    """
    places = {value: place for place, value in enumerate(wanted)}
    # The last entry serves code -1.
    translation = np.array([*(places.get(value, -1) for value in values), -1])
    return (translation[codes][:, None] == np.arange(len(wanted))).astype(np.float64)


def impute(
    splits: Mapping[str, np.ndarray], imputation: str, training_splits: Sequence[str] = ("train", "valid")
) -> dict[str, np.ndarray]:
    """The same splits, each [rows, features], with every NaN replaced by its feature's mean.

    imputation: `split_mean`, the mean over the rows of the split itself (released), or `train_mean`, the mean over the rows of
    the splits that are trained on (the clean alternative: test rows are filled without looking at other test rows).
    A feature without any value in the split takes the training mean, and 0 when training has none either (ours; no benchmark
    dataset needs it).
    """
    training = training_means(np.concatenate([splits[name] for name in training_splits]))
    filled = {}
    for name, features in splits.items():
        if imputation == "split_mean":
            means = _means(features)
            means = np.where(np.isnan(means), training, means)
        elif imputation == "train_mean":
            means = training
        else:
            raise ValueError(f"imputation={imputation!r} is not known; use split_mean or train_mean")
        filled[name] = np.where(np.isnan(features), means, features)
    return filled


@dataclass(frozen=True, eq=False)
class Scaling:
    """Each feature's mean and scale over the training rows, float64 [features]. constant: bool, where the scale is 1 because the
    feature does not vary beyond rounding.
    """

    mean: np.ndarray
    scale: np.ndarray
    constant: np.ndarray

    def of(self, features: np.ndarray) -> np.ndarray:
        """The features, float64 [rows, features], shifted and scaled."""
        return (features - self.mean) / self.scale


def scaling(rows: np.ndarray) -> Scaling:
    """How the features of training rows, float64 [rows, features] without NaN, are standardised.

    Bit for bit scikit-learn's StandardScaler, whose import alone takes two seconds: the variance in two passes with a correction
    for rounding, and features that do not vary beyond what rounding explains only shifted.
    """
    count = np.float64(len(rows))
    mean = rows.sum(axis=0) / count
    deviations = rows - mean
    correction = deviations.sum(axis=0)
    deviations **= 2
    variance = (deviations.sum(axis=0) - correction**2 / count) / count
    rounding = np.finfo(np.float64).eps
    constant = variance <= count * rounding * variance + (count * mean * rounding) ** 2
    scale = np.sqrt(variance)
    scale[constant] = 1.0
    return Scaling(mean, scale, constant)


@dataclass(frozen=True, eq=False)
class Preparation:
    """How rows that are not in the dataset are made ready for what was trained on it, each float64 [features].

    fill: what a missing number becomes, the mean over the training rows. mean, scale: see :class:`Scaling`.
    """

    fill: np.ndarray
    mean: np.ndarray
    scale: np.ndarray

    def of(self, features: np.ndarray) -> np.ndarray:
        """float32 [rows, features], imputed and standardised. features: float64 [rows, features], NaN where missing."""
        return ((np.where(np.isnan(features), self.fill, features) - self.mean) / self.scale).astype(np.float32)


def training_means(rows: np.ndarray) -> np.ndarray:
    """float64 [features]: each feature's mean over the training rows that have a value, 0 where none has."""
    means = _means(rows)
    return np.where(np.isnan(means), 0.0, means)


def standardise(splits: Mapping[str, np.ndarray], training_splits: Sequence[str] = ("train", "valid")) -> dict[str, np.ndarray]:
    """The same splits shifted and scaled to mean 0 and variance 1 over the rows that are trained on (paper, released: train
    and valid together).

    A feature that is constant there is only shifted, as scikit-learn's StandardScaler does.
    """
    found = scaling(np.concatenate([splits[name] for name in training_splits]))
    return {name: found.of(features) for name, features in splits.items()}


@dataclass(frozen=True)
class Unusable:
    """A feature that cannot be trained on as it is: its place, and the split and row of its largest number once standardised.

    constant: whether the feature does not vary beyond rounding over the training rows; otherwise the number is too large.
    """

    feature: int
    split: str
    row: int
    constant: bool


def first_unusable(ready: Mapping[str, np.ndarray], found: Scaling, training_splits: Sequence[str]) -> Unusable | None:
    """The first feature that standardising could not make fit to train on, None where all are.

    ready: the standardised splits. A constant is not fit where it is so large that rounding leaves more than 1 of it when its
    mean is subtracted; any feature is not fit where a row, of whatever split, is beyond what float32 can compute with.
    """
    for split, features in ready.items():
        sizes = np.abs(features)
        left = sizes > LARGEST_OF_CONSTANT if split in training_splits else np.zeros_like(sizes, dtype=bool)
        wrong = ~(sizes <= LARGEST) | (left & found.constant)
        if wrong.any():
            feature = int(np.flatnonzero(wrong.any(axis=0))[0])
            row = int(np.flatnonzero(wrong[:, feature])[0])
            return Unusable(feature, split, row, bool(found.constant[feature] and left[row, feature]))
    return None


def _means(features: np.ndarray) -> np.ndarray:
    """float64 [features]: the mean over the rows that have a value, NaN where none has."""
    present = ~np.isnan(features)
    counts = present.sum(axis=0)
    totals = np.where(present, features, 0.0).sum(axis=0)
    return np.divide(totals, counts, out=np.full(features.shape[1], np.nan), where=counts > 0)
