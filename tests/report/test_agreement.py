from hmc.report.agreement import agreement
from hmc.results.runs_csv import frame, row
from tests.results.examples import make_cell, make_record


def rows(**metrics):
    """Lines of two records, one of which has these metrics."""
    usual = {"au_prc": 0.75, "macro_f1": 0.125, "macro_precision": 0.25, "macro_recall": 0.5}
    records = (make_record(make_cell(seed=0), usual), make_record(make_cell(seed=1), {**usual, **metrics}))
    return frame(row(record) for record in records)


def test_equal_results_are_said_to_be_equal():
    found = rows()
    assert agreement(set(found["identity"]), found, rows()) == (
        "2 of these results are also in runs.csv, and equal it to the last digit"
    )


def test_the_largest_difference_of_each_metric_is_named_with_its_cell():
    found = rows(macro_f1=0.5)
    assert agreement(set(found["identity"]), found, rows(macro_f1=0.52)).splitlines() == [
        "2 of these results are also in runs.csv, and 1 equal it to the last digit; the largest differences:",
        "  Macro F1 -2 points (enron, chmcnn, seed 1)",
        "  Macro precision none",
        "  Macro recall none",
        "  AU(PRC) none",
    ]


def test_nothing_is_said_of_what_was_not_computed_here():
    found = rows()
    assert agreement(set(), found, rows()) == ""
    assert agreement(set(found["identity"]), found, frame([])) == ""
