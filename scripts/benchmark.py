"""Step times as ratios within one run. ``python scripts/benchmark.py --help`` teaches."""

import json
from pathlib import Path
from typing import Any

from hmc import console
from hmc.results.provenance import environment
from hmc.results.store import write_atomically


def main(config: dict[str, Any]) -> int:
    from hmc.experiments import benchmark

    runtime = console.runtime_settings(config)
    cases = [(dataset, members) for dataset in config["datasets"] for members in config["members"]]
    measured = []
    for dataset, members in cases:
        measured.append(benchmark.measure(dataset, members, runtime, config["seconds"]))
        print(f"measured {dataset}, {members} members", flush=True)
    print(benchmark.table(measured))
    largest = config["datasets"][-1]
    memory = benchmark.peak_memory(largest, 1, runtime)
    print(f"peak memory of a fresh process training {largest} with one member: {memory:.2f} GB")
    document = {
        "environment": environment("cpu", runtime.threads),
        "steps": benchmark.as_documents(measured),
        "peak_memory_gb": {largest: round(memory, 3)},
    }
    write_atomically(Path(config["output"]), json.dumps(document, indent=1) + "\n")
    print(f"wrote {config['output']}")
    return 0


if __name__ == "__main__":
    console.open_door("benchmark", main)
