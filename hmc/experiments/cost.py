"""How long cells will take, and how much disk and memory they need: from what was measured, or else from their sizes."""

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
PER_SPLIT = 1.6e-6
"""Milliseconds of a forest per tree, row, level, candidate feature and node (ours, measured on eisen_fun)."""
PER_ENTRY = 6e-6
"""Milliseconds of any other estimator per row, feature and node (ours, measured on enron with logistic regression)."""
RECORD_BYTES, RECORD_BYTES_PER_NODE = 4000, 12
SCORE_BYTES = 3.7
"""Of a stored score: a compressed float32 (ours, measured on FunCat and GO)."""
STATE_BYTES_PER_PARAMETER = 12
"""Of a checkpoint: weights and two moments, float32."""
PARAMETERS_ON_CPU = 4_200_000
"""Of all networks that are trained together on a CPU when the number is left to the program: 50 MB of weights and moments, which
stay in cache (ours, measured on eight datasets)."""
LEAVES_PER_ROW, VALUE_BYTES = 1.6, 8
"""Of a tree of a forest: its nodes per training row and smallest leaf (ours, measured on eisen_fun); float64 a label."""


@dataclass(frozen=True)
class Size:
    """What a dataset's card says before a file is opened. rows: of training. scored: rows that are scored, held-out ones too."""

    rows: int
    scored: int
    features: int
    nodes: int


@dataclass(frozen=True)
class Cost:
    """Of cells to be run.

    seconds: per cell of one process' time, None where the dataset's size is not known. measured: cells whose time comes from
    records. memory_bytes: of the largest fitted estimator, 0 without any.
    """

    seconds: Mapping[str, float | None]
    measured: int
    record_bytes: int
    score_bytes: int
    checkpoint_bytes: int
    memory_bytes: int

    def hours(self, cells: Iterable[Cell]) -> float:
        """Of the cells whose time is known."""
        return sum(self.seconds[cell.identity] or 0 for cell in cells) / 3600


def size(dataset: DatasetSettings, holdout: str = "none") -> Size | None:
    """None for a user's own files, whose card says nothing. holdout: as ``training.holdout``."""
    if dataset.kind == "synthetic":
        made = dataset.synthetic
        train, valid, test, features, nodes = made.rows_train, made.rows_valid, made.rows_test, made.features, made.nodes
    else:
        told = dataset.expected
        if not {"train", "features", "nodes"} <= told.keys():
            return None
        train, valid, test = told["train"], told.get("valid", 0), told.get("test", 0)
        features, nodes = told["features"], told["nodes"]
    held_out = 0.0
    if holdout == "valid":
        held_out = valid or train * HELD_OUT_SHARE
    rows = max(1, round(dataset.fraction * (train + valid - held_out)))
    return Size(rows, round(test + held_out), features, nodes)


def parameters(cell: Cell) -> int | None:
    """Of all networks of a cell; 0 for a method without networks."""
    known, settings = size(cell.settings.dataset), cell.settings
    if known is None:
        return None
    training = settings.training
    if settings.method.kind != "network":
        return 0
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


def memory(cell: Cell) -> int | None:
    """Bytes that a fitted forest takes; 0 for any other method, None where the dataset's size is not known."""
    if not _is_forest(cell.settings.method):
        return 0
    known = size(cell.settings.dataset, cell.settings.training.holdout)
    if known is None:
        return None
    estimator = cell.settings.method.estimator
    trees, leaf = (
        int(estimator.parameters.get(name, default)) for name, default in (("n_estimators", 100), ("min_samples_leaf", 1))
    )
    labels = min(known.nodes, estimator.block or known.nodes)
    return round(trees * LEAVES_PER_ROW * known.rows / max(1, leaf) * labels * VALUE_BYTES)


def work(cells: Sequence[Cell]) -> dict[str, float]:
    """Each cell's share of the work, by identity, in milliseconds of a machine like ours; all 1 where one is not known."""
    found = {cell.identity: modelled(cell) for cell in cells}
    known = {identity: value for identity, value in found.items() if value}
    return known if len(known) == len(found) else dict.fromkeys(found, 1.0)


def cost(cells: Sequence[Cell], rows: Sequence[Row], *, stack: int, workers: int) -> Cost:
    """Of cells to be run. rows: what is in the store and in runs.csv. stack: seeds trained together, 0 as the program chooses.

    A network takes as long a step as measured ones of its dataset, method and sizes did; where there are none, as those of other
    methods with the same networks; where there are none either, what its network's size says, corrected by how far that was
    off, in the median, for all networks that were measured. Any other method takes as long as it did on its dataset, or what its
    data's size says.
    """
    measured = _Measured(row for row in rows if row.get("status") == "complete")
    known = {cell.identity: measured.milliseconds(cell) for cell in cells}
    seconds: dict[str, float | None] = {}
    for cell in cells:
        whole = known[cell.identity]
        if whole is None:
            by_size = modelled(cell)
            correction = measured.correction if cell.settings.method.kind == "network" else 1.0
            whole = None if by_size is None else by_size * correction
        seconds[cell.identity] = None if whole is None else whole / 1000 + measured.around(cell.dataset)
    largest = max((parameters(cell) or 0 for cell in cells), default=0)
    together = largest * stack if stack else max(largest, min(PARAMETERS_ON_CPU, largest * len(cells)))
    sizes = [found for cell in cells if (found := size(cell.settings.dataset, cell.settings.training.holdout))]
    return Cost(
        seconds=seconds,
        measured=sum(value is not None for value in known.values()),
        record_bytes=len(cells) * RECORD_BYTES + sum(one.nodes for one in sizes) * RECORD_BYTES_PER_NODE,
        score_bytes=round(sum(one.scored * one.nodes for one in sizes) * SCORE_BYTES),
        checkpoint_bytes=together * workers * STATE_BYTES_PER_PARAMETER,
        memory_bytes=max((memory(cell) or 0 for cell in cells), default=0),
    )


class _Measured:
    """What complete rows of runs.csv say of times."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._steps: dict[str, list[float]] = {}
        self._whole: dict[str, list[float]] = {}
        self._around: dict[str, list[float]] = {}
        modelled_steps: dict[str, float] = {}
        for row in rows:
            around = sum(float(row.get(f"times.{name}_seconds", 0)) for name in ("data", "evaluate"))
            self._around.setdefault(row["dataset"], []).append(around)
            if row.get("times.steps") == "0":
                seconds = float(row.get("times.train_seconds", 0))
                self._whole.setdefault(_key_without_steps(row["dataset"], row["method"]), []).append(1000 * seconds)
            elif "times.step_milliseconds" in row:
                key = _key_of_row(row)
                for name in (key, f"{row['method']}|{key}"):
                    self._steps.setdefault(name, []).append(float(row["times.step_milliseconds"]))
                if (step := _modelled_step_of_row(row)) is not None:
                    modelled_steps[key] = step
        ratios = [statistics.median(self._steps[key]) / value for key, value in modelled_steps.items()]
        self.correction = statistics.median(ratios) if ratios else 1.0

    def milliseconds(self, cell: Cell) -> float | None:
        """Of a cell's training or fitting; None where nothing like it was measured."""
        if cell.settings.method.kind != "network":
            found = self._whole.get(_key_without_steps(cell.dataset, cell.method))
            return statistics.median(found) if found else None
        key, count = _key(cell), steps(cell)
        found = self._steps.get(f"{cell.method}|{key}") or self._steps.get(key)
        return statistics.median(found) * count if found and count is not None else None

    def around(self, dataset: str) -> float:
        """Seconds of reading the data and evaluating."""
        return statistics.median(self._around.get(dataset, [0.0]))


def without_seed(cell: Cell) -> str:
    """The same for cells that differ in their seed only."""
    settings = {key: value for key, value in identifying(cell.settings).items() if key != "seed"}
    return canonical_hash({"settings": settings, "data": cell.data_sha256, "variant": cell.variant})


def free_bytes(folder: Path) -> int:
    """Of the disk that holds a folder, which need not exist yet."""
    existing = next(parent for parent in (folder.absolute(), *folder.absolute().parents) if parent.exists())
    return shutil.disk_usage(existing).free


def readable(count: float) -> str:
    """Bytes in the unit that reads best: "3.9 MB"."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if count >= 10 or unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def modelled(cell: Cell) -> float | None:
    """Milliseconds of a cell's training or fitting by its size; None where that is not known."""
    method, training = cell.settings.method, cell.settings.training
    known = size(cell.settings.dataset, training.holdout)
    if known is None:
        return None
    if method.kind == "network":
        count, weights = steps(cell), parameters(cell)
        return None if count is None or weights is None else count * _modelled_step(weights, method.passes)
    if _is_forest(method):
        given = method.estimator.parameters
        share = given.get("max_features", 1.0)
        candidates = known.features * share if isinstance(share, float) else known.features**0.5
        levels = math.log2(max(2, known.rows))
        return float(given.get("n_estimators", 100)) * known.rows * levels * candidates * known.nodes * PER_SPLIT
    # Reference predictors and mixtures only read and write scores.
    fits = method.kind == "estimator" and ":" in method.estimator.name
    return known.rows * known.features * known.nodes * PER_ENTRY if fits else 1.0


def _is_forest(method: MethodSettings) -> bool:
    return method.estimator.name.startswith("sklearn.ensemble:") and "Forest" in method.estimator.name.replace("Trees", "Forest")


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


def _key_without_steps(dataset: str, method: str) -> str:
    return f"{dataset}|{method}"


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
