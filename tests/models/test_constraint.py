"""The constraint against its dense definition, in value and gradient, with both kernels."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from hmc.hierarchy import Hierarchy, from_edges
from hmc.models.constraint import Constraint, _PairKernel
from tests.strategies import closed_labels, dense_closure, hierarchies

DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]


def constraints(hierarchy: Hierarchy) -> list[Constraint]:
    """The CPU's kernel, the pair kernel on the CPU, and a GPU's where there is one."""
    pairs = Constraint(hierarchy)
    pairs._kernel = _PairKernel(hierarchy, torch.device("cpu"))
    return [*(Constraint(hierarchy, device) for device in DEVICES), pairs]


def dense_maximum(values: Tensor, allowed: Tensor) -> Tensor:
    """max over j of values[..., j] where allowed[..., i, j]."""
    return values.unsqueeze(-2).masked_fill(~allowed, -torch.inf).amax(-1)


@given(hierarchies(), st.integers(0, 2**31), st.data())
def test_value_and_gradient_equal_the_dense_definition(hierarchy: Hierarchy, seed: int, data: st.DataObject) -> None:
    generator = torch.Generator().manual_seed(seed)
    # Distinct values, so that the dense maximum has one winner too.
    values = torch.stack([torch.randperm(len(hierarchy), generator=generator) for _ in range(6)]).view(2, 3, -1).double()
    labels = torch.from_numpy(data.draw(closed_labels(hierarchy, 3)))
    upstream = torch.randn(values.shape, generator=generator, dtype=torch.float64)
    closure = torch.from_numpy(dense_closure(hierarchy))
    same = labels.unsqueeze(-1) == labels.unsqueeze(-2)
    for constraint in constraints(hierarchy):
        for allowed, of_constraint in (
            (closure, constraint.max_over_descendants),
            (closure & same, lambda given, c=constraint: c.matching_max(given, labels.to(c.device))),
        ):
            reference = values.clone().requires_grad_()
            expected = dense_maximum(reference, allowed)
            expected.backward(upstream)
            given_values = values.clone().to(constraint.device).requires_grad_()
            found = of_constraint(given_values)
            found.backward(upstream.to(constraint.device))
            assert torch.equal(found.cpu(), expected)
            torch.testing.assert_close(given_values.grad.cpu(), reference.grad)


@given(hierarchies(), st.integers(0, 2**31), st.data())
def test_ties_have_one_winner_and_every_kernel_the_same(hierarchy: Hierarchy, seed: int, data: st.DataObject) -> None:
    generator = torch.Generator().manual_seed(seed)
    values = torch.randint(0, 3, (4, len(hierarchy)), generator=generator).float()
    labels = torch.from_numpy(data.draw(closed_labels(hierarchy, 4)))
    gradients = []
    for constraint in constraints(hierarchy):
        given_values = values.clone().to(constraint.device).requires_grad_()
        constraint.matching_max(given_values, labels.to(constraint.device)).sum().backward()
        gradients.append(given_values.grad.cpu())
        assert torch.equal(gradients[-1], gradients[-1].round())
        assert (gradients[-1].sum(1) == len(hierarchy)).all()
    for gradient in gradients[1:]:
        assert torch.equal(gradient, gradients[0])


def test_on_logits_and_on_probabilities_it_is_the_same() -> None:
    hierarchy = from_edges(["root", "a", "b"], [("root", "a"), ("a", "b")])
    logits = torch.tensor([[-1.0, 0.5, 2.0]])
    constraint = Constraint(hierarchy)
    torch.testing.assert_close(
        constraint.max_over_descendants(logits).sigmoid(), constraint.max_over_descendants(logits.sigmoid())
    )


def test_no_dense_matrix_is_formed_for_a_large_hierarchy() -> None:
    """20,000 nodes: a dense form would have 400 million entries; the closure of this tree has about 200,000."""
    count = 20_000
    names = ["root", *(str(place) for place in range(1, count))]
    hierarchy = from_edges(names, [(names[(place - 1) // 3], names[place]) for place in range(1, count)])
    assert len(hierarchy.descendants.indices) < 12 * count
    values = torch.arange(count, dtype=torch.float32).expand(2, -1)
    for constraint in constraints(hierarchy):
        assert (constraint.max_over_descendants(values.to(constraint.device))[:, 0] == count - 1).all()


def test_the_wrong_number_of_nodes_is_named() -> None:
    hierarchy = from_edges(["root", "a"], [("root", "a")])
    with pytest.raises(ValueError, match=r"3 nodes .* has 2"):
        Constraint(hierarchy).max_over_descendants(torch.zeros(1, 3))


def test_a_stack_of_rows_is_its_rows_alone() -> None:
    hierarchy = from_edges(["root", "a", "b"], [("root", "a"), ("root", "b")])
    values = torch.from_numpy(np.random.default_rng(0).normal(size=(5, 4, 3)))
    constraint = Constraint(hierarchy)
    together = constraint.max_over_descendants(values)
    alone = torch.stack([constraint.max_over_descendants(part) for part in values])
    assert torch.equal(together, alone)
