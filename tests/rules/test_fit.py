"""Each rule against its definition in loops, on small random cases with and without ties."""

import dataclasses
import itertools
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hmc.hierarchy import from_edges
from hmc.rules import RULES, Evidence, RuleError, decide, fit, fit_all, require_known, rule
from hmc.scores import coherent
from hmc.settings import RuntimeSettings, SettingsError
from tests.rules import slowly
from tests.strategies import hierarchies

TUNED = ("global", "rate", "scaled_rate", "node", "node_supported", "expected_f1")


@st.composite
def evidences(draw, max_rows=9):
    """Coherent float32 scores with or without ties, closed labels, and training rates, some of them 0 or 1."""
    hierarchy = draw(hierarchies(max_nodes=7))
    rows = draw(st.integers(1, max_rows))
    random = np.random.default_rng(draw(st.integers(0, 2**31)))
    raw = random.random((rows, len(hierarchy)))
    if draw(st.booleans()):
        raw = np.round(raw * 4) / 4
    labels = hierarchy.close(random.random((rows, len(hierarchy))) < draw(st.sampled_from([0.05, 0.3])))
    rate = np.where(random.random(len(hierarchy)) < 0.2, random.integers(0, 2, len(hierarchy)), random.random(len(hierarchy)))
    return Evidence(hierarchy, rate, 50, coherent(raw.astype(np.float32), hierarchy), labels)


def sets(evidence, thresholds):
    return decide(evidence.scores, thresholds, evidence.hierarchy).labels


@given(evidences())
def test_rate_is_the_quantile_at_the_training_rate(evidence):
    assert fit("rate", evidence).tolist() == slowly.at_rate(evidence.scores, evidence.rate, 1.0).tolist()


@given(evidences())
def test_rate_predicts_as_often_as_training_says_where_no_scores_are_equal(evidence):
    thresholds = fit("rate", evidence)
    for node, column in enumerate(evidence.scores.T):
        wanted = np.floor(min(evidence.rate[node], 0.999) * len(column) + 0.5)
        predicted = np.count_nonzero(column > thresholds[node])
        assert predicted == wanted or len(set(column.tolist())) < len(column)


@given(evidences())
def test_scaled_rate_takes_the_scale_with_the_best_macro_f1(evidence):
    expected = slowly.scaled_rate(evidence.scores, evidence.labels, evidence.rate, evidence.hierarchy)
    assert fit("scaled_rate", evidence).tolist() == expected.tolist()


@given(evidences())
def test_global_takes_the_candidate_with_the_best_macro_f1(evidence):
    expected = slowly.global_threshold(evidence.scores, evidence.labels, evidence.hierarchy)
    assert set(fit("global", evidence).tolist()) == {expected}


@given(evidences())
def test_node_takes_each_nodes_best_f1(evidence):
    expected = slowly.node(evidence.scores, evidence.labels, evidence.rate, evidence.hierarchy)
    assert fit("node", evidence).tolist() == expected.tolist()


@given(evidences())
def test_no_threshold_gives_a_node_a_better_f1_than_node_does(evidence):
    thresholds = fit("node", evidence)
    for place in np.flatnonzero(evidence.labels.any(axis=0)):
        column, labels = evidence.scores[:, place], evidence.labels[:, place]
        found = slowly.node_f1(labels, column > thresholds[place])
        everything = [-1.0, *(float(score) for score in column)]
        assert found == max(slowly.node_f1(labels, column > threshold) for threshold in everything)


@settings(max_examples=25)
@given(evidences(max_rows=14))
def test_node_supported_chooses_the_support_by_cross_validation(evidence):
    rows = len(evidence.scores)
    order = np.random.Generator(np.random.PCG64(0)).permutation(rows)
    folds = [np.sort(order[::2]), np.sort(order[1::2])]
    if rows < 2:
        expected = slowly.scaled_rate(evidence.scores, evidence.labels, evidence.rate, evidence.hierarchy)
    else:
        expected = slowly.node_supported(evidence.scores, evidence.labels, evidence.rate, evidence.hierarchy, folds)
    assert fit("node_supported", evidence).tolist() == expected.tolist()


@given(evidences())
def test_expected_f1_is_the_best_of_all_sets_of_highest_scores(evidence):
    thresholds = fit("expected_f1", evidence)
    best = slowly.expected_f1(evidence.scores)
    for place, column in enumerate(evidence.scores.astype(np.float64).T):
        chosen = column > thresholds[place]
        value = 2 * column[chosen].sum() / (chosen.sum() + column.sum()) if chosen.any() else 0.0
        assert value == pytest.approx(best[place], abs=1e-6)


def test_expected_f1_is_the_expectation_were_scores_true():
    """Against all label vectors of four rows, each with its probability: of all sets the rule's has the largest expected F1."""
    hierarchy = from_edges(["root", "a"], [("root", "a")])
    probabilities = np.array([0.9, 0.8, 0.1, 0.05])
    scores = np.column_stack([np.ones(4), probabilities])

    def expectation(chosen):
        total = 0.0
        for labels in itertools.product([False, True], repeat=4):
            chance = np.prod(np.where(labels, probabilities, 1 - probabilities))
            total += chance * slowly.node_f1(np.array(labels), np.array(chosen))
        return total

    best = max(itertools.product([False, True], repeat=4), key=expectation)
    threshold = fit("expected_f1", Evidence(hierarchy, np.array([1.0, 0.4]), 10, scores, scores > 0.5))[1]
    assert (probabilities > threshold).tolist() == list(best) == [True, True, False, False]
    assert threshold == pytest.approx(0.45)


@given(evidences())
def test_rules_that_need_no_label_see_none(evidence):
    turned = dataclasses.replace(evidence, labels=~evidence.labels)
    for name in ("half", "rate", "expected_f1", "prior"):
        assert fit(name, evidence).tolist() == fit(name, turned).tolist(), name


@given(evidences())
def test_the_order_of_held_out_rows_means_nothing(evidence):
    order = np.random.default_rng(0).permutation(len(evidence.scores))
    moved = dataclasses.replace(evidence, scores=evidence.scores[order], labels=evidence.labels[order])
    # Cross-validation draws its folds by place.
    for name in set(TUNED) - {"node_supported"}:
        assert fit(name, evidence).tolist() == fit(name, moved).tolist(), name


def test_half_is_one_half_everywhere():
    hierarchy = from_edges(["root", "a"], [("root", "a")])
    assert fit("half", Evidence(hierarchy, np.array([1, 0.2]), 10)).tolist() == [0.5, 0.5]


def test_prior_is_the_training_rate_kept_from_the_ends():
    hierarchy = from_edges(["root", "a", "b", "c"], [("root", "a"), ("root", "b"), ("root", "c")])
    rates = np.array([1.0, 0.2, 0.0, 0.55])
    assert fit("prior", Evidence(hierarchy, rates, 20)) == pytest.approx([1 - 1 / 40, 0.2, 1 / 40, 0.55])


def test_prior_moves_the_logit_by_the_log_odds_of_the_rate():
    """logit(p) > logit(r), that is logit(p) - logit(r) > 0: Menon's adjustment applied afterwards."""
    hierarchy = from_edges(["root", "a"], [("root", "a")])
    threshold = fit("prior", Evidence(hierarchy, np.array([1.0, 0.07]), 1000))[1]
    logit = np.log(np.array([0.0699, 0.0701]) / (1 - np.array([0.0699, 0.0701])))
    assert (logit - np.log(0.07 / 0.93) > 0).tolist() == (np.array([0.0699, 0.0701]) > threshold).tolist() == [False, True]


def test_weight_equivalent_is_where_the_weights_would_have_moved_one_half_to():
    hierarchy = from_edges(["root", "a", "b", "c"], [("root", "a"), ("root", "b"), ("root", "c")])
    weights = (np.array([1.0, 1.0, 1.0, 0.0]), np.array([1.0, 0.25, 3.5, 0.0]))
    thresholds = fit("weight_equivalent", Evidence(hierarchy, np.ones(4), 10, weights=weights))
    assert thresholds.tolist() == [0.5, 0.2, 3.5 / 4.5, 0.5]
    # The best logit under weights a and b is that of the true odds plus log(a/b) (Elkan 2001).
    odds = thresholds[1] / (1 - thresholds[1])
    assert np.log(odds) + np.log(1.0 / 0.25) == pytest.approx(0)


# --- ties ---------------------------------------------------------------------------------------------------------------

PAIR = from_edges(["root", "a", "b"], [("root", "a"), ("root", "b")])


def evidence_of(columns, labels, rate=(1.0, 0.5, 0.5)):
    scores = np.column_stack([np.ones(len(columns[0])), *columns])
    return Evidence(PAIR, np.array(rate), 20, scores, np.column_stack([np.ones(len(scores), dtype=bool), *labels]))


def test_of_equally_good_scales_the_lowest_is_taken():
    """At .5 and at all larger scales no label is right, so that every macro F1 is 0."""
    wrong = [np.zeros(8, dtype=bool)] * 2
    evidence = evidence_of([np.linspace(0.1, 0.8, 8)] * 2, wrong, (1.0, 0.25, 0.5))
    assert fit("scaled_rate", evidence).tolist() == slowly.at_rate(evidence.scores, evidence.rate, 0.5).tolist()
    assert fit("scaled_rate", evidence)[1:] == pytest.approx([0.75, 0.65])


def test_of_equally_good_global_thresholds_the_highest_is_taken():
    labels = [np.array([True, False, False]), np.array([False, False, True])]
    columns = [np.array([0.9, 0.105, 0.105]), np.array([0.105, 0.105, 0.9])]
    # All thresholds from .11 to .60, and the quantiles up to .9, are right; the last quantile below .9 is higher than the grid.
    threshold = fit("global", evidence_of(columns, labels))[0]
    assert 0.6 <= threshold < 0.9
    scores = np.concatenate(columns)
    candidates = np.quantile(scores, 1 - np.geomspace(0.001, 0.3, 20))
    assert threshold == max(candidate for candidate in candidates if candidate < 0.9)


def test_of_equally_good_thresholds_of_a_node_the_highest_is_taken():
    """One of two hits alone, or both with two misses: F1 2/3 each."""
    labels = np.array([True, False, False, True])
    evidence = evidence_of([np.array([0.8, 0.6, 0.4, 0.2])] * 2, [labels] * 2)
    assert fit("node", evidence)[1:].tolist() == [pytest.approx(0.7)] * 2


def test_equal_scores_are_predicted_together_or_not_at_all():
    labels = np.array([True, True, False, False])
    evidence = evidence_of([np.array([0.9, 0.5, 0.5, 0.1])] * 2, [labels] * 2)
    # Alone .9 has F1 2/3; with both .5, 4/5. A threshold between the two .5 does not exist.
    assert fit("node", evidence)[1:].tolist() == [pytest.approx(0.3)] * 2
    # Half of four rows would cut between them: both lie at the threshold, and so not above it.
    assert fit("rate", evidence)[1:].tolist() == [0.5] * 2
    assert sets(evidence, fit("rate", evidence))[:, 1].tolist() == [True, False, False, False]


def test_all_scores_equal_are_all_or_nothing():
    constant = [np.full(6, 0.25)] * 2
    every = [np.ones(6, dtype=bool)] * 2
    evidence = evidence_of(constant, every)
    assert fit("node", evidence)[1:].tolist() == [-np.inf] * 2
    assert fit("expected_f1", evidence)[1:].tolist() == [-np.inf] * 2
    assert fit("rate", evidence)[1:].tolist() == [0.25] * 2
    assert not sets(evidence, fit("rate", evidence))[:, 1:].any()


def test_scores_of_zero_are_never_predicted_by_expected_f1():
    evidence = evidence_of([np.zeros(5)] * 2, [np.ones(5, dtype=bool)] * 2)
    assert not sets(evidence, fit("expected_f1", evidence))[:, 1:].any()


def test_a_threshold_lies_midway_and_exactly_so_for_neighbouring_floats():
    low = np.float32(0.3)
    high = np.nextafter(low, np.float32(1))
    hierarchy = from_edges(["root", "a"], [("root", "a")])
    scores = np.array([[1, high], [1, low]], dtype=np.float32)
    evidence = Evidence(hierarchy, np.array([1, 0.5]), 20, scores, scores == scores.max(axis=0))
    for name in ("rate", "node"):
        threshold = fit(name, evidence)[1]
        assert float(low) < threshold < float(high), name
        assert decide(scores, fit(name, evidence), hierarchy).labels[:, 1].tolist() == [True, False], name


def test_a_node_without_a_held_out_positive_takes_the_shared_scale():
    labels = [np.array([True, False, False, False]), np.zeros(4, dtype=bool)]
    evidence = evidence_of([np.array([0.9, 0.7, 0.5, 0.3])] * 2, labels)
    assert fit("node", evidence)[1] == pytest.approx(0.8)
    assert fit("node", evidence)[2] == fit("scaled_rate", evidence)[2]


def test_a_node_that_training_has_not_seen_is_never_predicted_by_its_rate():
    evidence = evidence_of([np.linspace(0, 1, 9)] * 2, [np.zeros(9, dtype=bool)] * 2, (1.0, 0.0, 1.0))
    assert fit("rate", evidence).tolist() == [-np.inf, np.inf, -np.inf]
    assert fit("scaled_rate", evidence)[1] == np.inf


def test_a_share_is_kept_below_all_rows_where_there_are_many():
    evidence = evidence_of([np.arange(2000) / 2000] * 2, [np.zeros(2000, dtype=bool)] * 2, (1.0, 1.0, 0.7))
    predicted = sets(evidence, fit("rate", evidence))
    assert predicted[:, 1].sum() == round(0.999 * 2000)
    assert predicted[:, 2].sum() == round(0.7 * 2000)


# --- what a rule lacks, and custom rules -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", TUNED)
def test_a_rule_without_held_out_scores_says_how_to_get_them(name):
    with pytest.raises(RuleError, match=f"^rule {name}: it needs held-out scores: .*training.holdout=valid$"):
        fit(name, Evidence(PAIR, np.ones(3), 10))
    empty = Evidence(PAIR, np.ones(3), 10, np.zeros((0, 3)), np.zeros((0, 3), dtype=bool))
    with pytest.raises(RuleError, match="it needs held-out scores"):
        fit(name, empty)


def test_weight_equivalent_without_weights_says_so():
    with pytest.raises(RuleError, match="rule weight_equivalent: it needs label weights; give those of a weighted method"):
        fit("weight_equivalent", Evidence(PAIR, np.ones(3), 10))


def test_rules_that_can_be_fitted_are_and_the_others_say_why():
    fitted, lacking = fit_all(list(RULES), Evidence(PAIR, np.ones(3), 10))
    assert list(fitted) == ["half", "prior"]
    assert set(lacking) == {*TUNED, "weight_equivalent"}
    assert all(reason.startswith(f"rule {name}: ") and "\n" not in reason for name, reason in lacking.items())


def test_all_nine_are_evaluated_unless_said_otherwise():
    assert tuple(RULES) == RuntimeSettings().rules
    assert len(RULES) == 9


def highest_rate(evidence):
    """A custom rule: one threshold, the largest training rate below 1."""
    return np.full(len(evidence.hierarchy), evidence.rate[evidence.rate < 1].max())


def too_few(evidence):
    return np.full(2, 0.5)


def not_a_number(evidence):
    return np.full(len(evidence.hierarchy), np.nan)


def breaks(evidence):
    raise ZeroDivisionError("in the\n second line")


def lacks(evidence):
    raise RuleError("it needs the moon")


def test_a_custom_function_is_a_rule():
    evidence = Evidence(PAIR, np.array([1.0, 0.25, 0.75]), 10)
    assert fit(f"{__name__}:highest_rate", evidence).tolist() == [0.75] * 3
    assert rule(f"{__name__}:highest_rate") is highest_rate


@pytest.mark.parametrize(
    ("function", "words"),
    [
        ("too_few", r"must return 3 thresholds without NaN, got shape \(2,\)$"),
        ("not_a_number", r"must return 3 thresholds without NaN, got shape \(3,\) with NaN$"),
        ("breaks", r"it failed with ZeroDivisionError \(in the second line\)$"),
        ("lacks", "it needs the moon$"),
    ],
)
def test_a_custom_rule_that_fails_costs_nothing_but_itself(function, words):
    name = f"{__name__}:{function}"
    with pytest.raises(RuleError, match=words):
        fit(name, Evidence(PAIR, np.ones(3), 10))
    fitted, lacking = fit_all([name, "half"], Evidence(PAIR, np.ones(3), 10))
    assert (list(fitted), list(lacking)) == (["half"], [name])


def test_a_mistake_in_one_of_our_own_rules_is_not_hidden(monkeypatch):
    # The package's name ``fit`` is the function.
    monkeypatch.setattr(sys.modules["hmc.rules.fit"], "RULES", {"half": breaks})
    with pytest.raises(ZeroDivisionError):
        fit("half", Evidence(PAIR, np.ones(3), 10))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("scaled_rat", "rules='scaled_rat' is not known; did you mean 'scaled_rate'"),
        ("nowhere:rule", "rules='nowhere:rule' cannot be imported"),
    ],
)
def test_a_rule_that_is_not_known_is_named(name, words):
    with pytest.raises(SettingsError, match=words):
        rule(name)
    with pytest.raises(SettingsError, match=words):
        require_known(["half", name])
    require_known(["half", f"{__name__}:lacks"])
