"""The parsed form of a dataset on disk: one npz without pickles, written under a temporary name and renamed."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from hmc.data.dataset import SPLITS, Encoded
from hmc.files import replacing
from hmc.hierarchy import Adjacency, Hierarchy


class CacheError(ValueError):
    """A cached file is damaged or belongs to something else."""


def save(path: Path, key: str, encoded: Encoded) -> None:
    """Write the parsed form, complete or not at all. Several processes may write the same file. Raises UnwritableError."""
    arrays = {
        "key": np.array(key),
        "names": np.array(encoded.names),
        "parent_offsets": encoded.parents.offsets,
        "parent_indices": encoded.parents.indices,
        "feature_names": np.array(encoded.feature_names),
    }
    for split in SPLITS:
        arrays[f"features_{split}"] = encoded.features[split]
        arrays[f"labels_{split}"] = np.packbits(encoded.labels[split], axis=1)
    with replacing(path) as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]


def restore(path: Path, key: str) -> Encoded:
    """Read what :func:`save` wrote under the same key.

    Raises FileNotFoundError when there is no such file, CacheError when it is damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            if str(arrays["key"]) != key:
                raise CacheError("its key is another one")
            names = tuple(arrays["names"].tolist())
            encoded = Encoded(
                names=names,
                parents=Adjacency(arrays["parent_offsets"], arrays["parent_indices"]),
                feature_names=tuple(arrays["feature_names"].tolist()),
                features={split: arrays[f"features_{split}"] for split in SPLITS},
                labels={split: np.unpackbits(arrays[f"labels_{split}"], axis=1, count=len(names)).view(bool) for split in SPLITS},
            )
        if not _fits_together(encoded):
            raise CacheError("its parts do not belong together")
    except (FileNotFoundError, CacheError):
        raise
    # A damaged file can fail in any way that unzipping knows; a flipped bit may ask for a password or for terabytes.
    except Exception as error:
        raise CacheError(f"{type(error).__name__}: {' '.join(str(error).split())[:120]!a}") from None
    return encoded


def _fits_together(encoded: Encoded) -> bool:
    offsets, indices, nodes = encoded.parents.offsets, encoded.parents.indices, len(encoded.names)
    if offsets.dtype != np.int64 or indices.dtype != np.int64 or offsets.shape != (nodes + 1,) or indices.ndim != 1:
        return False
    if offsets[0] != 0 or offsets[-1] != len(indices) or (np.diff(offsets) < 0).any():
        return False
    if ((indices < 0) | (indices >= nodes)).any() or not all(isinstance(name, str) for name in encoded.names):
        return False
    for split in SPLITS:
        features, labels = encoded.features[split], encoded.labels[split]
        # Images have no named features.
        named = (features.ndim == 4 and features.dtype == np.uint8) or (
            features.dtype == np.float64 and features.shape[1:] == (len(encoded.feature_names),)
        )
        if len(features) != len(labels) or not named:
            return False
    hierarchy = Hierarchy(encoded.names, encoded.parents, np.ones(nodes, dtype=bool))
    return int((encoded.parents.counts == 0).sum()) == 1 and len(hierarchy.topological_order) == nodes
