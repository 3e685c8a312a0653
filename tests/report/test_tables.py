import dataclasses

from hmc.report import render, tables
from hmc.report.table import DASH
from hmc.results import published
from tests.report.examples import from_outside, grid_of, record_of, text_of
from tests.report.test_profile_tables import recall_records
from tests.results.examples import make_cell

PAPERS = published.load()


def test_no_cells_no_tables_and_no_records_only_dashes():
    assert tables.tables(grid_of([], []), PAPERS) == []
    made = tables.tables(grid_of([make_cell(), make_cell(method="other")], []), PAPERS)
    assert {table.name for table in made} >= {"published_au_prc", "published_macro_f1", "non_genomic_results"}
    assert text_of(next(table for table in made if table.name == "non_genomic_results")) == {
        "chmcnn": [DASH] * 5,
        "other": [DASH] * 5,
    }
    assert ["(0 of 1 cells done)" in made[0].title, "(0 of 2 cells done)" in made[1].title] == [True, True]


def test_notes_speak_only_of_what_the_table_shows():
    cells = [make_cell(), make_cell("expr_fun", group="fun"), make_cell("synthetic_tree", group="synthetic")]
    records = [record_of(cell, reconstructed="stand-in" if cell.dataset == "expr_fun" else "") for cell in cells]
    made = {table.name: table for table in tables.tables(grid_of(cells, records), PAPERS)}
    assert {name for name, table in made.items() if any("†" in note for note in table.notes)} >= {
        "published_au_prc",
        "fun_results",
    }
    assert not any("†" in note or "Synthetic" in note for note in made["published_macro_f1"].notes)
    assert made["non_genomic_results"].notes == ()


def test_reconstructed_data_are_marked_in_every_table_that_shows_their_numbers():
    cells = [make_cell("expr_fun", method, group="fun") for method in ("chmcnn", "weighted")]
    cells += [make_cell("spo_fun", method, group="fun") for method in ("chmcnn", "weighted")]
    depth = {"recall_depth_1": 0.5, "recall_frequency_0": 0.5}
    records = [
        record_of(cell, 0.302, metrics=depth, reconstructed="stand-in" if cell.dataset == "expr_fun" else "") for cell in cells
    ]
    made = {table.name: table for table in tables.tables(grid_of(cells, records), PAPERS)}
    assert made["published_au_prc"].text()[0] == ["expr_fun †", "chmcnn", "0.302 (1)", "0.302 (10)", "+0.0000", "match †"]
    assert list(text_of(made["fun_macro_f1"])) == ["expr_fun †", "spo_fun", "mean of 2 datasets †"]
    assert list(text_of(made["fun_recall_ratio"])) == ["expr_fun †", "spo_fun"]
    assert list(text_of(made["fun_recall_depth"])) == ["chmcnn † (percent)", "weighted †"]
    for table in made.values():
        assert any("† wholly or partly on reconstructed data (stand-in)" in note for note in table.notes)


def test_without_the_baseline_there_is_no_ratio():
    names = {table.name for table in tables.tables(grid_of([make_cell(method="weighted")], []), PAPERS)}
    assert not any("recall_ratio" in name or "recall_depth" in name for name in names)


def test_tables_do_not_depend_on_the_order_of_the_records_and_fit_a_terminal(tmp_path):
    cells, records = recall_records()
    forward = tables.tables(grid_of(cells, records), PAPERS)
    backward = tables.tables(grid_of(cells, reversed(records)), PAPERS)
    assert forward == backward
    names = [table.name for table in forward]
    assert len(set(names)) == len(names) == 10
    for table in forward:
        assert max(len(line) for line in render.terminal(table, 120).splitlines()) <= 120


def titled(cell, title):
    method = dataclasses.replace(cell.settings.method, title=title)
    return dataclasses.replace(cell, settings=dataclasses.replace(cell.settings, method=method))


def test_the_titles_of_the_methods_are_a_table():
    cells = [
        titled(make_cell(), "C-HMCNN"),
        titled(make_cell(epochs=3, departed=(("training.epochs", 3),)), "C-HMCNN"),
        make_cell(method="untitled"),
    ]
    beside = [record_of(make_cell(method="predict_all")), from_outside(make_cell(method="mine"), {"macro_f1": 0.5})]
    table = tables.methods(grid_of(cells, beside))
    assert table.text() == [
        ["chmcnn", "C-HMCNN"],
        ["untitled", DASH],
        ["mine ‡", "scores from outside"],
        ["predict_all", "Predict all"],
    ]
    assert "methods" in [one.name for one in tables.tables(grid_of(cells, []), PAPERS)]
    assert tables.methods(grid_of([make_cell()], [])).rows == ()


def test_tables_of_another_rule_say_so_and_what_is_compared_with_papers_stays_at_half():
    cells = [make_cell(name, method) for name in ("enron", "diatoms") for method in ("chmcnn", "weighted")]
    metrics = {"macro_f1@prior": 0.25, "macro_recall@prior": 0.5, "recall_frequency_0@prior": 0.5}
    grid = grid_of(cells, [record_of(cell, 0.154, metrics=metrics) for cell in cells])
    made = {table.name: table for table in tables.tables(grid, PAPERS, "prior")}
    assert set(made) == {
        *("published_au_prc", "published_macro_f1", "published_later", "non_genomic_au_prc", "non_genomic_macro_f1_prior"),
        *("non_genomic_macro_recall_prior", "non_genomic_recall_ratio_prior", "non_genomic_recall_frequency_prior"),
        "non_genomic_rules",
    }
    assert all("with rule prior" in table.title for name, table in made.items() if name.endswith("_prior"))
    assert not any("prior" in table.title for name, table in made.items() if not name.endswith("_prior"))
    assert text_of(made["non_genomic_macro_f1_prior"])["enron"] == ["25.00", "25.00"]
    assert made["published_macro_f1"].text()[0][2:] == ["15.40 (1)", "15.4", "+0.000", "match"]
