"""Where the time of a training step goes: batches, forward pass, constraint, loss, the loss's gradient, backward pass and update.

Measured on the trainer as it is, by Python's profiler on Python functions alone: their shares, times the step's time without it.
"""

from __future__ import annotations

import cProfile
import dataclasses
import pstats
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import torch

from hmc.losses.objective import Objective
from hmc.models import mlp
from hmc.models.constraint import Constraint
from hmc.training import trainer
from hmc.training.adam import Adam
from hmc.training.random import cell_generators

PARTS = ("batches", "forward", "constraint", "loss", "gradient of the loss", "backward and update", "the rest")
ROUNDS = 5


@dataclass(frozen=True)
class Parts:
    """One case. milliseconds: of a step, by part, in the order of PARTS; copy: of copying 28 bytes a parameter."""

    name: str
    networks: int
    parameters: int
    milliseconds: Mapping[str, float]
    copy: float = 0.0

    @property
    def step(self) -> float:
        return sum(self.milliseconds.values())


def parts(run: Callable[[int], float], steps: int) -> dict[str, float]:
    """Milliseconds of a step by part.

    run: trains so many steps with :func:`hmc.training.trainer.train` and the objective of :mod:`hmc.losses.objective`, and
    returns the seconds of one.
    """
    run(2)
    whole = 1000 * statistics.median(run(steps) for _ in range(ROUNDS))
    profile = cProfile.Profile(builtins=False)
    profile.runcall(run, steps)
    seconds = _cumulative(profile)
    beforehand = (cell_generators, mlp.initialise, mlp.stack, Adam.__init__)
    total = seconds(trainer.train) - sum(seconds(function) for function in beforehand)
    objective, constraint = seconds(Objective.__call__), seconds(Constraint.matching_max)
    found = {
        "batches": seconds(trainer._epoch),
        "forward": seconds(mlp.forward),
        "constraint": constraint,
        "loss": objective - constraint,
        "gradient of the loss": seconds(torch.autograd.grad),
        "backward and update": seconds(Adam.step),
    }
    found["the rest"] = max(0.0, total - sum(found.values()))
    return {part: whole * found[part] / total for part in PARTS}


def table(measured: Sequence[Parts]) -> str:
    """Fixed-width text, one line a case: milliseconds a step, the copy's, and each part's share in percent."""
    rows = [
        {
            "case": one.name,
            "networks": one.networks,
            "step ms": f"{one.step:.2f}",
            **({"copy ms": f"{one.copy:.2f}"} if one.copy else {}),
            **{f"{part} %": f"{100 * one.milliseconds[part] / one.step:.0f}" for part in PARTS},
        }
        for one in measured
    ]
    return pd.DataFrame(rows).to_string(index=False)


def as_documents(measured: Sequence[Parts]) -> list[dict[str, Any]]:
    """For JSON."""
    return [dataclasses.asdict(one) | {"step": one.step} for one in measured]


def _cumulative(profile: cProfile.Profile) -> Callable[[Callable[..., Any]], float]:
    """The seconds that the profile saw in a function and in what it called; 0 if it was never called."""
    known = pstats.Stats(profile).stats  # type: ignore[attr-defined]

    def seconds(function: Callable[..., Any]) -> float:
        code = function.__code__
        entry = known.get((code.co_filename, code.co_firstlineno, code.co_name))
        return float(entry[3]) if entry else 0.0

    return seconds
