"""scripts/tables.py on records that are at hand: another decision rule, other formats of figures, the summary."""

from __future__ import annotations

from pathlib import Path

from hmc.report.summary import BEGIN, END
from hmc.results.store import Store
from tests.doors.conftest import Door
from tests.results.examples import make_record
from tests.suites import cells_of_suite

SELECTED = ("suite=smoke", "suite.datasets=[synthetic_tree]", "suite.methods=[chmcnn,weighted]", "reference=false")
VALUES = {"au_prc": 0.75, "macro_ap": 0.5, "macro_f1": 0.125, "macro_f1@scaled_rate": 0.25, "macro_f1@prior": 0.375}


def test_a_rule_is_chosen_on_the_command_line(door: Door, tmp_path: Path) -> None:
    results = tmp_path / "results"
    store = Store(results)
    for cell in cells_of_suite("smoke"):
        store.save(make_record(cell, VALUES))
    shown = door("tables", *SELECTED).stdout
    assert "the report is " in shown
    assert "12.50 ± 0.00" in (results / "tables" / "smoke" / "synthetic_results.md").read_text()
    assert {path.suffix for path in (results / "report" / "smoke").iterdir()} == {".svg"}
    door("tables", *SELECTED, "tables.rule=prior", "tables.tuned=prior", "figures=[svg,png]")
    table = results / "tables" / "smoke_prior" / "synthetic_results_prior.md"
    assert "Macro F1 with rule prior (percent)" in table.read_text()
    assert "37.50 ± 0.00" in table.read_text()
    assert (results / "report" / "smoke_prior.html").is_file()
    assert (results / "report" / "smoke_prior" / "tuned_thresholds.png").is_file()


def test_the_summary_is_written_between_its_marks(door: Door, tmp_path: Path) -> None:
    store = Store(tmp_path / "results")
    for cell in cells_of_suite("smoke"):
        store.save(make_record(cell, {**VALUES, "macro_recall": 0.1}))
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\n{END}\nafter\n")
    shown = door("tables", "suite=smoke", "page=false", "reference=false", f"summary={page}").stdout
    assert f"the summary is in {page}" in shown
    text = page.read_text()
    assert "F1 chmcnn | F1 chmcnn, scaled_rate |" in text
    assert text.startswith("before\n")
    assert text.endswith("after\n")
