from pathlib import Path

import pytest

from hmc.report.grid import build_grid
from hmc.report.summary import BEGIN, END, MarkError, insert, passage, summary
from hmc.report.table import DASH
from hmc.results import published
from hmc.results.runs_csv import frame, read_csv, row
from tests.results.examples import make_cell, make_record
from tests.suites import cells_of_suite

PROJECT = Path(__file__).resolve().parents[2]
PAPERS = published.load()


def summary_of(cells, records):
    return summary(build_grid(cells, frame(map(row, records))), PAPERS)


def test_the_results_page_of_the_documentation_shows_what_the_records_say():
    checked_in = frame(read_csv(PROJECT / "results" / "reference" / "runs.csv"))
    table = summary(build_grid(cells_of_suite("recorded"), checked_in), PAPERS)
    text = (PROJECT / "docs" / "results.md").read_text(encoding="utf-8")
    assert passage(table) in text, (
        "run: python scripts/tables.py suite=recorded results_dir=results/reference summary=docs/results.md"
    )


def test_each_dataset_is_compared_with_what_is_published_for_it():
    cells = [make_cell(seed=seed) for seed in (0, 1)]
    values = {"au_prc": 0.755, "macro_f1": 0.125, "macro_recall": 0.11}
    records = [make_record(cell, values) for cell in cells]
    generated = make_cell("synthetic_tree", group="synthetic")
    table = summary_of([*cells, generated], [*records, make_record(generated)])
    (line,) = table.text()
    assert line == [
        *("enron", "0.756", "0.755 ± 0.000 (2)", "match", "15.4"),
        *("12.50 ± 0.00 (2)", DASH, DASH, DASH, "11.00 ± 0.00 (2)", DASH),
    ]
    assert table.notes == ("AU(PRC) of C-HMCNN on 20 published datasets: 1 × match. With 3 or more seeds: 0.",)
    unfinished = summary_of([*cells, make_cell(seed=2)], records)
    assert unfinished.text()[0][2:4] == [f"{DASH} (2/3)", "missing"]
    assert unfinished.notes == (f"AU(PRC) of C-HMCNN on 20 published datasets: {DASH}. With 3 or more seeds: 0.",)
    unplanned = summary_of([make_cell(method="weighted")], [make_record(make_cell(method="weighted"))])
    assert unplanned.text()[0][2:4] == [DASH, DASH]


def test_the_verdicts_are_counted():
    values = {"enron": (0.756, 3, ""), "diatoms": (0.75, 1, ""), "expr_fun": (0.302, 1, "stand-in")}
    records = [
        make_record(make_cell(dataset, seed=seed), {"au_prc": value}, reconstructed=words)
        for dataset, (value, seeds, words) in values.items()
        for seed in range(seeds)
    ]
    cells = [make_cell(dataset, seed=seed) for dataset, (_, seeds, _) in values.items() for seed in range(seeds)]
    notes = summary_of(cells, records).notes
    assert notes[0] == "AU(PRC) of C-HMCNN on 20 published datasets: 2 × match, 1 × close. With 3 or more seeds: 1. †: 1."
    assert notes[1:] == ("† stand-in, not the published dataset.",)


def test_f1_at_half_and_with_tuned_thresholds_stand_side_by_side_and_macro_ap_beside_them():
    cells = [make_cell(method=method) for method in ("chmcnn", "ensemble_summed", "weighted", "weighted_focal_bbma")]
    values = {"au_prc": 0.756, "macro_f1": 0.1, "macro_recall": 0.05, "macro_f1@scaled_rate": 0.2, "macro_f1@prior": 0.3}
    records = [make_record(cell, {**values, "macro_ap": 0.25}) for cell in cells]
    grid = build_grid(cells, frame(map(row, records)))
    table = summary(grid, PAPERS)
    assert table.header[4:] == (
        *("F1 in the paper", "F1 chmcnn", "F1 chmcnn, scaled_rate", "F1 ensemble"),
        *("F1 ensemble_summed", "F1 ensemble_summed, scaled_rate", "F1 weighted"),
        *("F1 weighted_focal_bbma", "F1 weighted_focal_bbma, scaled_rate"),
        *("macro AP chmcnn", "macro AP ensemble_summed", "macro AP weighted_focal_bbma"),
        *("recall chmcnn", "recall weighted_focal_bbma"),
    )
    (line,) = table.text()
    shown = dict(zip(table.header, line, strict=True))
    assert (shown["F1 chmcnn"], shown["F1 chmcnn, scaled_rate"], shown["macro AP chmcnn"]) == (
        "10.00 (1)",
        "20.00 (1)",
        "25.00 (1)",
    )
    assert "thresholds by scaled_rate" in table.title
    assert "macro average precision (percent)" in table.title
    other = summary(grid, PAPERS, "prior")
    assert dict(zip(other.header, other.text()[0], strict=True))["F1 chmcnn, prior"] == "30.00 (1)"


def test_only_what_lies_between_the_marks_is_written_anew(tmp_path):
    cell = make_cell()
    table = summary_of([cell], [make_record(cell)])
    path = tmp_path / "README.md"
    path.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    insert(table, path)
    once = path.read_text()
    assert once == f"before\n{BEGIN}\n{passage(table)}{END}\nafter\n"
    insert(table, path)
    assert path.read_text() == once


@pytest.mark.parametrize("text", ["", BEGIN, f"{END} {BEGIN}", f"{BEGIN} {BEGIN} {END}", f"{BEGIN} {END} {END}"])
def test_a_file_without_its_marks_is_left_alone(text, tmp_path):
    cell = make_cell()
    path = tmp_path / "README.md"
    path.write_text(text)
    with pytest.raises(MarkError, match="each once and in this order"):
        insert(summary_of([cell], [make_record(cell)]), path)
    assert path.read_text() == text
