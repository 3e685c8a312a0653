"""One cell, or a stack of cells, from settings to saved records. Imports torch only where a network is trained."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from hmc.data.catalog import DataError
from hmc.data.dataset import Dataset
from hmc.data.identity import data_sha256
from hmc.data.load import load
from hmc.experiments.evaluate import EVALUATION_VERSION, evaluate, tuning_scores
from hmc.experiments.leftovers import keep_only_results
from hmc.experiments.lock import locked
from hmc.experiments.made import Made, is_finished, require_savable
from hmc.experiments.trackers import tracker
from hmc.results.provenance import environment
from hmc.results.record import Record
from hmc.results.store import Store
from hmc.rules import require_known
from hmc.scores import Scores, digest_of, save_scores
from hmc.settings import Cell, RuntimeSettings, to_mapping
from hmc.training.saved import Model, save_model

OnEpoch = Callable[[int, int], None]


def run_cells(cells: Sequence[Cell], runtime: RuntimeSettings, *, on_epoch: OnEpoch = lambda epoch, steps: None) -> list[Record]:
    """Run, evaluate and save cells that differ in their seed only, as one stack; several where the rows do not depend on the
    seed.

    Goes on from the stack's checkpoint where there is one. A cell that another process finished meanwhile is not run again.
    Whatever ends the run (an Exception, MemoryError included) is saved as each cell's failure and raised again. Returns the
    cells' records. Raises LockedError where another process runs one of the cells, SettingsError for a rule that is not known;
    then nothing is run.
    """
    require_known(runtime.rules)
    if len(cells) > 1 and cells[0].settings.rows_depend_on_seed:
        raise ValueError("cells that train on rows of their own cannot share a stack")
    require_savable(cells[0], runtime)
    store, track = Store(runtime.results_dir), tracker(runtime)
    with contextlib.ExitStack() as held:
        for cell in cells:
            held.enter_context(locked(store.path(cell)))
        waiting = [cell for cell in cells if runtime.force or not is_finished(cell, store, runtime)]
        if waiting:
            for record in _run_locked(waiting, runtime, store, on_epoch):
                track(record)
        for cell in cells:
            keep_only_results(store.path(cell))
        return [store.load(cell) for cell in cells]


def _run_locked(cells: Sequence[Cell], runtime: RuntimeSettings, store: Store, on_epoch: OnEpoch) -> list[Record]:
    started, about = _now(), environment("cpu", runtime.threads, runtime.determinism)
    try:
        if cells[0].settings.method.kind == "network":
            # torch takes seconds to import, and no other kind needs it.
            from hmc.training.device import prepared_device

            about["device"] = str(prepared_device(runtime))
        records = _records(cells, runtime, store, on_epoch, started, about)
    except Exception as error:
        # On a full disk it is this error that counts, not that it cannot be recorded.
        with contextlib.suppress(OSError):
            for cell in cells:
                store.save(Record.failed(cell, error, times={"started": started, "finished": _now()}, environment=about))
        raise
    for record in records:
        store.save(record)
    return records


def _records(
    cells: Sequence[Cell], runtime: RuntimeSettings, store: Store, on_epoch: OnEpoch, started: str, about: dict[str, Any]
) -> list[Record]:
    first, clock = cells[0], time.perf_counter()
    settings = first.settings
    dataset = load(settings.dataset, settings.protocol, runtime, seed=first.seed, holdout=settings.training.holdout)
    if data_sha256(settings.dataset, runtime, settings.encoder) != first.data_sha256:
        raise DataError(f"{dataset.name}: its files changed since the run was planned; the same command plans it anew")
    data_seconds = time.perf_counter() - clock
    records = []
    for cell, made in zip(cells, _made(cells, dataset, runtime, store, on_epoch), strict=True):
        times = {**made.times, "started": started, "finished": _now(), "data_seconds": round(data_seconds + made.data_seconds, 3)}
        records.append(recorded(cell, made, dataset, runtime, store, times=times, about=about))
    return records


def _made(cells: Sequence[Cell], dataset: Dataset, runtime: RuntimeSettings, store: Store, on_epoch: OnEpoch) -> list[Made]:
    """The scores of each cell, whatever kind of method makes them."""
    (kind,) = {cell.settings.method.kind for cell in cells}
    if kind == "network":
        from hmc.experiments.networks import trained_scores
        from hmc.training.device import prepared_device

        return trained_scores(cells, dataset, runtime, store, prepared_device(runtime), on_epoch)
    from hmc.experiments.estimated import scores_of_estimator, scores_of_mixture

    if kind == "mixture":
        return [scores_of_mixture(cell, dataset, store) for cell in cells]
    return [scores_of_estimator(cell, dataset, runtime) for cell in cells]


def recorded(
    cell: Cell,
    made: Made,
    dataset: Dataset,
    runtime: RuntimeSettings,
    store: Store,
    *,
    times: dict[str, Any],
    about: dict[str, Any],
    origin: str = "",
) -> Record:
    """Keep a cell's scores and evaluate them: its record, not yet saved.

    origin: what scores from outside are to be marked with.
    """
    scores = Scores(cell.identity, made.test, made.held_out)
    if runtime.keep_scores:
        save_scores(store.scores_path(cell), scores)
    tuning = tuning_scores(cell, made.held_out, dataset, store, runtime)
    found = evaluate(cell, made.test, dataset, tuning, runtime.rules)
    if runtime.save_model:
        save_model(store.model_path(cell), _model(cell, made, dataset, found.thresholds, about))
    return Record.complete(
        cell,
        data={**_data(dataset), **({"origin": origin} if origin else {})},
        metrics=found.metrics,
        rules=found.rules,
        nodes=found.nodes,
        lacking=found.lacking,
        validation=found.validation,
        evaluation={
            "version": EVALUATION_VERSION,
            "tuning": found.tuning,
            "sibling": found.sibling,
            "scores": digest_of(scores) if runtime.keep_scores else "",
        },
        learning_curve=made.learning_curve,
        times={**times, "evaluate_seconds": round(found.seconds, 3)},
        environment=about,
    )


def _model(cell: Cell, made: Made, dataset: Dataset, thresholds: Mapping[str, np.ndarray], about: Mapping[str, Any]) -> Model:
    assert dataset.preparation is not None, "only networks of tables are saved"
    return Model(
        hierarchy=dataset.hierarchy,
        feature_names=dataset.feature_names,
        preparation=dataset.preparation,
        layers=tuple(made.layers),
        thresholds=thresholds,
        about={"cell": str(cell), "identity": cell.identity, "settings": to_mapping(cell.settings), "environment": dict(about)},
    )


def _data(dataset: Dataset) -> dict[str, Any]:
    return {
        "reconstructed": dataset.reconstructed,
        "rows_train": len(dataset.train.features),
        "rows_valid": len(dataset.valid.features),
        "rows_test": len(dataset.test.features),
        "features": math.prod(dataset.test.features.shape[1:]),
        "nodes": len(dataset.hierarchy),
        "evaluated_nodes": int(dataset.hierarchy.evaluated.sum()),
        **({"hierarchy": dataset.about} if dataset.about else {}),
    }


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
