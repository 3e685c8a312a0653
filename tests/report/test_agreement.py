from hmc.report import agreement as report
from hmc.results.runs_csv import frame, row
from tests.results.examples import make_cell, make_record


def agreement(identities, ours, recorded):
    return report.agreement(identities, ours, recorded).text()


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
        "  processor, versions and commit are the same: this should not be; please report it",
    ]


def test_it_is_said_in_what_those_that_differ_were_computed():
    found = rows(macro_f1=0.5)
    others = rows(macro_f1=0.52).assign(**{"environment.processor": "Old", "environment.torch": "2.6", "environment.commit": "a"})
    ours = found.assign(**{"environment.processor": "New", "environment.torch": "2.6", "environment.commit": "b"})
    last = agreement(set(found["identity"]), ours, others).splitlines()[-1]
    assert last.startswith(
        "  those that differ were computed with other means, which round sums differently (processor: New here, Old"
    )
    assert "torch" not in last
    same = others.assign(**{"environment.processor": "New"})
    assert "another commit of this program" in agreement(set(found["identity"]), ours, same).splitlines()[-1]


def test_nothing_is_said_of_what_was_not_computed_here():
    found = rows()
    assert agreement(set(), found, rows()) == ""
    assert agreement(set(found["identity"]), found, frame([])) == ""


def test_what_only_one_of_them_has_is_not_compared():
    found = rows(macro_ap=0.5)
    assert agreement(set(found["identity"]), found, rows()).endswith("equal it to the last digit")
    assert "Macro AP +10 points" in agreement(set(found["identity"]), rows(macro_ap=0.6), found)


def test_the_table_counts_equal_results_and_shows_the_largest_difference_of_each_metric():
    found = rows(macro_f1=0.5)
    table = report.agreement(set(found["identity"]), found, rows(macro_f1=0.52)).table()
    assert table.name == "reproduced"
    assert table.header[:5] == ("dataset", "method", "n", "equal", "Macro F1 (percent)")
    assert table.text() == [["enron", "chmcnn", "2", "1", "-2", "0", "0", "0"]]
    assert report.agreement(set(), found, found).table().rows == ()
