import pytest
from hypothesis import given
from hypothesis import strategies as st

from hmc.report.metric import AU_PRC, MACRO_AP, MACRO_F1
from hmc.report.results_tables import results, results_of_one
from hmc.report.table import DASH, MeanStd
from tests.report.examples import from_outside, grid_of, record_of, text_of
from tests.results.examples import make_cell


def test_results_show_mean_and_spread_and_mark_the_best():
    cells = [
        make_cell(name, method, seed) for name in ("enron", "diatoms") for method in ("chmcnn", "weighted") for seed in (0, 1)
    ]
    records = [record_of(cell, (0.1 if cell.method == "chmcnn" else 0.2) + 0.01 * cell.seed) for cell in cells]
    table = results(grid_of(cells, records), "non_genomic", MACRO_F1)
    assert table.title == "Macro F1 (percent), other datasets: mean ± standard deviation over seeds, n = 2"
    assert table.text("{}!".format) == [
        ["enron", "10.50 ± 0.71", "20.50 ± 0.71!"],
        ["diatoms", "10.50 ± 0.71", "20.50 ± 0.71!"],
        ["mean of 2 datasets", "10.50", "20.50!"],
    ]


def test_no_mean_over_datasets_and_no_best_where_a_cell_is_missing():
    cells = [make_cell(name, method) for name in ("enron", "diatoms") for method in ("chmcnn", "weighted")]
    records = [record_of(cell) for cell in cells[:3]]
    table = results(grid_of(cells, records), "non_genomic", AU_PRC)
    assert text_of(table) == {"enron": ["0.500", "0.500"], "diatoms": ["0.500", DASH], "mean of 2 datasets": ["0.500", DASH]}
    assert table.strong == {(0, 1), (0, 2)}
    assert any("No mean is taken over the cells that happen to exist" in note for note in table.notes)


def test_a_method_that_is_not_planned_for_a_dataset_has_no_mean_over_datasets():
    cells = [make_cell("enron"), make_cell("diatoms"), make_cell("enron", "weighted")]
    table = results(grid_of(cells, [record_of(cell) for cell in cells]), "non_genomic", AU_PRC)
    assert text_of(table)["mean of 2 datasets"] == ["0.500", DASH]


def test_unequal_seeds_are_shown_with_each_value():
    cells = [make_cell(), make_cell(method="weighted"), make_cell(method="weighted", seed=1)]
    table = results(grid_of(cells, [record_of(cell) for cell in cells]), "non_genomic", AU_PRC)
    assert "n in brackets" in table.title
    assert text_of(table)["enron"] == ["0.500 (1)", "0.500 ± 0.000 (2)"]


def test_variants_and_protocols_are_columns_of_their_own():
    cells = [make_cell(), make_cell(epochs=5, departed=(("training.epochs", 5),)), make_cell(protocol="corrected")]
    table = results(grid_of(cells, [record_of(cell) for cell in cells]), "non_genomic", AU_PRC)
    assert table.header == ("dataset", "chmcnn", "chmcnn (training.epochs=5)", "chmcnn (corrected)")


@given(st.data())
def test_a_mean_over_datasets_exists_exactly_where_all_its_cells_do(data):
    cells = [make_cell(name, method, seed) for name in ("enron", "diatoms") for method in ("a", "b") for seed in (0, 1)]
    done = data.draw(st.sets(st.sampled_from(range(len(cells)))))
    values = {place: data.draw(st.floats(0, 1)) for place in done}
    records = [record_of(cells[place], value) for place, value in values.items()]
    table = results(grid_of(cells, records), "non_genomic", AU_PRC)
    for column, method in ((1, "a"), (2, "b")):
        wanted = [place for place, cell in enumerate(cells) if cell.method == method]
        entry = table.rows[-1][column]
        if done.issuperset(wanted):
            assert isinstance(entry, MeanStd)
            assert entry.mean == pytest.approx(sum(values[place] for place in wanted) / 4)
        else:
            assert entry == DASH


def test_one_dataset_alone_has_methods_in_rows_and_metrics_in_columns():
    cells = [make_cell(method=method, seed=seed) for method in ("chmcnn", "weighted") for seed in range(2)]
    records = [
        record_of(cell, (0.3 if cell.method == "weighted" else 0.2) + 0.01 * cell.seed, metrics={"macro_precision": 0.5})
        for cell in cells
    ]
    table = results_of_one(grid_of(cells, records), "non_genomic")
    assert table.name == "non_genomic_results"
    assert table.header == (
        "method",
        "Macro F1 (percent)",
        "Macro precision (percent)",
        "Macro recall (percent)",
        "AU(PRC) (fraction)",
    )
    assert table.text() == [
        ["chmcnn", "20.50 ± 0.71", "50.00 ± 0.00", "20.50 ± 0.71", "0.205 ± 0.007"],
        ["weighted", "30.50 ± 0.71", "50.00 ± 0.00", "30.50 ± 0.71", "0.305 ± 0.007"],
    ]
    assert table.strong == {(1, 1), (0, 2), (1, 2), (1, 3), (1, 4)}


# --- rules ----------------------------------------------------------------------------------------------------------


def test_a_rule_fills_the_table_with_its_own_metrics_and_is_in_title_and_name():
    cells = [make_cell(), make_cell("diatoms")]
    grid = grid_of(cells, [record_of(cell, 0.5, metrics={"macro_f1@scaled_rate": 0.25}) for cell in cells])
    table = results(grid, "non_genomic", MACRO_F1.under("scaled_rate"))
    assert table.name == "non_genomic_macro_f1_scaled_rate"
    assert table.title.startswith("Macro F1 with rule scaled_rate (percent), other datasets")
    assert text_of(table)["enron"] == ["25.00"]
    assert AU_PRC.under("scaled_rate") == AU_PRC
    one = results_of_one(grid[grid["dataset"] == "enron"], "non_genomic", "scaled_rate")
    assert one.name == "non_genomic_results_scaled_rate"
    assert one.header == ("method", "Macro F1 with rule scaled_rate (percent)", "AU(PRC) (fraction)")
    assert one.text() == [["chmcnn", "25.00", "0.500"]]


# --- columns beside the plan ------------------------------------------------------------------------------------------


def test_a_reference_predictor_has_no_spread_is_never_the_best_and_hides_no_other():
    cells = [make_cell(name, method, seed) for name in ("enron", "diatoms") for method in ("a", "b") for seed in (0, 1)]
    records = [record_of(cell, (0.1 if cell.method == "a" else 0.2) + 0.01 * cell.seed) for cell in cells]
    beside = [record_of(make_cell(name, "predict_all"), 0.9) for name in ("enron", "diatoms")]
    for these, last in ((beside, "90.00"), (beside[:1], DASH)):
        table = results(grid_of(cells, [*records, *these]), "non_genomic", MACRO_F1)
        assert table.header == ("dataset", "a", "b", "predict_all")
        assert [row[-1] for row in table.text()] == ["90.00", last, last]
        assert table.strong == {(0, 2), (1, 2), (2, 2)}
        assert "n = 2" in table.title
        assert any("Reference predictors are neither tested nor marked" in note for note in table.notes)


def test_scores_from_outside_may_be_the_best_where_there_are_any_and_hide_no_other():
    cells = [make_cell(name, method) for name in ("enron", "diatoms") for method in ("a", "b")]
    records = [record_of(cell, 0.1 if cell.method == "a" else 0.2) for cell in cells]
    table = results(
        grid_of(cells, [*records, from_outside(make_cell(method="mine"), {"macro_f1": 0.3})]), "non_genomic", MACRO_F1
    )
    assert table.header[-1] == "mine ‡"
    assert table.strong == {(0, 3), (1, 2), (2, 2)}
    assert text_of(table)["diatoms"][-1] == DASH
    without = results(
        grid_of(cells, [*records, from_outside(make_cell(method="mine"), {"au_prc": 0.3})]), "non_genomic", MACRO_F1
    )
    assert without.strong == {(0, 2), (1, 2), (2, 2)}
    assert any(note.startswith("‡ scores from outside") for note in table.notes)


def test_macro_ap_is_among_the_metrics_where_a_record_has_it():
    cells = [make_cell()]
    without, with_it = (
        results_of_one(grid_of(cells, [record_of(cells[0], metrics=metrics)]), "non_genomic")
        for metrics in ({}, {"macro_ap": 0.125})
    )
    assert "Macro AP (percent)" not in without.header
    assert dict(zip(with_it.header, with_it.text()[0], strict=True))["Macro AP (percent)"] == "12.50"
    assert results(grid_of(cells, [record_of(cells[0], metrics={"macro_ap": 0.125})]), "non_genomic", MACRO_AP).text() == [
        ["enron", "12.50"]
    ]
