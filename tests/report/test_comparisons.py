"""Lists of comparisons: read, tested, shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from hmc.report import comparisons
from hmc.report.comparisons import PairSettings
from hmc.report.render import DASH
from hmc.settings import SettingsError
from hmc.stats.pairwise import ComparisonError
from tests.report.examples import cells_of, place_of, results_of


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
    assert table.text() == [
        ["macro_f1", "weighted", "chmcnn", "8 †", "means of 2 seeds each", "8 / 0 / 0", "+4.50", "0.00781"],
        ["au_prc", "chmcnn", "weighted", "5", "means of 2 seeds each", "0 / 0 / 5", "-3.50", "0.0625"],
        ["au_prc", "chmcnn", "weighted", "1", "means of 2 seeds each", "0 / 0 / 1", "-1.00", DASH],
    ]
    assert "stand-in" in table.notes[-1]


def test_what_the_results_do_not_have_is_named() -> None:
    found = results_of(cells_of(("chmcnn", "weighted")), lambda cell: 0.5).frame
    with pytest.raises(ComparisonError, match="did you mean 'weighted'"):
        comparisons.table("some", [PairSettings("weigthed", "chmcnn", "macro_f1")], found)
    with pytest.raises(SettingsError, match="no results of the datasets asked for"):
        comparisons.table("some", [PairSettings("weighted", "chmcnn", "macro_f1", ("enron",))], found[:0])
    with pytest.raises(SettingsError, match="no results of the dataset 'data1'; did you mean 'data_1'"):
        comparisons.table("some", [PairSettings("weighted", "chmcnn", "macro_f1", ("data_0", "data1"))], found)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is no list of comparisons; write lines of"),
        ("a: weighted", "is no list of comparisons"),
        ("- {a: weighted, b: chmcnn}", r"'comparisons\[0\].metric' is missing"),
        ("- {a: weighted, b: chmcnn, metrik: macro_f1}", "did you mean 'metric'"),
        ("- {a: [", r"list.yaml:1: this is no YAML"),
    ],
)
def test_a_mistake_in_a_list_is_named_with_its_file(text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "list.yaml"
    path.write_text(text)
    with pytest.raises(SettingsError, match=words) as caught:
        comparisons.read(path)
    assert str(path) in str(caught.value)


def test_names_of_columns() -> None:
    assert comparisons.column("weighted") == "weighted"
    assert comparisons.column("weighted/corrected") == "weighted (corrected)"
    assert comparisons.column("weighted/released") == "weighted"
    assert comparisons.column("weighted (method.members=5)") == "weighted (method.members=5)"
