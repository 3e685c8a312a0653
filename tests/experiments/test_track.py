"""Trackers show records and are never imported otherwise."""

import sys
from pathlib import Path

import pytest

from hmc.data.identity import data_sha256
from hmc.experiments import plan
from hmc.experiments.run import run_cells
from hmc.experiments.track import tracker
from hmc.results.store import Store
from hmc.settings import Cell, RuntimeSettings, SettingsError


def cell(runtime: RuntimeSettings) -> Cell:
    settings = plan.run_settings("synthetic_tree", "chmcnn", 0, overrides=["training.epochs=2", "training.hidden=8"])
    return Cell(settings, data_sha256(settings.dataset, runtime))


@pytest.mark.parametrize("name", ["tensorboard", "mlflow"])
def test_a_missing_package_is_named_before_any_work(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (name, "torch.utils.tensorboard"):
        monkeypatch.setitem(sys.modules, module, None)
    runtime = RuntimeSettings(results_dir=str(tmp_path), tracker=name)
    with pytest.raises(SettingsError, match=rf"tracker={name} needs the package {name}.*pip install {name}"):
        run_cells([cell(runtime)], runtime)
    assert not list(tmp_path.rglob("record.json"))


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
