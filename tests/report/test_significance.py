import pytest

from hmc.report import significance
from hmc.report.grid import build_grid
from hmc.report.metric import MACRO_AP, MACRO_F1
from hmc.report.render import slug
from hmc.report.table import DASH
from hmc.stats.pairwise import wilcoxon
from tests.report.examples import cells_of, from_outside, grid_of, place_of, plan_of, record_of, results_of
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
    table = significance.pairs_over_datasets(found)
    assert table.header[-2:] == ("raw p", "Holm p")
    assert table.text() == [["Macro F1", "chmcnn", "weighted", "8", "0", "0", "8", "-2.70", "-1.00", "0.00781", "0.00781"]]


def over_seeds_of(grid):
    return significance.pairs_over_seeds(grid, significance.analysis(grid, MACRO_F1, "released"))


def test_over_seeds_each_method_is_compared_with_the_baseline_within_a_dataset():
    cells = cells_of(["chmcnn", "weighted", "ensemble"], datasets=2, seeds=6)
    table = over_seeds_of(plan_of(cells, lambda cell: value(cell) + 0.0001 * cell.seed * (cell.method != "chmcnn")))
    assert table.header[:4] == ("metric", "dataset", "a", "b")
    rows = [dict(zip(table.header, row, strict=True)) for row in table.text()]
    assert [(row["dataset"], row["a"], row["b"]) for row in rows] == [
        (name, method, "chmcnn") for name in ("data_0", "data_1") for method in ("weighted", "ensemble")
    ]
    assert [(row["difference a - b"], row["wins"], row["Holm p"]) for row in rows[:2]] == [
        ("+2.02", "6", "0.0625"),
        ("+0.12", "6", "0.0625"),
    ]
    assert any("n = 6 seeds; so many cannot give p below 0.0312" in note for note in table.notes)
    assert over_seeds_of(plan_of(cells_of(["weighted"]), value)).rows == ()


def test_too_few_seeds_give_no_table_rather_than_a_table_of_dashes():
    assert over_seeds_of(plan_of(cells_of(["chmcnn", "weighted"]), value)).rows == ()


def test_a_plan_without_records_or_cells_has_nothing_to_compare():
    for cells in ([], [make_cell()]):
        plan = build_grid(cells, results_of([], value).frame)
        for one in significance.analyses(plan, [MACRO_F1]):
            assert one.columns == ()
            assert significance.pairs_over_datasets(one).rows == ()


def test_reference_predictors_take_no_part_and_scores_from_outside_do():
    cells = cells_of(["chmcnn", "weighted"], seeds=6)
    names = [f"data_{place}" for place in range(8)]
    beside = [record_of(make_cell(name, "predict_all", seed, group="fun"), 0.9) for name in names for seed in range(6)]
    outside = [
        from_outside(make_cell(name, "mine", seed, group="fun"), {"macro_f1": 0.2 + 0.01 * place + 0.001 * seed})
        for place, name in enumerate(names)
        for seed in range(6)
    ]
    grid = grid_of(cells, [*(record_of(cell, value(cell)) for cell in cells), *beside, *outside])
    (found,) = significance.analyses(grid, [MACRO_F1])
    assert found.columns == ("chmcnn", "weighted", "mine ‡")
    assert found.ranking.methods == ("mine ‡", "weighted", "chmcnn")
    over_datasets, over_seeds = significance.tables(grid, [found])
    for table in (over_datasets, over_seeds):
        assert {"mine ‡"} < {row[table.header.index("a")] for row in table.rows} | {
            row[table.header.index("b")] for row in table.rows
        }
        assert any(note.startswith("‡ scores from outside") for note in table.notes)


def test_methods_trained_on_other_rows_are_compared_among_themselves():
    cells = cells_of(["chmcnn", "weighted"], seeds=1)
    held_out = [
        make_cell(cell.dataset, cell.method, cell.seed, group="fun", epochs=3, departed=(("training.holdout", "valid"),))
        for cell in cells
    ]
    both = significance.analyses(plan_of([*cells, *held_out], value), [MACRO_F1])
    assert [(one.where, len(one.pairs), one.name) for one in both] == [
        ("protocol released", 1, "macro_f1_released"),
        ("protocol released, trained on train alone", 1, "macro_f1_released_holdout"),
    ]
    assert both[1].columns == ("chmcnn (training.holdout=valid)", "weighted (training.holdout=valid)")


def test_a_metric_that_only_some_records_have_is_tested_on_theirs():
    cells = cells_of(["chmcnn", "weighted"], seeds=1)
    records = [record_of(cell, value(cell), metrics={"macro_ap": value(cell)} if place_of(cell) else {}) for cell in cells]
    found = significance.analysis(grid_of(cells, records), MACRO_AP, "released")
    assert found.pairs.comparisons[0].test.n == 7
    assert found.left_out == ("chmcnn on data_0 (0 of 1 seeds)", "weighted on data_0 (0 of 1 seeds)")
    assert significance.analyses(grid_of(cells, map(record_of, cells)), [MACRO_AP]) == []


def test_a_name_becomes_a_file_name():
    assert slug("a b/../c<d>") == "a_b_.._c_d_"
    assert slug("...") == "_"
    assert DASH not in slug(DASH)
