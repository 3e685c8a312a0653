"""Files of other versions: what is older or newer than this program is named, never guessed at, never lost."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from hmc.experiments import plan
from hmc.results import RecordError, StaleRecordError, Store, runs_csv
from hmc.results.record import RECORD_SCHEMA
from tests.results.examples import make_cell, make_record

OLD: dict[str, Any] = {
    "schema": 0,
    "cell": {"dataset": "enron", "method": "chmcnn", "seed": 0},
    "metrics": {"AU(PRC)": 0.756},
    "config": {"hidden_dim": 1000},
}
"""A record as an early version might have written it: other parts, other names."""
NEW: dict[str, Any] = {
    **json.loads(make_record(make_cell()).to_json()),
    "schema": RECORD_SCHEMA + 1,
    "calibration": {"bins": [1, 2]},
}
"""One of a version to come, with a part that this one does not know."""


def signed(document: dict[str, Any]) -> str:
    """A record's text with a checksum that fits, as each version signs its own."""
    content = {key: value for key, value in document.items() if key != "checksum"}
    body = "{\n" + ",\n".join(f" {json.dumps(key)}: {json.dumps(value)}" for key, value in content.items())
    return f'{body},\n "checksum": "{hashlib.sha256(body.encode()).hexdigest()}"\n}}\n'


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "results")


def put(store: Store, document: dict[str, Any], folder: str = "") -> Path:
    place = store.path(make_cell())
    path = (place.with_name(folder) if folder else place) / "record.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(signed(document))
    return path


@pytest.mark.parametrize("document", [OLD, NEW, {**NEW, "schema": "two"}, {**NEW, "schema": None}])
@pytest.mark.parametrize("folder", ["", "0123456789ab"])
def test_a_record_of_another_schema_is_stale_by_name(store: Store, document: dict[str, Any], folder: str) -> None:
    put(store, document, folder)
    state = store.state(make_cell())
    assert state.name == "stale"
    assert f"record schema {document['schema']!r}, not {RECORD_SCHEMA}; use the version that wrote it" in state.reason
    assert list(store.records()) == []
    assert [type(outcome) for outcome in store.outcomes()] == [StaleRecordError]
    (planned,) = plan.with_states([make_cell()], store)
    assert (planned.state, planned.reason) == (state.name, state.reason)


def test_running_a_stale_cell_again_keeps_the_other_folder(store: Store) -> None:
    old = put(store, OLD, "0123456789ab")
    store.save(make_record(make_cell()))
    assert store.state(make_cell()).name == "done"
    assert old.read_text() == signed(OLD)


def test_a_record_of_this_schema_with_an_unknown_part_is_no_record(store: Store) -> None:
    put(store, {**NEW, "schema": RECORD_SCHEMA})
    with pytest.raises(RecordError, match="not a valid record"):
        store.load(make_cell())


@pytest.mark.parametrize("schema", ["0", "3", "next"])
def test_lines_of_another_schema_are_left_out_by_name_and_kept_in_the_file(store: Store, schema: str) -> None:
    store.save(make_record(make_cell()))
    text = store.export_csv().read_text()
    header, line = text.splitlines()
    identity = runs_csv.read_csv(store.csv)[0]["identity"]
    other = line.replace(identity, "f" * 64).replace(f"{'f' * 64},{RECORD_SCHEMA},", f"{'f' * 64},{schema},")
    store.csv.write_text(f"{header}\n{line}\n{other}\n")
    with pytest.warns(RuntimeWarning, match=f"1 lines of record schema {schema}, not {RECORD_SCHEMA}; they are left out"):
        frame = store.frame()
    assert frame["identity"].tolist() == [identity]
    assert set(store.export_csv().read_text().splitlines()) == {header, line, other}


def test_the_records_that_are_checked_in_still_load() -> None:
    rows = runs_csv.read_csv(Path(__file__).resolve().parents[2] / "results" / "reference" / "runs.csv")
    assert len(rows) > 10
    assert set(runs_csv.frame(rows)["status"]) <= {"complete", "failed"}
