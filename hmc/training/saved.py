"""A trained model as a folder: networks, hierarchy, preprocessing and thresholds, all that scoring new rows needs.

``model.json`` says what it is and holds names and settings; ``arrays-<hash>.npz`` holds the numbers. Neither can run anything
when it is read. The arrays' name is their hash, and model.json is written last, so that a model is replaced whole or not at all.
Reading and writing need no torch; scoring does.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from hmc import __version__
from hmc.data.preprocess import Preparation
from hmc.files import replacing, write_atomically
from hmc.hierarchy import Adjacency, Hierarchy, HierarchyError, from_edges

MODEL = "model.json"
FORMAT = 1
"""Of the folder's layout."""


class ModelError(ValueError):
    """A saved model cannot be read or does not fit what it is given. The message is for the user."""


@dataclass(frozen=True, eq=False)
class Model:
    """A trained model.

    hierarchy: of the scores' columns. feature_names: of the columns that it takes, ``attribute=value`` for a value of a
    categorical one. preparation: how these are imputed and standardised. layers: float32 [networks, inputs + 1, outputs]
    each, see :class:`hmc.models.mlp.Networks`. thresholds: per decision rule float64 [nodes]. about: what it was made with.
    """

    hierarchy: Hierarchy
    feature_names: tuple[str, ...]
    preparation: Preparation
    layers: tuple[np.ndarray, ...]
    thresholds: Mapping[str, np.ndarray] = field(default_factory=dict)
    about: Mapping[str, Any] = field(default_factory=dict)

    def scores(self, features: np.ndarray, device: str = "cpu") -> np.ndarray:
        """Coherent scores, float32 [rows, nodes].

        features: float64 [rows, features], not yet imputed nor standardised, NaN where missing. Raises ModelError for another
        number of columns.
        """
        if features.ndim != 2 or features.shape[1] != len(self.feature_names):
            raise ModelError(f"features must have shape [rows, {len(self.feature_names)}], got {list(features.shape)}")
        return self.scores_of_prepared(self.preparation.of(features), device)

    def scores_of_prepared(self, features: np.ndarray, device: str = "cpu") -> np.ndarray:
        """The same of float32 features that are imputed and standardised."""
        import torch

        from hmc.models.constraint import Constraint
        from hmc.models.mlp import Networks
        from hmc.training.device import device_for
        from hmc.training.stack import scores
        from hmc.training.trainer import Trained

        constraint = Constraint(self.hierarchy, device_for(device))
        networks = Networks(tuple(torch.from_numpy(layer) for layer in self.layers)).to(constraint.device)
        trained = Trained(networks, torch.zeros(0), 0.0, 0)
        return scores(trained, features, constraint, 1)[0]


PREFERRED = ("scaled_rate", "node_supported", "global", "half")
"""Of the rules that a model has thresholds for, the first of these is taken unless another is asked for (ours)."""


def preferred_rule(known: Iterable[str]) -> str:
    """The decision rule to take of those that a model has thresholds for.

    >>> preferred_rule(["half", "prior", "scaled_rate"])
    'scaled_rate'
    """
    names = list(known)
    return next((name for name in PREFERRED if name in names), names[0])


def save_model(folder: Path, model: Model) -> None:
    """Write a model. A model that stands there is replaced.

    Raises ModelError where the folder holds something else, UnwritableError.
    """
    others = [path.name for path in folder.iterdir() if not _is_ours(path)] if folder.is_dir() else []
    if others and not (folder / MODEL).is_file():
        raise ModelError(f"{folder} must be a new or empty folder, or one that holds a model, got one with {min(others)!r}")
    arrays = {
        **{entry.name: getattr(model.preparation, entry.name) for entry in dataclasses.fields(Preparation)},
        "parent_offsets": model.hierarchy.parents.offsets,
        "parents": model.hierarchy.parents.indices,
        "evaluated": model.hierarchy.evaluated,
        **{f"layer_{place}": layer for place, layer in enumerate(model.layers)},
        **{f"threshold_{place}": values for place, values in enumerate(model.thresholds.values())},
    }
    packed = io.BytesIO()
    np.savez(packed, **arrays)  # type: ignore[arg-type]
    digest = hashlib.sha256(packed.getvalue()).hexdigest()
    file = folder / f"arrays-{digest[:16]}.npz"
    with replacing(file) as target:
        target.write(packed.getvalue())
    document = {
        "format": FORMAT,
        "program": f"hmc {__version__}",
        "arrays": {"file": file.name, "sha256": digest},
        "layers": len(model.layers),
        "rules": list(model.thresholds),
        "feature_names": list(model.feature_names),
        "nodes": list(model.hierarchy.names),
        "about": dict(model.about),
    }
    write_atomically(folder / MODEL, json.dumps(document | {"sha256": _digest(document)}, indent=1, ensure_ascii=False) + "\n")
    for old in folder.glob("arrays-*.npz"):
        if old != file:
            old.unlink(missing_ok=True)


def load_model(folder: Path) -> Model:
    """The model in a folder. Raises ModelError where there is none, or where it is damaged or of another format."""
    path = folder / MODEL
    try:
        document = json.loads(path.read_bytes())
        if document["format"] != FORMAT:
            raise ModelError(f"{path} has format {document['format']!r}, but this program reads {FORMAT}; save the model again")
        claimed = document.pop("sha256")
        if claimed != _digest(document):
            raise ModelError(f"{path} was changed after it was written (its checksum does not fit); save the model again")
        packed = (folder / Path(document["arrays"]["file"]).name).read_bytes()
        if hashlib.sha256(packed).hexdigest() != document["arrays"]["sha256"]:
            raise ModelError(f"{folder}: the arrays were changed after they were written; save the model again")
        with np.load(io.BytesIO(packed), allow_pickle=False) as arrays:
            return _model(document, {name: arrays[name] for name in arrays.files})
    except ModelError:
        raise
    except FileNotFoundError as error:
        missing = Path(str(error.filename)).name
        raise ModelError(f"{folder} must be a folder with a saved model, but it has no {missing}; correct the path") from None
    except OSError as error:
        raise ModelError(f"{folder} cannot be read: {error.strerror}") from None
    # A damaged file can fail in any way that JSON and unzipping know.
    except (ValueError, KeyError, TypeError, AttributeError, HierarchyError) as error:
        raise ModelError(f"{path} cannot be read as a saved model ({type(error).__name__}); save the model again") from None


def _model(document: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Model:
    model = Model(
        hierarchy=_hierarchy(document["nodes"], arrays),
        feature_names=tuple(document["feature_names"]),
        preparation=Preparation(*(arrays[entry.name] for entry in dataclasses.fields(Preparation))),
        layers=tuple(arrays[f"layer_{place}"] for place in range(document["layers"])),
        thresholds={rule: arrays[f"threshold_{place}"] for place, rule in enumerate(document["rules"])},
        about=document["about"],
    )
    widths = [layer.shape[1] - 1 for layer in model.layers]
    outputs = [layer.shape[2] for layer in model.layers]
    features, nodes = len(model.feature_names), len(model.hierarchy)
    fits = [features, *outputs] == [*widths, nodes]
    fits &= all(len(part) == features for part in dataclasses.astuple(model.preparation))
    fits &= all(len(values) == nodes for values in model.thresholds.values())
    if not fits:
        raise ValueError("shapes that do not fit")
    return model


def _hierarchy(names: Sequence[str], arrays: Mapping[str, np.ndarray]) -> Hierarchy:
    parents = Adjacency(arrays["parent_offsets"], arrays["parents"])
    edges = ((names[parent], names[child]) for child, parent in zip(parents.owners, parents.indices, strict=True))
    hierarchy = from_edges(names, edges, unevaluated=())
    return dataclasses.replace(hierarchy, evaluated=arrays["evaluated"].astype(bool))


def _is_ours(path: Path) -> bool:
    return path.name == MODEL or (path.name.startswith("arrays-") and path.suffix == ".npz") or path.name.startswith(".")


def _digest(document: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(document, sort_keys=True, ensure_ascii=True).encode()).hexdigest()
