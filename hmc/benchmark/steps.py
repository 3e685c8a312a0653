"""Step times as ratios within one run: ours, the same network without a hierarchy in plain torch, and the memory's floor.

An Adam step must read and write the parameters and both moments (24 bytes a parameter) and read the weights once more for the
forward pass (4): 28 bytes. The floor is what this machine needs to copy as many bytes, half of them read and half written.
Ours, plain and floor are measured in turns, so that a noisy neighbour falls on all three.
"""

from __future__ import annotations

import dataclasses
import itertools
import multiprocessing
import re
import resource
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from hmc import configs
from hmc.benchmark.profile import Parts, parts
from hmc.data import catalog
from hmc.data.dataset import SPLITS, Dataset, Split
from hmc.data.load import load
from hmc.data.synthetic import generate
from hmc.hierarchy import Hierarchy
from hmc.models.constraint import Constraint
from hmc.models.mlp import layer_sizes
from hmc.settings import RunSettings, RuntimeSettings, SyntheticSettings
from hmc.training.device import limit_threads
from hmc.training.stack import build_objective
from hmc.training.trainer import train

BYTES_PER_PARAMETER = 28
ROUNDS = 7
"""Ours, plain and floor each run so many times in turns; the median counts."""


@dataclass(frozen=True)
class Measurement:
    """One case. Milliseconds a step, medians over rounds; parameters of all members together."""

    dataset: str
    members: int
    parameters: int
    ours: float
    plain: float
    floor: float
    generated: bool

    @property
    def over_plain(self) -> float:
        return self.ours / self.plain

    @property
    def over_floor(self) -> float:
        return self.ours / self.floor


def measure(dataset: str, members: int, runtime: RuntimeSettings, seconds: float) -> Measurement:
    """One case, in about ``seconds`` plus set-up."""
    settings = configs.run_settings(dataset, "chmcnn", 0, overrides=[f"method.members={members}"])
    data, generated = dataset_for(settings, runtime)
    limit_threads(runtime.threads)
    sizes = sizes_of(settings, data)
    parameters = members * _parameters(sizes)
    steps = [our_step(settings, data), _plain(sizes, members, settings), _copy(parameters)]
    counts = []
    for step in steps:
        step(2)
        counts.append(max(3, int(seconds / 3 / ROUNDS / step(3))))
    times = [[step(count) for step, count in zip(steps, counts, strict=True)] for _ in range(ROUNDS)]
    ours, plain, floor = (1000 * statistics.median(column) for column in zip(*times, strict=True))
    return Measurement(dataset, members, parameters, ours, plain, floor, generated)


def table(measurements: Sequence[Measurement]) -> str:
    """Fixed-width text, one line a case: milliseconds a step, and ours as a multiple of plain and of floor."""
    rows = [
        {
            "dataset": one.dataset + ("*" if one.generated else ""),
            "members": one.members,
            "parameters": one.parameters,
            "ours ms": one.ours,
            "plain ms": one.plain,
            "floor ms": one.floor,
            "ours/plain": one.over_plain,
            "ours/floor": one.over_floor,
        }
        for one in measurements
    ]
    text = pd.DataFrame(rows).to_string(index=False, float_format="{:.2f}".format)
    return footnoted(text, any(one.generated for one in measurements))


def footnoted(text: str, starred: bool) -> str:
    """A table with the note on its starred datasets, where there are any."""
    return f"{text}\n* files not at hand: a generated dataset of the same size" if starred else text


def as_documents(measurements: Sequence[Measurement]) -> list[dict[str, Any]]:
    """For JSON, ratios included."""
    return [
        {**dataclasses.asdict(one), "over_plain": round(one.over_plain, 3), "over_floor": round(one.over_floor, 3)}
        for one in measurements
    ]


def profile(dataset: str, members: int, stack: int, runtime: RuntimeSettings, seconds: float) -> Parts:
    """Where a step's time goes, and what copying 28 bytes a parameter takes in the same run.

    stack: so many seeds are trained together.
    """
    settings = configs.run_settings(dataset, "chmcnn", 0, overrides=[f"method.members={members}"])
    data, generated = dataset_for(settings, runtime)
    limit_threads(runtime.threads)
    run, networks = our_step(settings, data, stack), members * stack
    parameters = networks * _parameters(sizes_of(settings, data))
    copy = _copy(parameters)
    copy(2)
    milliseconds = parts(run, max(3, int(seconds / ROUNDS / run(3))))
    name = dataset + ("*" if generated else "")
    return Parts(name, networks, parameters, milliseconds, 1000 * statistics.median(copy(5) for _ in range(ROUNDS)))


def peak_memory(dataset: str, members: int, runtime: RuntimeSettings) -> float:
    """Peak resident memory, in GB, of a fresh process that loads the dataset and trains a few steps."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return float(pool.apply(_train_briefly, (dataset, members, runtime)))


def _train_briefly(dataset: str, members: int, runtime: RuntimeSettings) -> float:
    settings = configs.run_settings(dataset, "chmcnn", 0, overrides=[f"method.members={members}"])
    data, _ = dataset_for(settings, runtime)
    limit_threads(runtime.threads)
    our_step(settings, data)(20)
    return peak_of_this_process()


def peak_of_this_process() -> float:
    """The most resident memory that this process ever had, in GB."""
    status = Path("/proc/self/status")
    if status.exists():
        # Linux's getrusage hands a child its parent's peak; this one begins with the process.
        return int(re.findall(r"VmHWM:\s+(\d+) kB", status.read_text())[0]) / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e9 if sys.platform == "darwin" else 1e6)


def sizes_of(settings: RunSettings, data: Dataset) -> list[int]:
    """The network's widths from input to output."""
    training = settings.training
    return layer_sizes(data.training.features.shape[1], training.hidden, training.layers, data.training.labels.shape[1])


def parameters_of(settings: RunSettings, data: Dataset) -> int:
    """Of one network, biases included."""
    return _parameters(sizes_of(settings, data))


def _parameters(sizes: Sequence[int]) -> int:
    return sum((inputs + 1) * outputs for inputs, outputs in itertools.pairwise(sizes))


Timed = Callable[[int], float]
"""Runs so many steps and returns the seconds of one."""


def our_step(settings: RunSettings, data: Dataset, stack: int = 1) -> Timed:
    """A training step of this program. stack: so many seeds at once."""
    constraint = Constraint(data.hierarchy)
    rows = data.training
    objective = build_objective(data, rows, settings.method, settings.protocol, constraint)
    features, labels = torch.from_numpy(rows.features), torch.from_numpy(rows.labels)

    def run(steps: int) -> float:
        # One epoch over as many rows as the steps need, since the steps may not be whole epochs.
        size = settings.training.batch_size
        wanted = np.arange(steps * size) % len(features)
        training = dataclasses.replace(settings.training, epochs=1)
        return train(features[wanted], labels[wanted], objective, settings.method, training, range(stack)).seconds / steps

    return run


def _plain(sizes: Sequence[int], members: int, settings: RunSettings) -> Timed:
    """The same networks as torch modules with torch's fused Adam and a plain binary cross-entropy: no hierarchy anywhere."""
    training = settings.training

    def network() -> torch.nn.Sequential:
        modules: list[torch.nn.Module] = []
        for inputs, outputs in itertools.pairwise(sizes):
            modules += [torch.nn.Linear(inputs, outputs), torch.nn.ReLU(), torch.nn.Dropout(training.dropout)]
        return torch.nn.Sequential(*modules[:-2])

    networks = torch.nn.ModuleList(network() for _ in range(members))
    optimiser = torch.optim.Adam(networks.parameters(), lr=training.learning_rate, weight_decay=training.weight_decay, fused=True)
    features = torch.randn(training.batch_size, sizes[0])
    labels = (torch.rand(training.batch_size, sizes[-1]) < 0.02).float()

    def run(steps: int) -> float:
        began = time.perf_counter()
        for _ in range(steps):
            optimiser.zero_grad()
            loss = torch.stack([torch.nn.functional.binary_cross_entropy_with_logits(one(features), labels) for one in networks])
            loss.sum().backward()
            optimiser.step()
        return (time.perf_counter() - began) / steps

    return run


def _copy(parameters: int) -> Timed:
    source = torch.zeros(parameters * BYTES_PER_PARAMETER // 2 // 4)
    target = torch.zeros_like(source)

    def run(steps: int) -> float:
        began = time.perf_counter()
        for _ in range(steps):
            target.copy_(source)
        return (time.perf_counter() - began) / steps

    return run


def dataset_for(settings: RunSettings, runtime: RuntimeSettings) -> tuple[Dataset, bool]:
    """The dataset, or a generated one of its size where its files are not at hand, and whether it was generated."""
    card = settings.dataset
    if card.kind == "synthetic" or not catalog.missing(card, runtime):
        return load(card, settings.protocol, runtime), False
    size = card.expected
    shape = SyntheticSettings(
        shape="dag" if card.labels == "edges" else "tree",
        nodes=size["nodes"],
        depth=12 if card.labels == "edges" else 6,
        features=size["features"],
        rows_train=size["train"],
        rows_valid=size["valid"],
        rows_test=size["test"],
    )
    encoded = generate(shape)
    hierarchy = Hierarchy(encoded.names, encoded.parents, np.array([name != "root" for name in encoded.names]))
    splits = {name: Split(encoded.features[name].astype(np.float32), encoded.labels[name]) for name in SPLITS}
    return Dataset(
        name=card.name,
        train=splits["train"],
        valid=splits["valid"],
        test=splits["test"],
        hierarchy=hierarchy,
        feature_names=encoded.feature_names,
        sha256="generated",
        reconstructed="generated",
    ), True
