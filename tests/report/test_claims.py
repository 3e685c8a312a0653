import dataclasses

import pytest

from hmc.report import claims
from hmc.report.claims import Claim, Judgement
from hmc.report.criteria import NOT_SUPPORTED, NOT_TESTED, SUPPORTED, Criterion, Finding
from hmc.report.table import DASH
from hmc.results.published import PublishedError
from hmc.settings import Cell, build
from tests.report.examples import cells_of, grid_of, place_of, plan_of
from tests.results.examples import make_cell, make_record

METHODS = ("chmcnn", "weighted_focal_bbma")
DIFFERENCE = Criterion("difference", ("weighted_focal_bbma",), "macro_f1", against="chmcnn")
RATIO = Criterion("ratio", ("weighted_focal_bbma",), "macro_recall", against="chmcnn", threshold=4.5)


def judge(criterion, plan):
    return claims.judge([Claim("one", "A claim.", criteria=(criterion,))], plan)


def scaled(**factors):
    """A value that is the dataset's own times the method's factor."""
    return lambda cell: (0.05 + 0.01 * place_of(cell)) * factors[cell.method] + 0.0001 * cell.seed


BETTER = scaled(chmcnn=1.0, weighted_focal_bbma=1.5)


def test_the_six_claims_are_read_and_every_method_they_name_is_known():
    from hmc.configs import names

    loaded = claims.load()
    of_paper = [claim.id for claim in loaded if claim.origin == "paper"]
    assert of_paper == ["recall", "f1", "uncertainties", "resampling", "schedules", "images"]
    assert all(claim.origin == "ours" for claim in loaded[len(of_paper) :])
    for criterion in (criterion for claim in loaded for criterion in (*claim.criteria, *claim.beside)):
        assert {*criterion.methods, *criterion.best, *filter(None, [criterion.against])} <= set(names("method"))
    assert [claim.id for claim in loaded if claim.caution] == ["images"]


def test_a_significant_difference_in_the_right_direction_supports():
    (one,) = judge(DIFFERENCE, plan_of(cells_of(METHODS), BETTER))
    finding = one.findings[0]
    assert (one.verdict, one.protocol, finding.n, finding.p) == (SUPPORTED, "released", 8, 2 / 256)
    assert finding.effect == "Macro F1 of weighted_focal_bbma +4.25 points"
    for words in ("Wilcoxon signed-rank, two-sided, exact", "n = 8", "p = 0.00781", "greater in 8"):
        assert words in finding.sentence


def test_a_difference_the_other_way_or_none_does_not_support_and_is_told():
    (one,) = judge(DIFFERENCE, plan_of(cells_of(METHODS), scaled(chmcnn=1.0, weighted_focal_bbma=0.5)))
    assert one.verdict == NOT_SUPPORTED
    assert "weighted_focal_bbma differs the other way." in one.sentence
    (one,) = judge(DIFFERENCE, plan_of(cells_of(METHODS), scaled(chmcnn=1.0, weighted_focal_bbma=1.0)))
    assert one.verdict == NOT_SUPPORTED
    assert "all 8 pairs are equal" in one.sentence


def test_too_few_complete_datasets_decide_nothing_and_what_is_missing_is_named():
    cells = cells_of(METHODS, datasets=6)
    (one,) = judge(DIFFERENCE, plan_of(cells, BETTER, done=cells[:-1]))
    assert one.verdict == NOT_TESTED
    assert "5 benchmark datasets are complete where at least 6 are needed" in one.sentence
    assert "weighted_focal_bbma on data_5 (1 of 2 seeds)" in one.sentence
    assert one.findings[0].p is None


def test_a_method_that_is_not_planned_is_named():
    (one,) = judge(DIFFERENCE, plan_of(cells_of(["chmcnn"]), BETTER))
    assert one.verdict == NOT_TESTED
    assert "no cell of weighted_focal_bbma is planned" in one.sentence


@pytest.mark.parametrize("group", ["synthetic", "own"])
def test_generated_and_own_data_never_decide(group):
    judged = claims.judge(claims.load(), plan_of(cells_of(METHODS, datasets=20, group=group), BETTER))
    assert {one.verdict for one in judged} == {NOT_TESTED}


def test_protocols_are_judged_by_themselves_against_their_own_baseline():
    cells = [*cells_of(METHODS), *cells_of(METHODS, protocol="corrected")]
    plan = plan_of(cells, lambda cell: BETTER(cell) if cell.protocol == "released" else 0.1)
    judged = judge(DIFFERENCE, plan)
    assert [(one.protocol, one.verdict) for one in judged] == [("released", SUPPORTED), ("corrected", NOT_SUPPORTED)]
    assert "against b = chmcnn (corrected)" in judged[1].sentence


def test_holm_over_the_methods_raises_the_number_of_datasets_that_is_needed():
    both = dataclasses.replace(DIFFERENCE, methods=("weighted_focal_bbma", "weighted"), needed="all")
    factors = scaled(chmcnn=1.0, weighted_focal_bbma=1.5, weighted=1.2)
    (six,) = judge(both, plan_of(cells_of([*METHODS, "weighted"], datasets=6), factors))
    assert six.verdict == NOT_TESTED
    assert "at least 7 are needed" in six.sentence
    (seven,) = judge(both, plan_of(cells_of([*METHODS, "weighted"], datasets=7), factors))
    assert (seven.verdict, seven.findings[0].p) == (SUPPORTED, 2 * 2 / 128)


def test_any_and_all_of_several_methods():
    plan = plan_of(cells_of([*METHODS, "weighted"]), scaled(chmcnn=1.0, weighted_focal_bbma=1.5, weighted=0.9))
    both = dataclasses.replace(DIFFERENCE, methods=("weighted_focal_bbma", "weighted"))
    (every,) = judge(dataclasses.replace(both, needed="all"), plan)
    assert (every.verdict, every.findings[0].effect.split()[3]) == (NOT_SUPPORTED, "weighted")
    (some,) = judge(dataclasses.replace(both, needed="any"), plan)
    assert (some.verdict, some.findings[0].effect.split()[3]) == (SUPPORTED, "weighted_focal_bbma")


def test_the_largest_ratio_over_datasets_decides_up_to_so_many_times():
    def five_times_once(cell: Cell) -> float:
        return 0.1 * ((5.0 if cell.dataset == "data_3" else 2.0) if cell.method == "weighted_focal_bbma" else 1.0)

    (one,) = judge(RATIO, plan_of(cells_of(METHODS), five_times_once))
    assert (one.verdict, one.findings[0].effect) == (SUPPORTED, "largest ratio 5.00")
    assert "The largest is 5.00 (weighted_focal_bbma on data_3), the median 2.00, over 8 datasets" in one.sentence
    (one,) = judge(RATIO, plan_of(cells_of(METHODS), BETTER))
    assert one.verdict == NOT_SUPPORTED
    (one,) = judge(RATIO, plan_of(cells_of(METHODS, datasets=3), five_times_once))
    assert one.verdict == NOT_TESTED


def test_no_ratio_is_made_over_a_recall_of_zero():
    (one,) = judge(RATIO, plan_of(cells_of(METHODS), lambda cell: 0.0 if cell.method == "chmcnn" else 0.1))
    assert one.verdict == NOT_TESTED
    assert "no ratio over a zero of chmcnn on data_0" in one.sentence


def test_the_best_methods_need_the_best_ranks_and_a_significant_friedman_test():
    names = ("one", "two", "three", "four")
    criterion = Criterion("best", names, "macro_f1", best=("two", "one"))
    (one,) = judge(criterion, plan_of(cells_of(names), scaled(one=1.4, two=1.3, three=1.2, four=1.0)))
    assert one.verdict == SUPPORTED
    assert "Friedman over 8 datasets" in one.sentence
    assert one.findings[0].effect == "best ranks: one 1.00, two 2.00"
    (one,) = judge(criterion, plan_of(cells_of(names), scaled(one=1.4, two=1.1, three=1.2, four=1.0)))
    assert one.verdict == NOT_SUPPORTED
    (one,) = judge(criterion, plan_of(cells_of(names[:3]), scaled(one=1.4, two=1.1, three=1.2)))
    assert one.verdict == NOT_TESTED


def with_members(members: int, place: int) -> Cell:
    cell = make_cell(f"data_{place}", "weighted_focal_bbma", group="fun")
    method = dataclasses.replace(cell.settings.method, members=members)
    return Cell(dataclasses.replace(cell.settings, method=method), cell.data_sha256, (("method.members", members),))


def test_a_trend_needs_three_sizes_of_the_ensemble():
    criterion = Criterion("trend", ("weighted_focal_bbma",), "macro_f1")
    cells = [with_members(members, place) for place in range(8) for members in (2, 5, 10, 20)]
    (one,) = judge(criterion, plan_of(cells, lambda cell: 0.1 + 0.001 * cell.settings.method.members))
    assert (one.verdict, one.findings[0].effect) == (SUPPORTED, "+1.80 points from 2 to 20 members")
    assert "Page's trend test" in one.sentence
    (one,) = judge(criterion, plan_of(cells, lambda cell: 0.1 - 0.001 * cell.settings.method.members))
    assert one.verdict == NOT_SUPPORTED
    (one,) = judge(criterion, plan_of([cell for cell in cells if cell.settings.method.members < 10], lambda cell: 0.1))
    assert one.verdict == NOT_TESTED
    assert "Sizes planned: 2, 5, where at least 3 are needed" in one.sentence


def test_a_size_tried_on_few_datasets_does_not_hide_the_trend_of_the_others():
    criterion = Criterion("trend", ("weighted_focal_bbma",), "macro_f1")
    few = [with_members(20, place) for place in range(2)]
    cells = [*(with_members(members, place) for place in range(8) for members in (2, 5, 10)), *few]
    (one,) = judge(criterion, plan_of(cells, lambda cell: 0.1 + 0.001 * cell.settings.method.members))
    assert (one.verdict, one.findings[0].effect, one.findings[0].n) == (SUPPORTED, "+0.80 points from 2 to 10 members", 8)
    assert "sizes 2, 5, 10" in one.sentence
    assert one.sentence.endswith("On fewer than 6 datasets, and left out: 20 members.")


def test_reconstructed_data_are_named_with_the_verdict_without_them():
    plan = plan_of(cells_of(METHODS, datasets=6), BETTER, reconstructed=["data_2"])
    (one,) = judge(DIFFERENCE, plan)
    assert one.verdict == SUPPORTED
    assert one.notes == ("† Reconstructed data are among these (data_2); without them: not tested here.",)


def test_what_stands_beside_a_claim_is_told_and_decides_nothing():
    """Against a summed baseline, which is better than the method here."""
    summed = [make_cell(f"data_{place}", group="fun", epochs=3, departed=(("protocol.reduction", "sum"),)) for place in range(8)]
    beside = dataclasses.replace(DIFFERENCE, against_variant="protocol.reduction=sum", why="With the same loss:")
    claim = Claim("one", "A claim.", criteria=(DIFFERENCE,), beside=(beside,))

    def value(cell):
        return 0.9 - 0.01 * place_of(cell) if cell.variant else BETTER(cell)

    cells = cells_of(METHODS, seeds=1)
    (one,) = claims.judge([claim], plan_of([*cells, *summed], value, reconstructed=["data_2"]))
    assert (one.verdict, len(one.findings)) == (SUPPORTED, 1)
    assert [part.sentence() for part in one.beside] == [
        "With the same loss: not supported (n = 8, Macro F1 of weighted_focal_bbma -73.75 points, p = 0.00781 (Wilcoxon)). "
        "† Reconstructed data are among these (data_2)."
    ]
    assert one.notes == ("† Reconstructed data are among these (data_2); without them: the same.",)
    assert one.beside[0].sentence() in one.sentence
    (one,) = claims.judge([claim], plan_of(cells, value))
    assert (one.verdict, one.notes, one.beside) == (SUPPORTED, (), ())


def test_every_criterion_must_hold_and_a_failed_one_outweighs_an_untested_one():
    claim = Claim("two", "Two.", criteria=(DIFFERENCE, dataclasses.replace(DIFFERENCE, methods=("absent",))))
    (one,) = claims.judge([claim], plan_of(cells_of(METHODS), BETTER))
    assert one.verdict == NOT_TESTED
    (one,) = claims.judge([claim], plan_of(cells_of(METHODS), lambda cell: 0.1))
    assert one.verdict == NOT_SUPPORTED


def test_without_any_cell_every_claim_is_untested_once():
    judged = claims.judge(claims.load(), plan_of([], BETTER))
    assert [(one.protocol, one.verdict) for one in judged] == [("released", NOT_TESTED)] * len(claims.load())
    assert "Judged by embedded images" in judged[5].sentence
    table = claims.table(judged)
    assert table.rows == ()
    assert table.notes[-1].startswith("Not tested here under any protocol: recall, f1, uncertainties, ")


# --- the table --------------------------------------------------------------------------------------------------------


def test_the_table_has_a_row_a_tested_protocol_and_says_what_decided_it():
    both = Claim("two_things", "Two\nthings.", criteria=(DIFFERENCE, RATIO))
    ours = Claim("a_question", "A question.", criteria=(dataclasses.replace(DIFFERENCE, metric="macro_recall"),), origin="ours")
    never = Claim("never", "Never.", outside="no data")
    cells = [*cells_of(METHODS), *cells_of(METHODS, datasets=2, protocol="corrected")]
    judged = claims.judge([both, ours, never], plan_of(cells, BETTER, reconstructed=["data_0"]))
    assert len(judged) == 6
    table = claims.table(judged)
    assert table.header == ("claim", "whose", "protocol", "verdict", "criteria met", "decided by", "n", "p", "test")
    assert table.text() == [
        ["two things", "paper", "released", "not supported †", "1 of 2", "largest ratio 1.50", "8", DASH, DASH],
        [
            *("a question", "ours", "released", "supported †", "1 of 1"),
            *("Macro recall of weighted_focal_bbma +4.25 points", "8", "0.00781", "Wilcoxon"),
        ],
    ]
    assert "two things: Two things." in table.notes
    assert "a question: A question." in table.notes
    assert table.notes[-1] == "Not tested here under any protocol: never."


def test_no_entry_of_the_table_is_longer_than_a_line():
    names = sorted(
        {method for claim in claims.load() for one in (*claim.criteria, *claim.beside) for method in (*one.methods, one.against)}
        - {""}
    )
    cells = [cell for protocol in ("released", "corrected") for cell in cells_of(names, seeds=1, protocol=protocol)]
    metrics = {"macro_f1", "macro_recall", "macro_precision", "macro_ap", "au_prc"}
    rules = {
        f"{name}@{rule}"
        for name in ("macro_f1", "macro_recall")
        for rule in ("global", "scaled_rate", "node_supported", "weight_equivalent")
    }
    records = [
        make_record(cell, dict.fromkeys(metrics | rules, 0.1 + 0.01 * place_of(cell) + 0.001 * names.index(cell.method)))
        for cell in cells
    ]
    table = claims.table(claims.judge(claims.load(), grid_of(cells, records)))
    assert len(table.rows) > 20
    assert max(len(entry) for row in table.text() for entry in row) <= 110
    assert len({row[:3] for row in table.rows}) == len(table.rows)


def test_what_decides_is_the_weakest_of_what_holds_and_else_the_first_that_does_not():
    def found(verdict, p):
        return Finding(verdict, "", p=p)

    claim = Claim("one", "One.", criteria=(DIFFERENCE,))
    holds = Judgement(claim, "released", SUPPORTED, (found(SUPPORTED, 0.001), found(SUPPORTED, 0.04), found(SUPPORTED, None)))
    assert holds.decisive.p == 0.04
    fails = Judgement(
        claim, "released", NOT_SUPPORTED, (found(SUPPORTED, 0.01), found(NOT_SUPPORTED, 0.2), found(NOT_SUPPORTED, 0.9))
    )
    assert fails.decisive.p == 0.2


def test_p_says_what_it_is_of():
    plan = plan_of(cells_of([*METHODS, "weighted"]), scaled(chmcnn=1.0, weighted_focal_bbma=1.5, weighted=1.2))
    (one,) = judge(DIFFERENCE, plan)
    (both,) = judge(dataclasses.replace(DIFFERENCE, methods=("weighted_focal_bbma", "weighted")), plan)
    assert (one.findings[0].test, both.findings[0].test) == ("Wilcoxon", "Wilcoxon, Holm over 2")
    (equal,) = judge(EQUIVALENCE, plan)
    assert equal.findings[0].test == "two one-sided Wilcoxon"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "must be a list of claims"),
        ("- [", "claims.yaml:1: "),
        ("- {id: a, text: b}", "must have either criteria or outside, got neither"),
        ("- {id: a, text: b, criteriums: []}", "did you mean"),
        ("- {id: a, text: b, criteria: [{kind: guess, methods: [a], metric: b}]}", "claims[0].criteria[0].kind"),
    ],
)
def test_a_damaged_file_of_claims_is_refused_with_its_name(tmp_path, text, words):
    path = tmp_path / "claims.yaml"
    path.write_text(text)
    with pytest.raises(PublishedError) as caught:
        claims.load(path)
    assert str(path) in str(caught.value)
    assert words in str(caught.value)
    with pytest.raises(PublishedError, match="does not exist"):
        claims.load(tmp_path / "absent.yaml")


def test_claims_are_settings_like_all_others():
    assert build(Criterion, {"kind": "ratio", "methods": ["a"], "metric": "b"}).threshold == 1.0


EQUIVALENCE = Criterion("equivalence", ("weighted_focal_bbma",), "macro_f1", against="chmcnn")


def test_equivalence_needs_both_one_sided_tests():
    (one,) = judge(EQUIVALENCE, plan_of(cells_of(METHODS), scaled(chmcnn=1.0, weighted_focal_bbma=1.05)))
    assert (one.verdict, one.findings[0].n, one.findings[0].p) == (SUPPORTED, 8, 1 / 256)
    assert "Two one-sided Wilcoxon signed-rank tests on log ratios over 8 pairs" in one.sentence
    (one,) = judge(EQUIVALENCE, plan_of(cells_of(METHODS), scaled(chmcnn=1.0, weighted_focal_bbma=1.2)))
    assert one.verdict == NOT_SUPPORTED
    (one,) = judge(EQUIVALENCE, plan_of(cells_of(METHODS, datasets=4), scaled(chmcnn=1.0, weighted_focal_bbma=1.0)))
    assert one.verdict == NOT_TESTED


def test_each_side_may_have_a_decision_rule_of_its_own():
    plan = plan_of(cells_of(METHODS), scaled(chmcnn=1.0, weighted_focal_bbma=1.5))
    plan["macro_f1@weight_equivalent"] = 1.5 * plan["macro_f1"]
    shifted = dataclasses.replace(EQUIVALENCE, methods=("chmcnn",), rule="weight_equivalent", against="weighted_focal_bbma")
    (one,) = judge(dataclasses.replace(shifted, against_rule="half"), plan)
    assert one.verdict == SUPPORTED
    assert "chmcnn with rule weight_equivalent within 10 % of weighted_focal_bbma with rule half's" in one.sentence
    (one,) = judge(shifted, plan)
    assert one.verdict == NOT_SUPPORTED
    (one,) = judge(dataclasses.replace(shifted, rule="scaled_rate"), plan)
    assert one.verdict == NOT_TESTED


def test_the_table_of_tests_has_a_row_a_tested_criterion_and_says_what_it_asked():
    beside = (RATIO, dataclasses.replace(DIFFERENCE, metric="macro_ap", why="Never recorded:"))
    claim = Claim("one", "A claim.", criteria=(DIFFERENCE,), beside=beside)
    table = claims.tests_table(claims.judge([claim], plan_of(cells_of(METHODS), BETTER)))
    first, second = table.text()
    assert first[:5] == ["one", "released", "decides", "Macro F1 of weighted_focal_bbma greater than chmcnn's", SUPPORTED]
    assert first[5:] == ["Macro F1 of weighted_focal_bbma +4.25 points", "8", "0.00781", "Wilcoxon"]
    assert second[2:6] == [
        "beside",
        "Largest ratio of macro recall to chmcnn's at least 4.5",
        NOT_SUPPORTED,
        "largest ratio 1.50",
    ]
    assert second[7] == DASH
