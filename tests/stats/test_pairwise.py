import itertools
import math
import warnings

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from hmc.stats import pairwise
from hmc.stats.pairwise import Choices, ComparisonError, compare_pairs, family, hodges_lehmann, holm, pair_up, wilcoxon

DISTINCT = st.lists(st.integers(-1000, 1000).filter(bool), min_size=5, max_size=30, unique_by=abs)
TIED = st.lists(st.integers(-3, 3), min_size=5, max_size=11)
CHOICES = {
    "alternative": st.sampled_from(list(pairwise.ALTERNATIVES)),
    "zero_method": st.sampled_from(list(pairwise.ZERO_METHODS)),
}


def against_zero(differences, **choices):
    return wilcoxon(np.array(differences, dtype=float), np.zeros(len(differences)), **choices)


def by_enumeration(differences, alternative, zero_method):
    """The definition: each of the differences other than zero had either sign with the same chance."""
    kept = np.array([value for value in differences if value or zero_method != "wilcox"], dtype=float)
    ranks = stats.rankdata(np.abs(kept))[kept != 0]
    observed = ranks[kept[kept != 0] > 0].sum()
    signs = np.array(list(itertools.product([0, 1], repeat=len(ranks))))
    sums = signs @ ranks
    less, greater = np.mean(sums <= observed + 1e-9), np.mean(sums >= observed - 1e-9)
    return {"less": less, "greater": greater, "two-sided": min(1.0, 2 * min(less, greater))}[alternative]


@given(DISTINCT, *CHOICES.values())
def test_exact_without_ties_is_scipys(differences, alternative, zero_method):
    test = against_zero(differences, alternative=alternative, zero_method=zero_method)
    expected = stats.wilcoxon(differences, alternative=alternative, zero_method=zero_method, method="exact")
    assert (test.method, test.ties, test.n, test.n_nonzero) == ("exact", False, len(differences), len(differences))
    assert test.p == pytest.approx(expected.pvalue)
    statistic = min(test.rank_sum_a, test.rank_sum_b) if alternative == "two-sided" else test.rank_sum_a
    assert statistic == expected.statistic


@given(TIED, *CHOICES.values())
def test_exact_with_ties_and_zeros_is_the_enumeration_of_all_signs(differences, alternative, zero_method):
    assume(any(differences))
    test = against_zero(differences, alternative=alternative, zero_method=zero_method, method="exact")
    assert test.p == pytest.approx(by_enumeration(differences, alternative, zero_method))


@pytest.mark.parametrize("alternative", pairwise.ALTERNATIVES)
@pytest.mark.parametrize("zero_method", pairwise.ZERO_METHODS)
def test_exact_with_ties_and_zeros_is_scipys_permutation_test(alternative, zero_method):
    differences = [0.0, 0.0, 1.0, 1.0, -1.0, 2.0, 3.0, 3.0]
    expected = stats.wilcoxon(
        differences,
        alternative=alternative,
        zero_method=zero_method,
        method=stats.PermutationMethod(n_resamples=np.inf),
    )
    assert against_zero(differences, alternative=alternative, zero_method=zero_method).p == pytest.approx(expected.pvalue)


@given(TIED, *CHOICES.values(), st.booleans())
def test_approximation_is_scipys(differences, alternative, zero_method, correction):
    assume(any(differences))
    test = against_zero(differences, alternative=alternative, zero_method=zero_method, method="approx", correction=correction)
    expected = stats.wilcoxon(
        differences, alternative=alternative, zero_method=zero_method, method="asymptotic", correction=correction
    )
    assert test.p == pytest.approx(expected.pvalue)
    assert (test.method, test.correction) == ("approx", correction)


@given(TIED, CHOICES["zero_method"])
def test_swapping_the_methods_turns_everything_round(differences, zero_method):
    there = against_zero(differences, alternative="greater", zero_method=zero_method)
    back = against_zero([-value for value in differences], alternative="less", zero_method=zero_method)
    assert there.p == (None if back.p is None else pytest.approx(back.p))
    if there.rank_biserial is not None:
        assert there.rank_biserial == pytest.approx(-back.rank_biserial)
        assert -1 <= there.rank_biserial <= 1


def test_by_hand():
    # Ranks 1 to 5; 10 of the 32 subsets of them have a sum of 5 or less.
    test = against_zero([1, 2, 3, 4, -5])
    assert (test.rank_sum_a, test.rank_sum_b) == (10, 5)
    assert test.p == pytest.approx(20 / 32)
    assert test.rank_biserial == pytest.approx(1 / 3)


def test_zeros_by_hand():
    differences = [0, 1, -2, 3, 4]
    pratt, wilcox, zsplit = (against_zero(differences, zero_method=name) for name in ("pratt", "wilcox", "zsplit"))
    assert (pratt.rank_sum_a, pratt.rank_sum_b) == (11, 3)
    assert (wilcox.rank_sum_a, wilcox.rank_sum_b) == (8, 2)
    assert (zsplit.rank_sum_a, zsplit.rank_sum_b) == (11.5, 3.5)
    assert pratt.rank_biserial == pytest.approx(8 / 14)
    assert zsplit.rank_biserial == pytest.approx(8 / 15)
    # Of ranks 2 to 5 three subsets have a sum of 3 or less, of ranks 1 to 4 three one of 2 or less.
    assert pratt.p == wilcox.p == zsplit.p == pytest.approx(2 * 3 / 16)
    assert (pratt.n, pratt.n_nonzero) == (5, 4)


def test_equal_on_paper_is_equal():
    assert 0.3 - 0.2 != 0.1 - 0.0
    test = wilcoxon([0.3, 0.1, 0.5, 0.9, 0.7], [0.2, 0.0, 0.1, 0.1, 0.1])
    assert test.ties
    # Ranks 1.5, 1.5, 3, 4, 5, all positive.
    assert (test.rank_sum_a, test.rank_sum_b, test.p) == (15, 0, 2 / 2**5)


def test_auto_is_exact_up_to_fifty_and_the_limit_of_exact_is_named():
    differences = np.arange(1.0, 51)
    assert against_zero(differences).method == "exact"
    assert against_zero(np.append(differences, 51)).method == "approx"
    assert against_zero(np.append(differences, np.zeros(30))).method == "exact"
    with pytest.raises(ComparisonError, match="at most 500 pairs that differ, got 501; method=approx"):
        against_zero(np.arange(1.0, 502), method="exact")
    assert against_zero(np.arange(1.0, 501), method="exact").p == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(
    ("differences", "words"),
    [
        ([], "no p-value, no pairs where at least 5 are needed"),
        ([1.0], "no p-value, 1 pair where at least 5 are needed"),
        ([1.0, 2.0, 3.0, 4.0], "no p-value, 4 pairs where at least 5 are needed"),
        ([0.0] * 6, "no p-value, all 6 pairs are equal"),
    ],
)
def test_what_cannot_be_tested_is_a_sentence(differences, words):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        test = against_zero(differences)
    assert test.p is None
    assert words in test.sentence()
    assert "nan" not in test.sentence()


def test_the_sentence_states_every_choice():
    exact = against_zero([1, 1, 2, 3, 0, 4], alternative="greater").sentence()
    for words in ("one-sided, a greater than b", "given the ties", "n = 6 (1 zero)", "Pratt", "rank sums 20 and 0", "p = 0.0312"):
        assert words in exact
    approximate = against_zero([1, 1, 2, 3, 0, 4], method="approx", correction=True).sentence()
    assert "normal approximation, ties corrected, with continuity correction" in approximate
    assert "cannot give less than 0.0625" in against_zero([1, 2, 3, 4, 5]).sentence()


def test_unknown_choices_and_values_are_refused():
    for wrong, words in (
        ({"alternative": "larger"}, "two-sided, greater, less"),
        ({"zero_method": "drop"}, "pratt, wilcox, zsplit"),
        ({"method": "fast"}, "auto, exact, approx"),
    ):
        with pytest.raises(ComparisonError, match=words):
            wilcoxon([1.0], [2.0], **wrong)
    with pytest.raises(ComparisonError, match="must be finite, got NaN"):
        wilcoxon([math.nan], [1.0])
    with pytest.raises(ComparisonError, match="same length"):
        wilcoxon([1.0, 2.0], [1.0])
    with pytest.raises(ComparisonError, match=r"level must be .*, got 1\.5"):
        Choices(level=1.5)
    with pytest.raises(ComparisonError, match="resamples must be at least 0, got -1"):
        Choices(resamples=-1)


# --- pairing --------------------------------------------------------------------------------------------------------


def test_pairing_by_key_lists_what_is_missing():
    pairs = pair_up(
        {"enron": 1.0, "diatoms": 2.0, "spo": None, "seq": 4.0}, {"diatoms": 5.0, "enron": 6.0, "spo": 7.0, "expr": 8.0}
    )
    assert pairs.keys == ("diatoms", "enron")
    assert (pairs.a, pairs.b) == ((2.0, 1.0), (5.0, 6.0))
    assert pairs.missing_a == ("expr", "spo")
    assert pairs.missing_b == ("seq",)
    assert pair_up({1: math.nan}, {1: 2.0}).missing_a == (1,)
    with pytest.raises(ComparisonError, match="b must be finite, got inf for 3"):
        pair_up({3: 1.0}, {3: math.inf})


# --- effect sizes ---------------------------------------------------------------------------------------------------


def test_hodges_lehmann_by_hand():
    # Means of all pairs: 1, 1.5, 3.5, 2, 4, 6.
    shift = hodges_lehmann([1, 2, 6])
    assert shift.estimate == 2.75
    assert shift.low <= 2.75 <= shift.high
    assert hodges_lehmann([]) is None


def test_bootstrap_interval_by_hand():
    # Resampling {0, 1}: the estimate is 0 in a quarter of all cases, 1/2 in half of them, 1 in a quarter.
    wide, narrow = hodges_lehmann([0.0, 1.0], level=0.95), hodges_lehmann([0.0, 1.0], level=0.4)
    assert (wide.low, wide.high) == (0, 1)
    assert (narrow.low, narrow.high) == (0.5, 0.5)


def test_bootstrap_interval_depends_on_the_seed_alone():
    values = np.random.default_rng(1).normal(size=12)
    first, again, other = (hodges_lehmann(values, seed=seed, resamples=500) for seed in (3, 3, 4))
    assert first == again
    assert (first.low, first.high) != (other.low, other.high)
    assert "500 resamples, seed 3" in first.sentence()


def test_no_interval_is_none_not_nan():
    assert hodges_lehmann([0.5]).low is None
    assert hodges_lehmann([0.5, 1.0], resamples=0).high is None
    assert "interval" not in hodges_lehmann([0.5]).sentence()
    same = hodges_lehmann([0.25] * 6)
    assert (same.low, same.high) == (0.25, 0.25)


# --- Holm -----------------------------------------------------------------------------------------------------------


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []
    assert holm([0.9, 0.8]) == [1.0, 1.0]


@given(st.lists(st.none() | st.floats(0, 1), max_size=12))
def test_holm_is_that_of_statsmodels(p_values):
    multitest = pytest.importorskip("statsmodels.stats.multitest")
    adjusted = holm(p_values)
    assert [p is None for p in adjusted] == [p is None for p in p_values]
    tested = [p for p in p_values if p is not None]
    if tested:
        expected = multitest.multipletests(tested, method="holm")[1]
        assert [p for p in adjusted if p is not None] == pytest.approx(list(expected))


# --- comparisons ----------------------------------------------------------------------------------------------------


def test_a_comparison_says_everything():
    ours = {f"d{place}": 0.2 + 0.01 * place for place in range(8)} | {"late": 0.5}
    theirs = {f"d{place}": 0.2 for place in range(8)}
    comparison = compare_pairs(ours, theirs, names=("new", "old"), metric="macro_f1")
    assert (comparison.wins, comparison.ties, comparison.losses) == (7, 1, 0)
    assert comparison.test.p == pytest.approx(2 / 2**7)
    assert comparison.missing == ("old, dataset late",)
    sentence = comparison.sentence()
    for words in (
        "macro_f1: a = new against b = old, 8 datasets",
        "a greater in 7, equal in 1, less in 0",
        "two-sided",
        "p = 0.0156",
        "rank-biserial +1",
        "difference a - b +0.035",
        "10000 resamples, seed 0",
        "missing: old, dataset late",
    ):
        assert words in sentence
    assert "Holm" not in sentence


def test_a_comparison_without_pairs_is_a_sentence():
    comparison = compare_pairs({1: 0.5}, {2: 0.5}, over="seeds", where="enron")
    assert comparison.shift is None
    assert comparison.p is None
    assert comparison.sentence() == (
        "value on enron: a = a against b = b, 0 seeds; Wilcoxon signed-rank, two-sided: no p-value, no pairs where at least 5 "
        "are needed; missing: a, seed 2; b, seed 1."
    )


def test_a_family_is_adjusted_over_what_was_tested():
    def comparison(name, size, pairs):
        return compare_pairs(
            {seed: size * (seed + 1) for seed in range(pairs)}, dict.fromkeys(range(pairs), 0.0), over="seeds", where=name
        )

    judged = family([comparison("one", 1.0, 6), comparison("two", -1.0, 8), comparison("three", 1.0, 2)])
    assert judged.tested == 2
    assert [member.family for member in judged] == [2, 2, 2]
    assert [member.p for member in judged] == [pytest.approx(2 / 2**6), pytest.approx(2 * 2 / 2**8), None]
    assert "after Holm over 2 tests p = 0.0156" in judged.comparisons[1].sentence()
    assert judged.sentence().endswith("Family of 3 comparisons: Holm over the 2 with a p-value, 1 without one are left out.")
    assert len(judged.sentence().splitlines()) == 4


def test_a_family_of_one_keeps_its_p_value():
    alone = family([compare_pairs(dict.fromkeys(range(7), 1.0), dict.fromkeys(range(7), 0.0))])
    assert alone.comparisons[0].p == alone.comparisons[0].test.p == pytest.approx(2 / 2**7)
    assert "Family" not in alone.sentence()


def test_long_lists_of_missing_cells_are_cut_with_their_number():
    assert pairwise.listed([str(place) for place in range(8)]) == "0; 1; 2; 3; 4; 5; and 2 more"
    assert pairwise.listed(["0", "1"]) == "0; 1"
