import pytest

from hmc.report import significance
from hmc.report.grid import MACRO_F1, build_grid
from hmc.report.render import DASH, slug
from hmc.stats.pairwise import wilcoxon
from tests.report.examples import cells_of, place_of, plan_of, results_of
from tests.results.examples import make_cell

GAINS = {"chmcnn": 0.0, "weighted": 0.02, "ensemble": 0.001}


def value(cell):
    return 0.1 + GAINS[cell.method] * (1 + 0.1 * place_of(cell)) + 0.001 * cell.seed


def test_pairs_over_datasets_are_tested_by_the_means_of_seeds_with_holm():
    found = significance.analysis(plan_of(cells_of(["chmcnn", "weighted", "ensemble"]), value), MACRO_F1, "released")
    assert [(pair.a, pair.b) for pair in found.pairs] == [
        ("chmcnn", "weighted"),
        ("chmcnn", "ensemble"),
        ("weighted", "ensemble"),
    ]
    expected = wilcoxon([0.1] * 8, [0.12 + 0.002 * place for place in range(8)])
    first = found.pairs.comparisons[0]
    assert first.test.p == expected.p == 2 / 256
    assert [pair.p_holm for pair in found.pairs] == [6 / 256] * 3
    assert first.losses == 8
    assert found.ranking.methods == ("weighted", "ensemble", "chmcnn")
    assert found.sentence() == (
        "Macro F1, protocol released: Wilcoxon signed-rank, two-sided, over 8 datasets (means over seeds), Holm over 3 pairs: "
        "3 pairs differ at 0.05."
    )


def test_a_dataset_counts_only_when_all_its_planned_seeds_are_done():
    cells = cells_of(["chmcnn", "weighted"])
    missing = next(cell for cell in cells if cell.method == "weighted" and cell.seed == 1)
    found = significance.analysis(plan_of(cells, value, done=[cell for cell in cells if cell != missing]), MACRO_F1, "released")
    assert found.pairs.comparisons[0].test.n == 7
    assert found.left_out == (f"weighted on {missing.dataset} (1 of 2 seeds)",)


def test_methods_with_different_numbers_of_planned_seeds_are_compared_on_the_shared_ones():
    cells = [*cells_of(["chmcnn"], seeds=4), *cells_of(["weighted"], seeds=2)]
    pair = significance.analysis(plan_of(cells, value), MACRO_F1, "released").pairs.comparisons[0]
    assert pair.pairs.a == pytest.approx([0.1005] * 8)
    assert pair.missing == ()


def test_images_do_not_count_over_datasets():
    cells = [*cells_of(["chmcnn", "weighted"]), *cells_of(["ensemble"], group="images")]
    assert significance.analysis(plan_of(cells, value), MACRO_F1, "released").columns == ("chmcnn", "weighted")


def test_methods_are_ranked_on_the_datasets_on_which_most_can_be():
    cells = [*cells_of(["chmcnn", "weighted"], datasets=8), *cells_of(["ensemble"], datasets=7), *cells_of(["lpros"], datasets=1)]
    plan = plan_of(cells, lambda cell: 0.1 if cell.method == "lpros" else value(cell))
    found = significance.analysis(plan, MACRO_F1, "released")
    assert (found.ranking.methods, len(found.ranking.datasets)) == (("weighted", "ensemble", "chmcnn"), 7)
    assert found.ranking.missing == ("lpros (on 1 of them)",)
    assert "over 7 to 8 datasets a pair" in found.sentence()


def test_generated_datasets_and_other_protocols_do_not_count():
    cells = [
        *cells_of(["chmcnn", "weighted"], group="synthetic"),
        *cells_of(["chmcnn", "weighted"], datasets=2, protocol="corrected"),
    ]
    found = significance.analyses(plan_of(cells, value), [MACRO_F1])
    assert [one.protocol for one in found] == ["released", "corrected"]
    assert (
        found[0].sentence()
        == "Macro F1, protocol released: nothing to compare (methods with a complete dataset: 0; generated ones and images do "
        "not count)."
    )
    assert found[1].columns == ("chmcnn (corrected)", "weighted (corrected)")
    assert (
        found[1].sentence()
        == "Macro F1, protocol corrected: no p-value, 2 pairs where at least 5 are needed (a pair is a dataset)."
    )
    assert significance.tables(plan_of(cells, value), found) == []


def test_the_table_of_pairs_shows_difference_effect_and_both_p_values():
    found = significance.analysis(plan_of(cells_of(["chmcnn", "weighted"]), value), MACRO_F1, "released")
    table = significance.pairs_table(found)
    assert table.text() == [["chmcnn", "weighted", "8", "0 / 0 / 8", "-2.70", "-1.00", "0.00781", "0.00781"]]


def test_over_seeds_each_method_is_compared_with_the_baseline_within_a_dataset():
    cells = cells_of(["chmcnn", "weighted", "ensemble"], datasets=2, seeds=6)
    plan = plan_of(cells, lambda cell: value(cell) + 0.0001 * cell.seed * (cell.method != "chmcnn"))
    table = significance.seeds_table(plan, MACRO_F1, "released")
    assert table.header == ("dataset", "weighted", "ensemble")
    assert table.text()[0] == ["data_0", "+2.02 (p 0.0625)", "+0.12 (p 0.0625)"]
    assert any("n = 6 seeds; so many cannot give p below 0.0312" in note for note in table.notes)
    assert significance.seeds_table(plan_of(cells_of(["weighted"]), value), MACRO_F1, "released").rows == ()


def test_too_few_seeds_give_no_table_rather_than_a_table_of_dashes():
    assert significance.seeds_table(plan_of(cells_of(["chmcnn", "weighted"]), value), MACRO_F1, "released").rows == ()


def test_a_plan_without_records_or_cells_has_nothing_to_compare():
    for cells in ([], [make_cell()]):
        plan = build_grid(cells, results_of([], value).frame)
        for one in significance.analyses(plan, [MACRO_F1]):
            assert one.columns == ()
            assert significance.pairs_table(one).rows == ()


def test_a_name_becomes_a_file_name():
    assert slug("a b/../c<d>") == "a_b_.._c_d_"
    assert slug("...") == "_"
    assert DASH not in slug(DASH)
