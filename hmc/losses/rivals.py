"""Losses that a critic would try in place of MCLoss: all on unconstrained logits, the maximum over descendants at prediction
only.

Each is a class that is made once a training, from an :class:`hmc.losses.context.ObjectiveContext`, and then called with logits
and labels; it returns the loss of each node before node weights, focal weights and reduction, as MCLoss does. Their parameters
are ``method.loss_options``. r is a node's share of the rows that are trained on, kept within [1/(2N), 1 - 1/(2N)] for N rows, as
in the decision rule ``prior``.
"""

from __future__ import annotations

import math
import traceback
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from hmc.losses.context import ObjectiveContext
from hmc.losses.mcloss import mcloss
from hmc.settings import SettingsError, did_you_mean, named_object


class MCLoss:
    """The loss of C-HMCNN, see :func:`hmc.losses.mcloss.mcloss`. No options."""

    defaults: Mapping[str, float] = {}

    def __init__(self, context: ObjectiveContext) -> None:
        self._constraint = context.constraint

    def __call__(self, logits: Tensor, labels: Tensor) -> Tensor:
        """logits: floating [..., nodes]; labels: bool, broadcastable to logits. Returns [..., nodes]."""
        return mcloss(logits, labels, self._constraint)


class BinaryCrossEntropy:
    """-y log p - (1 - y) log(1 - p) with p the sigmoid of the node's own logit. No options."""

    defaults: Mapping[str, float] = {}

    def __init__(self, context: ObjectiveContext) -> None:
        pass

    def __call__(self, logits: Tensor, labels: Tensor) -> Tensor:
        """logits: floating [..., nodes]; labels: bool, broadcastable to logits. Returns [..., nodes]."""
        return _cross_entropy(logits, labels)


class LogitAdjusted:
    """Cross-entropy of z + tau logit(r) (Menon et al., ICLR 2021). tau: 1 (theirs).

    Its twin afterwards, without training, is the decision rule ``prior``.
    """

    defaults: Mapping[str, float] = {"tau": 1.0}

    def __init__(self, context: ObjectiveContext) -> None:
        rate = context.rate
        shift = options(context, self)["tau"] * np.log(rate / (1 - rate))
        self._shift = torch.from_numpy(shift).float().to(context.device)

    def __call__(self, logits: Tensor, labels: Tensor) -> Tensor:
        """logits: floating [..., nodes]; labels: bool, broadcastable to logits. Returns [..., nodes]."""
        return _cross_entropy(logits + self._shift.to(logits.dtype), labels)


class Asymmetric:
    """-y (1 - p)^g+ log p - (1 - y) q^g- log(1 - q) with q = max(p - shift, 0) (Ridnik et al., ICCV 2021).

    gamma_positive: 0, gamma_negative: 4, shift: 0.05 (theirs, for multi-label images).
    """

    defaults: Mapping[str, float] = {"gamma_positive": 0.0, "gamma_negative": 4.0, "shift": 0.05}

    def __init__(self, context: ObjectiveContext) -> None:
        chosen = options(context, self)
        self._positive = _focusing(chosen, "gamma_positive")
        self._negative = _focusing(chosen, "gamma_negative")
        self._shift = chosen["shift"]
        if not 0 <= self._shift < 1:
            raise SettingsError(f"method.loss_options.shift must be at least 0 and below 1, got {self._shift}")

    def __call__(self, logits: Tensor, labels: Tensor) -> Tensor:
        """logits: floating [..., nodes]; labels: bool, broadcastable to logits. Returns [..., nodes]."""
        log_probability, log_rest = functional.logsigmoid(logits), functional.logsigmoid(-logits)
        positive = -torch.exp(self._positive * log_rest) * log_probability
        if self._shift == 0:
            negative = -torch.exp(self._negative * log_probability) * log_rest
        else:
            # The least positive number in place of 0: powers below 1 have no derivative there.
            shifted = (logits.sigmoid() - self._shift).clamp(min=torch.finfo(logits.dtype).tiny)
            negative = -(shifted**self._negative) * torch.log1p(-shifted)
        return torch.where(labels, positive, negative)


class FocalOwn:
    """(1 - p_t)^gamma times cross-entropy, p_t being the network's own probability of the label (Lin et al., ICCV 2017).

    The paper's focal idea without an ensemble. gamma: 2 (theirs); their alpha is left out.
    """

    defaults: Mapping[str, float] = {"gamma": 2.0}

    def __init__(self, context: ObjectiveContext) -> None:
        self._gamma = _focusing(options(context, self), "gamma")

    def __call__(self, logits: Tensor, labels: Tensor) -> Tensor:
        """logits: floating [..., nodes]; labels: bool, broadcastable to logits. Returns [..., nodes]."""
        # The logit of the label's own probability: z for a positive, -z for a negative.
        towards = torch.where(labels, logits, -logits)
        return -torch.exp(self._gamma * functional.logsigmoid(-towards)) * functional.logsigmoid(towards)


class ClassBalanced:
    """Cross-entropy times (1 - beta) / (1 - beta^m), m being how many training rows have the label (Cui et al., CVPR 2019).

    m is the number of positives (at least 1) for positive labels and of negatives (at least 1) for negative labels of the node.
    beta: 0.999 (one of theirs).
    """

    defaults: Mapping[str, float] = {"beta": 0.999}

    def __init__(self, context: ObjectiveContext) -> None:
        beta = options(context, self)["beta"]
        if not 0 <= beta < 1:
            raise SettingsError(f"method.loss_options.beta must be at least 0 and below 1, got {beta}")
        positives = context.positives
        counts = np.maximum(1, np.stack([context.rows - positives, positives]))
        self._weights = torch.from_numpy((1 - beta) / (1 - beta**counts)).float().to(context.device)

    def __call__(self, logits: Tensor, labels: Tensor) -> Tensor:
        """logits: floating [..., nodes]; labels: bool, broadcastable to logits. Returns [..., nodes]."""
        negative, positive = self._weights.to(logits.dtype).unbind()
        return _cross_entropy(logits, labels) * torch.where(labels, positive, negative)


LOSSES: Mapping[str, Any] = {
    "mcloss": MCLoss,
    "bce": BinaryCrossEntropy,
    "logit_adjusted": LogitAdjusted,
    "asymmetric": Asymmetric,
    "focal_own": FocalOwn,
    "class_balanced": ClassBalanced,
}


def loss_of(context: ObjectiveContext) -> Any:
    """The loss that ``method.loss`` names, made for this training: one of LOSSES, or a custom class as module:name.

    Raises SettingsError for a loss or an option that is not known.
    """
    name = context.method.loss
    if name in LOSSES:
        options(context, LOSSES[name])
        return LOSSES[name](context)
    if ":" in name:
        return _Custom(name, context)
    raise SettingsError(f"method.loss={name!r} is not known{did_you_mean(name, LOSSES)}")


class _Custom:
    """A loss of the user's, whose mistakes are told with the line of code that made them."""

    def __init__(self, name: str, context: ObjectiveContext) -> None:
        self._name, kind = name, named_object("method.loss", name)
        try:
            self._loss = kind(context)
        except Exception as error:
            raise self._failed("be a class that is made with an ObjectiveContext", error) from error

    def __call__(self, logits: Tensor, labels: Tensor) -> Tensor:
        try:
            losses = self._loss(logits, labels)
        except Exception as error:
            raise self._failed("be called with logits and labels", error) from error
        if not isinstance(losses, Tensor) or losses.shape != logits.shape:
            got = f"the shape {list(losses.shape)}" if isinstance(losses, Tensor) else type(losses).__name__
            raise SettingsError(
                f"method.loss={self._name} must return a loss for each logit, a tensor of their shape {list(logits.shape)}, got "
                f"{got}; see docs/your-own-method.md"
            )
        return losses

    def _failed(self, must: str, error: Exception) -> SettingsError:
        last = traceback.extract_tb(error.__traceback__)[-1]
        return SettingsError(
            f"method.loss={self._name} must {must}, got {type(error).__name__}: {error} ({last.filename}:{last.lineno}); see "
            "docs/your-own-method.md"
        )


def options(context: ObjectiveContext, loss: Any) -> dict[str, float]:
    """A loss's parameters: its defaults, overridden by ``method.loss_options``.

    Raises SettingsError for a parameter that the loss does not have, and for a value that is not a finite number.
    """
    given = context.method.loss_options
    for key, value in given.items():
        if key not in loss.defaults:
            raise SettingsError(
                f"method.loss_options.{key} is not known to method.loss={context.method.loss}"
                f"{did_you_mean(key, list(loss.defaults)) if loss.defaults else '; it takes none'}"
            )
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            raise SettingsError(f"method.loss_options.{key} must be a finite number, got {value!r}")
    return {**loss.defaults, **{key: float(value) for key, value in given.items()}}


def _focusing(chosen: Mapping[str, float], name: str) -> float:
    """The exponent of a focal factor. Raises SettingsError for one below 0, with which easy labels would count without limit."""
    if chosen[name] < 0:
        raise SettingsError(f"method.loss_options.{name} must be at least 0, got {chosen[name]}")
    return chosen[name]


def _cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    targets = labels.to(logits.dtype).expand_as(logits)
    return functional.binary_cross_entropy_with_logits(logits, targets, reduction="none")
