"""The objective of one run: a node's loss x node weight x focal weight, reduced to one loss per cell.

    loss = sum or mean over evaluated nodes and rows of  loss * W(label) * (floor + u ** power)

The node's loss is MCLoss, or the one of :mod:`hmc.losses.rivals` that ``method.loss`` names.

W are the node weights of :mod:`hmc.losses.weights`, moved towards uniform by :mod:`hmc.losses.schedule`; u is an uncertainty of
:mod:`hmc.losses.uncertainty`. Each factor is there only if the method's settings ask for it.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from hmc.losses.context import ObjectiveContext
from hmc.losses.rivals import loss_of
from hmc.losses.schedule import Progress, uniform_share
from hmc.losses.uncertainty import uncertainty
from hmc.losses.weights import node_weights
from hmc.settings import FocalSettings, SettingsError, did_you_mean

__all__ = ["FocalWeight", "Objective", "ObjectiveContext"]

REDUCTIONS = ("as_released", "sum", "mean")


class Objective:
    """The objective that a method's settings describe.

    Raises SettingsError (a ValueError) for a weight, uncertainty or reduction that is not known, ValueError for training labels
    that do not fit the hierarchy.

    Reduction. A member's loss is averaged over rows and evaluated nodes, or summed over them: ``method.reduction`` says which, or
    leaves it to ``protocol.reduction``, whose ``as_released`` sums focal losses and averages the others. Members' losses are then
    summed, so that each network has the gradient that it would have alone; the passes of a dropout ensemble are averaged, since
    they are samples of one network's loss (ours).

    Mixed loss. ``weighted_share`` lambda gives lambda * weighted + (1 - lambda) * unweighted, both reduced alike.
    """

    def __init__(self, context: ObjectiveContext) -> None:
        method = context.method
        reduction = context.protocol.reduction if method.reduction == "protocol" else method.reduction
        if reduction not in REDUCTIONS:
            raise SettingsError(f"protocol.reduction={reduction!r} is not known{did_you_mean(reduction, REDUCTIONS)}")
        self._loss = loss_of(context)
        self._schedule = method.schedule
        self._focal = None if method.focal.uncertainty == "none" else FocalWeight(method.focal)
        self._share = method.weighted_share
        self._own_batches = method.ensemble == "own_batches" and method.members > 1
        averaged = reduction == "mean" or (reduction == "as_released" and self._focal is None)
        self._averaged_nodes = int(context.hierarchy.evaluated.sum()) if averaged else 0
        self._passes = method.passes
        self._weights = _ScheduledWeights(context, mixed_share=1.0 if self._focal else self._share)
        self._evaluated = torch.from_numpy(context.hierarchy.evaluated.astype(np.float32)).to(context.device)

    def __call__(self, logits: Tensor, labels: Tensor, progress: Progress, peer_logits: Tensor | None = None) -> Tensor:
        """One loss per cell, [cells]; the cells do not touch each other.

        logits: [cells, members, rows, nodes], unconstrained. labels: bool [cells, 1 or members, rows, nodes], closed under
        ancestors. peer_logits: [cells, batches, members, rows, nodes], all members' logits of each member's own batch, where
        members have batches of their own and the method is focal; None where members share their batches.

        Raises ValueError where peer_logits is missing, or the uncertainty needs more members than there are.
        """
        weights = self._weights.at(uniform_share(self._schedule, progress), labels)
        if self._focal is not None:
            weights = weights * self._focal_weights(logits, peer_logits)
            if self._share < 1:
                weights.mul_(self._share).add_(self._evaluated, alpha=1 - self._share)
        losses = (self._loss(logits, labels) * weights).flatten(1).sum(1)
        divisor = self._passes * (self._averaged_nodes * logits.shape[-2] if self._averaged_nodes else 1)
        return losses if divisor == 1 else losses / divisor

    def _focal_weights(self, logits: Tensor, peer_logits: Tensor | None) -> Tensor:
        """[cells, 1 or batches, rows, nodes]: shared by the members of a batch."""
        assert self._focal is not None
        if peer_logits is not None:
            return self._focal(peer_logits.detach().sigmoid())
        if self._own_batches:
            raise ValueError(
                "the members have batches of their own, so their uncertainty needs peer_logits, all members' logits of each batch"
            )
        return self._focal(logits.detach().sigmoid()).unsqueeze(1)


class FocalWeight:
    """floor + u ** power, with u an uncertainty; released: floor 0.25, power 2 for gene data and 1 for images."""

    def __init__(self, settings: FocalSettings) -> None:
        self._measure = uncertainty(settings.uncertainty)
        self._floor, self._power = settings.floor, settings.power

    @torch.no_grad()
    def __call__(self, probabilities: Tensor) -> Tensor:
        """probabilities: [..., members, rows, nodes], unconstrained. Returns [..., rows, nodes], without gradient."""
        return self._measure(probabilities).pow(self._power).add_(self._floor)


class _ScheduledWeights:
    """The weight of each label, by node: 0 at unevaluated nodes, W at the start of the schedule, omega at its end.

    Both ends hold two rows, for labels 0 and 1. A mixed loss without focal weights is a change of both ends.
    """

    def __init__(self, context: ObjectiveContext, mixed_share: float) -> None:
        settings = context.method.node_weights
        self._by_label = settings.scheme != "none"
        counted = node_weights(context.training_labels, context.hierarchy, settings, context.protocol)
        weights = counted.assigned(context.protocol.weights_apply_to)
        start = np.stack([weights.negative, weights.positive])
        end = np.full_like(start, settings.omega)
        self._start, self._end = (
            torch.from_numpy(context.hierarchy.evaluated * (mixed_share * ends + 1 - mixed_share)).float().to(context.device)
            for ends in (start, end)
        )

    def at(self, share: float, labels: Tensor) -> Tensor:
        """Weights at this share of the way, broadcastable to labels."""
        if not self._by_label:
            return self._start[1]
        negative, positive = (self._start if share == 0 else torch.lerp(self._start, self._end, share)).unbind()
        return torch.where(labels, positive, negative)
