"""Which protocols a cell serves: one that no switch touches is the released one's, shown under the other's name."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from hmc import configs
from hmc.experiments import plan
from hmc.experiments.plan import composed
from hmc.experiments.run import run_cells
from hmc.results.store import Store
from hmc.settings import BlockSettings, Cell, ProtocolSettings, RuntimeSettings, SettingsError, SuiteSettings
from hmc.settings.sharing import effective, same_scores, shared
from tests.experiments.examples import SMALL, runtime_in

RUNTIME = RuntimeSettings()
UNTOUCHED = (
    "chmcnn",
    "ensemble",
    "ensemble_summed",
    "focal_bbma",
    "bce",
    "logit_adjusted",
    "class_balanced",
    "lpros",
    "extra_trees",
)


def cell_of(method: str, protocol: str, *overrides: str, dataset: str = "synthetic_tree") -> Cell:
    return composed(dataset, method, RUNTIME, protocol=protocol, overrides=overrides)


def is_shared(method: str, protocol: str, *overrides: str) -> bool:
    """Whether the cell is the released one's, and shown as its own."""
    found, released = cell_of(method, protocol, *overrides), cell_of(method, "released", *overrides)
    assert found.protocol == protocol
    assert (found.identity == released.identity) == (found.settings == released.settings) == (found.shown_protocol == protocol)
    return found.identity == released.identity


@pytest.mark.parametrize("method", [*UNTOUCHED, "predict_all", "training_rate", "nearest_neighbours", "mixture_chmcnn_trees"])
def test_a_method_without_node_weights_is_the_released_one_as_described(method: str) -> None:
    """``described`` only says which labels the weights apply to."""
    assert is_shared(method, "described")


@pytest.mark.parametrize("method", ["weighted", "weighted_focal_bbma", "mixed", "weighted_linear", "mixture_weighted_trees"])
def test_a_weighted_method_is_another_as_described(method: str) -> None:
    assert not is_shared(method, "described")


@pytest.mark.parametrize("method", [*UNTOUCHED, "weighted", "predict_all", "mixture_chmcnn_trees"])
def test_no_method_is_the_released_one_corrected(method: str) -> None:
    """Missing values are filled otherwise, which touches every method that looks at features, and is not asked for each."""
    assert not is_shared(method, "corrected")


def test_a_shared_cell_is_shown_under_its_protocol() -> None:
    cell = cell_of("chmcnn", "described", "method.members=3")
    assert (cell.column, cell.variant) == ("chmcnn (described, method.members=3)", "method.members=3")
    assert str(cell) == "synthetic_tree, chmcnn (described, method.members=3), seed 0"
    assert cell.settings.protocol.name == "released"
    (later,) = cell.of_seeds([7])
    assert later.column == cell.column
    (released,) = cell_of("chmcnn", "released", "method.members=3").of_seeds([7])
    assert later.identity == released.identity


def test_a_reduction_that_a_method_sets_itself_is_touched_by_no_protocol() -> None:
    """Of the corrected switches only imputation is left to keep them apart."""
    method = configs.settings_of("method", "ensemble_summed")
    assert method.reduction == "sum"
    settings = configs.run_settings("synthetic_tree", "ensemble_summed", 0)
    summed = dataclasses.replace(settings, protocol=ProtocolSettings("other", reduction="mean"))
    assert same_scores(settings, summed)
    plain = configs.run_settings("synthetic_tree", "ensemble", 0)
    assert not same_scores(plain, dataclasses.replace(plain, protocol=ProtocolSettings("other", reduction="sum")))
    assert same_scores(plain, dataclasses.replace(plain, protocol=ProtocolSettings("other", reduction="mean")))
    focal = configs.run_settings("synthetic_tree", "focal_bbma", 0)
    assert same_scores(focal, dataclasses.replace(focal, protocol=ProtocolSettings("other", reduction="sum")))
    assert not same_scores(focal, dataclasses.replace(focal, protocol=ProtocolSettings("other", reduction="mean")))


@pytest.mark.parametrize("switch", ["frequency", "unseen_node_weight", "negative_weights", "weights_apply_to", "weights_from"])
def test_each_switch_of_node_weights_touches_weighted_methods_alone(switch: str) -> None:
    corrected = configs.settings_of("protocol", "corrected")
    other = dataclasses.replace(ProtocolSettings("other"), **{switch: getattr(corrected, switch)})
    assert other != ProtocolSettings("other")
    for method, touched in (("weighted", True), ("chmcnn", False), ("logit_adjusted", False), ("extra_trees", False)):
        settings = configs.run_settings("synthetic_tree", method, 0)
        assert same_scores(settings, dataclasses.replace(settings, protocol=other)) != touched, method


def test_imputation_touches_every_method() -> None:
    other = ProtocolSettings("other", imputation="train_mean")
    for method in ("chmcnn", "weighted", "extra_trees", "predict_all"):
        settings = configs.run_settings("synthetic_tree", method, 0)
        assert not same_scores(settings, dataclasses.replace(settings, protocol=other)), method


@pytest.mark.parametrize(
    "override",
    [
        "method.objective=tests.experiments.examples:Misbehaving",
        "method.loss=tests.losses.test_rivals:Squared",
        "method.node_weights.scheme=mine:scheme",
    ],
)
def test_custom_code_may_look_at_every_switch_and_is_never_shared(override: str) -> None:
    assert not is_shared("chmcnn", "described", override)
    assert not is_shared("ensemble_summed", "described", override)
    settings = configs.run_settings("synthetic_tree", "ensemble", 0, overrides=[override])
    # Without custom code these are the same, since a loss that is not focal is averaged anyway.
    assert not same_scores(settings, dataclasses.replace(settings, protocol=ProtocolSettings("other", reduction="mean")))


def test_other_settings_are_other_cells_whatever_the_protocol() -> None:
    settings = configs.run_settings("synthetic_tree", "chmcnn", 0)
    assert not same_scores(settings, configs.run_settings("synthetic_tree", "chmcnn", 1))
    assert not same_scores(settings, configs.run_settings("synthetic_tree", "chmcnn", 0, overrides=["training.epochs=1"]))
    assert effective(effective(settings)) == effective(settings)


@pytest.mark.parametrize(
    ("protocol", "override"),
    [
        ("described", "protocol.frequency=node"),
        ("described", "protocol.weights_apply_to=negatives"),
        ("corrected", "protocol.imputation=split_mean"),
    ],
)
def test_a_cell_that_departs_from_its_protocol_is_a_cell_of_its_own(protocol: str, override: str) -> None:
    """The record of the released cell would else say a departure that it does not have, or hide one that it has."""
    cell = cell_of("chmcnn", protocol, override)
    assert cell.settings.protocol.name == cell.protocol == protocol
    assert cell.identity != cell_of("chmcnn", "released").identity
    assert cell.variant == override


def test_a_switch_that_is_named_and_not_changed_is_no_departure() -> None:
    assert cell_of("chmcnn", "corrected", "protocol.imputation=train_mean") == cell_of("chmcnn", "corrected")
    assert cell_of("chmcnn", "described", "protocol.frequency=descendant_sum") == cell_of("chmcnn", "described")


# --- mixtures ---------------------------------------------------------------------------------------------------------------


def test_a_mixture_is_shared_where_all_of_its_parts_are() -> None:
    cell = cell_of("mixture_chmcnn_trees", "described")
    released = cell_of("mixture_chmcnn_trees", "released")
    assert [part.identity for part in cell.parts] == [part.identity for part in released.parts]
    assert cell.identity == released.identity


def test_a_mixture_with_a_part_that_a_switch_touches_is_a_cell_of_its_own(tmp_path: Path) -> None:
    cell, released = cell_of("mixture_weighted_trees", "described"), cell_of("mixture_weighted_trees", "released")
    (weighted, trees), (released_weighted, released_trees) = cell.parts, released.parts
    assert (weighted.identity, weighted.protocol) != (released_weighted.identity, released_weighted.protocol)
    assert trees.identity == released_trees.identity
    assert cell.settings.protocol.name == cell.protocol == "described"
    assert cell.identity != released.identity
    assert Store(tmp_path).path(cell) != Store(tmp_path).path(released)


def test_a_described_mixture_is_recorded_as_described(tmp_path: Path) -> None:
    runtime = runtime_in(tmp_path)
    cell = composed("synthetic_tree", "mixture_weighted_trees", runtime, protocol="described", overrides=SMALL)
    for one in (*cell.parts, cell):
        (record,) = run_cells([one], runtime)
    assert record.cell["protocol"] == "described"
    assert [part.settings.protocol.name for part in cell.parts] == ["described", "released"]


@pytest.mark.parametrize(
    ("override", "words"),
    [
        (
            "method.mixture=[chmcnn, mixture_chmcnn_trees]",
            "method.mixture names 'mixture_chmcnn_trees', which is a mixture itself",
        ),
        ("method.mixture=[chmcnn, chmcn]", "unknown method 'chmcn'; did you mean 'chmcnn'?"),
        ("method.mixture=[chmcnn]", "must name two or more different methods"),
        ("method.mixture=[chmcnn, chmcnn]", "must name two or more different methods"),
        ("method.mixture_weights=macro_ap", "set training.holdout=valid"),
    ],
)
def test_a_mixture_that_cannot_be_is_named(override: str, words: str) -> None:
    with pytest.raises(SettingsError) as raised:
        cell_of("mixture_chmcnn_trees", "released", override)
    assert words in str(raised.value)


def test_a_mixtures_cell_has_the_cells_of_its_parts() -> None:
    """Otherwise its identity would not say what was mixed."""
    settings = configs.run_settings("synthetic_tree", "mixture_chmcnn_trees", 0)
    with pytest.raises(ValueError, match=r"must have the cells of its parts \['chmcnn', 'extra_trees'\], got 0"):
        Cell(settings, "ab" * 32)


def test_parts_take_the_overrides_of_training_and_data_and_not_those_of_the_mixture() -> None:
    cell = cell_of(
        "mixture_chmcnn_trees", "released", "training.epochs=3", "method.mixture=[ensemble, weighted]", "method.title=x"
    )
    assert [part.settings.training.epochs for part in cell.parts] == [3, 3]
    assert [part.method for part in cell.parts] == ["ensemble", "weighted"]
    assert [part.variant for part in cell.parts] == ["training.epochs=3"] * 2
    (later,) = cell.of_seeds([5])
    assert [part.seed for part in later.parts] == [5, 5]


# --- suites -------------------------------------------------------------------------------------------------------------------


def test_a_suite_shows_one_cell_under_both_protocols_and_runs_it_once(tmp_path: Path) -> None:
    block = BlockSettings(("synthetic_tree",), ("chmcnn", "weighted"), protocols=("released", "described"), overrides=SMALL)
    cells = [cell for cell, _ in plan.suite_cells(SuiteSettings("some", blocks=(block,)), RUNTIME)]
    assert len({cell.column for cell in cells}) == len(cells) == 4
    assert len({cell.identity for cell in cells}) == 3
    alone, mixtures = plan.in_stages(cells, Store(tmp_path))
    assert (len(alone), mixtures) == (3, [])


def test_a_shared_cell_is_done_when_the_released_one_is(tmp_path: Path) -> None:
    runtime = runtime_in(tmp_path)
    cells = [composed("synthetic_tree", "chmcnn", runtime, protocol=name, overrides=SMALL) for name in ("released", "described")]
    (record,) = run_cells(cells[:1], runtime)
    assert [Store(tmp_path).state(cell).name for cell in cells] == ["done", "done"]
    assert Store(tmp_path).load(cells[1]) == record
    assert record.cell["protocol"] == "released"


def test_sharing_leaves_the_released_protocols_own_cells_alone() -> None:
    cell = cell_of("chmcnn", "released")
    assert shared(cell, cell.settings) is cell
