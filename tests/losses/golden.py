"""What the released program computed on small random hierarchies, in this project's terms."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from hmc.hierarchy import Hierarchy, from_edges

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
CASES = tuple(sorted(path.stem.removeprefix("objective_") for path in GOLDEN.glob("objective_*.npz")))
MODES = {
    "mean": "bbma",
    "pcs": "gmu",
    "predictive": "total",
    "aleatoric": "aleatoric",
    "epistemic": "epistemic_js",
    "epistemic_kl": "epistemic_kl",
}
SCHEMES = {"class-wise": "class_wise", "binary": "binary"}


@dataclass(frozen=True)
class Case:
    """One fixture."""

    name: str

    @cached_property
    def arrays(self) -> dict[str, np.ndarray]:
        with np.load(GOLDEN / f"objective_{self.name}.npz") as stored:
            return dict(stored)

    @cached_property
    def hierarchy(self) -> Hierarchy:
        offsets, indices = self.arrays["parents_indptr"], self.arrays["parents_indices"]
        names = ["root", *(f"n{place}" for place in range(1, len(offsets) - 1))]
        edges = [
            (names[parent], names[node]) for node in range(len(names)) for parent in indices[offsets[node] : offsets[node + 1]]
        ]
        return from_edges(names, edges)

    @property
    def training_labels(self) -> np.ndarray:
        return self.arrays["Y_train"] != 0

    @property
    def labels(self) -> Tensor:
        """bool [rows, nodes]."""
        return torch.from_numpy(self.arrays["Y"] != 0)

    @property
    def probabilities(self) -> Tensor:
        """float64 [members, rows, nodes]."""
        return torch.from_numpy(self.arrays["probs"].astype(np.float64))


def relative_difference(ours: np.ndarray, theirs: np.ndarray) -> float:
    """The largest difference, relative to the largest of their numbers."""
    return float(np.abs(ours - theirs).max() / np.abs(theirs).max())
