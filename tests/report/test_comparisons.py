"""Lists of comparisons: read, tested, shown."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

from hmc.configs import CONFIGS
from hmc.metrics.evaluate import BANDS, RULE_METRICS, SCORE_METRICS
from hmc.report import comparisons
from hmc.report.comparisons import PairSettings
from hmc.report.grid import collect
from hmc.report.table import DASH
from hmc.settings import SettingsError
from hmc.stats.frames import OVER
from hmc.stats.pairwise import ComparisonError
from tests.report.examples import cells_of, from_outside, place_of, record_of, results_of
from tests.results.examples import make_cell


def test_a_row_is_a_comparison() -> None:
    cells = cells_of(("chmcnn", "weighted"))
    # weighted is above by one to eight points.
    results = results_of(
        cells, lambda cell: 0.2 + (cell.method == "weighted") * (place_of(cell) + 1) / 100, reconstructed=["data_3"]
    )
    asked = [
        PairSettings("weighted", "chmcnn", "macro_f1"),
        PairSettings("chmcnn", "weighted", "au_prc", ("data_0", "data_1", "data_2", "data_4", "data_5")),
        PairSettings("chmcnn", "weighted", "au_prc", ("data_0",)),
    ]
    table = comparisons.table("some", asked, results.frame)
    assert table.header == (
        *("metric", "a", "b", "values", "n", "wins", "ties", "losses", "difference a - b", "rank-biserial", "raw p"),
    )
    assert table.text() == [
        ["Macro F1", "weighted", "chmcnn", "means of 2 seeds each †", "8", "8", "0", "0", "+4.50", "+1.00", "0.00781"],
        ["AU(PRC)", "chmcnn", "weighted", "means of 2 seeds each", "5", "0", "0", "5", "-3.50", "-1.00", "0.0625"],
        ["AU(PRC)", "chmcnn", "weighted", "means of 2 seeds each", "1", "0", "0", "1", "-1.00", "-1.00", DASH],
    ]
    assert "stand-in" in table.notes[-1]


def test_a_metric_may_be_that_of_a_decision_rule() -> None:
    cells = cells_of(("chmcnn", "weighted"))
    records = [record_of(cell, metrics={"macro_f1@scaled_rate": 0.2 + 0.1 * (cell.method == "weighted")}) for cell in cells]
    frame = collect(records).frame
    table = comparisons.table("some", [PairSettings("weighted", "chmcnn", "macro_f1@scaled_rate")], frame)
    row = dict(zip(table.header, table.text()[0], strict=True))
    assert (row["metric"], row["difference a - b"]) == ("Macro F1 with rule scaled_rate", "+10.00")
    with pytest.raises(ComparisonError, match="did you mean 'macro_f1@scaled_rate'"):
        comparisons.table("some", [PairSettings("weighted", "chmcnn", "macro_f1@scaled_rat")], frame)


def test_bits_are_not_points() -> None:
    cells = cells_of(("chmcnn", "weighted"))
    records = [record_of(cell, metrics={"smin": 20.0 + (cell.method == "weighted")}) for cell in cells]
    asked = [PairSettings("weighted", "chmcnn", "smin")]
    table = comparisons.table("some", asked, collect(records).frame)
    assert dict(zip(table.header, table.text()[0], strict=True))["difference a - b"] == "+1.00"


def test_scores_from_outside_bear_their_sign_and_need_not_be_given_it() -> None:
    cells = cells_of(("chmcnn",), seeds=1)
    outside = [from_outside(make_cell(cell.dataset, "mine", group="fun"), {"macro_f1": 0.6}) for cell in cells]
    frame = collect([*(record_of(cell) for cell in cells), *outside]).frame
    for name in ("mine", "mine ‡"):
        table = comparisons.table("some", [PairSettings(name, "chmcnn", "macro_f1")], frame)
        assert table.text()[0][1] == "mine ‡"
        assert sum(note.startswith("‡ scores from outside") for note in table.notes) == 1


def test_what_the_results_do_not_have_is_named() -> None:
    found = results_of(cells_of(("chmcnn", "weighted")), lambda cell: 0.5).frame
    with pytest.raises(ComparisonError, match="did you mean 'weighted'"):
        comparisons.table("some", [PairSettings("weigthed", "chmcnn", "macro_f1")], found)
    with pytest.raises(SettingsError, match="no results of the datasets asked for"):
        comparisons.table("some", [PairSettings("weighted", "chmcnn", "macro_f1", ("enron",))], found[:0])
    with pytest.raises(SettingsError, match="no results of the dataset 'data1'; did you mean 'data_1'"):
        comparisons.table("some", [PairSettings("weighted", "chmcnn", "macro_f1", ("data_0", "data1"))], found)


def test_two_methods_on_different_data_of_one_name_are_not_compared() -> None:
    cells = [
        make_cell(f"data_{place}", method, group="own", data_sha256=sha256 * 32)
        for place in range(5)
        for method, sha256 in (("chmcnn", "ab"), ("weighted", "cd" if place == 3 else "ab"))
    ]
    found = collect([record_of(cell) for cell in cells]).frame
    with pytest.raises(SettingsError, match=r"got two different ones called 'data_3'; give each its own dataset\.name"):
        comparisons.table("some", [PairSettings("weighted", "chmcnn", "macro_f1")], found)
    assert comparisons.table("some", [PairSettings("weighted", "chmcnn", "macro_f1", ("data_0", "data_1"))], found).rows


def test_generated_datasets_that_were_not_named_are_told() -> None:
    found = collect([record_of(make_cell("synthetic_tree", group="synthetic"))]).frame
    with pytest.raises(SettingsError, match=r"count only if named: datasets=\[synthetic_tree\]"):
        comparisons.results(found)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "must be a list of comparisons, one a line: - {a: METHOD, b: METHOD, metric: METRIC}"),
        ("a: weighted", "must be a list of comparisons"),
        ("- {a: weighted, b: chmcnn}", r"'comparisons\[0\].metric' is missing"),
        ("- {a: weighted, b: chmcnn, metrik: macro_f1}", "did you mean 'metric'"),
        ("- {a: [", r"list.yaml:1: this cannot be read as YAML"),
    ],
)
def test_a_mistake_in_a_list_is_named_with_its_file(text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "list.yaml"
    path.write_text(text)
    with pytest.raises(SettingsError, match=words) as caught:
        comparisons.read(path)
    assert str(path) in str(caught.value)


def test_names_of_columns() -> None:
    known = pd.DataFrame({"column": ["weighted", "mine ‡"]})
    assert comparisons.column("weighted", known) == "weighted"
    assert comparisons.column("weighted/corrected", known) == "weighted (corrected)"
    assert comparisons.column("weighted/released", known) == "weighted"
    assert comparisons.column("weighted (method.members=5)", known) == "weighted (method.members=5)"
    assert comparisons.column("mine", known) == comparisons.column("mine ‡", known) == "mine ‡"


def test_what_can_be_compared_is_listed() -> None:
    cells = [*cells_of(("chmcnn", "weighted")), *cells_of(("lpros",), datasets=2, seeds=1)]
    found = comparisons.results(collect(record_of(cell, metrics={"macro_f1@prior": 0.5}) for cell in cells).frame)
    assert comparisons.columns_table(found).text() == [
        ["chmcnn", "8", "2", "16"],
        ["lpros", "2", "1", "2"],
        ["weighted", "8", "2", "16"],
    ]
    assert comparisons.metrics_text(found, 200) == (
        "metric may be au_prc, macro_f1, macro_f1@prior, macro_precision, macro_recall."
    )


def test_the_help_names_every_metric_and_what_may_be_compared_over() -> None:
    text = (CONFIGS / "compare.yaml").read_text(encoding="utf-8")
    help_text = text[text.index("template:") :]
    words = set(re.findall(r"[a-z_0-9@]+", help_text))
    bands = {name for name in (*SCORE_METRICS, *RULE_METRICS) if "_frequency_" in name}
    assert (set(SCORE_METRICS) | set(RULE_METRICS)) - bands <= words
    assert {"recall_frequency_", "macro_ap_frequency_", "macro_f1@scaled_rate", *BANDS, *OVER} <= words
