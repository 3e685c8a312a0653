"""Adam (Kingma & Ba 2015) with L2 regularisation added to the gradient, as both papers use it, for stacked networks.

``step`` takes the gradient of the loss with respect to the logits and does the rest of a training step: backward pass and
update. On a CPU both happen in one pass over the parameters: each row of a weight matrix is read once, gives its share of the
gradient for the layer below, and is updated while it is in cache. The gradient of a weight matrix, an outer product of as many
rows as the batch has, is never stored.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numba
import numpy as np
import torch
from torch import Tensor

from hmc.models.compiled import compiled
from hmc.models.mlp import Activations, Networks, through_hidden
from hmc.settings import TrainingSettings


class Adam:
    """The moments of every parameter of a stack, and the update.

    networks: updated in place. settings: learning_rate, weight_decay, beta1, beta2, epsilon, dropout.
    """

    def __init__(self, networks: Networks, settings: TrainingSettings) -> None:
        self.networks, self.settings = networks, settings
        self.rate = settings.learning_rate
        self.first = [torch.zeros_like(layer) for layer in networks.layers]
        self.second = [torch.zeros_like(layer) for layer in networks.layers]
        self.steps = 0
        self._update = _update_in_one_pass if networks.layers[0].device.type == "cpu" else _update_by_products

    def step(self, activations: Activations, gradient: Tensor, *, wants_inputs: bool = False) -> Tensor | None:
        """One update of all networks.

        gradient: of the loss with respect to activations.logits, [networks, rows, nodes]. Returns, where ``wants_inputs``, the
        gradient with respect to activations.inputs[0], [networks, rows, features].
        """
        below_inputs = None
        self.steps += 1
        settings = self.settings
        scalars = (
            self.rate / (1 - settings.beta1**self.steps),
            1 / math.sqrt(1 - settings.beta2**self.steps),
            settings.weight_decay,
            settings.beta1,
            settings.beta2,
            settings.epsilon,
        )
        keep = 1 - settings.dropout
        for place in reversed(range(len(self.networks.layers))):
            inputs = activations.inputs[place]
            if wants_inputs and place == 0:
                # By a product of its own: the compiled pass leaves out inputs of 0, which among hidden units are switched off.
                below_inputs = torch.bmm(gradient, self.networks.layers[0][:, :-1].transpose(1, 2))
            below = self._update(
                self.networks.layers[place],
                self.first[place],
                self.second[place],
                inputs,
                gradient,
                scalars,
                wants_below=place > 0,
            )
            if below is not None:
                gradient = through_hidden(below, inputs, keep)
        return below_inputs


def _update_by_products(
    layer: Tensor, first: Tensor, second: Tensor, inputs: Tensor, gradient: Tensor, scalars: Sequence[float], *, wants_below: bool
) -> Tensor | None:
    """Any device: the gradient as a batched product, then elementwise updates."""
    rate, correction, weight_decay, beta1, beta2, epsilon = scalars
    below = torch.bmm(gradient, layer[:, :-1].transpose(1, 2)) if wants_below else None
    total = layer * weight_decay
    total[:, :-1].baddbmm_(inputs.transpose(1, 2), gradient)
    total[:, -1:] += gradient.sum(1, keepdim=True)
    first.lerp_(total, 1 - beta1)
    second.mul_(beta2).addcmul_(total, total, value=1 - beta2)
    layer.addcdiv_(first, second.sqrt().mul_(correction).add_(epsilon), value=-rate)
    return below


def _update_in_one_pass(
    layer: Tensor, first: Tensor, second: Tensor, inputs: Tensor, gradient: Tensor, scalars: Sequence[float], *, wants_below: bool
) -> Tensor | None:
    """CPU: one compiled pass over the rows of the weight matrix."""
    below = torch.zeros(inputs.shape) if wants_below else torch.zeros(0, 0, 0)
    _pass(
        layer.numpy(),
        first.numpy(),
        second.numpy(),
        inputs.contiguous().numpy(),
        gradient.contiguous().numpy(),
        below.numpy(),
        *(np.float32(scalar) for scalar in scalars),
    )
    return below if wants_below else None


@compiled(nogil=True, parallel=True, error_model="numpy", fastmath={"contract", "arcp", "nsz", "reassoc"})
def _pass(layer, first, second, inputs, gradient, below, rate, correction, weight_decay, beta1, beta2, epsilon):  # type: ignore[no-untyped-def]
    """For each row i of each network: below[:, i] = gradient @ layer[i], then Adam's update of layer[i].

    layer, first, second: [networks, inputs + 1, outputs]; inputs: [networks, rows, inputs]; gradient: [networks, rows, outputs];
    below: [networks, rows, inputs], or empty where the layer below needs no gradient. Rows are independent, so the result does
    not depend on the number of threads.
    """
    one = np.float32(1)
    networks, height, width = layer.shape
    rows = gradient.shape[1]
    for place in numba.prange(networks * height):
        network = place // height
        i = place - network * height
        parameters, mean, variance = layer[network, i], first[network, i], second[network, i]
        total = np.zeros(width, dtype=np.float32)
        for row in range(rows):
            signal = one if i == height - 1 else inputs[network, row, i]
            # A unit that is off has no gradient to pass and none to receive; dropout 0.7 switches most of them off.
            if signal != 0:
                slope = gradient[network, row]
                if i < height - 1 and below.size > 0:
                    dot = np.float32(0)
                    for j in range(width):
                        dot += slope[j] * parameters[j]
                        total[j] += signal * slope[j]
                    below[network, row, i] = dot
                else:
                    for j in range(width):
                        total[j] += signal * slope[j]
        for j in range(width):
            slope_j = total[j] + weight_decay * parameters[j]
            mean[j] = beta1 * mean[j] + (one - beta1) * slope_j
            variance[j] = beta2 * variance[j] + (one - beta2) * slope_j * slope_j
            parameters[j] -= rate * mean[j] / (math.sqrt(variance[j]) * correction + epsilon)
