"""Trackers show records and are never imported otherwise."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from hmc import configs
from hmc.data.identity import data_sha256
from hmc.experiments.outcome import Outcome, run_stack
from hmc.experiments.run import run_cells
from hmc.experiments.trackers import tracker
from hmc.results.store import COMPLETE, Store
from hmc.scores import SCORES
from hmc.settings import Cell, RuntimeSettings, SettingsError


def cell(runtime: RuntimeSettings, seed: int = 0) -> Cell:
    settings = configs.run_settings("synthetic_tree", "chmcnn", seed, overrides=["training.epochs=2", "training.hidden=8"])
    return Cell(settings, data_sha256(settings.dataset, runtime))


@pytest.mark.parametrize("name", ["tensorboard", "mlflow"])
def test_a_missing_package_is_named_before_any_work(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (name, "torch.utils.tensorboard"):
        monkeypatch.setitem(sys.modules, module, None)
    runtime = RuntimeSettings(results_dir=str(tmp_path), tracker=name)
    with pytest.raises(SettingsError, match=rf"tracker={name} needs the package {name}.*pip install {name}"):
        run_cells([cell(runtime)], runtime)
    assert not list(tmp_path.rglob("record.json"))


def test_a_tracker_that_fails_costs_no_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def locked(uri: str) -> None:
        raise RuntimeError("database\nis locked")

    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setitem(sys.modules, "mlflow", SimpleNamespace(set_tracking_uri=locked))
    runtime = RuntimeSettings(results_dir=str(tmp_path), tracker="mlflow", checkpoint_seconds=0)
    cells = [cell(runtime, seed) for seed in range(2)]
    with pytest.warns(RuntimeWarning) as warned:
        assert run_stack(cells, runtime) == [Outcome(one) for one in cells]
    assert [str(warning.message) for warning in warned] == [
        f"tracker=mlflow does not show synthetic_tree/chmcnn/seed {seed} (database is locked); its record is saved all the same"
        for seed in range(2)
    ]
    store = Store(tmp_path)
    assert [{path.name for path in store.path(one).iterdir()} for one in cells] == [{COMPLETE, SCORES}] * 2
    assert {store.load(one).times["stacked_cells"] for one in cells} == {2}


def test_no_tracker_imports_none(tmp_path: Path) -> None:
    runtime = RuntimeSettings(results_dir=str(tmp_path))
    run_cells([cell(runtime)], runtime)
    assert not {"tensorboard", "mlflow"} & set(sys.modules)


def test_tensorboard_gets_the_learning_curve(tmp_path: Path) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    runtime = RuntimeSettings(results_dir=str(tmp_path), tracker="tensorboard")
    (record,) = run_cells([cell(runtime)], runtime)
    (log,) = tmp_path.glob("tensorboard/synthetic_tree/chmcnn/seed 0/*")
    events = accumulator.EventAccumulator(str(log)).Reload()
    assert [event.value for event in events.Scalars("loss")] == pytest.approx(list(record.learning_curve))
    assert events.Scalars("test/au_prc")[0].value == pytest.approx(record.metrics["au_prc"])


def test_mlflow_gets_settings_and_metrics(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    runtime = RuntimeSettings(results_dir=str(tmp_path))
    (record,) = run_cells([cell(runtime)], runtime)
    tracker(RuntimeSettings(results_dir=str(tmp_path), tracker="mlflow"))(record)
    (run,) = mlflow.search_runs(experiment_names=["synthetic_tree"], output_format="list")
    assert run.data.metrics["au_prc"] == pytest.approx(record.metrics["au_prc"])
    assert run.data.tags["identity"] == Store(str(tmp_path)).load(cell(runtime)).identity
