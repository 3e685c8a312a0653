"""All that a suite's report has, by one call."""

from __future__ import annotations

from pathlib import Path

import pytest

from hmc.report.grid import Results, build_grid, collect
from hmc.report.suite import collect_results, report_reproduction, report_text, write_report
from hmc.results import Store, reference
from hmc.settings import Cell, SuiteSettings, TableSettings
from tests.report.examples import cells_of, place_of, record_of, results_of
from tests.results.examples import make_cell, make_record

METHODS = ("chmcnn", "weighted_focal_bbma")
SUITE = SuiteSettings("trial", title="A trial")


def value(cell: Cell) -> float:
    return 0.1 + 0.01 * place_of(cell) + 0.05 * (cell.method != "chmcnn") + 0.001 * cell.seed


def done(**parts: object) -> tuple[list[Cell], Results]:
    cells = cells_of(METHODS, **parts)  # type: ignore[arg-type]
    return cells, results_of(cells, value)


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_the_grid_that_everything_was_made_from_is_returned(tmp_path: Path) -> None:
    cells, results = done(datasets=2)
    report = write_report(SUITE, cells, results, tmp_path, page=False)
    assert report.grid.equals(build_grid(cells, results.frame))
    assert report.grid["done"].all()
    assert len(report.grid) == len(cells)


def test_every_table_is_written_in_three_formats_and_no_page_unless_asked_for(tmp_path: Path) -> None:
    report = write_report(SUITE, *done(datasets=2), tmp_path, page=False)
    assert report.folder == tmp_path / "tables" / "trial"
    names = [table.name for table in report.tables]
    assert len(set(names)) == len(names) > 5
    assert files(tmp_path) == sorted(f"tables/trial/{name}.{kind}" for name in names for kind in ("csv", "md", "tex"))
    assert report.page is None
    assert "the report is" not in report_text(report)


def test_the_page_is_named_after_the_suite_and_has_its_title(tmp_path: Path) -> None:
    report = write_report(SUITE, *done(datasets=2), tmp_path)
    assert report.page == tmp_path / "report" / "trial.html"
    assert "<title>A trial" in report.page.read_text(encoding="utf-8")
    assert report_text(report).endswith(
        f"{len(report.tables)} tables (Markdown, CSV, LaTeX) are in {tmp_path}/tables/trial/\nthe report is {report.page}"
    )


def test_claims_are_a_table_once_one_could_be_judged(tmp_path: Path) -> None:
    few, many = (write_report(SUITE, *done(datasets=datasets), tmp_path / str(datasets), page=False) for datasets in (2, 8))
    assert "claims" not in [table.name for table in few.tables]
    assert [table.name for table in many.tables][-2:] == ["claims", "claims_tests"]
    assert len(few.judged) == len(many.judged) > 0


def test_tables_that_an_earlier_run_left_are_removed_and_nothing_else_is(tmp_path: Path) -> None:
    write_report(SuiteSettings("other"), *done(datasets=2), tmp_path)
    first = write_report(SUITE, *done(datasets=8), tmp_path)
    kept = {
        tmp_path / "tables" / "trial" / "notes.txt": "mine",
        tmp_path / "tables" / "trial" / "notes.md": "my page",
        tmp_path / "tables" / "trial" / "drafts" / "claims.md": "mine too",
        tmp_path / "tables" / "mine.csv": "1,2",
        tmp_path / "report" / "mine.md": "# Mine",
        tmp_path / "claims.tex": "%",
    }
    for path, text in kept.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for kind in ("md", "csv", "tex"):
        (first.folder / f"of_an_older_version.{kind}").write_text("%")
    others = {name: (tmp_path / name).read_bytes() for name in files(tmp_path) if "/other" in name}
    assert {name.partition("/")[0] for name in others} == {"tables", "report"}
    second = write_report(SUITE, *done(datasets=1), tmp_path)
    stale = {table.name for table in first.tables} - {table.name for table in second.tables}
    assert "claims" in stale
    assert {path.stem for path in second.folder.iterdir() if path.suffix in (".csv", ".tex")} == {
        table.name for table in second.tables
    }
    assert {path: path.read_text() for path in kept} == kept
    assert {name: (tmp_path / name).read_bytes() for name in files(tmp_path) if "/other" in name} == others


def test_a_report_made_again_has_the_same_bytes(tmp_path: Path) -> None:
    first = write_report(SUITE, *done(), tmp_path)
    before = {name: (tmp_path / name).read_bytes() for name in files(tmp_path)}
    second = write_report(SUITE, *done(), tmp_path)
    assert {name: (tmp_path / name).read_bytes() for name in files(tmp_path)} == before
    assert first.tables == second.tables


def test_tables_and_page_of_another_rule_stand_beside_those_at_half(tmp_path: Path) -> None:
    cells = cells_of(METHODS, datasets=2)
    results = collect(record_of(cell, value(cell), metrics={"macro_f1@prior": 0.5}) for cell in cells)
    write_report(SUITE, cells, results, tmp_path)
    before = {name: (tmp_path / name).read_bytes() for name in files(tmp_path)}
    report = write_report(SUITE, cells, results, tmp_path, asked=TableSettings(rule="prior"))
    assert report.folder == tmp_path / "tables" / "trial_prior"
    assert report.page == tmp_path / "report" / "trial_prior.html"
    assert "fun_macro_f1_prior" in [table.name for table in report.tables]
    assert {name: (tmp_path / name).read_bytes() for name in before} == before


def test_figures_are_written_in_the_formats_asked_for(tmp_path: Path) -> None:
    cells, results = done(datasets=2)
    write_report(SUITE, cells, results, tmp_path)
    assert {Path(name).suffix for name in files(tmp_path / "report")} == {".html", ".svg"}
    write_report(SUITE, cells, results, tmp_path, figures=("svg", "pdf"))
    assert {Path(name).suffix for name in files(tmp_path / "report")} == {".html", ".svg", ".pdf"}


def test_a_name_of_a_suite_stays_below_the_results_folder(tmp_path: Path) -> None:
    report = write_report(SuiteSettings("../../a b"), *done(datasets=1), tmp_path / "deep" / "results")
    assert report.folder.parent == tmp_path / "deep" / "results" / "tables"
    assert [path.name for path in tmp_path.iterdir()] == ["deep"]
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["results"]


def test_the_home_folder_is_understood_as_the_store_understands_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    report = write_report(SUITE, *done(datasets=1), "~/results")
    assert report.folder == Store("~/results").folder / "tables" / "trial" == tmp_path / "home" / "results" / "tables" / "trial"
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


def test_two_cells_in_one_place_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    cells = [make_cell(epochs=2), make_cell(epochs=3)]
    with pytest.raises(ValueError, match="both called enron, chmcnn, seed 0"):
        write_report(SUITE, cells, results_of([], value), tmp_path)
    assert list(tmp_path.iterdir()) == []


# --- what is shown of the checked-in results --------------------------------------------------------------------------


@pytest.fixture
def checked_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seeds 0 and 1 of a cell, in place of results/reference."""
    monkeypatch.setattr(reference, "FOLDER", tmp_path / "reference")
    made = Store(tmp_path / "elsewhere")
    for seed in (0, 1):
        made.save(make_record(make_cell(seed=seed), FIRST))
    made.export_csv(path=tmp_path / "reference" / "runs.csv")


FIRST = {"au_prc": 0.75, "macro_f1": 0.125, "macro_precision": 0.5, "macro_recall": 0.25}


@pytest.mark.usefixtures("checked_in")
def test_results_are_ones_own_and_if_wanted_the_checked_in_ones(tmp_path: Path) -> None:
    own = Store(tmp_path / "results")
    own.save(make_record(make_cell(seed=2), FIRST))
    assert sorted(collect_results(own).frame["seed"]) == [0, 1, 2]
    assert sorted(collect_results(own, reference=False).frame["seed"]) == [2]
    assert list(collect_results(own).curves) == [make_cell(seed=2).identity]


@pytest.mark.usefixtures("checked_in")
def test_a_reproduction_is_compared_with_what_is_checked_in_and_filled_from_it_only_if_told(tmp_path: Path) -> None:
    own = Store(tmp_path / "results")
    own.save(make_record(make_cell(seed=0), FIRST))
    cells = [make_cell(seed=seed) for seed in (0, 1)]
    alone = report_reproduction(SUITE, cells, own.folder, reuse=False)
    assert alone.endswith("1 of these results are also in runs.csv, and equal it to the last digit")
    table = own.folder / "tables" / "trial" / "non_genomic_results.md"
    assert "– (1/2)" in table.read_text(encoding="utf-8")
    assert "| enron | chmcnn | 1 | 1 |" in (table.parent / "reproduced.md").read_text(encoding="utf-8")
    reused = report_reproduction(SUITE, cells, own.folder, reuse=True)
    assert reused.endswith("1 of these results are also in runs.csv, and equal it to the last digit")
    assert "12.50 ± 0.00" in table.read_text(encoding="utf-8")
    assert report_reproduction(SUITE, cells[1:], own.folder, reuse=True).endswith("trial.html")


def test_suites_whose_names_differ_have_folders_that_differ(tmp_path: Path) -> None:
    names = ("plain", "a b", "a_b", "植物", "動物")
    folders = {write_report(SuiteSettings(name), *done(datasets=2), tmp_path, page=False).folder for name in names}
    assert len(folders) == len(names)
    assert tmp_path / "tables" / "plain" in folders
