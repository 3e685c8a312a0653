"""The maximum constraint of C-HMCNN: a node's value is the largest among its descendants', itself included.

Never forms the dense nodes x nodes matrix. Works on logits as well as on probabilities, since the sigmoid is monotone. The
gradient of each maximum goes to one winner: of several largest descendants, the first in depth-first order.

Two kernels find the winners, with the same answer: a compiled walk over the edges from the leaves up (CPU), and a segmented
maximum over the closure's pairs (any device).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from hmc.hierarchy import Hierarchy
from hmc.models.compiled import compiled


class Constraint:
    """The maximum over descendants in one hierarchy, on one device.

    hierarchy: the nodes, in the order of the last axis of every tensor given later.
    device: where those tensors are.
    """

    def __init__(self, hierarchy: Hierarchy, device: torch.device | str = "cpu") -> None:
        self.nodes = len(hierarchy)
        self.device = torch.device(device)
        self._kernel: _EdgeKernel | _PairKernel
        self._kernel = _EdgeKernel(hierarchy) if self.device.type == "cpu" else _PairKernel(hierarchy, self.device)

    def max_over_descendants(self, values: Tensor) -> Tensor:
        """For each node the largest value among its descendants, itself included.

        values: floating [..., nodes]; returns the same shape. Differentiable, one winner at ties.
        """
        self._check(values)
        return _Maximum.apply(values, None, self._kernel)

    def matching_max(self, values: Tensor, labels: Tensor) -> Tensor:
        """For each node the largest value among those of its descendants that carry the same label as the node.

        values: floating [..., nodes]; labels: bool, broadcastable to values, closed under ancestors in every row (this is
        not checked here). For such labels it is the q of MCLoss: a positive node's maximum runs over positive descendants, and
        a negative node has only negative ones.
        """
        self._check(values)
        return _Maximum.apply(values, labels, self._kernel)

    def _check(self, values: Tensor) -> None:
        if values.shape[-1] != self.nodes:
            raise ValueError(f"values have {values.shape[-1]} nodes on their last axis; this hierarchy has {self.nodes}")


class _Maximum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor, labels: Tensor | None, kernel: _EdgeKernel | _PairKernel) -> Tensor:
        rows = values.detach().reshape(-1, values.shape[-1])
        of_rows = None if labels is None else labels.expand(values.shape).reshape(rows.shape)
        winners = kernel.winners(rows, of_rows)
        ctx.save_for_backward(winners)
        return rows.gather(1, winners).view(values.shape)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (gradient,) = gradients
        (winners,) = ctx.saved_tensors
        rows = gradient.reshape(winners.shape)
        return torch.zeros_like(rows).scatter_add_(1, winners, rows).view(gradient.shape), None, None


class _EdgeKernel:
    """Winners by one walk over the edges, children before parents: edges x rows comparisons, no temporary."""

    def __init__(self, hierarchy: Hierarchy) -> None:
        inner = hierarchy.children.counts > 0
        self.order = np.array([node for node in hierarchy.topological_order[::-1] if inner[node]], dtype=np.int64)
        self.offsets, self.children = hierarchy.children.offsets, hierarchy.children.indices

    def winners(self, values: Tensor, labels: Tensor | None) -> Tensor:
        """values: [rows, nodes]; labels: bool [rows, nodes] or None. Returns int64 [rows, nodes]."""
        winners = torch.empty(values.shape, dtype=torch.int64)
        array, found = values.contiguous().numpy(), winners.numpy()
        if labels is None:
            _walk(array, self.order, self.offsets, self.children, found)
        else:
            _walk_matching(array, labels.contiguous().numpy(), self.order, self.offsets, self.children, found)
        return winners


@compiled(nogil=True)
def _walk(values, order, offsets, children, winners):  # type: ignore[no-untyped-def]
    for row in range(values.shape[0]):
        for node in range(values.shape[1]):
            winners[row, node] = node
        for node in order:
            best = node
            for entry in range(offsets[node], offsets[node + 1]):
                candidate = winners[row, children[entry]]
                if values[row, candidate] > values[row, best]:
                    best = candidate
            winners[row, node] = best


@compiled(nogil=True)
def _walk_matching(values, labels, order, offsets, children, winners):  # type: ignore[no-untyped-def]
    for row in range(values.shape[0]):
        for node in range(values.shape[1]):
            winners[row, node] = node
        for node in order:
            best = node
            for entry in range(offsets[node], offsets[node + 1]):
                child = children[entry]
                if labels[row, child] == labels[row, node]:
                    candidate = winners[row, child]
                    if values[row, candidate] > values[row, best]:
                        best = candidate
            winners[row, node] = best


class _PairKernel:
    """Winners by segmented maxima over the closure's (node, descendant) pairs: a fixed number of launches, whatever the depth."""

    def __init__(self, hierarchy: Hierarchy, device: torch.device) -> None:
        closure = hierarchy.descendants
        self.owners = torch.from_numpy(closure.owners).to(device)
        self.members = torch.from_numpy(closure.indices).to(device)
        self.places = torch.arange(len(closure.indices), device=device)

    def winners(self, values: Tensor, labels: Tensor | None) -> Tensor:
        """values: [rows, nodes]; labels: bool [rows, nodes] or None. Returns int64 [rows, nodes]."""
        candidates = values.index_select(1, self.members)
        if labels is not None:
            matches = labels.index_select(1, self.members) == labels.index_select(1, self.owners)
            candidates = candidates.masked_fill(~matches, -torch.inf)
        owners = self.owners.expand(len(values), -1)
        best = torch.full_like(values, -torch.inf).scatter_reduce_(1, owners, candidates, "amax")
        attains = candidates == best.index_select(1, self.owners)
        last = len(self.places) - 1
        places = torch.where(attains, self.places, last)
        first = torch.full(values.shape, last, dtype=torch.int64, device=values.device)
        first.scatter_reduce_(1, owners, places, "amin")
        return self.members[first]
