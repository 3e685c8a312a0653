"""In what a cell departs from its files: typed, sorted, and the name of its column."""

from __future__ import annotations

import pytest

from hmc import configs
from hmc.experiments import plan
from hmc.settings import BlockSettings, Cell, Departures, RuntimeSettings, SuiteSettings, departures, variant


def cell_of(*overrides: str, dataset: str = "synthetic_tree", method: str = "weighted_focal_bbma") -> Cell:
    settings = configs.run_settings(dataset, method, 0, overrides=overrides)
    base = configs.base_settings(settings, dataset=dataset, method=method, protocol="released", training="paper")
    return Cell(settings, "ab" * 32, departures(settings, base))


def departed(*overrides: str, **files: str) -> Departures:
    return cell_of(*overrides, **files).departed


def test_a_run_of_its_files_alone_departs_in_nothing() -> None:
    assert departed() == ()
    assert cell_of().column == "weighted_focal_bbma"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (["training.epochs=1"], ["training.epochs=1.0"]),
        (["training.learning_rate=1e-5"], ["training.learning_rate=0.00001"]),
        (["method.focal.power=1"], ["method.focal.power=1.0"]),
        (["training.epochs=1", "method.members=5"], ["method.members=5", "training.epochs=1"]),
        (["training.epochs=7", "training.epochs=1"], ["training.epochs=1"]),
    ],
)
def test_one_setting_written_in_two_ways_is_one_departure_and_one_cell(one: list[str], other: list[str]) -> None:
    first, second = cell_of(*one), cell_of(*other)
    assert first.departed == second.departed != ()
    assert [type(value) for _, value in first.departed] == [type(value) for _, value in second.departed]
    assert first.column == second.column
    assert first.identity == second.identity


def test_departures_are_typed_and_sorted_by_their_keys() -> None:
    found = cell_of("training.epochs=1", "method.focal.power=1", "method.members=5")
    assert found.departed == (("method.focal.power", 1.0), ("method.members", 5), ("training.epochs", 1))
    assert found.column == "weighted_focal_bbma (method.focal.power=1, method.members=5, training.epochs=1)"


def test_what_the_files_say_already_is_no_departure() -> None:
    assert configs.settings_of("method", "weighted_focal_bbma").members == 2
    assert departed("method.members=2") == ()
    assert departed("dataset.fraction=1", "protocol.reduction=as_released", "encoder.name=none") == ()
    epochs = configs.run_settings("enron", "chmcnn", 0).training.epochs
    assert departed(f"training.epochs={epochs}", dataset="enron") == ()


def test_what_can_change_no_number_is_no_departure() -> None:
    assert departed("method.title=mine", "dataset.title=yours", "dataset.source=here") == ()
    encoder = ["encoder.name=small_convolution", "encoder.noise=1"]
    assert departed(*encoder, "encoder.checkpoint=/elsewhere/weights.pt", dataset="digits") == (
        ("encoder.name", "small_convolution"),
        ("encoder.noise", 1.0),
    )


OWN = ("dataset.train=/home/me/train.arff", "dataset.valid=v.arff", "dataset.test=../test.arff")


def test_the_files_of_own_data_are_in_no_column() -> None:
    one = cell_of(*OWN, "dataset.name=one", "training.epochs=3", dataset="arff")
    two = cell_of("dataset.train=a.arff", "dataset.test=b.arff", "dataset.name=two", "training.epochs=3", dataset="arff")
    assert one.departed == two.departed == (("training.epochs", 3),)
    assert one.column == two.column == "weighted_focal_bbma (training.epochs=3)"


def test_the_files_of_own_images_and_how_they_are_read_are_in_no_column() -> None:
    files = ["dataset.name=mine", "dataset.images.table=/home/me/table.csv", "dataset.images.folder=/photographs"]
    how = ["dataset.images.path='{image}.png'", "dataset.images.channels=1", "dataset.images.hierarchy=/home/me/tree.txt"]
    assert departed(*files, *how, "dataset.labels=edges", dataset="images") == ()


def test_own_data_may_be_thinned_out_and_say_so() -> None:
    assert departed(*OWN, "dataset.name=mine", "dataset.fraction=0.5", dataset="arff") == (("dataset.fraction", 0.5),)


def test_own_data_named_as_a_benchmark_dataset_have_its_training_without_departing() -> None:
    cell = cell_of(*OWN, "dataset.name=enron", dataset="arff")
    assert cell.settings.training == configs.run_settings("enron", "weighted_focal_bbma", 0).training
    assert cell.departed == ()


def test_how_a_dataset_is_generated_or_its_labels_are_read_is_a_departure() -> None:
    assert departed("dataset.synthetic.nodes=30") == (("dataset.synthetic.nodes", 30),)
    assert departed("dataset.labels=edges", "dataset.unevaluated=[root, a]", dataset="enron") == (
        ("dataset.labels", "edges"),
        ("dataset.unevaluated", ["root", "a"]),
    )


def test_options_of_an_own_objective_are_departures_of_their_own() -> None:
    options = "method.options={scale: 2.0, parts: [a, 1], deep: {er: null}}"
    found = cell_of("method.objective=mine:Own", options)
    assert found.departed == (
        ("method.objective", "mine:Own"),
        ("method.options.deep.er", None),
        ("method.options.parts", ["a", 1]),
        ("method.options.scale", 2.0),
    )
    assert found.variant == (
        'method.objective=mine:Own, method.options.deep.er=null, method.options.parts=["a",1], method.options.scale=2'
    )


def test_a_setting_that_only_the_files_have_is_a_departure() -> None:
    with_options = configs.run_settings(
        "synthetic_tree", "chmcnn", 0, overrides=["method.objective=mine:Own", "method.options={scale: 2}"]
    )
    without = configs.run_settings("synthetic_tree", "chmcnn", 0, overrides=["method.objective=mine:Own"])
    assert departures(without, with_options) == (("method.options.scale", None),)


def test_departures_as_text() -> None:
    assert variant(()) == ""
    assert variant((("a", True), ("b", "word"), ("c", 1.0), ("d", 0.1), ("e", 1e-5), ("f", 3), ("g", [1, 2.5]))) == (
        "a=true, b=word, c=1, d=0.1, e=1e-05, f=3, g=[1,2.5]"
    )


def test_a_suite_names_its_cells_as_single_runs_are_named() -> None:
    overrides = ("training.epochs=1.0", "method.members=2", "method.focal.power=1")
    block = BlockSettings(("synthetic_tree",), ("weighted_focal_bbma",), seeds=(0, 3), overrides=overrides)
    cells = [cell for cell, _ in plan.suite_cells(SuiteSettings("some", blocks=(block,)), RuntimeSettings())]
    alone = cell_of("method.focal.power=1.0", "training.epochs=1")
    assert [cell.seed for cell in cells] == [0, 3]
    assert {cell.departed for cell in cells} == {alone.departed} == {(("method.focal.power", 1.0), ("training.epochs", 1))}
    assert {cell.column for cell in cells} == {alone.column}
