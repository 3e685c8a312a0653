"""From one file's columns to a matrix of features: one-hot encoding, imputation, standardisation.

Every function takes and returns float64; the trainer's float32 is made last, by `hmc.data.load`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from sklearn.preprocessing import StandardScaler

from hmc.data.arff import ArffTable, Attribute


def feature_names(attributes: Sequence[Attribute]) -> tuple[str, ...]:
    """One name per column of :func:`encode`: a numeric attribute's own, `attribute=value` for each value of a nominal one."""
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
    training = _means(np.concatenate([splits[name] for name in training_splits]))
    training[np.isnan(training)] = 0
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


def standardise(splits: Mapping[str, np.ndarray], training_splits: Sequence[str] = ("train", "valid")) -> dict[str, np.ndarray]:
    """The same splits shifted and scaled to mean 0 and variance 1 over the rows that are trained on (paper, released: train
    and valid together).

    A feature that is constant there is only shifted, as scikit-learn's StandardScaler does.
    """
    scaler = StandardScaler().fit(np.concatenate([splits[name] for name in training_splits]))
    return {name: scaler.transform(features) if len(features) else features for name, features in splits.items()}


def _means(features: np.ndarray) -> np.ndarray:
    """float64 [features]: the mean over the rows that have a value, NaN where none has."""
    present = ~np.isnan(features)
    counts = present.sum(axis=0)
    totals = np.where(present, features, 0.0).sum(axis=0)
    return np.divide(totals, counts, out=np.full(features.shape[1], np.nan), where=counts > 0)
