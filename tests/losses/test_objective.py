"""The objective against the released program's losses and gradients, and against plain formulas."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from hmc.losses.mcloss import mcloss
from hmc.losses.objective import Objective, ObjectiveContext
from hmc.losses.schedule import Progress
from hmc.losses.uncertainty import bbma, gmu
from hmc.losses.weights import node_weights
from hmc.models.constraint import Constraint
from hmc.settings import FocalSettings, MethodSettings, NodeWeightSettings, ProtocolSettings, ScheduleSettings, SettingsError
from tests.losses.golden import CASES, MODES, Case, relative_difference

START = Progress(0, 2, 0, 5)
CLASS_WISE = NodeWeightSettings("class_wise")
CASE = Case(CASES[0])
EVALUATED = torch.from_numpy(CASE.hierarchy.evaluated)
LOGITS = torch.logit(CASE.probabilities)
MEMBERS, ROWS, NODES = LOGITS.shape


def objective(case: Case = CASE, protocol: ProtocolSettings | None = None, members: int = MEMBERS, **method: Any) -> Objective:
    return Objective(
        ObjectiveContext(
            hierarchy=case.hierarchy,
            constraint=Constraint(case.hierarchy),
            method=MethodSettings(name="method", members=members, **method),
            protocol=protocol or ProtocolSettings(),
            training_labels=case.training_labels,
            device=torch.device("cpu"),
        )
    )


def value(made: Objective, logits: Tensor = LOGITS, progress: Progress = START, labels: Tensor = CASE.labels) -> float:
    """The loss of one cell. logits: [members, rows, nodes]; labels: [rows, nodes]."""
    (loss,) = made(logits.unsqueeze(0), labels.expand(1, 1, -1, -1), progress)
    return float(loss)


def elementwise() -> Tensor:
    """Losses of the evaluated nodes, [members, rows, evaluated]."""
    return mcloss(LOGITS, CASE.labels, Constraint(CASE.hierarchy))[..., EVALUATED]


def label_weights(weights_apply_to: str = "negatives") -> Tensor:
    """Class-wise weights of the case's labels, [rows, evaluated]; as released unless said."""
    weights = node_weights(CASE.training_labels, CASE.hierarchy, CLASS_WISE, ProtocolSettings()).assigned(weights_apply_to)
    return torch.from_numpy(np.where(CASE.labels.numpy(), weights.positive, weights.negative))[:, EVALUATED]


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("power", [1, 2])
@pytest.mark.parametrize("weighting", ["weighted", "unweighted"])
def test_loss_and_gradient_equal_the_released_program(name: str, mode: str, power: int, weighting: str) -> None:
    case = Case(name)
    probabilities = case.probabilities
    logits = torch.logit(probabilities).unsqueeze(0).requires_grad_()
    made = objective(
        case,
        members=len(probabilities),
        focal=FocalSettings(MODES[mode], floor=0.25, power=power),
        node_weights=NodeWeightSettings("class_wise" if weighting == "weighted" else "none"),
    )
    (loss,) = made(logits, case.labels.expand(1, 1, -1, -1), START)
    (gradient,) = torch.autograd.grad(loss, logits)
    key = f"objective/{mode}/k{power}/{weighting}"
    assert float(loss.detach()) == pytest.approx(float(case.arrays[f"{key}/loss"]), rel=1e-5)
    by_probability = (gradient[0] / (probabilities * (1 - probabilities))).numpy()
    theirs = case.arrays[f"{key}/grad"].astype(np.float64)
    assert relative_difference(by_probability, theirs) < 1e-5
    np.testing.assert_allclose(by_probability, theirs, rtol=1e-4, atol=1e-6)


def test_plain_loss_is_a_mean_per_member() -> None:
    assert value(objective()) == pytest.approx(float(elementwise().mean((1, 2)).sum()), rel=1e-6)


@pytest.mark.parametrize("weights_apply_to", ["negatives", "positives"])
def test_weighted_loss_is_a_mean_of_weighted_losses(weights_apply_to: str) -> None:
    expected = float((elementwise() * label_weights(weights_apply_to)).mean((1, 2)).sum())
    protocol = ProtocolSettings(weights_apply_to=weights_apply_to)
    assert value(objective(protocol=protocol, node_weights=CLASS_WISE)) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("weights", [NodeWeightSettings(), CLASS_WISE])
def test_members_have_the_gradient_that_each_has_alone(weights: NodeWeightSettings) -> None:
    together = LOGITS.unsqueeze(0).clone().requires_grad_()
    loss = objective(node_weights=weights)(together, CASE.labels.expand(1, 1, -1, -1), START)
    (gradient,) = torch.autograd.grad(loss.sum(), together)
    for member in range(MEMBERS):
        alone = LOGITS[member : member + 1].unsqueeze(0).clone().requires_grad_()
        loss = objective(members=1, node_weights=weights)(alone, CASE.labels.expand(1, 1, -1, -1), START)
        torch.testing.assert_close(gradient[0, member], torch.autograd.grad(loss.sum(), alone)[0][0, 0])


@pytest.mark.parametrize("focal", [FocalSettings(), FocalSettings("bbma")])
def test_reductions(focal: FocalSettings) -> None:
    as_sum = value(objective(protocol=ProtocolSettings(reduction="sum"), focal=focal))
    as_mean = value(objective(protocol=ProtocolSettings(reduction="mean"), focal=focal))
    released = value(objective(focal=focal))
    assert as_sum == pytest.approx(as_mean * ROWS * int(EVALUATED.sum()), rel=1e-6)
    assert released == (as_mean if focal.uncertainty == "none" else as_sum)


@pytest.mark.parametrize(
    ("shape", "batch", "share"),
    [("linear", 0, 0), ("linear", 1, 0.25), ("linear", 4, 1), ("power", 2, 0.125), ("alternating", 3, 1)],
)
def test_schedules_move_all_weights_towards_omega(shape: str, batch: int, share: float) -> None:
    weights = label_weights()
    expected = float((elementwise() * (weights + (0.25 - weights) * share)).mean((1, 2)).sum())
    made = objective(node_weights=CLASS_WISE, schedule=ScheduleSettings(shape))
    assert value(made, progress=Progress(0, 2, batch, 5)) == pytest.approx(expected, rel=1e-6)


def test_mixed_loss() -> None:
    weighted, plain = value(objective(node_weights=CLASS_WISE)), value(objective())
    assert value(objective(node_weights=CLASS_WISE, weighted_share=0.3)) == pytest.approx(0.3 * weighted + 0.7 * plain, rel=1e-6)


def test_mixed_focal_loss_mixes_with_a_sum() -> None:
    focal = {"node_weights": CLASS_WISE, "focal": FocalSettings("gmu")}
    weighted, plain = value(objective(**focal)), value(objective(protocol=ProtocolSettings(reduction="sum")))
    assert value(objective(**focal, weighted_share=0.3)) == pytest.approx(0.3 * weighted + 0.7 * plain, rel=1e-6)


def test_mixed_loss_under_a_schedule_mixes_the_scheduled_weights() -> None:
    schedule = {"node_weights": CLASS_WISE, "schedule": ScheduleSettings("linear")}
    later = Progress(0, 1, 1, 3)
    mixed = value(objective(**schedule, weighted_share=0.3), progress=later)
    assert mixed == pytest.approx(0.3 * value(objective(**schedule), progress=later) + 0.7 * value(objective()), rel=1e-6)


def test_passes_of_a_dropout_ensemble_are_averaged() -> None:
    for focal in (FocalSettings(), FocalSettings("bbma")):
        passes = value(objective(ensemble="dropout", focal=focal))
        assert passes == pytest.approx(value(objective(focal=focal)) / MEMBERS, rel=1e-6)


def test_own_batches_take_the_uncertainty_of_each_batch() -> None:
    generator = torch.Generator().manual_seed(0)
    peers = torch.randn(1, MEMBERS, MEMBERS, ROWS, NODES, generator=generator, dtype=torch.float64)
    logits = peers.diagonal(dim1=1, dim2=2).movedim(-1, 1)
    labels = torch.stack([CASE.labels.roll(member, 0) for member in range(MEMBERS)]).unsqueeze(0)
    (loss,) = objective(ensemble="own_batches", focal=FocalSettings("gmu"))(logits, labels, START, peers)
    focal = 0.25 + gmu(peers.sigmoid()) ** 2
    expected = (mcloss(logits, labels, Constraint(CASE.hierarchy)) * focal)[..., EVALUATED].sum()
    assert float(loss) == pytest.approx(float(expected), rel=1e-6)


def test_own_batches_need_peers_only_for_focal_weights() -> None:
    with pytest.raises(ValueError, match="needs peer_logits"):
        value(objective(ensemble="own_batches", focal=FocalSettings("bbma")))
    assert value(objective(ensemble="own_batches")) == value(objective())


def test_unevaluated_nodes_have_no_part() -> None:
    logits = LOGITS.unsqueeze(0).clone().requires_grad_()
    loss = objective(node_weights=CLASS_WISE)(logits, CASE.labels.expand(1, 1, -1, -1), START)
    (gradient,) = torch.autograd.grad(loss.sum(), logits)
    assert (gradient[..., CASE.hierarchy.root] == 0).all()
    moved = LOGITS.clone()
    moved[..., CASE.hierarchy.root] = 100
    assert value(objective(focal=FocalSettings("bbma")), moved) == value(objective(focal=FocalSettings("bbma")))


def test_uncertainty_comes_from_unconstrained_probabilities_of_all_members() -> None:
    focal = 0.5 + bbma(CASE.probabilities)[:, EVALUATED] ** 3
    made = objective(focal=FocalSettings("bbma", floor=0.5, power=3))
    assert value(made) == pytest.approx(float((elementwise() * focal).sum()), rel=1e-6)


def test_comparing_measures_refuse_one_member() -> None:
    with pytest.raises(ValueError, match="gmu was given 1 member; it compares members"):
        value(objective(members=1, focal=FocalSettings("gmu")), LOGITS[:1])


def test_unknown_words_are_named() -> None:
    with pytest.raises(SettingsError, match="reduction='means' is not known; did you mean 'mean'"):
        objective(protocol=ProtocolSettings(reduction="means"))
    with pytest.raises(SettingsError, match="uncertainty='bmba' is not known; did you mean 'bbma'"):
        objective(focal=FocalSettings("bmba"))
