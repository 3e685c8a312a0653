"""The parsed form of a dataset on disk: one npz without pickles, written under a temporary name and renamed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
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
        "about": _packed([json.dumps({"written": encoded.written, "notes": encoded.notes})])["text"],
        "parent_offsets": encoded.parents.offsets,
        "parent_indices": encoded.parents.indices,
    }
    texts = {"names": encoded.names, "feature_names": encoded.feature_names}
    texts |= {f"ids_{split}": encoded.ids[split] for split in SPLITS}
    for name, entries in texts.items():
        arrays |= {f"{name}_{part}": array for part, array in _packed(entries).items()}
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
            names = _unpacked(arrays, "names")
            about = json.loads(arrays["about"].tobytes().decode())
            encoded = Encoded(
                names=names,
                parents=Adjacency(arrays["parent_offsets"], arrays["parent_indices"]),
                feature_names=_unpacked(arrays, "feature_names"),
                features={split: arrays[f"features_{split}"] for split in SPLITS},
                labels={split: np.unpackbits(arrays[f"labels_{split}"], axis=1, count=len(names)).view(bool) for split in SPLITS},
                ids={split: _unpacked(arrays, f"ids_{split}") for split in SPLITS},
                written=about["written"],
                notes=tuple(about["notes"]),
            )
        if not _fits_together(encoded):
            raise CacheError("its parts do not belong together")
    except (FileNotFoundError, CacheError):
        raise
    # A damaged file can fail in any way that unzipping knows; a flipped bit may ask for a password or for terabytes.
    except Exception as error:
        raise CacheError(f"{type(error).__name__}: {' '.join(str(error).split())[:120]!a}") from None
    return encoded


def _packed(entries: Sequence[str]) -> dict[str, np.ndarray]:
    """Texts as one run of UTF-8 and where each ends: an array of texts would give all of them the length of the longest."""
    encoded = [entry.encode() for entry in entries]
    return {
        "text": np.frombuffer(b"".join(encoded), dtype=np.uint8),
        "ends": np.cumsum([len(entry) for entry in encoded], dtype=np.int64),
    }


def _unpacked(arrays: Mapping[str, np.ndarray], name: str) -> tuple[str, ...]:
    text, ends = arrays[f"{name}_text"].tobytes(), arrays[f"{name}_ends"].tolist()
    if ends != sorted(ends) or (ends[-1] if ends else 0) != len(text) or min(ends, default=0) < 0:
        raise CacheError(f"its {name} do not belong together")
    return tuple(text[begin:end].decode() for begin, end in zip([0, *ends], ends, strict=False))


def _fits_together(encoded: Encoded) -> bool:
    offsets, indices, nodes = encoded.parents.offsets, encoded.parents.indices, len(encoded.names)
    if offsets.dtype != np.int64 or indices.dtype != np.int64 or offsets.shape != (nodes + 1,) or indices.ndim != 1:
        return False
    if offsets[0] != 0 or offsets[-1] != len(indices) or (np.diff(offsets) < 0).any():
        return False
    if ((indices < 0) | (indices >= nodes)).any() or len(set(encoded.names)) < nodes:
        return False
    for split in SPLITS:
        features, labels = encoded.features[split], encoded.labels[split]
        # Images have no named features.
        named = (features.ndim == 4 and features.dtype == np.uint8) or (
            features.dtype == np.float64 and features.shape[1:] == (len(encoded.feature_names),)
        )
        if len(features) != len(labels) or not named or len(encoded.ids[split]) not in (0, len(labels)):
            return False
    hierarchy = Hierarchy(encoded.names, encoded.parents, np.ones(nodes, dtype=bool))
    return int((encoded.parents.counts == 0).sum()) == 1 and len(hierarchy.topological_order) == nodes
