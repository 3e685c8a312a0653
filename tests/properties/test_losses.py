"""What must hold of weights, uncertainties, resampling and the objective for any hierarchy, labels and logits."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from hmc.data.resample import resample
from hmc.losses.objective import Objective, ObjectiveContext
from hmc.losses.rivals import LOSSES
from hmc.losses.schedule import Progress
from hmc.losses.uncertainty import MEASURES, aleatoric, bbma, epistemic_js, epistemic_kl, gmu, total
from hmc.losses.weights import node_weights
from hmc.models.constraint import Constraint
from hmc.settings import FocalSettings, MethodSettings, NodeWeightSettings, ProtocolSettings, ScheduleSettings
from tests.strategies import closed_labels, hierarchies

PROTOCOLS = st.builds(
    ProtocolSettings,
    frequency=st.sampled_from(["descendant_sum", "node"]),
    unseen_node_weight=st.sampled_from(["one", "max_seen"]),
    negative_weights=st.sampled_from(["ones", "balanced"]),
    weights_apply_to=st.sampled_from(["negatives", "positives"]),
    reduction=st.sampled_from(["as_released", "sum", "mean"]),
)
SCHEMES = st.builds(NodeWeightSettings, scheme=st.sampled_from(["class_wise", "binary"]), omega=st.floats(0.01, 4))
METHODS = st.builds(
    MethodSettings,
    name=st.just("method"),
    members=st.just(3),
    node_weights=SCHEMES,
    focal=st.builds(FocalSettings, uncertainty=st.sampled_from(["none", *MEASURES]), power=st.sampled_from([0.5, 1.0, 2.0])),
    schedule=st.builds(ScheduleSettings, shape=st.sampled_from(["constant", "linear", "power", "alternating"])),
    weighted_share=st.sampled_from([0.4, 1.0]),
    loss=st.sampled_from(list(LOSSES)),
)


@st.composite
def probabilities(draw: st.DrawFn) -> torch.Tensor:
    """float64 [2 to 6 members, 2 rows, 3 nodes], edges included."""
    members = draw(st.integers(2, 6))
    some = st.sampled_from([0.0, 1.0, 0.5, 1e-9]) | st.floats(0, 1)
    drawn = draw(st.lists(some, min_size=6 * members, max_size=6 * members))
    return torch.tensor(drawn, dtype=torch.float64).view(members, 2, 3)


@given(hierarchies(), SCHEMES, PROTOCOLS, st.data())
def test_weights_are_finite_and_positive(
    hierarchy: object, settings: NodeWeightSettings, protocol: ProtocolSettings, data: st.DataObject
) -> None:
    labels = data.draw(closed_labels(hierarchy, rows=data.draw(st.integers(1, 6))))
    weights = node_weights(labels, hierarchy, settings, protocol)
    for part in (weights.positive, weights.negative):
        assert np.isfinite(part).all()
        assert (part > 0).all()
        assert (part >= min(settings.omega, 1) - 1e-12).all()


@given(probabilities(), st.sampled_from([torch.float32, torch.float64]))
def test_uncertainties_lie_between_zero_and_one(members: torch.Tensor, dtype: torch.dtype) -> None:
    for name, measure in MEASURES.items():
        found = measure(members.to(dtype))
        assert found.isfinite().all(), name
        assert (found >= 0).all(), name
        assert (found <= 1).all() or name == "epistemic_kl", name


@given(probabilities())
def test_order_of_members_does_not_matter(members: torch.Tensor) -> None:
    for measure in MEASURES.values():
        torch.testing.assert_close(measure(members.flip(0)), measure(members), rtol=1e-9, atol=1e-9)


@given(probabilities())
def test_total_is_at_least_aleatoric(members: torch.Tensor) -> None:
    assert (total(members) >= aleatoric(members) - 1e-12).all()


@given(probabilities())
def test_a_member_equal_to_the_mean_keeps_the_mean_and_lowers_the_spread(members: torch.Tensor) -> None:
    more = torch.cat([members, members.mean(0, keepdim=True)])
    torch.testing.assert_close(bbma(more), bbma(members), rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(total(more), total(members), rtol=1e-9, atol=1e-9)
    # The entropy of the mean is never below the mean entropy, so that member raises the latter.
    assert (aleatoric(more) >= aleatoric(members) - 1e-9).all()
    for measure in (gmu, epistemic_js, epistemic_kl):
        assert (measure(more) <= measure(members) + 1e-9).all()
    differ = members.std(0) > 1e-3
    assert (epistemic_kl(more) < epistemic_kl(members))[differ].all()
    assert (epistemic_js(more) < epistemic_js(members))[differ].all()


@given(hierarchies(), st.sampled_from(["lpros", "hros_pd"]), st.floats(0.05, 3), st.integers(0, 99), st.data())
def test_resampled_labels_are_closed_and_the_rows_own(
    hierarchy: object, name: str, fraction: float, seed: int, data: st.DataObject
) -> None:
    labels = data.draw(closed_labels(hierarchy, rows=data.draw(st.integers(1, 12))))
    features = np.zeros((len(labels), 1))
    added = resample(name, features, labels, hierarchy, fraction, np.random.default_rng(seed))
    assert added.labels.shape == (len(added.rows), len(hierarchy))
    assert hierarchy.is_closed(added.labels)
    assert not (added.labels & ~labels[added.rows]).any()
    if name == "lpros":
        assert len(added) <= int(fraction * len(labels))


@given(hierarchies(), METHODS, PROTOCOLS, st.sampled_from([1.0, 30.0, 1e4, 1e20]), st.integers(0, 2**31), st.data())
def test_loss_and_gradient_are_finite_and_a_stack_equals_its_cells(
    hierarchy: object, method: MethodSettings, protocol: ProtocolSettings, size: float, seed: int, data: st.DataObject
) -> None:
    labels = data.draw(closed_labels(hierarchy, rows=4))
    objective = Objective(ObjectiveContext(hierarchy, Constraint(hierarchy), method, protocol, labels, torch.device("cpu")))
    logits = size * torch.randn(3, method.members, 2, len(hierarchy), generator=torch.Generator().manual_seed(seed))
    of_cells = torch.from_numpy(np.stack([labels[cell : cell + 2] for cell in range(3)])).unsqueeze(1)
    progress = Progress(0, 1, 1, 4)

    def loss_and_gradient(cells: slice) -> tuple[torch.Tensor, torch.Tensor]:
        chosen = logits[cells].clone().requires_grad_()
        losses = objective(chosen, of_cells[cells], progress)
        return losses.detach(), torch.autograd.grad(losses.sum(), chosen)[0]

    losses, gradient = loss_and_gradient(slice(None))
    assert losses.isfinite().all()
    assert (losses >= 0).all()
    assert gradient.isfinite().all()
    for cell in range(3):
        alone, own_gradient = loss_and_gradient(slice(cell, cell + 1))
        torch.testing.assert_close(alone[0], losses[cell])
        torch.testing.assert_close(own_gradient[0], gradient[cell])


def test_pairwise_measures_of_twenty_members_stay_small_in_memory() -> None:
    """Twenty members on a Gene Ontology batch: no operation may hold members x members x rows x nodes numbers."""
    members = torch.rand(20, 4, 500)
    for measure in (epistemic_js, epistemic_kl, gmu):
        with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True) as profiler:
            measure(members)
        allocations = [event.cpu_memory_usage for event in profiler.events()]
        assert max(allocations) > 0
        assert max(allocations) <= 2 * members.numel() * members.element_size()


@pytest.mark.parametrize("name", MEASURES)
def test_measures_take_any_leading_shape(name: str) -> None:
    members = torch.rand(2, 3, 4, 5, 6)
    torch.testing.assert_close(MEASURES[name](members)[1, 2], MEASURES[name](members[1, 2]))
