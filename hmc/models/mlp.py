"""Multilayer perceptrons of one shape, stacked: the weights of all networks of all cells in one tensor per layer.

Each layer's parameter is [networks, inputs + 1, outputs]; the last of its rows is the bias. One batched product serves every
network.
Nothing is shared between networks: a stack computes what its networks would compute alone.

The backward pass of this fixed architecture is written out (three lines of algebra) instead of left to autograd, because the
optimiser can then update each row of a weight matrix while it is in the processor's cache, and the weights' gradient is never
stored.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numba
import numpy as np
import torch
from torch import Tensor

from hmc.models.compiled import compiled


@dataclass(frozen=True)
class Networks:
    """The parameters of a stack.

    layers: one float tensor [networks, inputs + 1, outputs] per linear layer, the bias in the last row.
    """

    layers: tuple[Tensor, ...]

    @property
    def count(self) -> int:
        """How many networks are in the stack."""
        return int(self.layers[0].shape[0])

    @property
    def parameters(self) -> int:
        """The number of parameters of one network."""
        return sum(int(layer.shape[1] * layer.shape[2]) for layer in self.layers)

    def to(self, device: torch.device | str) -> Networks:
        """The same networks on another device."""
        return Networks(tuple(layer.to(device) for layer in self.layers))


@dataclass(frozen=True)
class Activations:
    """What a forward pass leaves for the backward pass.

    inputs: each layer's input [networks, rows, inputs]; a hidden unit that is 0 was switched off, by ReLU or by dropout.
    logits: the output [networks, rows, nodes].
    """

    inputs: tuple[Tensor, ...]
    logits: Tensor


def layer_sizes(features: int, hidden: int, layers: int, nodes: int) -> list[int]:
    """Widths from input to output: ``layers`` linear layers with ``hidden`` units between them."""
    return [features, *[hidden] * (layers - 1), nodes]


def initialise(sizes: Sequence[int], networks: int, generator: torch.Generator) -> Networks:
    """Networks with weights and biases uniform in +-1/sqrt(inputs), torch.nn.Linear's default (C-HMCNN uses it).

    sizes: widths from input to output. Draws on the generator's device, one network after the other.
    """
    layers = [
        torch.empty(networks, inputs + 1, outputs, device=generator.device) for inputs, outputs in itertools.pairwise(sizes)
    ]
    for network in range(networks):
        for layer, inputs in zip(layers, sizes, strict=False):
            bound = inputs**-0.5
            layer[network].uniform_(-bound, bound, generator=generator)
    return Networks(tuple(layers))


def stack(parts: Sequence[Networks]) -> Networks:
    """One stack of several stacks' networks, in order."""
    return Networks(tuple(torch.cat(layers) for layers in zip(*(part.layers for part in parts), strict=True)))


def forward(networks: Networks, inputs: Tensor, masks: Sequence[Tensor]) -> Activations:
    """Linear layers with ReLU, and dropout after each hidden one.

    inputs: [networks, rows, features]. masks: for each hidden layer a tensor broadcastable to [networks, rows, hidden] of 0 and
    1 / (1 - dropout); empty for no dropout (prediction).
    """
    passed = [inputs]
    for place, layer in enumerate(networks.layers):
        outputs = _linear(layer, passed[-1])
        if place + 1 == len(networks.layers):
            return Activations(tuple(passed), outputs)
        outputs.clamp_(min=0)
        if masks:
            outputs.mul_(masks[place])
        passed.append(outputs)
    raise ValueError("a network needs at least one layer")


def _linear(layer: Tensor, inputs: Tensor) -> Tensor:
    """inputs @ weights + bias for each network. layer: [networks, inputs + 1, outputs]; inputs: [networks, rows, inputs]."""
    if layer.device.type != "cpu" or inputs.shape[1] > FEW_ROWS:
        return torch.baddbmm(layer[:, -1:], inputs, layer[:, :-1])
    outputs = torch.empty(inputs.shape[0], inputs.shape[1], layer.shape[2])
    _few_rows(layer.numpy(), inputs.contiguous().numpy(), outputs.numpy())
    return outputs


FEW_ROWS = 32
"""Up to so many rows a product is bound by reading the weights, and skipping switched-off units pays; beyond, the library's
kernel wins.
"""

_BLOCK = 1024
"""Output columns per task of the kernel below: 4 rows of them stay in the first-level cache."""


_WINDOW = 64
"""Units whose weights of one block are used by all rows before the next units': they stay in the second-level cache."""


@compiled(nogil=True, parallel=True, error_model="numpy", fastmath={"contract", "nsz", "reassoc"})
def _few_rows(layer, inputs, outputs):  # type: ignore[no-untyped-def]
    """A batched product with a small batch that reads a unit's weights only where the unit is on (dropout 0.7 and ReLU leave
    about one in six).

    Every output is summed in the order of the inputs, whatever the number of threads.
    """
    networks, height, width = layer.shape
    rows = inputs.shape[1]
    blocks = (width + _BLOCK - 1) // _BLOCK
    for place in numba.prange(networks * blocks):
        network = place // blocks
        begin = (place - network * blocks) * _BLOCK
        end = min(width, begin + _BLOCK)
        sums = np.empty((rows, end - begin), dtype=np.float32)
        bias = layer[network, height - 1, begin:end]
        for row in range(rows):
            for j in range(end - begin):
                sums[row, j] = bias[j]
        on = np.empty(_WINDOW, dtype=np.int64)
        for low in range(0, height - 1, _WINDOW):
            for row in range(rows):
                signals, totals = inputs[network, row], sums[row]
                count = 0
                for i in range(low, min(low + _WINDOW, height - 1)):
                    if signals[i] != 0:
                        on[count] = i
                        count += 1
                place_on = 0
                # Four units at a time, so that the sums are read and written once for four weights.
                while place_on + 4 <= count:
                    a, b, c, d = on[place_on], on[place_on + 1], on[place_on + 2], on[place_on + 3]
                    of_a, of_b = layer[network, a, begin:end], layer[network, b, begin:end]
                    of_c, of_d = layer[network, c, begin:end], layer[network, d, begin:end]
                    for j in range(end - begin):
                        totals[j] += signals[a] * of_a[j] + signals[b] * of_b[j] + signals[c] * of_c[j] + signals[d] * of_d[j]
                    place_on += 4
                for k in range(place_on, count):
                    weights, signal = layer[network, on[k], begin:end], signals[on[k]]
                    for j in range(end - begin):
                        totals[j] += signal * weights[j]
        for row in range(rows):
            for j in range(end - begin):
                outputs[network, row, begin + j] = sums[row, j]


def through_hidden(gradient: Tensor, hidden: Tensor, keep: float) -> Tensor:
    """The gradient before ReLU and dropout from the gradient after them.

    gradient, hidden: [networks, rows, hidden]. A unit that is on passed its input times 1 / keep; one that is off passed nothing.
    """
    return gradient * ((hidden > 0) * (1.0 / keep))
