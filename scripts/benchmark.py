"""What a training step takes: beside other programs, by part, and as things grow. ``--help`` teaches."""

import hmc.interrupts  # noqa: F401 - first, for Ctrl-C during the imports below

# isort: split
import dataclasses
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from hmc import console
from hmc.data import catalog
from hmc.files import write_atomically
from hmc.report.figures.drawing import made
from hmc.report.figures.step_cost import cost_curves
from hmc.results.provenance import environment
from hmc.settings import RuntimeSettings, setting


def steps(config: dict[str, Any], runtime: RuntimeSettings) -> dict[str, Any]:
    from hmc.benchmark import steps

    cases = [(dataset, members) for dataset in config["datasets"] for members in config["members"]]
    measured = [steps.measure(dataset, members, runtime, config["seconds"]) for dataset, members in tqdm(cases, disable=None)]
    print(steps.table(measured))
    largest = config["datasets"][-1]
    memory = steps.peak_memory(largest, 1, runtime)
    print(f"peak memory of a fresh process training {largest} with one member: {memory:.2f} GB")
    return {"steps": steps.as_documents(measured), "peak_memory_gb": {largest: round(memory, 3)}}


def parts(config: dict[str, Any], runtime: RuntimeSettings) -> dict[str, Any]:
    from hmc.benchmark import profile as parts_
    from hmc.benchmark import steps

    alone = [(dataset, members, 1) for dataset in config["datasets"] for members in config["members"]]
    cases = alone + [(config["datasets"][0], 1, stack) for stack in config["stacks"]]
    measured = [
        steps.profile(dataset, members, stack, runtime, config["seconds"])
        for dataset, members, stack in tqdm(cases, disable=None)
    ]
    print(parts_.table(measured))
    return {"parts": parts_.as_documents(measured)}


def scale(config: dict[str, Any], runtime: RuntimeSettings) -> dict[str, Any]:
    from hmc.benchmark import scaling as scale_

    costs = [scale_.measure(case, runtime.threads) for case in tqdm(scale_.cases(), disable=None)]
    print(scale_.table(costs))
    documents = scale_.as_documents(costs)
    made(cost_curves(documents), config["output"])
    print(f"drew {config['output']}/scale.png")
    return {"scale": documents}


ACTIONS: dict[str, Callable[[dict[str, Any], RuntimeSettings], dict[str, Any]]] = {
    "steps": steps,
    "parts": parts,
    "scale": scale,
}


@dataclass(frozen=True)
class BenchmarkSettings:
    action: str = setting(choices=tuple(ACTIONS))
    datasets: tuple[str, ...] = setting()
    members: tuple[int, ...] = setting(minimum=1, maximum=1000)
    stacks: tuple[int, ...] = setting(minimum=1, maximum=1000)
    seconds: float = setting(above=0, maximum=3600)
    output: str = setting()


def main(config: dict[str, Any]) -> int:
    asked, runtime = console.door_settings(BenchmarkSettings, config), console.runtime_settings(config)
    for name in asked.datasets:
        catalog.card(name)
    document = {"environment": environment("cpu", runtime.threads), **ACTIONS[asked.action](dataclasses.asdict(asked), runtime)}
    path = Path(asked.output) / f"{asked.action}.json"
    write_atomically(path, json.dumps(document, indent=1) + "\n")
    print(f"wrote {path}")
    return 0


if __name__ == "__main__":
    console.open_door("benchmark", main)
