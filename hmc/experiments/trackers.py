"""Optional trackers: a finished record's learning curve, metrics and settings, for TensorBoard or MLflow.

The record is the result; a tracker only shows it. Neither package is imported unless its tracker is asked for.
"""

from __future__ import annotations

import importlib
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hmc.results.record import Record
from hmc.results.runs_csv import flattened
from hmc.results.store import Store
from hmc.settings import RuntimeSettings, SettingsError

Track = Callable[[Record], None]


def tracker(runtime: RuntimeSettings) -> Track:
    """What to do with each finished record, by ``runtime.tracker``: none, tensorboard or mlflow.

    TensorBoard's files go to ``<results_dir>/tensorboard/``, MLflow's database to ``<results_dir>/mlflow.db`` unless the
    environment's MLFLOW_TRACKING_URI names another place. A tracker that fails costs a warning and no result.

    Raises SettingsError where the package is not installed.
    """
    show = _shown_by(runtime)

    def track(record: Record) -> None:
        try:
            show(record)
        # A tracker can fail in any way that its package knows, and what it is shown is saved already.
        except Exception as error:
            reason = (" ".join(str(error).split()) or type(error).__name__)[:200]
            warnings.warn(
                f"tracker={runtime.tracker} does not show {_name(record)} ({reason}); its record is saved all the same",
                RuntimeWarning,
                stacklevel=2,
            )

    return track


def _shown_by(runtime: RuntimeSettings) -> Track:
    if runtime.tracker == "tensorboard":
        _required("tensorboard", "tensorboard")
        writer = _required("torch.utils.tensorboard", "tensorboard").SummaryWriter
        return lambda record: _to_tensorboard(record, writer, Store(runtime.results_dir).folder / "tensorboard")
    if runtime.tracker == "mlflow":
        mlflow = _required("mlflow", "mlflow")
        return lambda record: _to_mlflow(record, mlflow, Store(runtime.results_dir).folder / "mlflow.db")
    return lambda record: None


def _required(module: str, extra: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError:
        raise SettingsError(
            f"tracker={extra} needs the package {extra}, which is not installed; pip install {extra}, or set tracker=none"
        ) from None


def _name(record: Record) -> str:
    cell = record.cell
    return f"{cell['dataset']}/{record.column}/seed {cell['seed']}"


def _to_tensorboard(record: Record, writer: Any, folder: Path) -> None:
    with writer(str(folder / _name(record) / record.identity[:12])) as log:
        for epoch, loss in enumerate(record.learning_curve, 1):
            log.add_scalar("loss", loss, epoch)
        for name, value in record.metrics.items():
            log.add_scalar(f"test/{name}", value, len(record.learning_curve))


def _to_mlflow(record: Record, mlflow: Any, database: Path) -> None:
    if "MLFLOW_TRACKING_URI" not in os.environ:
        mlflow.set_tracking_uri(f"sqlite:///{database.resolve()}")
    mlflow.set_experiment(str(record.cell["dataset"]))
    with mlflow.start_run(run_name=_name(record)):
        mlflow.log_params({name: str(value)[:500] for name, value in flattened(record.settings, "settings")})
        mlflow.set_tags({"identity": record.identity, "data_sha256": record.data["sha256"]})
        for epoch, loss in enumerate(record.learning_curve, 1):
            mlflow.log_metric("loss", loss, step=epoch)
        mlflow.log_metrics(dict(record.metrics))
