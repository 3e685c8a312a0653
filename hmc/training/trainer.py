"""Training a stack of cells, and predicting with it.

A stack is several cells (seeds) of one dataset and one method, trained together as one batched network. Each cell draws from
its own generators, so its numbers are those it would have alone, to float tolerance.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

import torch
from torch import Tensor

from hmc.losses.schedule import Progress
from hmc.models import mlp
from hmc.models.constraint import Constraint
from hmc.settings import MethodSettings, TrainingSettings
from hmc.training.adam import Adam
from hmc.training.inputs import AS_THEY_ARE, Inputs
from hmc.training.random import CellGenerators, cell_generators


class TrainingError(RuntimeError):
    """Training cannot go on; the message says where it stopped and what to do."""


class TrainingObjective(Protocol):
    """What turns logits and labels into one loss per cell; see hmc.losses.objective."""

    def __call__(self, logits: Tensor, labels: Tensor, progress: Progress, peer_logits: Tensor | None = None) -> Tensor:
        """logits: [cells, members, rows, nodes]; labels: bool [cells, 1 or members, rows, nodes]. Returns [cells]."""


@dataclass(frozen=True)
class Trained:
    """A trained stack.

    networks: cell after cell, the cell's networks in order. losses: float64 [cells, epochs], the mean loss of an epoch's steps.
    seconds, steps: the training loop's time and number of steps. inputs: what turned rows into features.
    """

    networks: mlp.Networks
    losses: Tensor
    seconds: float
    steps: int
    inputs: Inputs = AS_THEY_ARE


@dataclass(frozen=True)
class TrainingState:
    """All that the rest of a training depends on, after a whole number of epochs.

    epochs, steps: how many are done. seconds: the training loop's time so far. layers, first, second: the parameters and Adam's
    moments, one tensor [networks, inputs + 1, outputs] per layer. losses: float64 [cells, epochs]. order, dropout: the
    generators' states, uint8, one per cell. inputs: what the encoder of the inputs has learned, if there is one. The tensors are
    the trainer's own: write them down before the next step.
    """

    epochs: int
    steps: int
    seconds: float
    layers: tuple[Tensor, ...]
    first: tuple[Tensor, ...]
    second: tuple[Tensor, ...]
    losses: Tensor
    order: tuple[Tensor, ...]
    dropout: tuple[Tensor, ...]
    inputs: dict[str, Any] = field(default_factory=dict)


class Checkpoint(Protocol):
    """Where a training's state is kept while it runs; see hmc.experiments.checkpoint."""

    def load(self) -> TrainingState | None:
        """The state to go on from, or None to begin."""

    def offer(self, state: Callable[[], TrainingState]) -> None:
        """Called after each epoch; what it does not want to keep need not be made."""


class NoCheckpoint:
    """Begins anew and keeps nothing."""

    def load(self) -> TrainingState | None:
        return None

    def offer(self, state: Callable[[], TrainingState]) -> None:
        pass


NO_CHECKPOINT = NoCheckpoint()


@dataclass(frozen=True)
class _Batch:
    """attached: the inputs with what led to them, for an encoder that learns; inputs: the same without."""

    attached: Tensor
    inputs: Tensor
    labels: Tensor
    masks: tuple[Tensor, ...]
    progress: Progress


def train(
    features: Tensor,
    labels: Tensor,
    objective: TrainingObjective,
    method: MethodSettings,
    training: TrainingSettings,
    seeds: Sequence[int],
    *,
    inputs: Inputs = AS_THEY_ARE,
    on_epoch: Callable[[int, int], None] = lambda epoch, steps: None,
    checkpoint: Checkpoint = NO_CHECKPOINT,
) -> Trained:
    """Train one cell per seed, together.

    features: float32 [rows, features], or whatever ``inputs`` makes features of; labels: bool [rows, nodes] closed under
    ancestors; both on the device to train on. inputs: one that learns serves one cell.
    on_epoch: called after each epoch with its number, from 1, and the steps so far. checkpoint: what it loads is gone on from, to
    the bit as if there had been no interruption.

    Raises TrainingError at the first epoch whose loss is not finite, naming seed, epoch and step.
    """
    if inputs.learns and len(seeds) > 1:
        raise ValueError("an encoder that learns belongs to one cell; train its seeds one by one")
    device = features.device
    generators = [cell_generators(seed, device) for seed in seeds]
    sizes = mlp.layer_sizes(inputs.width(features), training.hidden, training.layers, labels.shape[1])
    networks = mlp.stack([mlp.initialise(sizes, method.networks, own.initial) for own in generators]).to(device)
    optimiser = Adam(networks, training)
    batches = math.ceil(len(features) / training.batch_size)
    step_losses = torch.empty(len(seeds), batches, device=device)
    losses = torch.empty(len(seeds), training.epochs, dtype=torch.float64)
    compute = _compute_for(method)
    state = checkpoint.load()
    first, began = 0, time.perf_counter()
    if state is not None:
        _restore(state, networks, optimiser, losses, generators)
        inputs.restore(state.inputs)
        first, began = state.epochs, began - state.seconds
        on_epoch(first, state.steps)
    for epoch in range(first, training.epochs):
        for batch in _epoch(inputs, features, labels, method, training, generators, epoch):
            activations, logits, peers = compute(networks, batch, method)
            logits.requires_grad_()
            with torch.enable_grad():
                loss = objective(logits, batch.labels, batch.progress, peers)
                (gradient,) = torch.autograd.grad(loss.sum(), logits)
            step_losses[:, batch.progress.batch] = loss.detach()
            below = optimiser.step(activations, gradient.view(activations.logits.shape), wants_inputs=inputs.learns)
            if below is not None:
                inputs.learn(batch.attached, below.view(batch.attached.shape))
        _require_finite(step_losses, seeds, epoch)
        losses[:, epoch] = step_losses.double().mean(1).cpu()
        on_epoch(epoch + 1, optimiser.steps)
        paused = time.perf_counter()
        checkpoint.offer(partial(_state, epoch + 1, paused - began, networks, optimiser, losses, generators, inputs))
        began += time.perf_counter() - paused
    return Trained(networks, losses, time.perf_counter() - began, optimiser.steps, inputs)


def _state(
    epochs: int,
    seconds: float,
    networks: mlp.Networks,
    optimiser: Adam,
    losses: Tensor,
    generators: Sequence[CellGenerators],
    inputs: Inputs,
) -> TrainingState:
    return TrainingState(
        epochs=epochs,
        steps=optimiser.steps,
        seconds=seconds,
        layers=networks.layers,
        first=tuple(optimiser.first),
        second=tuple(optimiser.second),
        losses=losses[:, :epochs].clone(),
        order=tuple(own.order.get_state() for own in generators),
        dropout=tuple(own.dropout.get_state() for own in generators),
        inputs=inputs.state(),
    )


def _restore(
    state: TrainingState, networks: mlp.Networks, optimiser: Adam, losses: Tensor, generators: Sequence[CellGenerators]
) -> None:
    """Set everything that a step reads to what it was."""
    pairs = [(networks.layers, state.layers), (optimiser.first, state.first), (optimiser.second, state.second)]
    for present, past in pairs:
        for target, source in zip(present, past, strict=True):
            target.copy_(source)
    losses[:, : state.epochs] = state.losses
    optimiser.steps = state.steps
    for own, order, dropout in zip(generators, state.order, state.dropout, strict=True):
        own.order.set_state(order)
        own.dropout.set_state(dropout)


def predict(trained: Trained, features: Tensor, constraint: Constraint, cells: int, *, rows_at_once: int = 256) -> Tensor:
    """Constrained probabilities: the mean over each cell's networks of the maximum over descendants, dropout off.

    features: as they were for training. Returns float32 [cells, rows, nodes] on the CPU.
    """
    parts = []
    for rows in features.split(rows_at_once):
        inputs = trained.inputs.predict(rows).expand(trained.networks.count, -1, -1)
        logits = mlp.forward(trained.networks, inputs, ()).logits
        # The sigmoid first: torch rounds it differently by an entry's place, so that of equal logits a child's could be above.
        probabilities = constraint.max_over_descendants(logits.sigmoid())
        parts.append(probabilities.view(cells, -1, *probabilities.shape[1:]).mean(1).cpu())
    return torch.cat(parts, 1)


def _epoch(
    inputs: Inputs,
    features: Tensor,
    labels: Tensor,
    method: MethodSettings,
    training: TrainingSettings,
    generators: Sequence[CellGenerators],
    epoch: int,
) -> Iterator[_Batch]:
    """The batches of one epoch: every row once per order, in a fresh order per cell (per member where members have own
    batches).
    """
    count, size = len(features), training.batch_size
    batches = math.ceil(count / size)
    orders = method.networks if method.ensemble == "own_batches" else 1
    order = torch.stack([torch.randperm(count, generator=own.order) for own in generators for _ in range(orders)])
    order = order.view(len(generators), orders, count).to(features.device)
    masks = _masks(method, training, generators, batches, features.device)
    repeats = method.members // orders
    for batch in range(batches):
        rows = order[:, :, batch * size : (batch + 1) * size]
        encoded = inputs(features[rows])
        attached = (encoded.repeat_interleave(repeats, 1) if repeats > 1 else encoded).flatten(0, 1)
        kept = tuple(mask[..., : rows.shape[2], :].flatten(0, 1) for mask in next(masks))
        yield _Batch(attached, attached.detach(), labels[rows], kept, Progress(epoch, training.epochs, batch, batches))


def _masks(
    method: MethodSettings, training: TrainingSettings, generators: Sequence[CellGenerators], batches: int, device: torch.device
) -> Iterator[tuple[Tensor, ...]]:
    """Dropout masks for each batch of an epoch, one [cells, members, rows, hidden] per hidden layer; none without dropout.

    Many batches' masks are drawn at once, since a call costs more than the numbers. How many depends on one cell's size alone,
    never on the stack, for the numbers drawn depend on it.
    """
    hidden_layers = training.layers - 1
    if training.dropout == 0 or hidden_layers == 0:
        for _ in range(batches):
            yield ()
        return
    keep = 1 - training.dropout
    shape = (method.members, training.batch_size, training.hidden)
    at_once = max(1, min(batches, 2**21 // math.prod(shape) // hidden_layers))
    for begin in range(0, batches, at_once):
        drawn = torch.empty(len(generators), at_once, hidden_layers, *shape, device=device)
        for own, part in zip(generators, drawn, strict=True):
            part.bernoulli_(keep, generator=own.dropout)
        drawn.mul_(1 / keep)
        for place in range(min(at_once, batches - begin)):
            yield tuple(drawn[:, place, layer] for layer in range(hidden_layers))


Compute = Callable[[mlp.Networks, _Batch, MethodSettings], tuple[mlp.Activations, Tensor, Tensor | None]]


def _compute_for(method: MethodSettings) -> Compute:
    """How this kind of ensemble turns a batch into activations, logits [cells, members, rows, nodes] and peers' logits."""
    if method.ensemble == "dropout":
        return _passes
    if method.ensemble == "own_batches" and method.focal.uncertainty != "none" and method.networks > 1:
        return _members_with_peers
    return _members


def _members(networks: mlp.Networks, batch: _Batch, method: MethodSettings) -> tuple[mlp.Activations, Tensor, None]:
    activations = mlp.forward(networks, batch.inputs, batch.masks)
    logits = activations.logits.view(len(batch.labels), method.networks, *activations.logits.shape[1:])
    return activations, logits, None


def _members_with_peers(networks: mlp.Networks, batch: _Batch, method: MethodSettings) -> tuple[mlp.Activations, Tensor, Tensor]:
    """Members with batches of their own: every member also judges the others' rows, without gradient, for the uncertainty.

    The judging passes run without dropout: the masks belong to the members' own rows.
    """
    activations, logits, _ = _members(networks, batch, method)
    cells, members, rows, nodes = logits.shape
    everyone = (
        batch.inputs.view(cells, 1, members * rows, -1).expand(-1, members, -1, -1).reshape(cells * members, members * rows, -1)
    )
    judged = mlp.forward(networks, everyone, ()).logits.view(cells, members, members, rows, nodes)
    return activations, logits, judged.transpose(1, 2)


def _passes(networks: mlp.Networks, batch: _Batch, method: MethodSettings) -> tuple[mlp.Activations, Tensor, None]:
    """One network, several passes with different dropout masks: the passes lie one after the other on the row axis."""
    cells = len(batch.labels)
    rows = batch.inputs.shape[1]
    masks = tuple(mask.reshape(cells, method.members * rows, -1) for mask in batch.masks)
    activations = mlp.forward(networks, batch.inputs.reshape(cells, method.members * rows, -1), masks)
    return activations, activations.logits.view(cells, method.members, rows, -1), None


def _require_finite(step_losses: Tensor, seeds: Sequence[int], epoch: int) -> None:
    finite = step_losses.isfinite()
    if not bool(finite.all()):
        cell, step = (~finite).nonzero()[0].tolist()
        raise TrainingError(
            f"the loss became {step_losses[cell, step].item()} in epoch {epoch + 1}, step {step + 1} (seed {seeds[cell]}); "
            "lower training.learning_rate, or look for extreme values among the features"
        )
