"""Node weights against the released program's, and the switches that depart from it."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from hmc.hierarchy import Hierarchy, from_edges
from hmc.losses.weights import NodeWeights, node_frequency, node_weights, raw_weights, scaled_weights
from hmc.settings import NodeWeightSettings, ProtocolSettings, SettingsError
from tests.benchmark_labels import card_name, training_labels
from tests.losses.golden import CASES, GOLDEN, SCHEMES, Case

RELEASED = ProtocolSettings()
BALANCED = ProtocolSettings(negative_weights="balanced")
CORRECTED = ProtocolSettings(frequency="node", unseen_node_weight="max_seen", negative_weights="balanced")
DATASETS = sorted({key.split("/")[0] for key in np.load(GOLDEN / "weights.npz").files})


@pytest.mark.parametrize("name", CASES)
def test_frequencies_equal_the_released_program(name: str) -> None:
    case = Case(name)
    assert np.array_equal(node_frequency(case.training_labels, case.hierarchy), case.arrays["node_frequencies"])
    assert np.array_equal(node_frequency(~case.training_labels, case.hierarchy), case.arrays["inverse_node_frequencies"])


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("omega", [0.25, 0.5])
def test_weights_equal_the_released_program(name: str, scheme: str, omega: float) -> None:
    case = Case(name)
    settings = NodeWeightSettings(SCHEMES[scheme], omega)
    weights = node_weights(case.training_labels, case.hierarchy, settings, BALANCED)
    np.testing.assert_allclose(weights.positive, case.arrays[f"w_pos/{scheme}/{omega}"], rtol=1e-12)
    np.testing.assert_allclose(weights.negative, case.arrays[f"w_neg/{scheme}/{omega}"], rtol=1e-12)


def test_there_are_eighteen_datasets() -> None:
    assert len(DATASETS) == 18


@pytest.mark.parametrize("dataset", DATASETS)
def test_weights_of_the_benchmark_equal_the_released_program(dataset: str, benchmark_files: Path) -> None:
    hierarchy, labels = training_labels(card_name(dataset), benchmark_files)
    with np.load(GOLDEN / "weights.npz") as stored:
        assert np.array_equal(node_frequency(labels, hierarchy), stored[f"{dataset}/frequency"])
        for scheme, ours in SCHEMES.items():
            weights = node_weights(labels, hierarchy, NodeWeightSettings(ours), BALANCED)
            np.testing.assert_allclose(weights.positive, stored[f"{dataset}/{scheme}/pos"], rtol=1e-12)
            np.testing.assert_allclose(weights.negative, stored[f"{dataset}/{scheme}/neg"], rtol=1e-12)


@pytest.fixture
def chain() -> Hierarchy:
    """root > a > b, and c that no row carries."""
    return from_edges(["root", "a", "b", "c"], [("root", "a"), ("a", "b"), ("root", "c")])


LABELS = np.array([[1, 1, 1, 0], [1, 1, 0, 0], [1, 1, 0, 0], [1, 0, 0, 0]], dtype=bool)


def test_frequency_kinds(chain: Hierarchy) -> None:
    assert node_frequency(LABELS, chain, "node").tolist() == [4, 3, 1, 0]
    assert node_frequency(LABELS, chain, "descendant_sum").tolist() == [8, 4, 1, 0]


def test_frequency_counts_a_descendant_that_stands_first_with_its_own_sum() -> None:
    hierarchy = from_edges(["a", "root", "b"], [("root", "a"), ("a", "b")])
    labels = np.array([[1, 1, 1], [1, 1, 0]], dtype=bool)
    assert node_frequency(labels, hierarchy).tolist() == [3, 6, 1]


def test_unseen_nodes_weigh_one_or_as_much_as_the_rarest_seen() -> None:
    frequency = np.array([8.0, 4.0, 2.0, 0.0])
    assert raw_weights(frequency, 4, 2, "one").tolist() == [0.25, 1, 1, 1]
    assert raw_weights(frequency, 4, 2, "max_seen").tolist() == [0.25, 0.5, 1, 1]
    assert raw_weights(frequency, 4, 8, "one").tolist() == [0.0625, 1, 0.25, 1]
    assert raw_weights(frequency, 4, 8, "max_seen").tolist() == [0.0625, 0.125, 0.25, 0.25]
    assert raw_weights(np.zeros(2), 4, 8, "max_seen").tolist() == [1, 1]


def test_scaling_spans_omega_to_omega_plus_the_largest() -> None:
    assert scaled_weights(np.array([1.0, 2.0, 5.0]), 0.5).tolist() == [0.5, 1.75, 5.5]
    assert scaled_weights(np.array([3.0, 3.0])).tolist() == [1, 1]


def test_no_scheme_weighs_nothing(chain: Hierarchy) -> None:
    weights = node_weights(LABELS, chain, NodeWeightSettings("none"), CORRECTED)
    assert (weights.positive == 1).all()
    assert (weights.negative == 1).all()


def test_negatives_count_one_as_released(chain: Hierarchy) -> None:
    assert (node_weights(LABELS, chain, NodeWeightSettings("class_wise"), RELEASED).negative == 1).all()


def test_corrected_protocol_by_hand(chain: Hierarchy) -> None:
    weights = node_weights(LABELS, chain, NodeWeightSettings("binary", 0.25), CORRECTED)
    # raw positive: 4/(2*4), 4/(2*3), 4/2, unseen as the largest; raw negative: root unseen as the largest, 4/2, 4/6, 4/8.
    np.testing.assert_allclose(weights.positive, [0.25, 0.25 + 2 * (2 / 3 - 0.5) / 1.5, 2.25, 2.25])
    np.testing.assert_allclose(weights.negative, [2.25, 2.25, 0.25 + 2 * (2 / 3 - 0.5) / 1.5, 0.25])


def test_the_label_that_takes_the_weights_of_positives() -> None:
    counted = NodeWeights(positive=np.array([2.0, 3.0]), negative=np.ones(2))
    assert counted.assigned("positives").positive.tolist() == [2, 3]
    exchanged = counted.assigned("negatives")
    assert (exchanged.positive.tolist(), exchanged.negative.tolist()) == ([1, 1], [2, 3])
    with pytest.raises(SettingsError, match="weights_apply_to='positive' is not known; did you mean 'positives'"):
        counted.assigned("positive")


@pytest.mark.parametrize("labels", [np.zeros((0, 4), bool), np.zeros((2, 3), bool), np.zeros(4, bool)])
def test_labels_that_do_not_fit_are_refused(labels: np.ndarray, chain: Hierarchy) -> None:
    with pytest.raises(ValueError, match=r"labels have shape .* at least one row of 4 nodes"):
        node_weights(labels, chain, NodeWeightSettings("class_wise"), RELEASED)


@pytest.mark.parametrize(
    ("settings", "protocol", "message"),
    [
        (NodeWeightSettings("class_wize"), RELEASED, "scheme='class_wize' is not known; did you mean 'class_wise'"),
        (
            NodeWeightSettings("binary"),
            ProtocolSettings(frequency="nodes"),
            "frequency='nodes' is not known; did you mean 'node'",
        ),
        (NodeWeightSettings("binary"), ProtocolSettings(unseen_node_weight="max"), "unseen_node_weight='max' is not known"),
        (
            NodeWeightSettings("binary"),
            ProtocolSettings(negative_weights="one"),
            "negative_weights='one' is not known; did you mean 'ones'",
        ),
        (NodeWeightSettings("no_such_module:weights"), RELEASED, "cannot be imported"),
    ],
)
def test_unknown_words_are_named(
    settings: NodeWeightSettings, protocol: ProtocolSettings, message: str, chain: Hierarchy
) -> None:
    with pytest.raises(SettingsError, match=message):
        node_weights(LABELS, chain, settings, protocol)


def own_weights(labels: np.ndarray, hierarchy: Hierarchy, *_: object) -> NodeWeights:
    return NodeWeights(np.arange(len(hierarchy), dtype=float), np.ones(len(hierarchy)))


def unusable_weights(labels: np.ndarray, hierarchy: Hierarchy, *_: object) -> SimpleNamespace:
    return SimpleNamespace(positive=np.full(len(hierarchy), np.nan), negative=np.ones(len(hierarchy)))


def test_a_persons_own_scheme(chain: Hierarchy) -> None:
    weights = node_weights(LABELS, chain, NodeWeightSettings(f"{__name__}:own_weights"), RELEASED)
    assert weights.positive.tolist() == [0, 1, 2, 3]
    with pytest.raises(ValueError, match=r"unusable_weights: its positive weights .* 4 finite weights"):
        node_weights(LABELS, chain, NodeWeightSettings(f"{__name__}:unusable_weights"), RELEASED)
