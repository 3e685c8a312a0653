"""MCLoss against the released program's, and against its definition on probabilities."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from hmc.losses.mcloss import mcloss
from hmc.models.constraint import Constraint
from tests.losses.golden import CASES, Case, relative_difference
from tests.strategies import dense_closure


@pytest.mark.parametrize("name", CASES)
def test_equal_to_the_released_program(name: str) -> None:
    case = Case(name)
    assert case.hierarchy.is_closed(case.labels.numpy())
    losses = mcloss(torch.logit(case.probabilities), case.labels, Constraint(case.hierarchy)).numpy()
    theirs = case.arrays["mcloss_elementwise"]
    np.testing.assert_allclose(losses[..., case.hierarchy.evaluated], theirs, rtol=1e-5)


@pytest.mark.parametrize("name", CASES)
def test_constrained_probabilities_equal_the_released_program(name: str) -> None:
    case = Case(name)
    constrained = Constraint(case.hierarchy).max_over_descendants(torch.logit(case.probabilities)).sigmoid().numpy()
    assert relative_difference(constrained, case.arrays["constrained"]) < 1e-6


@pytest.mark.parametrize("name", CASES)
def test_equal_to_the_definition_on_probabilities(name: str) -> None:
    case = Case(name)
    closure = torch.from_numpy(dense_closure(case.hierarchy))
    labels = case.labels.double()
    inner = case.probabilities
    values = [
        labels * (closure * (labels * inner).unsqueeze(-2)).amax(-1) + (1 - labels) * (closure * inner.unsqueeze(-2)).amax(-1)
    ]
    expected = functional.binary_cross_entropy(values[0], labels.expand_as(inner), reduction="none")
    torch.testing.assert_close(mcloss(torch.logit(inner), case.labels, Constraint(case.hierarchy)), expected)


@pytest.mark.parametrize("size", [50.0, 1e4, 1e30])
def test_finite_for_extreme_logits(size: float) -> None:
    case = Case(CASES[0])
    logits = (size * torch.sign(case.probabilities - 0.5)).float().requires_grad_()
    losses = mcloss(logits, case.labels, Constraint(case.hierarchy))
    (gradient,) = torch.autograd.grad(losses.mean(), logits)
    assert losses.isfinite().all()
    assert gradient.isfinite().all()
    assert gradient.abs().max() > 0
