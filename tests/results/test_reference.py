"""The checked-in results: read for comparison, found whatever folder a user's own results go to, never written."""

from __future__ import annotations

from pathlib import Path

import pytest

from hmc.results import Record, RecordError, Store, reference
from hmc.results.record import CELL_KEYS
from hmc.results.runs_csv import Row, read_csv
from tests.results.examples import make_cell, make_record

PROJECT = Path(__file__).resolve().parents[2]


def test_they_are_the_checkouts_wherever_one_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert reference.FOLDER == PROJECT / "results" / "reference"
    assert reference.lines() == read_csv(PROJECT / "results" / "reference" / "runs.csv")
    assert len(reference.lines()) > 100
    assert reference.known_lines(Store(tmp_path / "results")) == reference.lines()
    assert list(tmp_path.iterdir()) == []


def test_each_place_is_recorded_once() -> None:
    lines = reference.lines()
    assert len({line["identity"] for line in lines}) == len(lines)
    assert len({tuple(line[key] for key in CELL_KEYS) for line in lines}) == len(lines)


@pytest.fixture
def checked_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A folder of its own in place of results/reference: seeds 0 and 1 complete, seed 2 failed."""
    monkeypatch.setattr(reference, "FOLDER", tmp_path / "reference")
    made = Store(tmp_path / "elsewhere")
    for seed in (0, 1):
        made.save(make_record(make_cell(seed=seed), {"au_prc": 0.5}))
    made.save(Record.failed(make_cell(seed=2), "no memory"))
    made.export_csv(path=tmp_path / "reference" / "runs.csv")
    return Store(tmp_path / "reference")


@pytest.fixture
def own(tmp_path: Path) -> Store:
    return Store(tmp_path / "results")


def test_without_a_checkout_there_are_none(own: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference, "FOLDER", tmp_path / "site-packages" / "results" / "reference")
    assert reference.lines() == reference.known_lines(own) == []
    assert reference.recorded(own) == {}
    assert list(tmp_path.iterdir()) == []


def test_a_stores_own_line_goes_before_the_checked_in_one_of_the_same_identity(checked_in: Store, own: Store) -> None:
    own.save(make_record(make_cell(seed=1), {"au_prc": 0.25}))
    own.save(make_record(make_cell(seed=3), {"au_prc": 0.125}))
    assert values(reference.known_lines(own)) == [("0", "0.5"), ("1", "0.5"), ("2", None)]
    own.export_csv()
    known = reference.known_lines(own)
    assert values(known) == [("0", "0.5"), ("1", "0.25"), ("2", None), ("3", "0.125")]
    assert len({line["identity"] for line in known}) == 4


def values(lines: list[Row]) -> list[tuple[str, str | None]]:
    return [(line["seed"], line.get("metrics.au_prc")) for line in lines]


def test_a_failure_of_ones_own_hides_no_checked_in_result_and_a_result_hides_a_failure(checked_in: Store, own: Store) -> None:
    own.save(Record.failed(make_cell(seed=0), "no disk"))
    own.save(make_record(make_cell(seed=2), {"au_prc": 0.75}))
    own.export_csv()
    assert [(line["seed"], line["status"]) for line in reference.known_lines(own)] == [
        ("0", "complete"),
        ("1", "complete"),
        ("2", "complete"),
    ]


def test_only_what_is_complete_is_recorded(checked_in: Store, own: Store) -> None:
    assert set(reference.recorded(own)) == {make_cell(seed=seed).identity for seed in (0, 1)}
    assert reference.recorded(own)[make_cell(seed=1).identity]["seed"] == "1"


def test_other_settings_or_data_are_another_result(checked_in: Store, own: Store) -> None:
    known = reference.recorded(own)
    assert make_cell().identity in known
    assert not {make_cell(epochs=9).identity, make_cell(data_sha256="cd" * 32).identity} & set(known)


def test_reading_and_exporting_ones_own_changes_no_checked_in_file(checked_in: Store, own: Store) -> None:
    before = checked_in.csv.read_bytes()
    own.save(make_record(make_cell(seed=1), {"au_prc": 0.25}))
    own.export_csv()
    reference.recorded(own)
    assert checked_in.csv.read_bytes() == before
    assert [path.name for path in checked_in.folder.iterdir()] == ["runs.csv"]
    assert [line["seed"] for line in own.lines()] == ["1"]


def test_a_damaged_file_is_named(checked_in: Store, own: Store) -> None:
    checked_in.csv.write_bytes(checked_in.csv.read_bytes()[:-40])
    with pytest.raises(RecordError, match=r"reference/runs\.csv:\d+ has \d+ fields?, but the header has"):
        reference.recorded(own)
