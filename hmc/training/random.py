"""Random numbers of one cell: each purpose has its own generator, derived from the cell's seed.

Because no generator is shared, a cell trained in a stack draws what it draws alone, and one purpose's draws do not shift
another's.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from hmc.data.random import derived_seed


@dataclass(frozen=True)
class CellGenerators:
    """The generators of one cell.

    initial: the networks' initial weights. order: the batches of each epoch. dropout: the dropout masks. The first two are on
    the CPU, so that every device starts from the same weights and sees the same batches; dropout is drawn where it is used.
    """

    initial: torch.Generator
    order: torch.Generator
    dropout: torch.Generator


def cell_generators(seed: int, device: torch.device) -> CellGenerators:
    """Fresh generators for a cell with this seed."""
    return CellGenerators(
        initial=torch.Generator().manual_seed(derived_seed(seed, "initial weights")),
        order=torch.Generator().manual_seed(derived_seed(seed, "batch order")),
        dropout=torch.Generator(device).manual_seed(derived_seed(seed, "dropout")),
    )
