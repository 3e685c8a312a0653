"""An encoder that learns below the heads: its gradient, all kinds of ensembles, and a training that goes on from a checkpoint."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from hmc.models import mlp
from hmc.models.constraint import Constraint
from hmc.settings import MethodSettings, TrainingSettings
from hmc.training.adam import Adam
from hmc.training.inputs import AS_THEY_ARE, LearningEncoder
from hmc.training.trainer import TrainingState, predict, train
from tests.training.test_trainer import HIERARCHY, PLAIN, MeanLoss, problem

TRAINING = TrainingSettings(hidden=16, epochs=3, learning_rate=1e-2, dropout=0.5, batch_size=8)


def module() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(5, 7), nn.ReLU())


def learning(settings: TrainingSettings = TRAINING) -> LearningEncoder:
    return LearningEncoder(module(), 7, settings)


@pytest.mark.parametrize("layers", [1, 3])
def test_the_gradient_of_the_inputs_is_autograds(layers: int) -> None:
    generator = torch.Generator().manual_seed(0)
    networks = mlp.initialise(mlp.layer_sizes(5, 6, layers, 4), 2, generator)
    inputs = torch.randn(2, 3, 5, generator=generator)
    inputs[0, 0, :] = 0  # an input of 0 has a gradient, unlike a hidden unit that is switched off
    reference = inputs.clone().requires_grad_()
    hidden = reference
    for place, layer in enumerate(networks.layers):
        hidden = torch.baddbmm(layer[:, -1:].clone(), hidden, layer[:, :-1].clone())
        hidden = hidden.relu() if place + 1 < layers else hidden
    slope = torch.randn(2, 3, 4, generator=generator)
    (expected,) = torch.autograd.grad(hidden, reference, slope)
    optimiser = Adam(networks, dataclasses.replace(TRAINING, dropout=0, layers=layers))
    below = optimiser.step(mlp.forward(networks, inputs, ()), slope, wants_inputs=True)
    assert below is not None
    assert torch.allclose(below, expected, atol=1e-6)
    assert optimiser.step(mlp.forward(networks, inputs, ()), slope) is None


@pytest.mark.parametrize(
    "method",
    [
        PLAIN,
        MethodSettings("members", members=3),
        MethodSettings("own", members=2, ensemble="own_batches"),
        MethodSettings("passes", members=3, ensemble="dropout"),
    ],
    ids=lambda method: method.name,
)
def test_every_kind_of_ensemble_teaches_its_encoder(method: MethodSettings) -> None:
    features, labels = problem(40)
    encoder = learning()
    before = copy.deepcopy(encoder.state()["module"])
    trained = train(features, labels, MeanLoss(), method, dataclasses.replace(TRAINING, epochs=12), [0], inputs=encoder)
    after = encoder.state()["module"]
    assert all(not torch.equal(before[name], after[name]) for name in before)
    assert trained.losses[0, -1] < 0.8 * trained.losses[0, 0]
    probabilities = predict(trained, features, Constraint(HIERARCHY), 1)
    assert probabilities.shape == (1, 40, 4)
    assert (probabilities[0, :, 1] >= probabilities[0, :, 3]).all()


def test_an_encoder_whose_rate_is_zero_changes_nothing() -> None:
    """The heads see the same features, and train as they would on features that were computed once."""
    features, labels = problem()
    frozen = module()
    with torch.no_grad():
        computed = frozen(features)
    still = LearningEncoder(frozen, 7, dataclasses.replace(TRAINING, learning_rate=1e-30))
    below = train(features, labels, MeanLoss(), PLAIN, TRAINING, [0], inputs=still)
    once = train(computed, labels, MeanLoss(), PLAIN, TRAINING, [0])
    assert torch.allclose(below.losses, once.losses, atol=1e-6)
    assert once.inputs is AS_THEY_ARE


class Kept:
    """The state after one epoch, as a checkpoint file would keep it."""

    def __init__(self, state: TrainingState | None = None) -> None:
        self.state = state

    def load(self) -> TrainingState | None:
        return self.state

    def offer(self, state: Callable[[], TrainingState]) -> None:
        if self.state is None:
            self.state = copy.deepcopy(state())


def test_an_encoder_that_learns_goes_on_from_a_checkpoint_to_the_bit() -> None:
    features, labels = problem()
    kept = Kept()
    whole = learning()
    first = train(features, labels, MeanLoss(), PLAIN, TRAINING, [0], inputs=whole, checkpoint=kept)
    assert kept.state is not None
    assert kept.state.epochs == 1
    rest = LearningEncoder(nn.Sequential(nn.Linear(5, 7), nn.ReLU()), 7, TRAINING)
    second = train(features, labels, MeanLoss(), PLAIN, TRAINING, [0], inputs=rest, checkpoint=Kept(kept.state))
    assert torch.equal(first.losses, second.losses)
    states: list[dict[str, Tensor]] = [encoder.state()["module"] for encoder in (whole, rest)]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def test_an_encoder_that_learns_belongs_to_one_cell() -> None:
    features, labels = problem()
    with pytest.raises(ValueError, match="belongs to one cell"):
        train(features, labels, MeanLoss(), PLAIN, TRAINING, [0, 1], inputs=learning())
