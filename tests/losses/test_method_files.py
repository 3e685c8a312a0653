"""Every method and protocol that is shipped builds, under its own name, and gives a finite loss."""

import dataclasses
from pathlib import Path

import pytest
import torch
import yaml

from hmc.losses.objective import Objective, ObjectiveContext
from hmc.losses.schedule import Progress
from hmc.models.constraint import Constraint
from hmc.settings import MethodSettings, ProtocolSettings, build
from tests.losses.golden import CASES, Case

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
METHODS = sorted((CONFIGS / "method").glob("*.yaml"))
PROTOCOLS = sorted((CONFIGS / "protocol").glob("*.yaml"))
MEASURES = ("bbma", "gmu", "total", "aleatoric", "epistemic_js", "epistemic_kl")
EXPECTED = {
    *("chmcnn", "ensemble", "lpros", "hros_pd", "mixed", "lpros_weighted_focal_bbma", "dropout_focal_bbma", "dropout_focal_gmu"),
    *("ensemble_summed", "bce", "logit_adjusted", "asymmetric", "focal_own", "class_balanced"),
    *("extra_trees", "random_forest", "logistic_regression", "nearest_neighbours", "predict_all", "training_rate"),
    *("mixture_chmcnn_trees", "mixture_ensemble_trees", "mixture_weighted_trees"),
    *("weighted", "weighted_binary", "weighted_linear", "weighted_power", "weighted_alternating"),
    *(f"focal_{measure}" for measure in MEASURES),
    *(f"weighted_focal_{measure}" for measure in MEASURES),
}


def test_all_methods_are_there() -> None:
    assert {path.stem for path in METHODS} >= EXPECTED


@pytest.mark.parametrize("protocol_path", PROTOCOLS, ids=lambda path: path.stem)
@pytest.mark.parametrize("path", METHODS, ids=lambda path: path.stem)
def test_method_gives_a_finite_loss_and_gradient(path: Path, protocol_path: Path) -> None:
    method = build(MethodSettings, yaml.safe_load(path.read_text()))
    assert method.name == path.stem
    assert method.title
    case = Case(CASES[0])
    context = ObjectiveContext(
        hierarchy=case.hierarchy,
        constraint=Constraint(case.hierarchy),
        method=method,
        protocol=build(ProtocolSettings, yaml.safe_load(protocol_path.read_text())),
        training_labels=case.training_labels,
        device=torch.device("cpu"),
    )
    shape = (2, method.members, *case.labels.shape)
    logits = torch.randn(shape, generator=torch.Generator().manual_seed(0)).requires_grad_()
    losses = Objective(context)(logits, case.labels.expand(2, 1, -1, -1), Progress(0, 1, 1, 4))
    (gradient,) = torch.autograd.grad(losses.sum(), logits)
    assert losses.shape == (2,)
    assert losses.isfinite().all()
    assert gradient.isfinite().all()


def test_titles_tell_methods_apart() -> None:
    titles = [yaml.safe_load(path.read_text())["title"] for path in METHODS]
    assert len(set(titles)) == len(titles)


def protocol(name: str) -> ProtocolSettings:
    return build(ProtocolSettings, yaml.safe_load((CONFIGS / "protocol" / f"{name}.yaml").read_text()))


def test_protocols_depart_from_the_released_program_as_they_say() -> None:
    released = ProtocolSettings()
    assert protocol("released") == released
    assert protocol("described") == dataclasses.replace(released, name="described", weights_apply_to="positives")
    switches = [entry.name for entry in dataclasses.fields(ProtocolSettings)]
    assert not [switch for switch in switches if getattr(protocol("corrected"), switch) == getattr(released, switch)]
