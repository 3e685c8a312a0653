import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hmc.hierarchy import from_edges
from hmc.metrics import grouped


def test_frequency_bands_meet_without_gap_or_overlap():
    training = np.array([0, 1, 3, 4, 10, 11, 100, 101])
    found = np.array([1, 1, 0, 1, 1, 0, 0, 1])
    missed = np.array([0, 0, 1, 1, 0, 1, 1, 3])
    assert grouped.recall_by_frequency(found, missed, training) == {
        "recall_frequency_0": 1.0,
        "recall_frequency_1_3": 0.5,
        "recall_frequency_4_10": 0.75,
        "recall_frequency_11_100": 0.0,
        "recall_frequency_over_100": 0.25,
    }


def test_nodes_without_positives_in_test_do_not_count_and_empty_bands_are_absent():
    assert grouped.recall_by_frequency(np.array([1, 0]), np.array([1, 0]), np.array([2, 2])) == {"recall_frequency_1_3": 0.5}
    assert grouped.recall_by_frequency(np.array([0]), np.array([0]), np.array([5])) == {}
    assert grouped.recall_by_depth(np.array([1, 0]), np.array([3, 0]), np.array([2, 1])) == {"recall_depth_2": 0.25}


def test_recall_by_depth():
    recalls = grouped.recall_by_depth(np.array([1, 0, 2]), np.array([0, 1, 2]), np.array([1, 2, 1]))
    assert list(recalls.items()) == [("recall_depth_1", 0.75), ("recall_depth_2", 0.0)]


DIAMOND = from_edges(["root", "a", "b", "c"], [("root", "a"), ("root", "b"), ("a", "c"), ("b", "c")])


def test_incoherent_share_counts_row_edge_pairs():
    probabilities = np.array([[0.9, 0.5, 0.6, 0.55], [1.0, 0.5, 0.5, 0.5]])
    assert grouped.incoherent_share(probabilities, DIAMOND) == pytest.approx(1 / 8)
    assert grouped.incoherent_share(probabilities[1:], DIAMOND) == 0


@settings(deadline=None)
@given(st.integers(0, 2**31), st.integers(2, 700), hnp.array_shapes(min_dims=1, max_dims=1, max_side=5))
def test_incoherent_share_equals_a_loop_over_edges(seed, nodes, rows):
    random = np.random.default_rng(seed)
    above = [int(random.integers(child)) for child in range(1, nodes)]
    names = ["root", *(f"n{node}" for node in range(1, nodes))]
    hierarchy = from_edges(names, [(names[parent], names[child]) for child, parent in enumerate(above, start=1)])
    probabilities = random.integers(0, 4, (*rows, nodes)) / 4
    expected = np.mean([probabilities[:, child] > probabilities[:, parent] for child, parent in enumerate(above, start=1)])
    assert grouped.incoherent_share(probabilities, hierarchy) == pytest.approx(expected)


def test_a_hierarchy_of_one_node_is_coherent():
    assert grouped.incoherent_share(np.array([[0.4]]), from_edges(["root"], [])) == 0
