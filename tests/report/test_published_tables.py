import pytest

from hmc.report import published_tables
from hmc.report.table import DASH
from hmc.results import published
from tests.report.examples import from_outside, grid_of, record_of
from tests.results.examples import make_cell, make_record

PAPERS = published.load()
HELD_OUT = (("training.holdout", "valid"),)


def test_published_au_prc_compares_the_baseline_and_lists_generated_data_with_a_dash():
    cells = [
        *(make_cell(seed=seed) for seed in range(3)),
        make_cell(method="weighted"),
        make_cell("synthetic_tree", group="synthetic"),
        make_cell("cellcycle_fun", group="fun"),
    ]
    records = [record_of(cell, 0.755 + 0.001 * cell.seed) for cell in cells[:3]] + [record_of(cell, 0.5) for cell in cells[3:]]
    table = published_tables.published_au_prc(grid_of(cells, records), PAPERS)
    assert table.text() == [
        ["enron", "chmcnn", "0.756 ± 0.001 (3)", "0.756 (10)", "+0.0000", "match"],
        ["synthetic_tree", "chmcnn", "0.500 (1)", DASH, DASH, DASH],
        ["cellcycle_fun", "chmcnn", "0.500 (1)", "0.2554 ± 0.0008 (10)", "+0.2446", "differs"],
    ]


def test_generated_or_own_data_are_never_compared_whatever_their_name():
    for group in ("synthetic", "own"):
        cells = [make_cell("enron", group=group)]
        plan = grid_of(cells, [record_of(cells[0], 0.756)])
        assert published_tables.published_au_prc(plan, PAPERS).text() == [["enron", "chmcnn", "0.756 (1)", DASH, DASH, DASH]]
        assert published_tables.published_macro_f1(plan, PAPERS).rows == ()
        assert published_tables.published_later(plan, PAPERS).rows == ()


def test_published_macro_f1_compares_every_method_in_percent_and_says_that_none_is_named():
    cells = [make_cell(), make_cell(method="weighted")]
    records = [record_of(cells[0], 0.127), record_of(cells[1], 0.155)]
    table = published_tables.published_macro_f1(grid_of(cells, records), PAPERS)
    assert table.text("{}!".format) == [
        ["enron", "chmcnn", "12.70 (1)", "15.4", "-2.700", "differs"],
        ["enron", "weighted!", "15.50 (1)", "15.4", "+0.100", "match"],
    ]
    assert any("does not name its method" in note for note in table.notes)
    assert "not named" in table.title


def test_a_mean_over_some_of_the_planned_seeds_is_not_given_nor_judged():
    cells = [make_cell(seed=seed) for seed in range(3)]
    table = published_tables.published_au_prc(grid_of(cells, [record_of(cell, 0.756) for cell in cells[:2]]), PAPERS)
    assert table.text() == [["enron", "chmcnn", "– (2/3)", "0.756 (10)", DASH, "missing"]]


def test_reference_predictors_and_scores_from_outside_stand_beside_and_reproduce_nothing():
    cells = [make_cell(), make_cell(method="weighted")]
    beside = [record_of(make_cell(method="predict_all"), 0.15), from_outside(make_cell(method="mine"), {"macro_f1": 0.153})]
    grid = grid_of(cells, [*(record_of(cell, 0.127) for cell in cells), *beside])
    table = published_tables.published_macro_f1(grid, PAPERS)
    assert table.text("{}!".format)[2:] == [
        ["enron", "mine ‡!", "15.30 (1)", "15.4", "-0.100", "match"],
        ["enron", "predict_all", "15.00", "15.4", "-0.400", DASH],
    ]
    assert any("‡ scores from outside" in note for note in table.notes)
    assert any("predict_all (every node for every row)" in note for note in table.notes)
    assert published_tables.published_au_prc(grid, PAPERS).text() == [
        ["enron", "chmcnn", "0.127 (1)", "0.756 (10)", "-0.6290", "differs"],
        ["enron", "predict_all", "0.150", DASH, DASH, DASH],
    ]


def test_cells_trained_on_train_alone_are_not_compared_with_papers_that_trained_on_train_and_valid():
    cells = [make_cell(), make_cell(epochs=3, departed=HELD_OUT)]
    grid = grid_of(cells, map(record_of, cells))
    for make in (published_tables.published_au_prc, published_tables.published_macro_f1):
        assert [row[1] for row in make(grid, PAPERS).rows] == ["chmcnn"]


def test_a_published_value_of_another_metric_is_compared_with_nothing_also_under_the_same_name():
    outside = from_outside(make_cell(method="clus_ens"), {"au_prc": 0.681})
    grid = grid_of([make_cell()], [record_of(make_cell()), outside])
    assert [row[1] for row in published_tables.published_au_prc(grid, PAPERS).rows] == ["chmcnn"]


# --- other methods' numbers -------------------------------------------------------------------------------------------


def later_of(cells, **metrics):
    grid = grid_of(cells, [make_record(cell, {name: value(cell) for name, value in metrics.items()}) for cell in cells])
    return published_tables.published_later(grid, PAPERS)


def chosen(table, method):
    return [row[2:] for row in table.text() if row[1] == method]


def test_each_published_value_stands_beside_ours_of_the_same_metric_or_beside_nothing():
    cells = [make_cell(seed=seed) for seed in (0, 1)]
    table = later_of(cells, au_prc=lambda cell: 0.7635 + 0.001 * cell.seed, clus_pooled_area=lambda cell: 0.690)
    assert table.header == ("dataset", "method", "published", "metric", "trained on", "ours", "difference", "ours is", "source")
    assert chosen(table, "dhn") == [
        [
            *("0.764 (10)", "AU(PRC)", "train+valid", "0.764 ± 0.001 (2)", "+0.0000", "as high"),
            "DHN repository README (2026-04), mean of 10 trials",
        ]
    ]
    assert [row[:6] for row in chosen(table, "clus_ens")] == [
        ["0.696", "CLUS pooled area", "train+valid", "0.690 ± 0.000 (2)", "-0.0060", "lower"],
        ["0.681", "CLUS pooled area", DASH, "0.690 ± 0.000 (2)", "+0.0090", "higher"],
    ]
    for method in ("hmcn_f", "hmcn_r"):
        assert [row[1:6] for row in chosen(table, method)] == [["not stated", DASH, DASH, DASH, DASH]]


def test_what_was_trained_on_train_alone_is_compared_with_cells_that_were_too():
    plain = make_cell("cellcycle_fun", group="fun")
    held_out = make_cell("cellcycle_fun", group="fun", epochs=3, departed=HELD_OUT)
    table = later_of([plain, held_out], au_prc=lambda cell: 0.24 if cell.variant else 0.26)
    assert [row[2:5] for row in chosen(table, "pishield_layer")] == [["train", "0.240 (1)", "+0.0080"]]
    assert [row[2:4] for row in chosen(table, "dhn")] == [["train+valid", "0.260 (1)"]]
    assert [row[2:6] for row in chosen(later_of([plain], au_prc=lambda cell: 0.26), "pishield_layer")] == [
        ["train", DASH, DASH, DASH]
    ]


def test_records_without_the_metric_leave_a_dash_and_no_verdict():
    (row,) = chosen(later_of([make_cell("gasch1_fun", group="fun")], au_prc=lambda cell: 0.3), "clus_hmc")
    assert row[1:6] == ["CLUS pooled area", DASH, DASH, DASH, DASH]


@pytest.mark.parametrize(
    "stated", ["micro average precision", "as transcribed", "as transcribed; CLUS columns are interpolated curves"]
)
def test_every_later_value_has_its_metric_only_where_it_is_known(stated):
    for value in PAPERS.later:
        if value.stated == stated:
            expected = (
                "au_prc" if stated == "micro average precision" else "clus_pooled_area" if value.method == "clus_ens" else ""
            )
            assert value.metric == expected
            assert value.trained_on == ("train" if value.method.startswith("pishield") else "train+valid")
            assert value.source


def test_forests_stand_beside_every_published_clus_ens_in_its_metric():
    cells = [make_cell("eisen_fun", method, group="fun") for method in ("chmcnn", "extra_trees", "weighted")]
    records = [record_of(cell, 0.25, metrics={"clus_pooled_area": 0.3}) for cell in cells]
    table = published_tables.published_forests(grid_of(cells, records), PAPERS)
    assert [row[:6] for row in table.text() if row[1] == "extra_trees"] == [
        ["eisen_fun", "extra_trees", "0.300 (1)", "0.286", "+0.014", "0.250 (1)"],
        ["eisen_fun", "extra_trees", "0.300 (1)", "0.271", "+0.029", "0.250 (1)"],
    ]
    assert {row[1] for row in table.text()} == {"chmcnn", "extra_trees"}
    assert len({row[-1] for row in table.text()}) == 2
    without = [cell for cell in cells if cell.method != "extra_trees"]
    assert published_tables.published_forests(grid_of(without, records), PAPERS).rows == ()
