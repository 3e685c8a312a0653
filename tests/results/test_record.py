import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hmc.results import Record, RecordError, StaleRecordError
from hmc.results import record as record_module
from tests.results.examples import DATA, EVALUATION, TIMES, make_cell, make_record, renamed

finite = st.floats(allow_nan=False, allow_infinity=False)
names = st.text(min_size=1, max_size=20)


@given(
    metrics=st.dictionaries(names, finite, min_size=1, max_size=4),
    counts=st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)), max_size=6),
    curve=st.lists(finite, max_size=4),
    dataset=names,
)
def test_a_record_comes_back_from_its_json_as_it_was(metrics, counts, curve, dataset):
    nodes = {"true_positives": [one for one, _ in counts], "false_positives": [other for _, other in counts]}
    record = make_record(renamed(make_cell(), dataset), metrics, nodes=nodes, learning_curve=curve)
    again = Record.from_json(record.to_json())
    assert again == record
    assert again.nodes == nodes
    assert again.to_json() == record.to_json()


def test_the_file_is_one_json_document_that_names_every_part():
    record = make_record(make_cell())
    document = json.loads(record.to_json())
    assert set(document) == {
        *("schema", "identity", "cell", "settings", "parts", "data", "status", "error", "metrics", "rules", "lacking", "nodes"),
        *("validation", "evaluation", "learning_curve", "times", "environment", "checksum"),
    }
    assert document["cell"]["group"] == "non_genomic"
    assert document["data"]["sha256"] == "ab" * 32


@given(st.data())
def test_a_truncated_record_is_refused_wherever_it_was_cut(data):
    text = make_record(make_cell()).to_json()
    cut = data.draw(st.integers(0, len(text) - 1))
    with pytest.raises(RecordError, match=r"runs/x\.json is truncated.*delete it and run the cell again"):
        Record.from_json(text[:cut], "runs/x.json")


@given(st.data())
def test_an_edited_record_is_refused_wherever_it_was_edited(data):
    text = make_record(make_cell()).to_json()
    place = data.draw(st.integers(0, len(text) - 1))
    letter = data.draw(st.sampled_from("0x \n").filter(lambda one: one != text[place]))
    with pytest.raises(RecordError, match=r"runs/x\.json"):
        Record.from_json(text[:place] + letter + text[place + 1 :], "runs/x.json")


def test_what_is_no_record_is_refused():
    for content in (b"", b"{}", b"\xff\xfe\x00", b"null", '{"a": 1}\n'):
        with pytest.raises(RecordError, match=r"^runs/x\.json"):
            Record.from_json(content, "runs/x.json")


def test_another_schema_is_named_stale():
    text = make_record_of_schema(make_cell(), 99).to_json()
    with pytest.raises(StaleRecordError, match="schema 99, not 2; use the version that wrote it"):
        Record.from_json(text, "runs/x.json")
    with pytest.raises(StaleRecordError, match=r"schema 1, not 2; convert it: python scripts/evaluate\.py action=convert"):
        Record.from_json(make_record_of_schema(make_cell(), 1).to_json(), "runs/x.json")


def make_record_of_schema(cell, schema):
    content = record_module._of_cell(cell, DATA)
    return Record(**content, status="complete", metrics={"au_prc": 0.5}, evaluation=EVALUATION, times=TIMES, schema=schema)


def test_the_layout_is_no_part_of_the_identity(monkeypatch):
    """A new layout never means new training."""
    before = make_cell().identity
    monkeypatch.setattr(record_module, "RECORD_SCHEMA", 99)
    assert make_cell().identity == before
    assert "schema" not in json.dumps(dict(make_record(make_cell()).settings))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), True, "0.5", None])
def test_a_metric_that_is_no_finite_number_is_refused(value):
    record = make_record(make_cell())
    with pytest.raises(RecordError, match=r"metrics\.au_prc"):
        dataclasses.replace(record, metrics={"au_prc": value})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"metrics": {}}, "no metrics"),
        ({"status": "done"}, "status must be 'complete' or 'failed', got 'done'"),
        ({"evaluation": {"version": 1}}, "evaluation lacks tuning, sibling, scores"),
        ({"rules": {"half": {"macro_f1": float("nan")}}}, r"rules\.half\.macro_f1 must be a finite number, got nan"),
        ({"parts": ("ab" * 32,)}, "identity .* does not belong"),
        ({"cell": {"dataset": "enron"}}, "cell lacks group, method"),
        ({"times": {"started": "now"}}, "times lacks finished"),
        ({"learning_curve": [float("nan")]}, "learning_curve"),
        ({"identity": "0" * 64}, "identity"),
        ({"status": "failed"}, "one line"),
        ({"status": "failed", "error": "it broke"}, "never counted"),
    ],
)
def test_a_record_that_says_too_little_or_too_much_is_refused(changes, words):
    with pytest.raises(RecordError, match=words):
        dataclasses.replace(make_record(make_cell()), **changes)


def test_the_identity_must_belong_to_the_settings():
    record = make_record(make_cell())
    with pytest.raises(RecordError, match="does not belong"):
        dataclasses.replace(record, settings={**record.settings, "seed": 1})


def test_counts_of_different_length_are_refused():
    with pytest.raises(RecordError, match="differ in length"):
        make_record(make_cell(), nodes={"true_positives": [1], "false_positives": [1, 2]})


def test_a_part_that_json_cannot_hold_is_named():
    record = make_record(make_cell(), environment={"torch": object()})
    with pytest.raises(RecordError, match="enron cannot be written as JSON"):
        record.to_json()


def test_a_failure_keeps_its_error_in_one_line():
    record = Record.failed(make_cell(), ValueError("loss is NaN\n  at epoch 3"))
    assert record.error == "ValueError: loss is NaN at epoch 3"
    assert Record.from_json(record.to_json()) == record
    assert Record.failed(make_cell(), "").error == "no reason given"


def test_the_column_is_the_cells():
    cell = make_cell(protocol="corrected", departed=(("method.members", 5),))
    assert make_record(cell).column == cell.column == "chmcnn (corrected, method.members=5)"


def test_another_evaluation_keeps_the_training():
    record = make_record(make_cell(), {"au_prc": 0.5, "macro_f1": 0.25})
    again = record.evaluated_again(
        metrics={"au_prc": 0.75},
        rules={"half": {"macro_f1": 0.5}, "global": {"macro_f1": 0.625}},
        nodes={"true_positives": [1, 2]},
        lacking={"rate": "rule rate: it needs held-out scores"},
        evaluation={**EVALUATION, "tuning": "refit", "sibling": "ef" * 32},
        seconds=2.5,
    )
    assert (again.metrics, again.rules["global"], again.nodes) == (
        {"au_prc": 0.75},
        {"macro_f1": 0.625},
        {"true_positives": [1, 2]},
    )
    assert again.times == {**TIMES, "evaluate_seconds": 2.5}
    kept = ("identity", "cell", "settings", "data", "learning_curve", "environment", "status")
    assert all(getattr(again, name) == getattr(record, name) for name in kept)
    assert Record.from_json(again.to_json()) == again
    with pytest.raises(RecordError, match=r"metrics\.au_prc must be a finite number, got nan"):
        record.evaluated_again(metrics={"au_prc": float("nan")}, rules={}, nodes={}, lacking={}, evaluation=EVALUATION, seconds=0)


def test_numbers_have_dotted_names_by_rule():
    record = make_record(make_cell(), {"au_prc": 0.5, "macro_f1": 0.25, "macro_f1@global": 0.5})
    assert dict(record.numbers()) == {"metrics.au_prc": 0.5, "rules.half.macro_f1": 0.25, "rules.global.macro_f1": 0.5}


def test_a_terminal_is_told_what_each_rule_gives_and_why_one_gives_nothing():
    record = make_record(
        make_cell(),
        {"au_prc": 0.5, "macro_f1": 0.25, "macro_f1@global": 0.375},
        lacking={"rate": "rule rate: it needs held-out scores: run the same cell with training.holdout=valid"},
    )
    text = record.text()
    assert "global" in text
    assert "0.3750" in text
    assert "rate                         it needs held-out scores: run the same cell with training.holdout=valid" in text
