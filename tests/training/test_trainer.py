"""The trainer on a tiny problem: what it learns, that a stack equals its cells alone, that every kind of ensemble runs, where
a NaN stops it.
"""

from __future__ import annotations

import dataclasses
import itertools

import pytest
import torch
from torch import Tensor

from hmc.data.random import derived_seed
from hmc.hierarchy import from_edges
from hmc.losses.schedule import Progress
from hmc.models import mlp
from hmc.models.constraint import Constraint
from hmc.settings import FocalSettings, MethodSettings, TrainingSettings
from hmc.training.random import cell_generators
from hmc.training.trainer import TrainingError, predict, train

HIERARCHY = from_edges(["root", "a", "b", "c"], [("root", "a"), ("root", "b"), ("a", "c")])
TRAINING = TrainingSettings(hidden=16, epochs=3, learning_rate=1e-2, dropout=0.5)
PLAIN = MethodSettings("plain")


def problem(rows: int = 30) -> tuple[Tensor, Tensor]:
    """Features whose signs are the labels."""
    features = torch.randn(rows, 5, generator=torch.Generator().manual_seed(1))
    a, b = features[:, 0] > 0, features[:, 1] > 0
    return features, torch.stack([torch.ones_like(a), a, b, a & (features[:, 2] > 0)], 1)


class MeanLoss:
    """C-HMCNN's objective without weights, and a note of the shapes that it was given."""

    def __init__(self) -> None:
        self.constraint = Constraint(HIERARCHY)
        self.shapes: set[tuple[torch.Size, torch.Size, torch.Size | None]] = set()

    def __call__(self, logits: Tensor, labels: Tensor, progress: Progress, peer_logits: Tensor | None = None) -> Tensor:
        self.shapes.add((logits.shape, labels.shape, None if peer_logits is None else peer_logits.shape))
        values = self.constraint.matching_max(logits, labels)
        targets = labels.expand(values.shape).float()
        return torch.nn.functional.binary_cross_entropy_with_logits(values, targets, reduction="none").mean((2, 3)).sum(1)


def test_it_learns() -> None:
    features, labels = problem(200)
    trained = train(features, labels, MeanLoss(), PLAIN, dataclasses.replace(TRAINING, epochs=30, dropout=0.1), [0])
    probabilities = predict(trained, features, Constraint(HIERARCHY), 1)[0]
    assert ((probabilities > 0.5) == labels).float().mean() > 0.95
    assert trained.losses[0, -1] < trained.losses[0, 0] / 3
    assert trained.steps == 30 * 50
    assert (probabilities[:, 1] >= probabilities[:, 3]).all()


def test_equal_logits_make_equal_probabilities_wherever_they_stand(monkeypatch: pytest.MonkeyPatch) -> None:
    """torch's sigmoid rounds the last few entries of a tensor by another rule; a child must not pass its parent by that."""
    features, labels = problem()
    trained = train(features, labels, MeanLoss(), PLAIN, TRAINING, [0])
    state = mlp.forward(trained.networks, features[None], ())
    names = [f"n{place}" for place in range(7)]
    chain = from_edges(names, list(itertools.pairwise(names)))
    generator = torch.Generator().manual_seed(0)
    for rows in range(1, 300):
        equal = torch.randn(1, rows, 1, generator=generator).mul(5).expand(-1, -1, 7).contiguous()
        monkeypatch.setattr(mlp, "forward", lambda *_, equal=equal: dataclasses.replace(state, logits=equal))
        probabilities = predict(trained, torch.zeros(rows, 5), Constraint(chain), 1, rows_at_once=300)[0]
        assert (probabilities.diff(dim=1) <= 0).all()


@pytest.mark.parametrize("members", [1, 3])
def test_a_stack_equals_its_cells_alone(members: int) -> None:
    features, labels = problem()
    method = MethodSettings("some", members=members)
    together = train(features, labels, MeanLoss(), method, TRAINING, [5, 2, 7])
    for place, seed in enumerate([5, 2, 7]):
        alone = train(features, labels, MeanLoss(), method, TRAINING, [seed])
        torch.testing.assert_close(together.losses[place], alone.losses[0])
        for layers, layer in zip(together.networks.layers, alone.networks.layers, strict=True):
            torch.testing.assert_close(layers[place * members : (place + 1) * members], layer, rtol=1e-4, atol=1e-6)


def test_the_same_seed_gives_the_same_bits_and_another_does_not() -> None:
    features, labels = problem()
    first, again, other = (train(features, labels, MeanLoss(), PLAIN, TRAINING, [seed]) for seed in (3, 3, 4))
    for one, two, three in zip(first.networks.layers, again.networks.layers, other.networks.layers, strict=True):
        assert torch.equal(one, two)
        assert not torch.equal(one, three)


def test_the_number_of_threads_does_not_change_the_bits() -> None:
    features, labels = problem()
    threads = torch.get_num_threads()
    try:
        results = []
        for count in (1, 2):
            torch.set_num_threads(count)
            results.append(train(features, labels, MeanLoss(), PLAIN, TRAINING, [3]).networks.layers)
    finally:
        torch.set_num_threads(threads)
    assert all(torch.equal(one, two) for one, two in zip(*results, strict=True))


@pytest.mark.parametrize(
    ("ensemble", "uncertainty", "networks", "labels_members", "peers"),
    [
        ("shared_batches", "bbma", 3, 1, None),
        ("own_batches", "none", 3, 3, None),
        ("own_batches", "bbma", 3, 3, (2, 3, 3, 4, 4)),
        ("dropout", "bbma", 1, 1, None),
    ],
)
def test_every_kind_of_ensemble(
    ensemble: str, uncertainty: str, networks: int, labels_members: int, peers: tuple[int, ...] | None
) -> None:
    features, labels = problem(28)
    method = MethodSettings("some", members=3, ensemble=ensemble, focal=FocalSettings(uncertainty))
    objective = MeanLoss()
    trained = train(features, labels, objective, method, TRAINING, [0, 1])
    assert objective.shapes == {((2, 3, 4, 4), (2, labels_members, 4, 4), peers)}
    assert trained.networks.count == 2 * networks
    assert predict(trained, features, Constraint(HIERARCHY), 2).shape == (2, 28, 4)


def test_a_smaller_last_batch_is_trained_on() -> None:
    features, labels = problem(6)
    objective = MeanLoss()
    assert train(features, labels, objective, PLAIN, TRAINING, [0]).steps == 6
    assert {shapes[0][2] for shapes in objective.shapes} == {4, 2}


def test_a_loss_that_is_not_finite_stops_and_says_where() -> None:
    features, labels = problem()
    features[7] = torch.nan
    with pytest.raises(TrainingError, match=r"nan in epoch 1, step \d+ \(seed 11\)"):
        train(features, labels, MeanLoss(), PLAIN, TRAINING, [11])


def test_a_prediction_is_the_mean_over_members_of_constrained_probabilities() -> None:
    features, labels = problem()
    trained = train(features, labels, MeanLoss(), MethodSettings("some", members=2), TRAINING, [0])
    constraint = Constraint(HIERARCHY)
    inputs = features.expand(2, -1, -1)
    members = constraint.max_over_descendants(mlp.forward(trained.networks, inputs, ()).logits.sigmoid())
    torch.testing.assert_close(predict(trained, features, constraint, 1, rows_at_once=7)[0], members.mean(0))


def test_no_epochs_leave_the_initial_weights() -> None:
    features, labels = problem()
    trained = train(features, labels, MeanLoss(), PLAIN, dataclasses.replace(TRAINING, epochs=0), [4])
    initial = mlp.initialise([5, 16, 16, 4], 1, cell_generators(4, torch.device("cpu")).initial)
    assert all(torch.equal(one, two) for one, two in zip(trained.networks.layers, initial.layers, strict=True))


def test_seeds_of_different_purposes_differ() -> None:
    seeds = {derived_seed(seed, purpose) for seed in range(100) for purpose in ("initial weights", "dropout", "batch order")}
    assert len(seeds) == 300
