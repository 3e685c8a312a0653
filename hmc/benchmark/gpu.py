"""One pass over what a GPU must show, in minutes: the same numbers as a CPU first, then speed.

Parity: the constraint's winners, an optimiser's step, and the record of a short training, on the device and on the CPU. Speed:
steps a second of stacks of seeds, and the share of the device's memory bandwidth that 28 bytes a parameter a step make, measured
beside a copy of as many bytes.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from hmc import configs
from hmc.benchmark.steps import BYTES_PER_PARAMETER, dataset_for, parameters_of, sizes_of
from hmc.data.dataset import Dataset
from hmc.models import mlp
from hmc.models.constraint import Constraint
from hmc.settings import RunSettings, RuntimeSettings, SettingsError
from hmc.training.adam import Adam
from hmc.training.stack import scores, train_stack

TOLERANCE = 1e-4
"""Largest difference between device and CPU that counts as the same, of scores after an epoch (ours)."""


@dataclass(frozen=True)
class Parity:
    """what: what was computed on both. difference: the largest; same: whether it is within the tolerance."""

    what: str
    difference: float
    same: bool


@dataclass(frozen=True)
class Speed:
    """A stack of seeds on one dataset. generated: whether the dataset's files were not at hand and one of its size was made."""

    dataset: str
    stack: int
    steps_per_second: float
    share_of_copy: float
    generated: bool


@dataclass(frozen=True)
class GpuReport:
    """device: its name. gigabytes_per_second: of a copy, reading and writing counted."""

    device: str
    gigabytes_per_second: float
    parity: tuple[Parity, ...]
    speed: tuple[Speed, ...]


def the_gpu() -> torch.device:
    """Raises SettingsError where torch can use none."""
    if not torch.cuda.is_available():
        raise SettingsError("action=gpu needs a GPU that torch can use, and there is none here; run it where there is one")
    return torch.device("cuda")


def measure(
    device: torch.device, datasets: Sequence[str], stacks: Sequence[int], runtime: RuntimeSettings, seconds: float
) -> GpuReport:
    """Parity on the first dataset, then speed for each dataset and stack, about ``seconds`` each."""
    first = configs.run_settings(datasets[0], "ensemble", 0, overrides=["training.epochs=1"])
    data, _ = dataset_for(first, runtime)
    parity = (_constraint(data, device), _step(first, data, device), _record(first, data, device))
    rate = _copy_rate(device)
    speed = [_speed(device, name, stack, runtime, seconds, rate) for name in datasets for stack in stacks]
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else str(device)
    return GpuReport(name, rate / 1e9, parity, tuple(speed))


def table(found: GpuReport) -> str:
    """Fixed-width text: parity first, then a line a stack."""
    lines = [f"{found.device}, copying at {found.gigabytes_per_second:.0f} GB/s"]
    lines += [f"  {'same' if one.same else 'DIFFERS':<8} {one.what}: {one.difference:.2g}" for one in found.parity]
    lines.append(f"  {'dataset':<16} {'stack':>6} {'steps/s':>9} {'of copy':>8}")
    for one in found.speed:
        name = one.dataset + ("*" if one.generated else "")
        lines.append(f"  {name:<16} {one.stack:>6} {one.steps_per_second:>9.1f} {one.share_of_copy:>8.0%}")
    if any(one.generated for one in found.speed):
        lines.append("  * files not at hand: a generated dataset of the same size")
    return "\n".join(lines)


def as_document(found: GpuReport) -> dict[str, Any]:
    """For JSON."""
    return dataclasses.asdict(found)


def _parity(what: str, ours: torch.Tensor, theirs: torch.Tensor, tolerance: float) -> Parity:
    difference = float((ours.cpu() - theirs.cpu()).abs().max())
    return Parity(what, difference, difference <= tolerance)


def _constraint(data: Dataset, device: torch.device) -> Parity:
    values = torch.rand(64, len(data.hierarchy), generator=torch.Generator().manual_seed(0))
    on_cpu = Constraint(data.hierarchy).max_over_descendants(values)
    on_device = Constraint(data.hierarchy, device).max_over_descendants(values.to(device))
    return _parity("maximum over descendants", on_device, on_cpu, 0.0)


def _step(settings: RunSettings, data: Dataset, device: torch.device) -> Parity:
    """The parameters after one update, relative to the learning rate."""
    updated = []
    for place in (torch.device("cpu"), device):
        generator = torch.Generator().manual_seed(0)
        networks = mlp.initialise(sizes_of(settings, data), 2, generator).to(place)
        inputs = torch.rand(2, 4, networks.layers[0].shape[1] - 1, generator=generator).to(place)
        activations = mlp.forward(networks, inputs, ())
        gradient = torch.rand(activations.logits.shape, generator=generator).to(place)
        Adam(networks, dataclasses.replace(settings.training, dropout=0.0)).step(activations, gradient)
        updated.append(torch.cat([layer.flatten().cpu() for layer in networks.layers]))
    return _parity("parameters after a step of Adam", updated[1], updated[0], TOLERANCE)


def _record(settings: RunSettings, data: Dataset, device: torch.device) -> Parity:
    """Scores of the test rows after one epoch without dropout, whose masks are drawn where they are used."""
    training = dataclasses.replace(settings.training, dropout=0.0)
    found = []
    for place in (torch.device("cpu"), device):
        constraint = Constraint(data.hierarchy, place)
        trained = train_stack(data, settings.method, training, settings.protocol, [0], constraint)
        found.append(torch.from_numpy(scores(trained, data.test.features, constraint, 1)))
    return _parity(f"scores of {data.name} after one epoch", found[1], found[0], TOLERANCE)


def _speed(device: torch.device, name: str, stack: int, runtime: RuntimeSettings, seconds: float, rate: float) -> Speed:
    settings = configs.run_settings(name, "chmcnn", 0, overrides=["training.epochs=1"])
    data, generated = dataset_for(settings, runtime)
    constraint = Constraint(data.hierarchy, device)
    spent, steps = 0.0, 0
    while spent < seconds:
        trained = train_stack(data, settings.method, settings.training, settings.protocol, range(stack), constraint)
        # The first epoch warms up.
        spent, steps = (spent + trained.seconds, steps + trained.steps) if steps or spent else (1e-9, 0)
    moved = stack * parameters_of(settings, data) * BYTES_PER_PARAMETER
    return Speed(name, stack, steps / spent, moved * steps / spent / rate, generated)


def _copy_rate(device: torch.device) -> float:
    """Bytes a second of a copy, half of them read and half written."""
    source = torch.zeros(2**26, device=device)
    target = torch.zeros_like(source)
    times = []
    for _ in range(8):
        _wait(device)
        began = time.perf_counter()
        target.copy_(source)
        _wait(device)
        times.append(time.perf_counter() - began)
    return 2 * source.nbytes / float(np.median(times[2:]))


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
