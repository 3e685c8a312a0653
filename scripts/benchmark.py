"""What a training step takes: beside other programs, by part, as things grow, on a GPU. ``--help`` teaches."""

import hmc.interrupts  # noqa: F401 - first, for Ctrl-C during the imports below

# isort: split
from typing import Any

from hmc import console
from hmc.benchmark.run import BenchmarkSettings, measured


def main(config: dict[str, Any]) -> int:
    print(measured(console.door_settings(BenchmarkSettings, config), console.runtime_settings(config)))
    return 0


if __name__ == "__main__":
    console.open_door("benchmark", main)
