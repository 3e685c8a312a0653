"""How many seeds of a cell fit into a GPU's free memory as one stack."""

from __future__ import annotations

from collections.abc import Callable

from hmc.experiments import cost
from hmc.settings import Cell, RuntimeSettings

UPDATE_BYTES_PER_PARAMETER = 28
"""Weights, two moments, the gradient, and up to three temporaries of the same size during an update, float32."""
CELL_BYTES = 64 * 2**20
"""Allowance a cell for its batches, dropout masks and logits (ours, generous)."""
SHARE = 0.8
"""Of the free memory; the rest is for the allocator's rounding and for other programs."""


def fitting(runtime: RuntimeSettings) -> Callable[[Cell], int]:
    """For a cell, how many of its seeds to train together on the device of ``runtime``.

    One on a CPU, where cells side by side in processes of their own are faster, and for a dataset of unknown size.
    """
    from hmc.training.device import device_for

    device = device_for(runtime.device)
    if device.type != "cuda":
        return lambda cell: 1
    import torch

    free, _ = torch.cuda.mem_get_info(device)
    return lambda cell: fit(cell, free)


def fit(cell: Cell, free_bytes: int) -> int:
    """How many seeds fit into so much memory; at least one, which may then fail with what the device says."""
    parameters = cost.parameters(cell)
    if parameters is None:
        return 1
    return max(1, int(SHARE * free_bytes // (parameters * UPDATE_BYTES_PER_PARAMETER + CELL_BYTES)))
