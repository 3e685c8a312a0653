"""Milliseconds of a step and seed, by how many seeds are trained together: what ``executor.stack=0`` goes by on a CPU."""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from hmc import configs
from hmc.benchmark.steps import ROUNDS, dataset_for, footnoted, our_step, parameters_of
from hmc.settings import RuntimeSettings
from hmc.training.device import limit_threads


@dataclass(frozen=True)
class Stacking:
    """One dataset. parameters: of one network. milliseconds: of a step and seed, by stack, medians over rounds in turns."""

    dataset: str
    parameters: int
    milliseconds: Mapping[int, float]
    generated: bool

    @property
    def best(self) -> int:
        """The stack whose seeds take least."""
        return min(self.milliseconds, key=lambda stack: self.milliseconds[stack])


def measure(dataset: str, stacks: Sequence[int], runtime: RuntimeSettings, seconds: float) -> Stacking:
    """One dataset's network, in about ``seconds`` plus set-up."""
    settings = configs.run_settings(dataset, "chmcnn", 0)
    data, generated = dataset_for(settings, runtime)
    limit_threads(runtime.threads)
    runs = {stack: our_step(settings, data, stack) for stack in stacks}
    counts = {}
    for stack, run in runs.items():
        run(2)
        counts[stack] = max(3, int(seconds / len(stacks) / ROUNDS / run(3)))
    times = [{stack: run(counts[stack]) for stack, run in runs.items()} for _ in range(ROUNDS)]
    milliseconds = {stack: 1000 * statistics.median(turn[stack] for turn in times) / stack for stack in stacks}
    return Stacking(dataset, parameters_of(settings, data), milliseconds, generated)


def table(found: Sequence[Stacking]) -> str:
    """Fixed-width text, one line a dataset."""
    rows = [
        {
            "dataset": one.dataset + ("*" if one.generated else ""),
            "parameters": one.parameters,
            **{f"stack {stack}": value for stack, value in one.milliseconds.items()},
            "best": one.best,
        }
        for one in found
    ]
    text = "Milliseconds of a step and seed\n" + pd.DataFrame(rows).to_string(index=False, float_format="{:.3f}".format)
    return footnoted(text, any(one.generated for one in found))


def as_documents(found: Sequence[Stacking]) -> list[dict[str, Any]]:
    """For JSON."""
    return [dataclasses.asdict(one) | {"best": one.best} for one in found]
