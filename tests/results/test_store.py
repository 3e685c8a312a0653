import dataclasses
import multiprocessing
import os
import shutil
import stat

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hmc.results import Record, RecordError, Store, runs_csv, store
from hmc.settings import SettingsError
from tests.results.examples import make_cell, make_record, renamed


@pytest.fixture
def empty(tmp_path):
    return Store(tmp_path / "results")


# --- states ---------------------------------------------------------------------------------------------------------


def test_an_empty_store_misses_everything(empty):
    assert empty.state(make_cell()) == store.State("missing")
    assert list(empty.records()) == []
    assert empty.frame().empty
    with pytest.raises(RecordError, match="run it first"):
        empty.load(make_cell())


def test_a_saved_cell_is_done_and_loads(empty):
    record = make_record(make_cell())
    path = empty.save(record)
    assert path.relative_to(empty.folder).parts[:-2] == ("runs", "enron", "chmcnn", "released", "seed-0")
    assert path.parent.name == record.identity[:12]
    assert empty.state(make_cell()).name == "done"
    assert empty.load(make_cell()) == record


def test_other_settings_are_stale_and_overwrite_nothing(empty):
    empty.save(make_record(make_cell(epochs=2), {"au_prc": 0.25}))
    state = empty.state(make_cell(epochs=3))
    assert state == store.State("stale", "done with training.epochs=2 instead of 3")
    empty.save(make_record(make_cell(epochs=3), {"au_prc": 0.5}))
    assert empty.load(make_cell(epochs=2)).metrics == {"au_prc": 0.25}
    assert empty.load(make_cell(epochs=3)).metrics == {"au_prc": 0.5}


def test_other_data_are_stale_and_say_so(empty):
    empty.save(make_record(make_cell()))
    assert empty.state(make_cell(data_sha256="cd" * 32)) == store.State("stale", "done with other data")


def test_another_variant_or_seed_is_missing_not_stale(empty):
    empty.save(make_record(make_cell()))
    assert empty.state(make_cell(epochs=5, departed=(("training.epochs", 5),))).name == "missing"
    assert empty.state(make_cell(seed=1)).name == "missing"


def test_another_schema_is_stale(empty, monkeypatch):
    cell = make_cell()
    path = empty.save(make_record(cell))
    monkeypatch.setattr("hmc.results.record.RECORD_SCHEMA", 3)
    assert empty.state(cell).name == "stale"
    assert "schema 2, not 3; use the version that wrote it" in empty.state(cell).reason
    assert path.exists()


@pytest.mark.parametrize("content", [b"", b"{", b"\xff"])
def test_an_unreadable_record_is_a_failure_with_its_file_and_never_a_crash(empty, content):
    cell = make_cell()
    path = empty.save(make_record(cell))
    path.write_bytes(content)
    state = empty.state(cell)
    assert state.name == "failed"
    assert state.reason.startswith("unreadable: ")
    assert str(path) in state.reason
    assert [type(one) for one in empty.outcomes()] == [RecordError]
    assert list(empty.records()) == []
    with pytest.raises(RecordError, match="run the cell again"):
        empty.load(cell)
    empty.save(make_record(cell))
    assert empty.state(cell).name == "done"


def test_a_failure_is_recorded_and_gives_way_to_a_result(empty):
    cell = make_cell()
    empty.save(Record.failed(cell, "no memory"))
    assert empty.state(cell) == store.State("failed", "no memory")
    assert [record.status for record in empty.records()] == ["failed"]
    empty.save(make_record(cell))
    assert empty.state(cell).name == "done"
    assert [record.status for record in empty.records()] == ["complete"]


def test_a_failure_never_hides_or_overwrites_a_result(empty):
    cell = make_cell()
    empty.save(make_record(cell))
    empty.save(Record.failed(cell, "no memory"))
    assert empty.state(cell).name == "done"
    assert [record.status for record in empty.records()] == ["complete"]
    assert empty.load(cell).status == "complete"


@pytest.mark.parametrize("name", ["..", ".", "a/b", "../../out", "ä b", "%2F", "..."])
def test_a_name_is_one_folder_below_runs(empty, name):
    cell = renamed(make_cell(), name)
    path = empty.save(make_record(cell)).resolve()
    assert path.parents[5] == empty.runs.resolve()
    assert empty.state(cell).name == "done"
    assert len(list(empty.records())) == 1


# --- writing --------------------------------------------------------------------------------------------------------


def test_a_write_that_fails_leaves_the_old_file_and_no_litter(tmp_path, monkeypatch):
    path = tmp_path / "folder" / "file.txt"
    store.write_atomically(path, "old")
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        store.write_atomically(path, "new")
    assert path.read_text() == "old"
    assert [entry.name for entry in path.parent.iterdir()] == ["file.txt"]


def test_a_written_file_has_the_usual_permissions(tmp_path):
    (tmp_path / "usual").touch()
    store.write_atomically(tmp_path / "file", "text")
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == stat.S_IMODE((tmp_path / "usual").stat().st_mode)


def test_leftovers_of_a_killed_worker_are_no_records(empty):
    path = empty.save(make_record(make_cell()))
    (path.parent / ".record.json.abc.tmp").write_text('{"half": ')
    assert len(list(empty.outcomes())) == 1
    assert empty.state(make_cell()).name == "done"


def _save_many(folder, value):
    for _ in range(20):
        Store(folder).save(make_record(make_cell(), {"au_prc": value}))
        Store(folder).save(Record.failed(make_cell(), "no memory"))


def test_workers_that_race_for_one_cell_leave_one_whole_result(empty):
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_save_many, args=(empty.folder, value)) for value in (0.25, 0.5, 0.75)]
    for worker in workers:
        worker.start()
    while any(worker.is_alive() for worker in workers):
        assert empty.state(make_cell()).name in ("done", "failed", "missing")
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    assert empty.load(make_cell()).metrics["au_prc"] in (0.25, 0.5, 0.75)


# --- runs.csv -------------------------------------------------------------------------------------------------------


def filled(folder):
    results = Store(folder)
    for seed in (10, 2):
        results.save(make_record(make_cell(seed=seed), {"au_prc": 0.1 + 0.2 * seed, "recall_depth_10": 0.5, "recall_depth_2": 1}))
    results.save(make_record(make_cell("expr_fun", group="fun"), reconstructed="expr train, reconstructed"))
    results.save(Record.failed(make_cell("diatoms"), 'quote " comma , semicolon ;'))
    return results


def test_the_frame_from_runs_csv_alone_is_the_frame_from_the_records(tmp_path):
    results = filled(tmp_path)
    before = results.frame()
    results.export_csv()
    alone = Store(tmp_path / "clone")
    store.write_atomically(alone.csv, results.csv.read_text())
    assert alone.frame().equals(before)
    assert before["seed"].tolist() == [0, 2, 10, 0]
    assert before["au_prc"].tolist()[1:] == [0.1 + 0.2 * 2, 0.1 + 0.2 * 10, 0.75]
    assert np.isnan(before["au_prc"][0])
    assert before["reconstructed"].tolist() == ["", "", "", "expr train, reconstructed"]
    assert before["column"].unique().tolist() == ["chmcnn"]
    assert before["settings.training.hidden"].tolist() == ["3"] * 4


def test_exporting_again_gives_the_same_bytes_and_doubles_nothing(tmp_path):
    results = filled(tmp_path)
    first = results.export_csv().read_bytes()
    assert results.export_csv().read_bytes() == first
    assert len(results.rows()) == 4
    assert first.count(b"\n") == 5


def test_records_of_a_clone_join_those_of_runs_csv(tmp_path):
    filled(tmp_path).export_csv()
    clone = Store(tmp_path / "clone")
    store.write_atomically(clone.csv, (tmp_path / "runs.csv").read_text())
    clone.save(make_record(make_cell(seed=2), {"au_prc": 0.9}))
    clone.save(make_record(make_cell(seed=3), {"au_prc": 0.8}))
    clone.export_csv()
    frame = clone.frame()
    assert len(frame) == 5
    enron = frame[frame["dataset"] == "enron"].set_index("seed")["au_prc"]
    assert enron.to_dict() == {2: 0.9, 3: 0.8, 10: 0.1 + 0.2 * 10}


def test_columns_are_cell_first_then_metrics_in_natural_order(tmp_path):
    header = filled(tmp_path).export_csv().read_text().splitlines()[0].split(",")
    assert header[:8] == ["dataset", "group", "method", "protocol", "variant", "seed", "identity", "schema"]
    assert header.index("metrics.au_prc") < header.index("rules.half.recall_depth_2")
    assert header.index("rules.half.recall_depth_2") < header.index("rules.half.recall_depth_10") < header.index("data.sha256")
    assert header.index("rules.half.recall_depth_10") < header.index("evaluation.version") < header.index("data.sha256")
    assert header.index("times.steps") < header.index("environment.commit") < header.index("settings.training.epochs")


texts = st.text(st.characters(codec="utf-8", exclude_characters="\r\x00"), max_size=8)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["complete", "failed"]), texts, texts), max_size=8))
def test_rows_survive_the_file_and_merging_is_idempotent(tmp_path_factory, entries):
    rows = [
        {
            **dict.fromkeys(("group", "method", "protocol", "variant"), text),
            **{"dataset": text, "seed": "3", "identity": identity, "schema": "2", "status": status, "error": error},
            **({"metrics.au_prc": "0.1"} if status == "complete" else {}),
        }
        for identity, status, text, error in entries
    ]
    path = tmp_path_factory.mktemp("csv") / "runs.csv"
    store.write_atomically(path, runs_csv.csv_text(rows))
    assert runs_csv.read_csv(path) == rows
    once = runs_csv.merged(rows)
    assert runs_csv.merged(once, once) == once
    assert runs_csv.merged(once, []) == once
    complete = {row["identity"] for row in rows if row["status"] == "complete"}
    assert {row["identity"] for row in once if row["status"] == "complete"} == complete
    assert len(once) == len({row["identity"] for row in rows})


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda text: text[:-30], r"runs\.csv:5 has \d+ fields?, but the header has \d+; restore it from git"),
        (lambda text: "<<<<<<< HEAD\n" + text, r"runs\.csv:1 lacks the column 'dataset'"),
        (lambda text: text.replace("metrics.au_prc", "metric"), r"runs\.csv:1 has an unknown column 'metric'"),
        (lambda text: text + "=======\n", r"runs\.csv:6 has 1 field, but the header has"),
        (lambda text: "", r"runs\.csv:1 lacks the column 'dataset'"),
    ],
)
def test_a_damaged_runs_csv_is_refused_with_its_line(tmp_path, damage, words):
    results = filled(tmp_path)
    text = results.export_csv().read_text()
    results.csv.write_text(damage(text))
    with pytest.raises(RecordError, match=words):
        results.frame()


def test_lists_options_and_missing_values_are_flattened():
    record = dataclasses.replace(make_record(make_cell()), environment={"a": {"b": [1, 2], "c": None}, "d": True})
    line = store.row(record)
    assert line["environment.a.b"] == "[1, 2]"
    assert line["environment.a.c"] == ""
    assert line["environment.d"] == "true"
    assert line["settings.dataset.unevaluated"] == '["root"]'


def test_a_record_in_the_folder_of_another_cell_is_not_its_result(tmp_path):
    store, cells = Store(tmp_path), [make_cell(seed=seed) for seed in (0, 1)]
    for cell in cells:
        store.save(make_record(cell))
    shutil.copy(store.path(cells[1]) / "record.json", store.path(cells[0]) / "record.json")
    assert [store.state(cell).name for cell in cells] == ["failed", "done"]
    assert "is the record of another cell" in store.state(cells[0]).reason
    assert not store.is_done(cells[0])
    with pytest.raises(RecordError, match="is the record of another cell"):
        store.load(cells[0])


def test_an_empty_folder_of_results_is_refused():
    with pytest.raises(SettingsError, match="results_dir must not be empty"):
        Store("")
