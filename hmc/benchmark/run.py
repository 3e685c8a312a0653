"""The benchmarks by name, from settings to a JSON document."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from hmc.data import catalog
from hmc.files import write_atomically
from hmc.results.provenance import environment
from hmc.settings import RuntimeSettings, setting


@dataclass(frozen=True)
class BenchmarkSettings:
    """What to measure, and where to write it."""

    action: str = setting("steps", choices=("steps", "parts", "stacks", "scale", "gpu"))
    datasets: tuple[str, ...] = setting(("cellcycle_fun", "cellcycle_go"))
    members: tuple[int, ...] = setting((1, 2, 5), minimum=1, maximum=1000)
    stacks: tuple[int, ...] = setting((10,), minimum=1, maximum=1000)
    seconds: float = setting(2.0, above=0, maximum=3600)
    """Measured per case."""
    output: str = setting("results/benchmark")


def measured(asked: BenchmarkSettings, runtime: RuntimeSettings) -> str:
    """Run a benchmark, write ``<output>/<action>.json``, and return its table. Raises SettingsError for an unknown dataset."""
    for name in asked.datasets:
        catalog.card(name)
    text, document = _ACTIONS[asked.action](asked, runtime)
    path = Path(asked.output).expanduser() / f"{asked.action}.json"
    write_atomically(path, json.dumps({"environment": environment("cpu", runtime.threads), **document}, indent=1) + "\n")
    return f"{text}\nwrote {path}"


Measured = tuple[str, dict[str, Any]]


def _steps(asked: BenchmarkSettings, runtime: RuntimeSettings) -> Measured:
    from hmc.benchmark import steps

    cases = [(dataset, members) for dataset in asked.datasets for members in asked.members]
    found = [steps.measure(dataset, members, runtime, asked.seconds) for dataset, members in tqdm(cases, disable=None)]
    largest = asked.datasets[-1]
    memory = steps.peak_memory(largest, 1, runtime)
    text = f"{steps.table(found)}\npeak memory of a fresh process training {largest} with one member: {memory:.2f} GB"
    return text, {"steps": steps.as_documents(found), "peak_memory_gb": {largest: round(memory, 3)}}


def _parts(asked: BenchmarkSettings, runtime: RuntimeSettings) -> Measured:
    from hmc.benchmark import profile, steps

    alone = [(dataset, members, 1) for dataset in asked.datasets for members in asked.members]
    cases = alone + [(asked.datasets[0], 1, stack) for stack in asked.stacks]
    found = [
        steps.profile(dataset, members, stack, runtime, asked.seconds) for dataset, members, stack in tqdm(cases, disable=None)
    ]
    return profile.table(found), {"parts": profile.as_documents(found)}


def _stacks(asked: BenchmarkSettings, runtime: RuntimeSettings) -> Measured:
    from hmc.benchmark import stacking

    found = [stacking.measure(name, (1, *asked.stacks), runtime, asked.seconds) for name in tqdm(asked.datasets, disable=None)]
    return stacking.table(found), {"stacks": stacking.as_documents(found)}


def _scale(asked: BenchmarkSettings, runtime: RuntimeSettings) -> Measured:
    from hmc.benchmark import scaling
    from hmc.report.figures.drawing import made
    from hmc.report.figures.step_cost import cost_curves

    costs = [scaling.measure(case, runtime.threads) for case in tqdm(scaling.cases(), disable=None)]
    documents = scaling.as_documents(costs)
    made(cost_curves(documents), asked.output)
    return f"{scaling.table(costs)}\ndrew {asked.output}/scale.svg", {"scale": documents}


def _gpu(asked: BenchmarkSettings, runtime: RuntimeSettings) -> Measured:
    from hmc.benchmark import gpu

    found = gpu.measure(gpu.the_gpu(), asked.datasets, asked.stacks, runtime, asked.seconds)
    return gpu.table(found), {"gpu": gpu.as_document(found)}


_ACTIONS: Mapping[str, Callable[[BenchmarkSettings, RuntimeSettings], Measured]] = {
    "steps": _steps,
    "parts": _parts,
    "stacks": _stacks,
    "scale": _scale,
    "gpu": _gpu,
}
