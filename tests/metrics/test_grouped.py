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
    recall = grouped.recall_where_seen(found, missed)
    assert grouped.by_frequency("recall", recall, training) == {
        "recall_frequency_0": 1.0,
        "recall_frequency_1_3": 0.5,
        "recall_frequency_4_10": 0.75,
        "recall_frequency_11_100": 0.0,
        "recall_frequency_over_100": 0.25,
    }


def test_nodes_without_positives_in_test_do_not_count_and_empty_bands_are_absent():
    recall = grouped.recall_where_seen(np.array([1, 0]), np.array([1, 0]))
    assert grouped.by_frequency("recall", recall, np.array([2, 2])) == {"recall_frequency_1_3": 0.5}
    nothing = grouped.recall_where_seen(np.array([0]), np.array([0]))
    assert grouped.by_frequency("recall", nothing, np.array([5])) == {}
    assert grouped.by_depth("recall", nothing, np.array([5])) == {}
    recall = grouped.recall_where_seen(np.array([1, 0]), np.array([3, 0]))
    assert grouped.by_depth("recall", recall, np.array([2, 1])) == {"recall_depth_2": 0.25}


def test_recall_by_depth():
    recalls = grouped.by_depth("recall", grouped.recall_where_seen(np.array([1, 0, 2]), np.array([0, 1, 2])), np.array([1, 2, 1]))
    assert list(recalls.items()) == [("recall_depth_1", 0.75), ("recall_depth_2", 0.0)]


def test_depths_are_listed_from_the_shallowest():
    found = grouped.by_depth("macro_ap", np.array([0.1, 0.2, 0.3]), np.array([10, 2, 9]))
    assert list(found) == ["macro_ap_depth_2", "macro_ap_depth_9", "macro_ap_depth_10"]


@given(st.lists(st.tuples(st.integers(0, 300), st.sampled_from([np.nan, 0.0, 0.25, 1.0])), min_size=1, max_size=30))
def test_the_bands_share_all_nodes_that_count(entries):
    counts, values = (np.array(part, dtype=float) for part in zip(*entries, strict=True))
    found = grouped.by_frequency("macro_ap", values, counts)
    total, nodes = 0.0, 0
    for band, least, most in grouped.FREQUENCY_BANDS:
        inside = [value for count, value in entries if least <= count <= (np.inf if most is None else most) and value == value]
        assert (f"macro_ap_frequency_{band}" in found) == bool(inside)
        if inside:
            assert found[f"macro_ap_frequency_{band}"] == pytest.approx(np.mean(inside))
        total, nodes = total + sum(inside), nodes + len(inside)
    assert nodes == np.count_nonzero(~np.isnan(values))
    assert total == pytest.approx(np.nansum(values))


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
