"""How long cells will take and how much disk they need, from what was measured, or else from the networks' sizes."""

from __future__ import annotations

import itertools
import math
import shutil
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hmc.data.holdout import SHARE as HELD_OUT_SHARE
from hmc.results.runs_csv import Row
from hmc.settings import Cell, DatasetSettings, MethodSettings, canonical_hash, identifying

OVERHEAD = 0.45
"""Milliseconds of a step whatever its network (ours, measured on one core; corrected by what the store's records say)."""
PER_PARAMETER = 2.5e-6
"""Milliseconds of a step per parameter, likewise."""
PER_PASS = 0.25
"""What one more dropout pass adds to a step, as a share of it (ours: ten took 3.3 times one on enron, 3.1 on cellcycle_fun)."""
RECORD_BYTES, RECORD_BYTES_PER_NODE = 4000, 12
STATE_BYTES_PER_PARAMETER = 12
"""Of a checkpoint: weights and two moments, float32."""


@dataclass(frozen=True)
class Size:
    """What a dataset's card says before a file is opened. rows: of training."""

    rows: int
    features: int
    nodes: int


@dataclass(frozen=True)
class Estimate:
    """seconds: per cell of one process' time, None where the dataset's size is not known. measured: cells whose step was."""

    seconds: Mapping[str, float | None]
    measured: int
    record_bytes: int
    checkpoint_bytes: int

    def hours(self, cells: Iterable[Cell]) -> float:
        """Of the cells whose time is known."""
        return sum(self.seconds[cell.identity] or 0 for cell in cells) / 3600


def size(dataset: DatasetSettings, holdout: str = "none") -> Size | None:
    """None for a person's own files, whose card says nothing. holdout: as ``training.holdout``."""
    if dataset.kind == "synthetic":
        made = dataset.synthetic
        return Size(_rows(dataset, made.rows_train, made.rows_valid, holdout), made.features, made.nodes)
    told = dataset.expected
    if not {"train", "features", "nodes"} <= told.keys():
        return None
    return Size(_rows(dataset, told["train"], told.get("valid", 0), holdout), told["features"], told["nodes"])


def _rows(dataset: DatasetSettings, train: int, valid: int, holdout: str) -> int:
    """How many rows are trained on."""
    rows: float = train + valid
    if holdout == "valid":
        rows = train if valid else train * (1 - HELD_OUT_SHARE)
    return max(1, round(dataset.fraction * rows))


def parameters(cell: Cell) -> int | None:
    """Of all networks of a cell."""
    known, settings = size(cell.settings.dataset), cell.settings
    if known is None:
        return None
    training = settings.training
    return settings.method.networks * _of_network(known.features, training.hidden, training.layers, known.nodes)


def _of_network(features: int, hidden: int, layers: int, nodes: int) -> int:
    """Parameters of one network."""
    widths = [features, *[hidden] * (layers - 1), nodes]
    return sum((inputs + 1) * outputs for inputs, outputs in itertools.pairwise(widths))


def steps(cell: Cell) -> int | None:
    """Of a cell's training; rows that resampling adds are taken to be ``fraction`` of those there are."""
    training = cell.settings.training
    known = size(cell.settings.dataset, training.holdout)
    if known is None:
        return None
    resampling = cell.settings.method.resampling
    rows = known.rows * (1 + (resampling.fraction if resampling.name != "none" else 0))
    return training.epochs * math.ceil(rows / training.batch_size)


def work(cells: Sequence[Cell]) -> dict[str, float]:
    """Each cell's share of the work, by identity, in milliseconds of a machine like ours; all 1 where one is not known."""
    found = {cell.identity: _modelled(cell) for cell in cells}
    known = {identity: value for identity, value in found.items() if value}
    return known if len(known) == len(found) else dict.fromkeys(found, 1.0)


def estimate(cells: Sequence[Cell], rows: Sequence[Row], *, stack: int, workers: int) -> Estimate:
    """Of cells to be run. rows: what is in the store and in runs.csv.

    A cell takes as long a step as measured ones of its dataset, method and sizes did; where there are none, as those of other
    methods with the same networks; where there are none either, what its network's size says, corrected by how far that was
    off, in the median, for all networks that were measured.
    """
    complete = [row for row in rows if row.get("status") == "complete" and "times.step_milliseconds" in row]
    measured: dict[str, list[float]] = {}
    other_seconds: dict[str, list[float]] = {}
    modelled: dict[str, float] = {}
    for row in complete:
        key = _key_of_row(row)
        for name in (key, f"{row['method']}|{key}"):
            measured.setdefault(name, []).append(float(row["times.step_milliseconds"]))
        seconds = sum(float(row.get(f"times.{name}_seconds", 0)) for name in ("data", "evaluate"))
        other_seconds.setdefault(row["dataset"], []).append(seconds)
        if (step := _modelled_step_of_row(row)) is not None:
            modelled[key] = step
    ratios = [statistics.median(measured[key]) / value for key, value in modelled.items()]
    correction = statistics.median(ratios) if ratios else 1.0
    seconds_by_cell: dict[str, float | None] = {}
    known_steps = 0
    for cell in cells:
        key, count, whole = _key(cell), steps(cell), _modelled(cell)
        if count is None or whole is None:
            seconds_by_cell[cell.identity] = None
            continue
        found = measured.get(f"{cell.method}|{key}") or measured.get(key)
        known_steps += found is not None
        training = statistics.median(found) * count if found else whole * correction
        around = statistics.median(other_seconds.get(cell.dataset, [0.0]))
        seconds_by_cell[cell.identity] = training / 1000 + around
    largest = max((parameters(cell) or 0 for cell in cells), default=0)
    nodes = [known.nodes if (known := size(cell.settings.dataset)) else 0 for cell in cells]
    return Estimate(
        seconds_by_cell,
        known_steps,
        len(cells) * RECORD_BYTES + sum(nodes) * RECORD_BYTES_PER_NODE,
        largest * stack * workers * STATE_BYTES_PER_PARAMETER,
    )


def without_seed(cell: Cell) -> str:
    """The same for cells that differ in their seed only."""
    settings = {key: value for key, value in identifying(cell.settings).items() if key != "seed"}
    return canonical_hash({"settings": settings, "data": cell.data_sha256, "variant": cell.variant})


def free_bytes(folder: Path) -> int:
    """Of the disk that holds a folder, which need not exist yet."""
    existing = next(parent for parent in (folder.absolute(), *folder.absolute().parents) if parent.exists())
    return shutil.disk_usage(existing).free


def readable(count: float) -> str:
    """Bytes as a person reads them."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if count >= 10 or unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def _modelled(cell: Cell) -> float | None:
    """Milliseconds of a cell's training by its network's size."""
    count, weights = steps(cell), parameters(cell)
    return None if count is None or weights is None else count * _modelled_step(weights, cell.settings.method.passes)


def _modelled_step(weights: int, passes: int) -> float:
    """Milliseconds of a step of networks with so many parameters, each run so many times."""
    return (OVERHEAD + PER_PARAMETER * weights) * (1 + PER_PASS * (passes - 1))


def _key(cell: Cell) -> str:
    """The same for cells whose steps do the same work, but for what their methods differ in."""
    training, method, encoder = cell.settings.training, cell.settings.method, cell.settings.encoder
    # A frozen encoder has no part in a step; one that learns has most of it.
    learning = "" if encoder.frozen else encoder.name
    sizes = (training.hidden, training.layers, training.batch_size)
    return "|".join(map(str, (cell.dataset, method.ensemble, method.members, *sizes, learning)))


def _key_of_row(row: Row) -> str:
    names = ("method.ensemble", "method.members", "training.hidden", "training.layers", "training.batch_size")
    learning = row.get("settings.encoder.name", "") if row.get("settings.encoder.frozen") == "false" else ""
    return "|".join([row["dataset"], *(row.get(f"settings.{name}", "") for name in names), learning])


def _modelled_step_of_row(row: Row) -> float | None:
    """None where the row does not say how large its networks are, or where an encoder learns with them."""
    if row.get("settings.encoder.frozen") == "false":
        return None
    names = ("data.features", "settings.training.hidden", "settings.training.layers", "data.nodes")
    try:
        members, ensemble = int(row["settings.method.members"]), row["settings.method.ensemble"]
        features, hidden, layers, nodes = (int(row[name]) for name in names)
    except (KeyError, ValueError):
        return None
    method = MethodSettings(row["method"], members=members, ensemble=ensemble)
    return _modelled_step(method.networks * _of_network(features, hidden, layers, nodes), method.passes)
