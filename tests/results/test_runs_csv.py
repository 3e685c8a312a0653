"""Lines of runs.csv: what they hold of each rule, and under which names the report has it."""

import pytest

from hmc.experiments.plan import composed
from hmc.results import Store
from hmc.results.runs_csv import EXPORTED, exported, frame, is_numeric, metric_name, row
from hmc.settings import RuntimeSettings
from tests.results.examples import make_cell, make_record

METRICS = {
    "au_prc": 0.5,
    "macro_f1": 0.25,
    "exact_match": 0.125,
    "recall_depth_2": 0.75,
    "macro_f1@global": 0.375,
    "exact_match@global": 0.0625,
    "recall_frequency_0@global": 0.1,
    "labels_added@global": 0.2,
}


def test_a_line_has_all_metrics_of_half_and_the_chosen_ones_of_other_rules():
    line = row(make_record(make_cell(), METRICS))
    assert {name: value for name, value in line.items() if name.startswith(("metrics.", "rules."))} == {
        "metrics.au_prc": "0.5",
        "rules.half.macro_f1": "0.25",
        "rules.half.exact_match": "0.125",
        "rules.half.recall_depth_2": "0.75",
        "rules.global.macro_f1": "0.375",
        "rules.global.recall_frequency_0": "0.1",
        "rules.global.labels_added": "0.2",
    }


def test_what_is_exported_of_a_rule_does_not_depend_on_the_others():
    rules = {"half": {"exact_match": 1.0}, "node": {"exact_match": 1.0, "macro_f1": 0.5}}
    assert exported(rules) == {"half": {"exact_match": 1.0}, "node": {"macro_f1": 0.5}}
    assert len(set(EXPORTED)) == len(EXPORTED)


@pytest.mark.parametrize(
    ("column", "name"),
    [
        ("metrics.au_prc", "au_prc"),
        ("rules.half.macro_f1", "macro_f1"),
        ("rules.scaled_rate.macro_f1", "macro_f1@scaled_rate"),
        ("rules.my.module:rule.macro_f1", "macro_f1@my.module:rule"),
        ("times.steps", "times.steps"),
        ("settings.training.hidden", "settings.training.hidden"),
    ],
)
def test_the_report_calls_a_metric_by_its_name_and_its_rule(column, name):
    assert metric_name(column) == name


def test_numbers_are_those_of_metrics_rules_and_times():
    assert all(is_numeric(name) for name in ("metrics.au_prc", "rules.node.macro_f1", "times.steps"))
    assert not any(is_numeric(name) for name in ("times.started", "settings.training.hidden", "evaluation.version", "data.nodes"))


def test_the_frame_has_a_column_a_metric_and_rule():
    records = [make_record(make_cell(seed=0), METRICS), make_record(make_cell(seed=1), {"au_prc": 0.5, "macro_f1": 0.5})]
    table = frame(row(record) for record in records)
    assert table["macro_f1"].tolist() == [0.25, 0.5]
    assert table["macro_f1@global"][0] == 0.375
    assert table["macro_f1@global"].isna().tolist() == [False, True]
    assert "exact_match@global" not in table


def test_a_custom_rules_name_survives_the_file(tmp_path):
    results = Store(tmp_path)
    results.save(make_record(make_cell(), {**METRICS, "macro_f1@my.module:rule": 0.875}))
    before = results.frame()
    results.export_csv()
    assert Store(tmp_path / "other").frame().empty
    alone = Store(tmp_path / "clone")
    alone.folder.mkdir()
    alone.csv.write_bytes(results.csv.read_bytes())
    assert alone.frame().equals(before)
    assert alone.frame()["macro_f1@my.module:rule"].tolist() == [0.875]


def test_a_line_says_which_cells_a_mixture_mixed():
    cell = composed("synthetic_tree", "mixture_chmcnn_trees", RuntimeSettings())
    assert row(make_record(cell))["data.parts"].split() == [part.identity for part in cell.parts]
    assert "data.parts" not in row(make_record(make_cell()))
