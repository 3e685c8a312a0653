"""The training labels of the benchmark files, without their features: quick enough to read all datasets in one test run."""

from __future__ import annotations

import functools
import re
from pathlib import Path

import numpy as np
import yaml

from hmc.data.class_attribute import hierarchy_of, nodes_by_label
from hmc.data.notation import notation
from hmc.hierarchy import Hierarchy

CARDS = Path(__file__).resolve().parents[1] / "configs" / "dataset"


def card_name(golden_name: str) -> str:
    """cellcycle_FUN -> cellcycle_fun, enron_others -> enron."""
    return golden_name.removesuffix("_others").lower()


@functools.cache
def training_labels(card: str, folder: Path) -> tuple[Hierarchy, np.ndarray]:
    """A dataset's hierarchy and the closed labels of its train file, bool [rows, nodes]."""
    settings = yaml.safe_load((CARDS / f"{card}.yaml").read_text())
    header, _, data = re.split(r"(?i)(@data)", (folder / settings["train"]).read_text(), maxsplit=1)
    listed = re.search(r"(?i)hierarchical\s+(\S+)", header)
    assert listed is not None
    entries = tuple(dict.fromkeys(listed[1].split(",")))
    written = notation(entries, ())
    hierarchy = hierarchy_of(entries, written, settings["unevaluated"])
    rows = [line.split("%")[0].strip().rpartition(",")[2] for line in data.splitlines() if line.strip()]
    labels = np.zeros((len(rows), len(hierarchy)), dtype=bool)
    places = nodes_by_label(entries, written, hierarchy)
    for row, names in enumerate(rows):
        labels[row, [places[label] for label in names.split("@")]] = True
    return hierarchy, hierarchy.close(labels)
