"""Results of schema 1 in today's layout: the same numbers under identities that do not depend on the layout.

``schema_1.zip`` is a store that the program of commit e16bac5 wrote: two cells of one method, with and without rows held out, one
with every renamed switch, and a failure; with their scores. ``schema_1.csv.gz`` holds ten lines of commit 47d9b09's runs.csv.
"""

from __future__ import annotations

import gzip
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from hmc import configs
from hmc.experiments.plan import composed
from hmc.experiments.reevaluate import evaluate_again
from hmc.results import RecordError, Store, reference
from hmc.results import store as store_module
from hmc.results.convert import (
    OF_SCORES,
    converted_document,
    converted_line,
    converted_settings,
    converted_variant,
    settings_of_line,
)
from hmc.results.record import RECORD_SCHEMA, Record, read_document
from hmc.results.runs_csv import all_lines, read_csv, row
from hmc.scores import SCORES, ScoresError, load_scores
from hmc.settings import Cell, RuntimeSettings, canonical_hash, identity_of
from tests.experiments.examples import SIZES
from tests.results.examples import make_record
from tests.results.test_drift import signed

HERE = Path(__file__).parent
SMALL = (*SIZES, "training.epochs=3")


@pytest.fixture
def old_store(tmp_path: Path) -> Store:
    with zipfile.ZipFile(HERE / "schema_1.zip") as archive:
        archive.extractall(tmp_path / "results")
    return Store(tmp_path / "results")


def old_lines() -> list[dict[str, str]]:
    with tempfile.NamedTemporaryFile(suffix=".csv") as file:
        file.write(gzip.decompress((HERE / "schema_1.csv.gz").read_bytes()))
        file.flush()
        return [line for _, line in all_lines(Path(file.name))]


def documents(store: Store, name: str = "record.json") -> dict[str, dict[str, Any]]:
    return {path.parent.name: read_document(path.read_bytes(), str(path)) for path in sorted(store.runs.rglob(name))}


def cells_of_store() -> list[Cell]:
    """The cells that the store's records are of, as today's program makes them."""
    names = (("chmcnn", 0, "released", ()), ("chmcnn", 0, "released", ("training.holdout=valid",)))
    switches = ("protocol.negative_weights=balanced", "protocol.unseen_node_weight=max_seen")
    found = []
    for method, seed, protocol, more in (*names, ("weighted", 1, "described", switches)):
        cell = composed("synthetic_tree", method, RuntimeSettings(), protocol=protocol, overrides=(*SMALL, *more))
        found += list(cell.of_seeds([seed]))
    return found


# --- identities -----------------------------------------------------------------------------------------------------------


def test_every_checked_in_line_has_the_identity_of_the_cell_that_its_settings_describe() -> None:
    lines = reference.lines()
    assert len(lines) >= 824
    for line in lines:
        parts = line.get("data.parts", "").split()
        assert line["identity"] == identity_of(settings_of_line(line), line["data.sha256"], parts), line["identity"]


def test_a_checked_in_line_is_found_by_the_cell_of_todays_files() -> None:
    """Composed from configs/, not from the line."""
    settings = configs.run_settings("enron", "chmcnn", 0)
    (line,) = [
        line
        for line in reference.lines()
        if (line["dataset"], line["method"], line["protocol"], line["variant"], line["seed"])
        == ("enron", "chmcnn", "released", "", "0")
    ]
    assert Cell(settings, line["data.sha256"]).identity == line["identity"]


def test_lines_of_schema_1_have_the_identities_that_are_checked_in() -> None:
    known = {line["identity"]: line for line in reference.lines()}
    lines = old_lines()
    assert len(lines) == 10
    again = 0
    for line in lines:
        new = converted_line(line)
        assert new["identity"] != line["identity"]
        now = known[new["identity"]]
        assert {key: now[key] for key in ("dataset", "group", "method", "protocol", "variant", "seed")} == {
            key: new[key] for key in ("dataset", "group", "method", "protocol", "variant", "seed")
        }
        if now["times.started"] != new["times.started"]:
            # The cell was run again since, with its scores kept.
            again += 1
            continue
        numbers = {key for key in new if key.startswith(("metrics.", "rules.")) if key in now}
        assert "metrics.au_prc" in numbers
        assert "rules.half.macro_f1" in numbers
        assert {key: new[key] for key in numbers} == {key: now[key] for key in numbers}
    assert again <= 3


def test_a_converted_line_loses_nothing() -> None:
    for line in old_lines():
        new = converted_line(line)
        assert new["schema"] == str(RECORD_SCHEMA)
        assert new["evaluation.version"] == "0"
        assert sorted(new.values()) == sorted(
            [
                *(value for key, value in line.items() if key not in CHANGED and not key.startswith("settings.protocol.")),
                *(value for key, value in new.items() if key in (*CHANGED, "evaluation.version")),
                *(value for key, value in new.items() if key.startswith("settings.protocol.")),
            ]
        )


CHANGED = ("group", "variant", "schema", "identity")


def test_a_runs_csv_of_schema_1_is_read_as_todays(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    path.write_bytes(gzip.decompress((HERE / "schema_1.csv.gz").read_bytes()))
    known = {line["identity"] for line in reference.lines()}
    found = read_csv(path)
    assert len(found) == 10
    assert {line["identity"] for line in found} <= known
    frame = Store(tmp_path).frame()
    assert set(frame["identity"]) <= known
    assert frame["macro_f1"].notna().all()


def test_a_line_whose_identity_is_not_its_settings_is_refused(tmp_path: Path) -> None:
    (line, *_) = old_lines()
    with pytest.raises(RecordError, match="does not belong to the settings and data of its line"):
        converted_line({**line, "settings.training.hidden": "7"})
    path = tmp_path / "runs.csv"
    content = gzip.decompress((HERE / "schema_1.csv.gz").read_bytes()).decode()
    path.write_text(content.replace(line["identity"], "0" * 64))
    with pytest.raises(RecordError, match=r"runs\.csv:2 cannot be converted from record schema 1 \(identity '000000000000'"):
        read_csv(path)


def test_settings_that_a_record_flattens_are_read_back_with_their_types() -> None:
    """Of every kind of method: the identity is made of types as well as of values."""
    overrides = {
        "weighted_focal_gmu": ("method.members=5", "method.focal.power=1", "training.learning_rate=1e-5", "dataset.fraction=0.5"),
        "logit_adjusted": ("method.loss_options={tau: 2}", "training.holdout=valid"),
        "extra_trees": ("method.estimator.block=3",),
        "predict_all": (),
        "mixture_chmcnn_trees": ("training.epochs=2",),
        "mixed": ("method.objective=mine:Own", "method.options={scale: 2.5, deep: {er: [1, a]}}", "method.weighted_share=1"),
    }
    for method, own in overrides.items():
        cell = composed("synthetic_tree", method, RuntimeSettings(), overrides=(*SIZES, *own))
        line = row(make_record(cell))
        parts = line.get("data.parts", "").split()
        assert len(parts) == len(cell.settings.method.mixture)
        assert identity_of(settings_of_line(line), cell.data_sha256, parts) == cell.identity, method


def test_the_first_layouts_identity_is_todays_with_the_schema_in_it_and_the_old_names() -> None:
    settings = {
        "dataset": {"name": "enron"},
        "protocol": {"name": "released", "negative": "ones", "unseen": "one", "weighted_label": "negative", "reduction": "sum"},
    }
    new = converted_settings(settings)
    assert new["protocol"] == {
        **{"name": "released", "negative_weights": "ones", "unseen_node_weight": "one"},
        **{"weights_apply_to": "negatives", "reduction": "sum"},
    }
    document = {
        "schema": 1,
        "settings": settings,
        "data": {"sha256": "ab"},
        "identity": canonical_hash({"settings": settings, "data_sha256": "ab", "schema": 1}),
        "cell": {"group": "others", "variant": ""},
        "metrics": {},
        "status": "failed",
    }
    assert (
        converted_document(document)["identity"]
        == identity_of(new, "ab")
        == canonical_hash({"settings": new, "data_sha256": "ab"})
    )


def test_a_variant_is_sorted_and_has_todays_names() -> None:
    assert converted_variant("") == ""
    assert converted_variant("training.epochs=3, protocol.weighted_label=positive, method.members=5") == (
        "method.members=5, protocol.weights_apply_to=positives, training.epochs=3"
    )
    assert converted_variant("protocol.unseen=max_seen, protocol.negative=balanced") == (
        "protocol.negative_weights=balanced, protocol.unseen_node_weight=max_seen"
    )


# --- records and scores -----------------------------------------------------------------------------------------------------


def test_a_store_is_converted_with_its_scores_and_nothing_else_changes(old_store: Store) -> None:
    before = documents(old_store)
    scores = {name: load_scores(path) for path in old_store.runs.rglob(SCORES) for name in [path.parent.name]}
    assert [cell.identity[:12] in before for cell in cells_of_store()] == [False] * 3
    assert all(old_store.state(cell).name == "stale" for cell in cells_of_store())
    assert "convert it: python scripts/evaluate.py action=convert" in old_store.state(cells_of_store()[0]).reason
    assert old_store.convert() == 4
    assert [old_store.state(cell).name for cell in cells_of_store()] == ["done"] * 3
    assert not before.keys() & documents(old_store).keys()
    for old in before.values():
        (record,) = [one for one in old_store.records() if one.learning_curve == tuple(old["learning_curve"])]
        metrics = {**record.metrics, **record.rules["half"]}
        assert metrics == old["metrics"]
        assert set(record.metrics) == set(OF_SCORES)
        assert (record.times, record.environment, record.data) == (old["times"], old["environment"], old["data"])
        assert {name: " ".join(map(str, counts)) for name, counts in record.nodes.items()} == old["nodes"]
        assert record.evaluation == {"version": 0, "tuning": "", "sibling": "", "scores": ""}
        kept = load_scores(old_store.folder / "runs" / place_of(record) / SCORES, record.identity)
        mine = scores[old["identity"][:12]]
        assert (kept.test == mine.test).all()
        assert (kept.held_out is None) == (mine.held_out is None)
        if mine.held_out is not None:
            assert (kept.held_out == mine.held_out).all()


def place_of(record: Record) -> Path:
    cell = record.cell
    return Path(cell["dataset"], cell["method"], cell["protocol"], f"seed-{cell['seed']}", record.identity[:12])


def test_a_failure_stays_a_failure(old_store: Store) -> None:
    assert old_store.convert() == 4
    (failure,) = [record for record in old_store.records() if record.status == "failed"]
    assert failure.error == "ZeroDivisionError: on purpose"
    assert (failure.metrics, failure.rules) == ({}, {})
    assert [path.name for path in old_store.runs.rglob("failure.json")] == ["failure.json"]


def test_converting_again_does_nothing(old_store: Store) -> None:
    old_store.convert()
    before = {path: path.read_bytes() for path in old_store.runs.rglob("*") if path.is_file()}
    assert old_store.convert() == 0
    assert {path: path.read_bytes() for path in old_store.runs.rglob("*") if path.is_file()} == before
    assert not [path for path in old_store.runs.rglob("*") if path.is_dir() and not any(path.iterdir())]


def test_an_interrupted_conversion_goes_on(old_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed after a record was written and before its scores were."""

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(store_module, "save_scores", killed)
        with pytest.raises(KeyboardInterrupt):
            old_store.convert()
    assert len(list(old_store.runs.rglob(SCORES))) == 3
    old_store.convert()
    assert all(old_store.scores_path(cell).is_file() for cell in cells_of_store())
    assert [old_store.state(cell).name for cell in cells_of_store()] == ["done"] * 3


def test_converted_scores_are_evaluated_with_todays_metrics_and_rules(old_store: Store) -> None:
    old_store.convert()
    runtime = RuntimeSettings(results_dir=str(old_store.folder))
    plain, held_out, weighted = cells_of_store()
    before = old_store.load(plain)
    found = evaluate_again([plain, held_out, weighted], runtime)
    assert (len(found.again), found.failed) == (3, {})
    after = old_store.load(plain)
    assert after.evaluation["tuning"] == "refit"
    assert after.evaluation["sibling"] == held_out.identity
    assert set(after.rules) == set(runtime.rules)
    # What was there before is the same to the last digit.
    assert {name: after.rules["half"][name] for name in before.rules["half"]} == before.rules["half"]
    assert {name: after.metrics[name] for name in before.metrics} == before.metrics
    assert old_store.load(held_out).evaluation["tuning"] == "holdout"
    assert "scaled_rate" in old_store.load(weighted).lacking


def test_a_record_that_cannot_be_converted_is_named_and_left(old_store: Store) -> None:
    (path, *_) = sorted(old_store.runs.rglob("record.json"))
    document = read_document(path.read_bytes(), str(path))
    path.write_text(signed({**document, "settings": {**document["settings"], "seed": 99}}))
    with pytest.raises(RecordError, match="does not belong to the settings and data"):
        old_store.convert()
    assert path.exists()
    path.write_text(signed({**document, "schema": 3}))
    with pytest.raises(RecordError, match="record schema 3 cannot be converted; use the version that wrote it"):
        old_store.convert()


def test_damaged_scores_stop_the_conversion_and_are_left(old_store: Store) -> None:
    (path, *_) = sorted(old_store.runs.rglob(SCORES))
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(ScoresError, match="cannot be read"):
        old_store.convert()
    assert path.exists()
    assert path.with_name("record.json").exists()


def test_the_fixtures_are_of_schema_1(old_store: Store) -> None:
    found = list(documents(old_store).values())
    assert [document["schema"] for document in found] == [1] * 3
    assert {document["settings"]["protocol"]["weighted_label"] for document in found} == {"negative", "positive"}
    assert {line["schema"] for line in old_lines()} == {"1"}
