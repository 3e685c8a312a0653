"""Oversampling: rows to add to the training rows so that rare labels are seen more often. Pure numpy.

Every resampler returns :class:`Added`, copies of rows by their index with labels of their own, so that it composes with any
features, loss or network. All draws come from the generator that is passed.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hmc.hierarchy import Adjacency, Hierarchy
from hmc.settings import SettingsError, did_you_mean, named_object


@dataclass(frozen=True, eq=False)
class Added:
    """Rows to append.

    rows: int64 [added], indices into the rows that were given. labels: bool [added, nodes], closed under ancestors.
    """

    rows: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.rows)


Resampler = Callable[[np.ndarray, np.ndarray, Hierarchy, float, np.random.Generator], Added]
"""A custom one: from features, labels, hierarchy, fraction and generator to the rows to add."""


def resample(
    name: str, features: np.ndarray, labels: np.ndarray, hierarchy: Hierarchy, fraction: float, generator: np.random.Generator
) -> Added:
    """The rows that a resampler adds.

    name: ``none``, ``lpros``, ``hros_pd``, or a custom function as module:name with the parameters that follow name.
    features: [rows, features]; labels: bool [rows, nodes], closed under ancestors. fraction: see the resampler.

    Raises SettingsError for a name that is not known, ValueError for arrays that do not fit, whether given or returned.
    """
    if labels.ndim != 2 or labels.shape[1] != len(hierarchy) or len(features) != len(labels):
        raise ValueError(
            f"features have shape {features.shape} and labels {labels.shape}; expected [rows, features] and "
            f"[rows, {len(hierarchy)}], with the same rows"
        )
    if not 0 < fraction < math.inf:
        raise ValueError(f"method.resampling.fraction must be above 0, got {fraction}")
    if name == "none":
        return _nothing(labels)
    if name == "lpros":
        return lpros(labels, fraction, generator)
    if name == "hros_pd":
        return hros_pd(labels, hierarchy, fraction, generator)
    if ":" not in name:
        raise SettingsError(f"method.resampling.name={name!r} is not known{did_you_mean(name, ('none', 'lpros', 'hros_pd'))}")
    own: Resampler = named_object("method.resampling.name", name)
    return _checked(own(features, labels, hierarchy, fraction, generator), name, len(labels), hierarchy)


def lpros(labels: np.ndarray, fraction: float, generator: np.random.Generator) -> Added:
    """Label powerset random oversampling: whole rows of rare label sets, with all their labels.

    labels: bool [rows, nodes]. fraction: share of the rows to create (released: 0.25).

    Rows are grouped by exact label set; sets smaller than the mean size are minorities. The rows to create are shared
    equally over them, a set's rows being drawn with replacement, and a set grows only while it is smaller than the mean, so
    that fewer rows may be created than asked for. What a full set leaves over goes to the others; a rest smaller than their
    number to some of them at random. That the last clone may pass a mean that is not a whole number is ours: on gene data most
    sets have one row and the mean is below two, so that otherwise nothing would be added.
    """
    if len(labels) == 0:
        return _nothing(labels)
    group, sizes = _label_sets(labels)
    room = np.maximum(math.ceil(len(labels) / len(sizes)) - sizes, 0)
    clones = _shared_equally(int(fraction * len(labels)), room, generator)
    members = np.argsort(group, kind="stable")
    first = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    of_clone = np.repeat(np.arange(len(sizes)), clones)
    rows = members[first[of_clone] + generator.integers(0, sizes[of_clone])]
    return Added(rows, labels[rows] != 0)


def hros_pd(labels: np.ndarray, hierarchy: Hierarchy, fraction: float, generator: np.random.Generator) -> Added:
    """Hierarchical random oversampling for partial-depth labels: rows that carry a rare node, labelled with its path alone.

    labels: bool [rows, nodes], closed under ancestors. fraction: share of the root's count to create (released: 0.1).

    Counts are annotations, not rows: each most specific label of a row counts once at itself and at each of its ancestors.
    A path is a node with all its ancestors; so there are as many as nodes, in a tree and in a directed acyclic graph, where the
    many ways up from a node are one path and no clone's labels lose their closure. With IR = root's count / count:

    - minorities are the paths whose IR is above the mean IR of all paths that occur, a threshold kept from the start;
    - to create = int(fraction * root's count), of which each minority's share is ceil(to create / minorities);
    - leaves are peeled level by level, the deepest first (by longest distance from the root); each that is still a minority
      then gets min(share, mean size - its count) clones, mean size = ceil(root's count / paths other than the root's);
    - clones are drawn with replacement from the rows in which the node is a most specific label or, failing that, from those
      that carry it. The node's count and its parents' grow by each clone; the counts further up do not. That is what the
      released program's numbers show, and it lets an ancestor of a cloned node remain a minority.
    """
    specific = _most_specific(labels, hierarchy)
    counts = _sums(hierarchy.descendants, np.count_nonzero(specific, axis=0))
    most = int(counts[hierarchy.root])
    if most == 0 or len(hierarchy) < 2:
        return _nothing(labels)
    occurs = counts > 0
    threshold = (most / counts[occurs]).mean()
    minorities = int((most / counts[occurs] > threshold).sum())
    if minorities == 0:
        return _nothing(labels)
    share = math.ceil(int(fraction * most) / minorities)
    mean_size = math.ceil(most / (len(hierarchy) - 1))
    drawn, leaves = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
    for node in np.argsort(-_longest_depth(hierarchy), kind="stable"):
        clones = min(share, mean_size - int(counts[node]))
        if node == hierarchy.root or not occurs[node] or clones <= 0 or most / counts[node] <= threshold:
            continue
        candidates = np.flatnonzero(specific[:, node] if specific[:, node].any() else labels[:, node])
        drawn.append(generator.choice(candidates, clones))
        leaves.append(np.full(clones, node))
        counts[node] += clones
        counts[hierarchy.parents.of(node)] += clones
    return Added(np.concatenate(drawn), _paths(np.concatenate(leaves), hierarchy))


def _nothing(labels: np.ndarray) -> Added:
    return Added(np.zeros(0, dtype=np.int64), np.zeros((0, labels.shape[1]), dtype=bool))


def _label_sets(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each row the number of its label set, int64 [rows], and each set's size, int64 [sets]."""
    packed = np.packbits(labels != 0, axis=1)
    keys = np.ascontiguousarray(packed).view(np.dtype((np.void, packed.shape[1]))).ravel()
    _, group, sizes = np.unique(keys, return_inverse=True, return_counts=True)
    return group.ravel(), sizes


def _shared_equally(total: int, room: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """How many of ``total`` each place gets, none more than its room, as equally as that allows. int64 [places]."""
    given = np.zeros_like(room)
    total = min(total, int(room.sum()))
    while total > 0:
        open_places = np.flatnonzero(given < room)
        each = total // len(open_places)
        if each == 0:
            given[generator.choice(open_places, total, replace=False)] += 1
            break
        more = np.minimum(each, room[open_places] - given[open_places])
        given[open_places] += more
        total -= int(more.sum())
    return given


def _most_specific(labels: np.ndarray, hierarchy: Hierarchy) -> np.ndarray:
    """The labels of which no child is a label of the row, bool [rows, nodes]."""
    columns = np.ascontiguousarray(labels.T != 0)
    specific = columns.copy()
    for child, parent in zip(hierarchy.parents.owners, hierarchy.parents.indices, strict=True):
        specific[parent] &= ~columns[child]
    return np.ascontiguousarray(specific.T)


def _sums(lists: Adjacency, values: np.ndarray) -> np.ndarray:
    """For each node the sum of the values of its list, which has at least one entry."""
    return np.add.reduceat(values[lists.indices], lists.offsets[:-1])


def _longest_depth(hierarchy: Hierarchy) -> np.ndarray:
    """The longest distance from the root, int64 [nodes]: every child lies deeper than all of its parents."""
    depth = np.zeros(len(hierarchy), dtype=np.int64)
    for node in hierarchy.topological_order[1:]:
        depth[node] = depth[hierarchy.parents.of(node)].max() + 1
    return depth


def _paths(leaves: np.ndarray, hierarchy: Hierarchy) -> np.ndarray:
    """Each leaf with all its ancestors, bool [leaves, nodes]."""
    labels = np.zeros((len(leaves), len(hierarchy)), dtype=bool)
    for row, leaf in enumerate(leaves):
        labels[row, hierarchy.ancestors.of(leaf)] = True
    return labels


def _checked(added: Added, name: str, rows: int, hierarchy: Hierarchy) -> Added:
    """What a custom resampler returned, if it can be used."""
    at = f"method.resampling.name={name}"
    if added.labels.shape != (len(added.rows), len(hierarchy)):
        raise ValueError(
            f"{at}: it returned labels of shape {added.labels.shape}; expected ({len(added.rows)}, {len(hierarchy)})"
        )
    if len(added.rows) and not 0 <= added.rows.min() <= added.rows.max() < rows:
        raise ValueError(f"{at}: it returned rows {added.rows.min()} to {added.rows.max()}; expected 0 to {rows - 1}")
    if not hierarchy.is_closed(added.labels):
        raise ValueError(f"{at}: the labels it returned are not closed under ancestors; use hierarchy.close(labels)")
    return added
