from hmc.report.rule_tables import overviews, rules
from hmc.report.table import DASH
from tests.report.examples import grid_of, record_of, text_of
from tests.results.examples import make_cell

HELD_OUT = (("training.holdout", "valid"),)


def tuned(cell, value):
    return record_of(cell, value, metrics={"macro_ap": value + 0.1, "macro_f1@scaled_rate": 2 * value})


def test_a_table_of_rules_has_a_row_a_dataset_and_method_and_leaves_out_those_with_half_alone():
    cells = [
        make_cell(name, method, seed) for name in ("enron", "diatoms") for method in ("chmcnn", "weighted") for seed in (0, 1)
    ]
    records = [tuned(cell, 0.1 + 0.02 * cell.seed) if cell.method == "chmcnn" else record_of(cell, 0.3) for cell in cells]
    table = rules(grid_of(cells, records), "non_genomic")
    assert table.header == ("dataset", "method", "Macro AP", "half", "scaled_rate")
    assert table.text() == [
        ["enron", "chmcnn", "21.00 ± 1.41 (2)", "11.00 ± 1.41 (2)", "22.00 ± 2.83 (2)"],
        ["diatoms", "chmcnn", "21.00 ± 1.41 (2)", "11.00 ± 1.41 (2)", "22.00 ± 2.83 (2)"],
    ]
    assert any(note.startswith("Fitted on held-out rows: scaled_rate.") for note in table.notes)


def test_there_is_no_table_of_rules_where_no_cell_has_one_other_than_half():
    cells = [make_cell(), make_cell(method="weighted")]
    assert rules(grid_of(cells, [record_of(cell) for cell in cells]), "non_genomic").rows == ()


def test_an_overview_has_one_line_a_method_the_best_macro_ap_first():
    names = ("enron", "diatoms")
    cells = [make_cell(name, method) for name in names for method in ("chmcnn", "weighted")]
    records = [tuned(cell, 0.1 if cell.method == "chmcnn" else 0.2) for cell in cells]
    (table,) = overviews(grid_of(cells, records), "non_genomic", "scaled_rate")
    head = [name.partition(" (")[0] for name in table.header]
    lines = {method: dict(zip(head[1:], texts, strict=True)) for method, texts in text_of(table).items()}
    assert list(lines) == ["weighted", "chmcnn"]
    assert lines["weighted"]["Macro AP"] == "30.00"
    assert lines["weighted"]["Macro F1"] == "20.00"
    assert lines["weighted"]["Macro F1 with rule scaled_rate"] == "40.00"
    assert lines["weighted"]["rank by macro AP"] == "1.0"
    assert lines["chmcnn"]["rank by macro AP"] == "2.0"
    assert "Datasets: enron, diatoms." in table.notes


def test_an_overview_is_over_datasets_on_which_every_method_of_it_is_complete():
    cells = [make_cell("enron", method) for method in ("chmcnn", "weighted")] + [make_cell("diatoms")]
    records = [tuned(cell, 0.1) for cell in cells]
    (table,) = overviews(grid_of(cells, records), "non_genomic", "scaled_rate")
    assert "means over 1 dataset," in table.title
    assert "Datasets: enron." in table.notes


def test_methods_that_are_trained_on_train_alone_have_an_overview_of_their_own():
    plain = [make_cell(method=method) for method in ("chmcnn", "weighted")]
    alone = [make_cell(method=method, epochs=3, departed=HELD_OUT) for method in ("chmcnn", "weighted")]
    tables = overviews(grid_of([*plain, *alone], [tuned(cell, 0.1) for cell in [*plain, *alone]]), "non_genomic", "scaled_rate")
    assert [table.name for table in tables] == ["non_genomic_overview", "non_genomic_overview_holdout"]
    assert [len(table.rows) for table in tables] == [2, 2]


def test_a_method_without_the_tuned_rule_has_a_dash_there():
    cells = [make_cell(method=method) for method in ("chmcnn", "weighted")]
    records = [tuned(cells[0], 0.1), record_of(cells[1], 0.1, metrics={"macro_ap": 0.1})]
    (table,) = overviews(grid_of(cells, records), "non_genomic", "scaled_rate")
    place = table.header.index("Macro F1 with rule scaled_rate (percent)")
    assert {row[0]: row[place] for row in table.rows}["weighted"] == DASH
