"""Node imbalance weights: the rarer a node in the training labels, the larger its weight.

Pure numpy, float64. With N training rows, f the node's frequency and K the scheme's divisor:

    raw     w[n] = N / (K f[n])
    scaled  W[n] = omega + max(w) (w[n] - min(w)) / (max(w) - min(w)),  in [omega, omega + max(w)]

K is the number of nodes (roots included) for ``class_wise``, 2 for ``binary``. Minimum and maximum run over all nodes, roots
included, as in the released program.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hmc.data.dataset import Dataset
from hmc.hierarchy import Hierarchy
from hmc.settings import NodeWeightSettings, ProtocolSettings, SettingsError, did_you_mean, named_object


@dataclass(frozen=True, eq=False)
class NodeWeights:
    """What a label of each node counts in the loss.

    positive, negative: float64 [nodes], for labels 1 and 0; finite, none below 0.
    """

    positive: np.ndarray
    negative: np.ndarray

    def assigned(self, weights_apply_to: str) -> NodeWeights:
        """The weights as an objective uses them.

        weights_apply_to: ``positives`` leaves them as they are, as the method is described. ``negatives`` exchanges them:
        positive labels take the weights of negatives (1 in the released program) and negative labels those of positives. That is
        what the released program's objective does, as its losses and gradients for fixed inputs show.

        Raises SettingsError for anything else.
        """
        if weights_apply_to == "positives":
            return self
        if weights_apply_to == "negatives":
            return NodeWeights(positive=self.negative, negative=self.positive)
        raise _unknown("protocol.weights_apply_to", weights_apply_to, ("negatives", "positives"))


def node_weights(
    labels: np.ndarray, hierarchy: Hierarchy, settings: NodeWeightSettings, protocol: ProtocolSettings
) -> NodeWeights:
    """The weights that a method's settings ask for, under a protocol.

    labels: bool [rows, nodes], closed under ancestors; the rows to count on. settings.scheme: ``none`` (all ones), ``class_wise``
    (released), ``binary``, or a custom function as module:name with the parameters of this one. protocol: its
    ``frequency``, ``unseen_node_weight`` and ``negative_weights``. With ``negative_weights=ones`` (released) negative labels
    count 1; with ``balanced`` the same formula, on the frequencies of negatives, weights them.

    These are the weights counted for each label; which label then takes which is ``protocol.weights_apply_to``, see
    :meth:`NodeWeights.assigned`.

    Raises ValueError for labels of the wrong shape or without rows, and for a custom function's weights that cannot be used.
    """
    _require_rows(labels, hierarchy)
    if settings.scheme == "none":
        return NodeWeights(np.ones(len(hierarchy)), np.ones(len(hierarchy)))
    if settings.scheme not in DIVISORS:
        return _custom_weights(labels, hierarchy, settings, protocol)
    divisor = DIVISORS[settings.scheme](hierarchy)

    def weigh(carried: np.ndarray) -> np.ndarray:
        frequency = node_frequency(carried, hierarchy, protocol.frequency)
        return scaled_weights(raw_weights(frequency, len(labels), divisor, protocol.unseen_node_weight), settings.omega)

    positive = weigh(labels != 0)
    if protocol.negative_weights == "ones":
        return NodeWeights(positive, np.ones(len(hierarchy)))
    if protocol.negative_weights == "balanced":
        return NodeWeights(positive, weigh(labels == 0))
    raise _unknown("protocol.negative_weights", protocol.negative_weights, ("ones", "balanced"))


def weights_of_weighted(dataset: Dataset, protocol: ProtocolSettings) -> NodeWeights:
    """What labels count in the method ``weighted`` under a protocol, for the decision rule ``weight_equivalent``."""
    counted = dataset.train.labels if protocol.weights_from == "train" else dataset.training.labels
    return node_weights(counted, dataset.hierarchy, WEIGHTED, protocol).assigned(protocol.weights_apply_to)


WEIGHTED = NodeWeightSettings("class_wise")
"""The scheme of the method ``weighted``, as released."""
DIVISORS: dict[str, Callable[[Hierarchy], int]] = {"class_wise": len, "binary": lambda hierarchy: 2}
"""K of each scheme."""


def node_frequency(labels: np.ndarray, hierarchy: Hierarchy, kind: str = "descendant_sum") -> np.ndarray:
    """How often each node occurs, float64 [nodes].

    labels: bool [rows, nodes], closed under ancestors (or their complement, for the frequency of negatives).
    kind: ``node``, the number of rows that carry the node; ``descendant_sum`` (released), that number summed over the node's
    descendants, itself included, so that a row counts once for each of them.

    The released program forms these sums in place, in node order: a descendant that stands BEFORE its ancestor enters with its
    own sum. In topological order that never happens. It does for the root of the tree sets, which stands among the first-level
    nodes, and for some 200 nodes of each GO set; without it the published weights cannot be had.
    """
    counts = np.count_nonzero(labels, axis=0).astype(np.float64)
    if kind == "node":
        return counts
    if kind == "descendant_sum":
        for node in range(len(hierarchy)):
            counts[node] = counts[hierarchy.descendants.of(node)].sum()
        return counts
    raise _unknown("protocol.frequency", kind, ("node", "descendant_sum"))


def raw_weights(frequency: np.ndarray, rows: int, divisor: float, unseen: str = "one") -> np.ndarray:
    """rows / (divisor * frequency), float64 [nodes], with a rule for nodes that no row carries.

    unseen: ``one`` (released), weight 1 for a frequency of 0, and for a frequency that happens to equal ``rows``; ``max_seen``,
    the largest weight of the seen nodes for a frequency of 0 (1 where no node is seen), and the formula for all others.
    """
    seen = frequency > 0
    weights = np.divide(rows, divisor * frequency, out=np.ones(len(frequency)), where=seen)
    if unseen == "one":
        weights[frequency == rows] = 1
    elif unseen == "max_seen":
        weights[~seen] = weights[seen].max() if seen.any() else 1
    else:
        raise _unknown("protocol.unseen_node_weight", unseen, ("one", "max_seen"))
    return weights


def scaled_weights(raw: np.ndarray, omega: float = 0.25) -> np.ndarray:
    """omega + max * (raw - min) / (max - min), float64 [nodes]; omega: released 0.25.

    Where all raw weights are equal the formula has no value; there is no imbalance then, and all weights are 1 (ours).
    """
    smallest, largest = raw.min(), raw.max()
    if smallest == largest:
        return np.ones(len(raw))
    return omega + largest * (raw - smallest) / (largest - smallest)


def _custom_weights(
    labels: np.ndarray, hierarchy: Hierarchy, settings: NodeWeightSettings, protocol: ProtocolSettings
) -> NodeWeights:
    if ":" not in settings.scheme:
        raise _unknown("method.node_weights.scheme", settings.scheme, ("none", *DIVISORS))
    weights = named_object("method.node_weights.scheme", settings.scheme)(labels, hierarchy, settings, protocol)
    for part in ("positive", "negative"):
        values = getattr(weights, part)
        if values.shape != (len(hierarchy),) or not np.isfinite(values).all() or (values < 0).any():
            raise ValueError(
                f"method.node_weights.scheme={settings.scheme}: its {part} weights have shape {values.shape} and range "
                f"{values.min()} to {values.max()}; return {len(hierarchy)} finite weights, none below 0"
            )
    return NodeWeights(weights.positive, weights.negative)


def _require_rows(labels: np.ndarray, hierarchy: Hierarchy) -> None:
    if labels.ndim != 2 or labels.shape[1] != len(hierarchy) or len(labels) == 0:
        raise ValueError(
            f"labels have shape {labels.shape}; node weights are counted on at least one row of {len(hierarchy)} nodes, "
            "as [rows, nodes]"
        )


def _unknown(at: str, value: str, known: tuple[str, ...]) -> SettingsError:
    return SettingsError(f"{at}={value!r} is not known{did_you_mean(value, known)}")
