"""How the rows of a batch become the features of the networks: as they are, or through an encoder that learns with them.

This is all that training knows of images. An encoder that stays as it is has no part here: its features are computed once and are
then features like any others.
"""

from __future__ import annotations

from typing import Any, Protocol

import torch
from torch import Tensor, nn

from hmc.settings import TrainingSettings


class Inputs(Protocol):
    """learns: whether the gradient with respect to the features is wanted."""

    learns: bool

    def width(self, rows: Tensor) -> int:
        """How many features a row gives."""

    def __call__(self, rows: Tensor) -> Tensor:
        """From rows [..., whatever a row has] to features [..., features], with what :meth:`learn` needs attached."""

    def learn(self, features: Tensor, gradient: Tensor) -> None:
        """One step. features: as returned for this batch, or made of that; gradient: of the loss with respect to them."""

    def predict(self, rows: Tensor) -> Tensor:
        """The same for rows [rows, whatever a row has] that nothing is learned from."""

    def state(self) -> dict[str, Any]:
        """All that it has learned, for a checkpoint; empty where it learns nothing."""

    def restore(self, state: dict[str, Any]) -> None:
        """Set it to what :meth:`state` gave."""


class AsTheyAre:
    """Rows are features."""

    learns = False

    def width(self, rows: Tensor) -> int:
        return int(rows.shape[1])

    def __call__(self, rows: Tensor) -> Tensor:
        return rows

    def learn(self, features: Tensor, gradient: Tensor) -> None:
        pass

    def predict(self, rows: Tensor) -> Tensor:
        return rows

    def state(self) -> dict[str, Any]:
        return {}

    def restore(self, state: dict[str, Any]) -> None:
        pass


AS_THEY_ARE = AsTheyAre()


class LearningEncoder:
    """One encoder below all members of one cell; it learns from the sum of what they send down, at their rate.

    module: from [rows, ...] to [rows, width]; on the device to train on. settings: learning_rate, weight_decay, beta1, beta2,
    epsilon. torch's Adam adds the decay to the gradient, as that of the heads does.
    """

    learns = True

    def __init__(self, module: nn.Module, width: int, settings: TrainingSettings) -> None:
        self._module, self._width = module.train(), width
        self._adam = torch.optim.Adam(
            module.parameters(),
            lr=settings.learning_rate,
            betas=(settings.beta1, settings.beta2),
            eps=settings.epsilon,
            weight_decay=settings.weight_decay,
        )

    def width(self, rows: Tensor) -> int:
        return self._width

    def __call__(self, rows: Tensor) -> Tensor:
        leading = rows.shape[:3]
        with torch.enable_grad():
            return self._module(rows.flatten(0, 2)).view(*leading, self._width)

    def learn(self, features: Tensor, gradient: Tensor) -> None:
        self._adam.zero_grad()
        features.backward(gradient)
        self._adam.step()

    @torch.no_grad()
    def predict(self, rows: Tensor) -> Tensor:
        self._module.eval()
        try:
            return self._module(rows)
        finally:
            self._module.train()

    def state(self) -> dict[str, Any]:
        return {"module": self._module.state_dict(), "adam": self._adam.state_dict()}

    def restore(self, state: dict[str, Any]) -> None:
        self._module.load_state_dict(state["module"])
        self._adam.load_state_dict(state["adam"])
