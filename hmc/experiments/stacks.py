"""How many seeds of a cell are trained together when the number is left to the program."""

from __future__ import annotations

import math
from collections.abc import Callable

from hmc.experiments import cost
from hmc.settings import Cell, RuntimeSettings

UPDATE_BYTES_PER_PARAMETER = 28
"""Weights, two moments, the gradient, and up to three temporaries of the same size during an update, float32."""
CELL_BYTES = 64 * 2**20
"""Allowance a cell for its batches, dropout masks and logits (ours, generous)."""
SHARE = 0.8
"""Of a GPU's free memory; the rest is for the allocator's rounding and for other programs."""
MOST_ON_CPU = 10
"""The largest stack that was measured on a CPU."""


def fitting(runtime: RuntimeSettings, cells: int, workers: int) -> Callable[[Cell], int]:
    """For a cell, how many of its seeds to train together on the device of ``runtime``.

    On a GPU as many as its free memory holds. On a CPU as many as are fastest, and never so many that one of the ``workers``
    has nothing to do with so many cells.
    """
    from hmc.training.device import device_for

    device = device_for(runtime.device)
    if device.type != "cuda":
        fair = math.ceil(cells / max(1, workers))
        return lambda cell: max(1, min(fair, fastest_on_cpu(cell)))
    import torch

    free, _ = torch.cuda.mem_get_info(device)
    return lambda cell: fit(cell, free)


def fit(cell: Cell, free_bytes: int) -> int:
    """How many seeds fit into so much memory; at least one, which may then fail with what the device says."""
    parameters = cost.parameters(cell)
    if parameters is None:
        return 1
    return max(1, int(SHARE * free_bytes // (parameters * UPDATE_BYTES_PER_PARAMETER + CELL_BYTES)))


def fastest_on_cpu(cell: Cell) -> int:
    """How many seeds are trained fastest together by one thread; one for a dataset of unknown size.

    Together they share the fixed cost of a step's calls, until their parameters and moments no longer stay in cache. Measured on
    eight datasets (``make bench ARGS="action=stacks"``): the best stack has :data:`hmc.experiments.cost.PARAMETERS_ON_CPU`.
    """
    parameters = cost.parameters(cell)
    return max(1, min(MOST_ON_CPU, cost.PARAMETERS_ON_CPU // parameters)) if parameters else 1
