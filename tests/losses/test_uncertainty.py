"""The uncertainties against the released program's and against their definitions pair by pair."""

import itertools

import numpy as np
import pytest
import torch
from torch import Tensor

from hmc.losses.uncertainty import MEASURES, bbma, epistemic_js, epistemic_kl, gmu, uncertainty
from hmc.settings import SettingsError
from tests.losses.golden import CASES, MODES, Case, relative_difference

NEEDS_TWO = ("gmu", "epistemic_js", "epistemic_kl")


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("mode", MODES)
def test_equal_to_the_released_program(name: str, mode: str) -> None:
    case = Case(name)
    theirs = case.arrays[f"uncertainty/{mode}"].astype(np.float64)
    exact = uncertainty(MODES[mode])(case.probabilities).numpy()
    assert relative_difference(exact, theirs) < 1e-6
    single = uncertainty(MODES[mode])(case.probabilities.float())
    assert single.dtype == torch.float32
    assert relative_difference(single.numpy().astype(np.float64), theirs) < 1e-5


def pairwise(probabilities: Tensor, logarithm_of: str) -> Tensor:
    """The mean over ordered pairs, from the divergences' definitions."""

    def kl(one: Tensor, other: Tensor) -> Tensor:
        return one * (one / other).log2() + (1 - one) * ((1 - one) / (1 - other)).log2()

    pairs = list(itertools.permutations(probabilities.unbind(-3), 2))
    if logarithm_of == "other":
        return torch.stack([kl(one, other) for one, other in pairs]).mean(0)
    return torch.stack([(kl(one, (one + other) / 2) + kl(other, (one + other) / 2)) / 2 for one, other in pairs]).mean(0)


@pytest.mark.parametrize("members", [2, 3, 4, 7, 20])
def test_pairwise_measures_equal_their_definition(members: int) -> None:
    probabilities = torch.rand(2, members, 3, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(members))
    torch.testing.assert_close(epistemic_kl(probabilities), pairwise(probabilities, "other"))
    torch.testing.assert_close(epistemic_js(probabilities), pairwise(probabilities, "middle"))


@pytest.mark.parametrize("name", MEASURES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_finite_at_the_edges(name: str, dtype: torch.dtype) -> None:
    corners = torch.tensor(list(itertools.product([0, 0.5, 1], repeat=3)), dtype=dtype).T.unsqueeze(1)
    found = uncertainty(name)(corners)
    assert found.isfinite().all()
    assert (found >= 0).all()


@pytest.mark.parametrize("name", MEASURES)
def test_shape_and_no_gradient(name: str) -> None:
    probabilities = torch.full((2, 3, 4, 5), 0.3, requires_grad=True)
    found = uncertainty(name)(probabilities)
    assert found.shape == (2, 4, 5)
    assert not found.requires_grad


def test_values_by_hand() -> None:
    certain, split = torch.ones(2, 1, 1), torch.tensor([0.0, 1.0]).view(2, 1, 1)
    assert [float(MEASURES[name](certain)) for name in MEASURES] == pytest.approx([0, 0, 0, 0, 0, 0], abs=1e-6)
    assert [float(MEASURES[name](split)) for name in list(MEASURES)[:5]] == pytest.approx([1, 1, 1, 0, 1], abs=1e-6)


def test_gmu_of_equal_members_is_bbma() -> None:
    probabilities = torch.tensor([0.0, 0.25, 0.5, 0.75, 1.0]).expand(4, 1, 5)
    torch.testing.assert_close(gmu(probabilities), bbma(probabilities))


@pytest.mark.parametrize("name", MEASURES)
def test_too_few_members_are_refused(name: str) -> None:
    alone = torch.rand(1, 2, 3)
    if name in NEEDS_TWO:
        with pytest.raises(ValueError, match=f"{name} was given 1 member; it compares members, so give it two or more"):
            uncertainty(name)(alone)
    else:
        assert uncertainty(name)(alone).shape == (2, 3)
    with pytest.raises(ValueError, match=f"{name} was given 0 members"):
        uncertainty(name)(torch.rand(0, 2, 3))
    with pytest.raises(ValueError, match=r"shape \[2, 3\]; .* takes \[..., members, rows, nodes\]"):
        uncertainty(name)(torch.rand(2, 3))


def own_measure(probabilities: Tensor) -> Tensor:
    return probabilities.amax(-3)


def test_lookup() -> None:
    assert uncertainty(f"{__name__}:own_measure") is own_measure
    with pytest.raises(SettingsError, match="uncertainty='bmba' is not known; did you mean 'bbma'"):
        uncertainty("bmba")
    with pytest.raises(SettingsError, match="cannot be imported"):
        uncertainty(f"{__name__}:no_such_measure")
