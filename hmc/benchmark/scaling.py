"""What a training step costs as hierarchies, ensembles and stacks grow: time by part, and memory beside the closure's size.

Hierarchies are generated: a tree or a DAG with so many nodes on so many levels. Each case runs in a fresh process, whose peak
memory is compared with what it held before the hierarchy was made.
"""

from __future__ import annotations

import dataclasses
import math
import multiprocessing
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch

from hmc.benchmark.profile import PARTS, parts
from hmc.benchmark.steps import peak_of_this_process
from hmc.hierarchy import ROOT, Hierarchy, adjacency
from hmc.losses.objective import Objective, ObjectiveContext
from hmc.models.constraint import Constraint
from hmc.settings import MethodSettings, ProtocolSettings, TrainingSettings
from hmc.training.device import limit_threads
from hmc.training.trainer import train

ROWS = 64
FEATURES = 32


@dataclass(frozen=True)
class Case:
    """What is trained: a hierarchy's shape and size, and a network's."""

    varied: str
    shape: str = "tree"
    nodes: int = 1000
    depth: int = 6
    members: int = 1
    stack: int = 1
    hidden: int = 32


@dataclass(frozen=True)
class Cost:
    """pairs: of the closure. milliseconds: of a step, by part. megabytes: the peak above what the process held before."""

    case: Case
    pairs: int
    milliseconds: dict[str, float]
    megabytes: float

    @property
    def step(self) -> float:
        return sum(self.milliseconds.values())


def cases() -> list[Case]:
    """Nodes up to 100,000 in trees and DAGs, depth, members of a network as for GO, and stacks of networks as for FunCat."""
    sizes = (100, 1000, 10_000, 30_000, 100_000)
    return [
        *(Case("nodes", "tree", nodes) for nodes in sizes),
        *(Case("nodes", "dag", nodes, depth=12) for nodes in sizes),
        *(Case("depth", "tree", 10_000, depth) for depth in (2, 5, 10, 20, 40)),
        *(Case("members", "dag", 4000, 12, members=members, hidden=500) for members in (1, 2, 5, 10, 20)),
        *(Case("stack", "tree", 500, stack=stack, hidden=500) for stack in (1, 2, 5, 10, 20)),
    ]


def measure(case: Case, threads: int) -> Cost:
    """One case, in a fresh process."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_measure, (case, threads))


def generated(case: Case) -> Hierarchy:
    """A hierarchy with ``nodes`` nodes below the root on ``depth`` levels; in a DAG two in five nodes have a second parent."""
    random = np.random.default_rng(0)
    levels = np.sort(np.concatenate([np.arange(case.depth), random.integers(0, case.depth, case.nodes - case.depth)]))
    begins = np.searchsorted(levels, np.arange(case.depth))
    lowest = np.where(levels > 0, begins[levels - 1], -1)
    count = np.where(levels > 0, begins[levels] - begins[levels - 1], 1)
    first = lowest + random.integers(0, count)
    second = lowest + random.integers(0, count)
    doubled = (case.shape == "dag") & (random.random(case.nodes) < 0.4) & (first != second)
    parents: list[tuple[int, ...]] = [()]  # the root's
    for one, other, both in zip(first + 1, second + 1, doubled, strict=True):
        parents.append((int(one), int(other)) if both else (int(one),))
    names = (ROOT, *(f"n{node}" for node in range(case.nodes)))
    return Hierarchy(names, adjacency(parents), np.array([name != ROOT for name in names]))


def table(costs: Sequence[Cost]) -> str:
    """Fixed-width text, one line a case."""
    rows = [
        {
            "varied": cost.case.varied,
            "shape": cost.case.shape,
            "nodes": cost.case.nodes,
            "depth": cost.case.depth,
            "members": cost.case.members,
            "stack": cost.case.stack,
            "closure pairs": cost.pairs,
            "step ms": f"{cost.step:.2f}",
            "constraint and loss ms": f"{constraint_and_loss(cost):.2f}",
            "memory MB": f"{cost.megabytes:.0f}",
        }
        for cost in costs
    ]
    return pd.DataFrame(rows).to_string(index=False)


def constraint_and_loss(cost: Cost) -> float:
    """Milliseconds of a step that constraint, loss and the loss's gradient take."""
    return sum(cost.milliseconds[part] for part in ("constraint", "loss", "gradient of the loss"))


def as_documents(costs: Sequence[Cost]) -> list[dict[str, Any]]:
    """For JSON."""
    return [dataclasses.asdict(cost) | {"step": cost.step, "constraint_and_loss": constraint_and_loss(cost)} for cost in costs]


def _measure(case: Case, threads: int) -> Cost:
    limit_threads(threads)
    _runner(Case("warm up", nodes=20, depth=3))(2)
    before = peak_of_this_process()
    run = _runner(case)
    milliseconds = parts(run, int(0.4 / run(3)))
    megabytes = 1000 * (peak_of_this_process() - before)
    # Counted last: the list of all pairs is not among what training needs.
    pairs = len(generated(case).descendants.indices)
    return Cost(case, pairs, {part: milliseconds[part] for part in PARTS}, megabytes)


def _runner(case: Case) -> Any:
    hierarchy = generated(case)
    random = np.random.default_rng(1)
    chosen = np.zeros((ROWS, len(hierarchy)), dtype=bool)
    chosen[np.arange(ROWS), random.integers(0, len(hierarchy), ROWS)] = True
    closed = hierarchy.close(chosen)
    features, labels = torch.from_numpy(random.normal(size=(ROWS, FEATURES)).astype(np.float32)), torch.from_numpy(closed)
    constraint = Constraint(hierarchy)
    method = MethodSettings("plain", members=case.members)
    objective = Objective(ObjectiveContext(hierarchy, constraint, method, ProtocolSettings(), closed, torch.device("cpu")))
    training = TrainingSettings(hidden=case.hidden, epochs=1, learning_rate=1e-4)

    def run(steps: int) -> float:
        """At least so many steps, in whole epochs."""
        epochs = math.ceil(steps * training.batch_size / ROWS)
        trained = train(features, labels, objective, method, dataclasses.replace(training, epochs=epochs), range(case.stack))
        return trained.seconds / trained.steps

    return run
