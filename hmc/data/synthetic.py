"""Two small datasets from a seed, so that everything runs without any file: a tree like FunCat and a DAG like the Gene Ontology.

Rows walk from the root down, at each node preferring some children much to others, so that deep nodes are rare and a few have no
row in training. A row's features are the sum of its nodes' prototypes plus noise, so that a small network learns them.

Everything is made of PCG64's uniform numbers and of sums and products in a fixed order, so that every machine gets the same bits.
"""

from __future__ import annotations

from itertools import accumulate
from operator import mul

import numpy as np

from hmc.data.class_attribute import hierarchy_of
from hmc.data.dataset import Encoded
from hmc.hierarchy import ROOT, Hierarchy
from hmc.settings import SettingsError, SyntheticSettings

GENERATOR_VERSION = 1
"""To be raised with every change here that changes a number; part of every identity."""

# Chosen so that a network of the default sizes finds the common nodes and has trouble with the rare ones (ours).
_STOP = 0.15
"""Chance to stop at an inner node, the first level excepted."""
_PREFERENCE = 0.55
"""Each further child of a node is this much less likely than the one before it."""
_WALKS = (0.55, 0.3, 0.15)
"""Chances of a row to have one, two or three most specific labels."""
_SECOND_PARENT = 0.4
"""Chance of a node of a DAG below the first level to have another parent."""
_SQUARE_ROOT_OF_3 = 1.7320508075688772
_NOISE = 1.2
"""Standard deviation of the noise; a prototype's is 0.58."""


def generate(settings: SyntheticSettings) -> Encoded:
    """One dataset with splits of the sizes asked for; ``settings.nodes`` counts the nodes below the root.

    Raises SettingsError when the nodes do not suffice for the depth.
    """
    if settings.nodes < settings.depth:
        raise SettingsError(
            f"dataset.synthetic.nodes={settings.nodes} is less than dataset.synthetic.depth={settings.depth}; "
            "every level needs a node"
        )
    random = np.random.Generator(np.random.PCG64(settings.seed))
    parents, levels = _tree(random, settings)
    entries, written = (_funcat(parents), "paths") if settings.shape == "tree" else (_ontology(random, parents, levels), "edges")
    hierarchy = hierarchy_of(entries, written)
    rows = settings.rows_train + settings.rows_valid + settings.rows_test
    labels = hierarchy.close(_walks(random, hierarchy, rows))
    features = _features(random, hierarchy, labels, settings.features)
    ends = np.cumsum([settings.rows_train, settings.rows_valid])
    return Encoded(
        names=hierarchy.names,
        parents=hierarchy.parents,
        feature_names=tuple(f"x{index + 1}" for index in range(settings.features)),
        features=dict(zip(("train", "valid", "test"), np.split(features, ends), strict=True)),
        labels=dict(zip(("train", "valid", "test"), np.split(labels, ends), strict=True)),
        written=written,
    )


def _tree(random: np.random.Generator, settings: SyntheticSettings) -> tuple[list[int], list[int]]:
    """Each node's parent (-1: the root) and level (from 1); a parent always comes before its children."""
    parents: list[int] = []
    levels: list[int] = []
    for node in range(settings.nodes):
        if node < settings.depth:
            # One chain down to the depth asked for.
            parent = node - 1
        else:
            open_nodes = [-1, *(above for above in range(node) if levels[above] < settings.depth)]
            parent = open_nodes[_below(random, len(open_nodes))]
        parents.append(parent)
        levels.append(1 if parent < 0 else levels[parent] + 1)
    return parents, levels


def _funcat(parents: list[int]) -> list[str]:
    """Paths like 01/03/02."""
    paths: list[str] = []
    children: dict[int, int] = {}
    for parent in parents:
        children[parent] = children.get(parent, 0) + 1
        own = f"{children[parent]:02d}"
        paths.append(own if parent < 0 else f"{paths[parent]}/{own}")
    return paths


def _ontology(random: np.random.Generator, parents: list[int], levels: list[int]) -> list[str]:
    """Edges like GO0000002/GO0000007, some nodes with a second parent from the level above their own."""

    def name(node: int) -> str:
        return ROOT if node < 0 else f"GO{node + 1:07d}"

    edges = []
    for node, parent in enumerate(parents):
        edges.append(f"{name(parent)}/{name(node)}")
        others = [other for other, level in enumerate(levels) if level == levels[node] - 1 and other != parent]
        if others and random.random() < _SECOND_PARENT:
            edges.append(f"{name(others[_below(random, len(others))])}/{name(node)}")
    return edges


def _walks(random: np.random.Generator, hierarchy: Hierarchy, rows: int) -> np.ndarray:
    """bool [rows, nodes]: the ends of each row's walks from the root."""
    labels = np.zeros((rows, len(hierarchy)), dtype=bool)
    for row in range(rows):
        for _ in range(1 + _choice(random, _WALKS)):
            node = hierarchy.root
            while len(children := hierarchy.children.of(node)):
                if node != hierarchy.root and random.random() < _STOP:
                    break
                preferences = accumulate([_PREFERENCE] * (len(children) - 1), mul, initial=1.0)
                node = int(children[_choice(random, list(preferences))])
            labels[row, node] = True
    return labels


def _features(random: np.random.Generator, hierarchy: Hierarchy, labels: np.ndarray, count: int) -> np.ndarray:
    """float64 [rows, features]: for each label of a row its node's prototype, plus noise."""
    prototypes = 2 * random.random((len(hierarchy), count)) - 1
    # The mean of four uniform numbers: near enough to a normal one, and free of the mathematical library's rounding.
    noise = random.random((4, len(labels), count))
    features = (noise[0] + noise[1] + noise[2] + noise[3] - 2) * (_NOISE * _SQUARE_ROOT_OF_3)
    for node in range(len(hierarchy)):
        if node != hierarchy.root:
            features += labels[:, node, None] * prototypes[node]
    return features


def _below(random: np.random.Generator, limit: int) -> int:
    return int(random.random() * limit)


def _choice(random: np.random.Generator, weights: tuple[float, ...] | list[float]) -> int:
    """A place drawn with these weights, which need not sum to 1."""
    total = 0.0
    for weight in weights:
        total += weight
    point = random.random() * total
    for place, weight in enumerate(weights):
        point -= weight
        if point < 0:
            return place
    return len(weights) - 1
