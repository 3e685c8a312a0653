import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from hmc.models import mlp
from hmc.settings import TrainingSettings
from hmc.training.adam import Adam, _update_by_products


def torch_network(networks: mlp.Networks, place: int) -> torch.nn.Sequential:
    """One network of a stack as torch's own modules (dropout left out)."""
    modules: list[torch.nn.Module] = []
    for layer in networks.layers:
        inputs, outputs = layer.shape[1] - 1, layer.shape[2]
        linear = torch.nn.Linear(inputs, outputs)
        linear.weight.data = layer[place, :-1].T.clone()
        linear.bias.data = layer[place, -1].clone()
        modules += [linear, torch.nn.ReLU()]
    return torch.nn.Sequential(*modules[:-1])


def settings(dropout: float = 0.0) -> TrainingSettings:
    return TrainingSettings(hidden=8, epochs=1, learning_rate=1e-2, dropout=dropout, weight_decay=1e-3)


@pytest.mark.parametrize("rows", [1, 4, mlp.FEW_ROWS + 8])
@pytest.mark.parametrize("update", ["in one pass", "by products"])
def test_training_equals_torch_modules_and_torch_adam(rows: int, update: str) -> None:
    generator = torch.Generator().manual_seed(0)
    networks = mlp.initialise([5, 8, 8, 600], 3, generator)
    references = [torch_network(networks, place) for place in range(3)]
    optimisers = [torch.optim.Adam(one.parameters(), lr=1e-2, weight_decay=1e-3) for one in references]
    ours = Adam(networks, settings())
    if update == "by products":
        ours._update = _update_by_products
    for _ in range(5):
        inputs = torch.randn(3, rows, 5, generator=generator)
        targets = torch.rand(3, rows, 600, generator=generator).round()
        activations = mlp.forward(networks, inputs, ())
        logits = activations.logits.detach().clone().requires_grad_()
        torch.nn.functional.binary_cross_entropy_with_logits(logits, targets).backward()
        ours.step(activations, logits.grad)
        for place, (one, optimiser) in enumerate(zip(references, optimisers, strict=True)):
            output = one(inputs[place])
            torch.testing.assert_close(activations.logits[place], output, rtol=1e-4, atol=1e-5)
            optimiser.zero_grad()
            (torch.nn.functional.binary_cross_entropy_with_logits(output, targets[place]) / 3).backward()
            optimiser.step()
    for place, one in enumerate(references):
        for found, expected in zip(torch_network(networks, place).parameters(), one.parameters(), strict=True):
            torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-5)


@pytest.mark.slow
def test_the_largest_network_of_the_benchmark_equals_torch_too() -> None:
    """That of seq_go, 123 million parameters, with dropout: nothing of the kernels' blocks or sums depends on the size."""
    generator, sizes = torch.Generator().manual_seed(0), [529, 9000, 9000, 4130]
    networks = mlp.initialise(sizes, 1, generator)
    reference = torch_network(networks, 0)
    optimiser = torch.optim.Adam(reference.parameters(), lr=1e-4, weight_decay=1e-5)
    ours = Adam(networks, TrainingSettings(hidden=9000, epochs=1, learning_rate=1e-4, dropout=0.7, weight_decay=1e-5))
    criterion = torch.nn.BCEWithLogitsLoss()
    for _ in range(5):
        inputs = torch.randn(1, 4, 529, generator=generator)
        targets = (torch.rand(1, 4, 4130, generator=generator) < 0.01).float()
        masks = [torch.empty(1, 4, 9000).bernoulli_(0.3, generator=generator) / 0.3 for _ in range(2)]
        activations = mlp.forward(networks, inputs, masks)
        logits = activations.logits.detach().clone().requires_grad_()
        criterion(logits, targets).backward()
        ours.step(activations, logits.grad)
        hidden = inputs[0]
        for place in range(2):
            hidden = torch.relu(reference[2 * place](hidden)) * masks[place][0]
        output = reference[4](hidden)
        torch.testing.assert_close(activations.logits[0], output, rtol=1e-3, atol=1e-4)
        optimiser.zero_grad()
        criterion(output, targets[0]).backward()
        optimiser.step()
    for found, expected in zip(torch_network(networks, 0).parameters(), reference.parameters(), strict=True):
        difference = (found - expected).abs()
        # A gradient of about 0 has the sign of its rounding, and Adam's first steps go by the sign: a fifth of their way.
        assert difference.max() < 1e-4
        assert difference.mean() < 1e-8


@given(st.integers(1, 4), st.integers(1, 6), st.floats(0, 0.9), st.integers(0, 1000))
def test_both_updates_agree_under_dropout(networks: int, rows: int, dropout: float, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    stacks = [mlp.initialise([3, 8, 4], networks, torch.Generator().manual_seed(seed)) for _ in range(2)]
    optimisers = [Adam(stack, settings(dropout)) for stack in stacks]
    optimisers[1]._update = _update_by_products
    for _ in range(3):
        inputs = torch.randn(networks, rows, 3, generator=generator)
        mask = torch.empty(networks, rows, 8).bernoulli_(1 - dropout, generator=generator) / (1 - dropout)
        gradient = torch.randn(networks, rows, 4, generator=generator)
        for stack, optimiser in zip(stacks, optimisers, strict=True):
            optimiser.step(mlp.forward(stack, inputs, [mask]), gradient)
    for found, expected in zip(stacks[0].layers, stacks[1].layers, strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-5)


def test_initial_weights_are_those_of_torch_linear() -> None:
    networks = mlp.initialise([100, 400, 7], 2, torch.Generator().manual_seed(0))
    for layer in networks.layers:
        bound = (layer.shape[1] - 1) ** -0.5
        assert layer.abs().max() <= bound
        assert layer.std() == pytest.approx(bound / 3**0.5, rel=0.05)


def test_a_stack_computes_what_its_parts_compute() -> None:
    parts = [mlp.initialise([4, 6, 3], 2, torch.Generator().manual_seed(seed)) for seed in (1, 2)]
    inputs = torch.randn(4, 5, 4)
    together = mlp.forward(mlp.stack(parts), inputs, ()).logits
    alone = torch.cat([mlp.forward(part, inputs[2 * place : 2 * place + 2], ()).logits for place, part in enumerate(parts)])
    assert torch.equal(together, alone)


def test_parameters_are_counted_per_network() -> None:
    assert mlp.initialise([77, 500, 500, 500], 1, torch.Generator()).parameters == 540_000
