import itertools
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from hmc.stats.pairwise import ComparisonError
from hmc.stats.ranks import _braced, critical_difference, matrix, rank, runs

SMALL = pd.DataFrame(
    {"a": [0.1, 0.1, 0.1, 0.2, 0.3], "b": [0.2, 0.2, 0.3, 0.2, 0.2], "c": [0.3, 0.3, 0.2, 0.3, 0.1]}, index=list("vwxyz")
)
LARGE = pd.DataFrame(
    np.random.default_rng(0).random((14, 4)) + np.array([0.3, 0.2, 0.1, 0]),
    columns=["one", "two", "three", "four"],
    index=[f"d{place:02}" for place in range(14)],
)


def scores(table):
    return {column: table[column].to_dict() for column in table}


def test_by_hand():
    # Rank sums 8, 9.5 and 12.5: 12 / (5 * 3 * 4) * 310.5 - 3 * 5 * 4 = 2.1; the one tie of two divides by 1 - 6 / (5 * 24).
    ranking = rank(scores(SMALL))
    assert ranking.methods == ("c", "b", "a")
    assert ranking.ranks == pytest.approx([8 / 5, 9.5 / 5, 12.5 / 5])
    assert ranking.statistic == pytest.approx(2.1 / 0.95)
    assert ranking.p == pytest.approx(np.exp(-2.1 / 0.95 / 2))
    assert ranking.critical_difference == pytest.approx(2.343 * (3 * 4 / (6 * 5)) ** 0.5, abs=1e-3)
    assert ranking.nemenyi_groups == ranking.wilcoxon_groups == (("c", "b", "a"),)


def test_friedman_is_scipys():
    ranking = rank(scores(LARGE))
    expected = stats.friedmanchisquare(*LARGE.to_numpy().T)
    assert (ranking.statistic, ranking.p) == pytest.approx((expected.statistic, expected.pvalue))


def test_critical_differences_of_the_tables():
    # The tabulated quantiles of Nemenyi's test, as in Demšar 2006.
    for methods, alpha, q in ((2, 0.05, 1.960), (4, 0.05, 2.569), (10, 0.05, 3.164), (4, 0.10, 2.291)):
        unit = (methods * (methods + 1) / (6 * 10)) ** 0.5
        assert critical_difference(methods, 10, alpha) / unit == pytest.approx(q, abs=1e-3)


TABLES = st.integers(5, 9).flatmap(
    lambda datasets: hnp.arrays(np.float64, (datasets, 4), elements=st.integers(0, 6).map(lambda value: value / 8))
)


@given(TABLES)
def test_post_hoc_tests_are_those_of_scikit_posthocs(values):
    posthocs = pytest.importorskip("scikit_posthocs")
    table = pd.DataFrame(values, columns=list("abcd"), index=[f"d{place}" for place in range(len(values))])
    ranking = rank(scores(table))
    if ranking.p is None:
        assert (values == values[:, :1]).all()
        return
    order = list(ranking.methods)
    expected = posthocs.posthoc_nemenyi_friedman(table).loc[order, order]
    np.testing.assert_allclose(matrix(order, ranking.nemenyi), expected, atol=1e-6)


def test_pairwise_tests_are_those_of_scikit_posthocs():
    posthocs = pytest.importorskip("scikit_posthocs")
    ranking = rank(scores(LARGE))
    order = list(ranking.methods)
    long = LARGE.melt(var_name="method", value_name="value")
    expected = posthocs.posthoc_wilcoxon(long, val_col="value", group_col="method", method="exact", p_adjust="holm")
    np.testing.assert_allclose(matrix(order, ranking.wilcoxon), expected.loc[order, order], atol=1e-9)
    assert 0 < sum(p < 0.05 for p in ranking.wilcoxon.values()) < 6
    together = {pair for group in ranking.wilcoxon_groups for pair in itertools.combinations(group, 2)}
    assert together == {pair for pair, p in ranking.wilcoxon.items() if p >= 0.05}


@given(TABLES)
def test_groups_by_nemenyi_are_runs_within_the_critical_difference(values):
    table = pd.DataFrame(values, columns=list("abcd"), index=[f"d{place}" for place in range(len(values))])
    ranking = rank(scores(table), alpha=0.4)
    if ranking.p is None:
        return
    place = dict(zip(ranking.methods, ranking.ranks, strict=True))
    together = {pair for run in ranking.nemenyi_groups for pair in itertools.combinations(run, 2)}
    for first, second in itertools.combinations(ranking.methods, 2):
        assert ((first, second) in together) == (place[second] - place[first] <= ranking.critical_difference)


def test_methods_that_do_not_differ_are_in_a_group_also_where_one_ranked_between_them_does():
    """A is a little above B everywhere; C is far above both on a third of the datasets, and else below both."""
    a = {f"d{place:02}": 0.60 + 0.01 * place for place in range(12)}
    b = {name: value - 0.010 - 0.0001 * place for place, (name, value) in enumerate(a.items())}
    c = {
        name: value + 0.10 + 0.001 * place if place < 4 else value - 0.02 - 0.001 * place
        for place, (name, value) in enumerate(a.items())
    }
    ranking = rank({"A": a, "B": b, "C": c})
    assert ranking.methods == ("A", "B", "C")
    assert ranking.wilcoxon["A", "B"] < 0.05
    assert min(ranking.wilcoxon["A", "C"], ranking.wilcoxon["B", "C"]) >= 0.05
    assert ranking.wilcoxon_groups == (("A", "C"), ("B", "C"))
    assert "not apart: {A, C}, {B, C}." in ranking.sentence()


@given(TABLES)
def test_groups_by_wilcoxon_hold_every_pair_that_does_not_differ_and_no_other(values):
    table = pd.DataFrame(values, columns=list("abcd"), index=[f"d{place}" for place in range(len(values))])
    ranking = rank(scores(table), alpha=0.4)
    together = {pair for group in ranking.wilcoxon_groups for pair in itertools.combinations(group, 2)}
    assert together == {pair for pair, p in ranking.wilcoxon.items() if p is None or p >= 0.4}


def test_a_sentence_names_a_dozen_groups_and_counts_the_others():
    assert _braced([("a", "b")]) == "{a, b}"
    assert _braced([]) == "none, all pairs differ"
    assert _braced([("a", "b")] * 15).endswith("{a, b}, and 3 more")


def test_runs_are_the_largest_ones_without_a_difference():
    different = {("a", "d"), ("b", "e"), ("a", "e")}
    p_values = {pair: 0.01 if pair in different else 0.5 for pair in itertools.combinations("abcde", 2)}
    assert runs("abcde", p_values, 0.05) == (("a", "b", "c"), ("b", "c", "d"), ("c", "d", "e"))
    assert runs("abcde", dict.fromkeys(p_values, None), 0.05) == (tuple("abcde"),)
    assert runs("abcde", dict.fromkeys(p_values, 0.01), 0.05) == ()
    assert runs("abcde", {}, 0.05) == ()


def test_lower_may_be_better_and_equal_values_share_a_rank():
    table = pd.DataFrame({"a": [1.0] * 5, "b": [2.0] * 5, "c": [2.0] * 5}, index=list("vwxyz"))
    assert dict(zip(*_order(rank(scores(table), better="lower")), strict=True)) == {"a": 1, "b": 2.5, "c": 2.5}
    assert dict(zip(*_order(rank(scores(table))), strict=True)) == {"b": 1.5, "c": 1.5, "a": 3}
    noisy = table.copy()
    noisy["c"] += 1e-15
    assert rank(scores(noisy)).ranks == (1.5, 1.5, 3)


def _order(ranking):
    return ranking.methods, ranking.ranks


def test_a_dataset_without_every_method_is_left_out_and_listed():
    incomplete = scores(LARGE)
    incomplete["one"]["d03"] = None
    del incomplete["two"]["d05"]
    ranking = rank(incomplete)
    assert len(ranking.datasets) == 12
    assert ranking.missing == ("one on d03", "two on d05")
    assert "missing: one on d03; two on d05" in ranking.sentence()


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (LARGE[["one"]], "1 method where at least 3 are needed"),
        (LARGE[["one", "two"]], "2 methods where at least 3 are needed"),
        (LARGE[:4], "4 datasets have a value for every method where at least 5 are needed"),
        (LARGE[:1], "1 dataset has a value for every method where"),
        (LARGE[:0], "0 datasets have a value for every method where"),
        (LARGE * 0, "all methods are equal on all 14 datasets"),
    ],
)
def test_what_cannot_be_tested_is_a_sentence(table, words):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ranking = rank(scores(table))
    assert (ranking.p, ranking.statistic, ranking.critical_difference) == (None, None, None)
    assert ranking.nemenyi_groups == ranking.wilcoxon_groups == ()
    assert words in ranking.sentence()
    assert "nan" not in ranking.sentence()


def test_the_sentence_states_test_ranks_and_groups():
    assert rank(scores(SMALL), note="one seed each").sentence() == (
        "Friedman over 5 datasets (one seed each) and 3 methods, ties corrected, chi-square approximation: 2.211 with 2 degrees "
        "of freedom, p = 0.331; average ranks (1 is best, higher values are better): c 1.60, b 1.90, a 2.50; Nemenyi critical "
        "difference at 0.05: 1.482, not apart: {c, b, a}; Wilcoxon signed-rank, two-sided, Holm over 3 pairs at 0.05, not apart: "
        "{c, b, a}."
    )


def test_unknown_choices_are_refused():
    with pytest.raises(ComparisonError, match="higher, lower"):
        rank({}, better="best")
    with pytest.raises(ComparisonError, match="alpha must be above 0 and below 1, got 0"):
        rank({}, alpha=0)
    with pytest.raises(ComparisonError, match="a must be finite, got inf for 'd'"):
        rank({"a": {"d": np.inf}})
    assert "0 methods" in rank({}).sentence()
