import dataclasses

import pandas as pd
import pytest

from hmc.report.grid import build_grid, collect, compared, compared_datasets, mean_std, places, planned
from hmc.report.metric import MACRO_F1
from hmc.report.table import DASH, MeanStd
from hmc.results import Record
from tests.report.examples import from_outside, grid_of, record_of
from tests.results.examples import make_cell, make_record


def test_a_record_of_other_settings_or_a_failure_fills_no_cell():
    cells = [make_cell(epochs=3), make_cell("diatoms")]
    grid = grid_of(cells, [record_of(make_cell(epochs=2)), Record.failed(cells[1], "no memory")])
    assert grid["done"].tolist() == [False, False]
    assert [mean_std(values, MACRO_F1).text() for values in places(grid).values()] == [DASH, DASH]


def test_two_cells_in_one_place_are_refused_and_one_named_twice_counts_once():
    with pytest.raises(ValueError, match="both called enron, chmcnn, seed 0"):
        build_grid([make_cell(epochs=2), make_cell(epochs=3)], collect([]).frame)
    assert len(build_grid([make_cell(), make_cell()], collect([]).frame)) == 1


@pytest.mark.parametrize(
    ("planned", "compared"),
    [
        ({"chmcnn": "abcd", "weighted": "abc", "focal_bbma": "ab", "lpros": "a"}, "ab"),
        ({"chmcnn": "abcd", "weighted": "abc", "focal_bbma": "abc", "lpros": "a"}, "abc"),
        ({"chmcnn": "abcd"}, "abcd"),
        ({"chmcnn": "ab", "weighted": "cd"}, "ab"),
        ({"chmcnn": "ab", "weighted": "bcd", "lpros": "bcd"}, "b"),
        ({"chmcnn": "abcd", "weighted": "abcd", "lpros": "bc"}, "bc"),
        ({"weighted": "abc", "lpros": "ab", "hros_pd": "ab"}, "ab"),
    ],
)
def test_compared_datasets(planned: dict[str, str], compared: str):
    plan = pd.DataFrame([(column, name) for column, names in planned.items() for name in names], columns=["column", "dataset"])
    assert compared_datasets(plan, "chmcnn") == set(compared)


# --- results to compare with ------------------------------------------------------------------------------------------


def test_reference_predictors_stand_beside_every_dataset_that_the_plan_has():
    cells = [make_cell(name, seed=seed) for name in ("enron", "diatoms") for seed in (0, 1)]
    beside = [make_cell(name, method) for name in ("enron", "imclef07a") for method in ("training_rate", "predict_all")]
    grid = grid_of(cells, [record_of(cell, 0.25) for cell in [*cells, *beside]])
    extra = grid[~grid["planned"]]
    assert extra[["dataset", "column", "reference", "done"]].to_numpy().tolist() == [
        ["enron", "predict_all", True, True],
        ["enron", "training_rate", True, True],
    ]
    assert extra["title"].tolist() == ["Predict all", "Training rate"]
    assert len(planned(grid)) == len(compared(grid)) == 4
    assert mean_std(extra[:1], MACRO_F1) == MeanStd(25.0, digits=2)  # neither spread nor n: there is no seed


def test_a_planned_reference_predictor_is_planned_and_a_reference_and_not_added_again():
    cells = [make_cell(), make_cell(method="predict_all")]
    seed_of_another_run = make_cell(method="predict_all", seed=7)
    grid = grid_of(cells, [record_of(cell) for cell in [*cells, seed_of_another_run]])
    assert grid[["column", "planned", "reference"]].to_numpy().tolist() == [
        ["chmcnn", True, False],
        ["predict_all", True, True],
    ]
    assert planned(grid)["column"].tolist() == compared(grid)["column"].tolist() == ["chmcnn"]


def test_only_plain_released_results_on_the_very_data_stand_beside():
    cell = make_cell(data_sha256="ab" * 32)
    others = [
        make_cell(method="predict_all", data_sha256="cd" * 32),
        make_cell(method="predict_all", protocol="corrected"),
        make_cell(method="predict_all", epochs=3, departed=(("training.epochs", 3),)),
        make_cell(method="weighted"),
    ]
    failed = Record.failed(make_cell(method="training_rate"), "no memory")
    grid = grid_of([cell], [record_of(cell), *(record_of(one) for one in others), failed])
    assert grid["column"].tolist() == ["chmcnn"]


def test_scores_from_outside_stand_beside_the_plan_under_a_sign_and_are_compared():
    held_out = make_cell(method="theirs", epochs=3, departed=(("training.holdout", "valid"),))
    outside = [from_outside(make_cell(method="mine", seed=seed), {"macro_f1": 0.5}) for seed in (0, 1)]
    grid = grid_of([make_cell()], [make_record(make_cell()), *outside, from_outside(held_out, {"macro_f1": 0.25})])
    extra = grid[~grid["planned"]]
    assert extra["column"].tolist() == ["mine ‡", "mine ‡", "theirs (training.holdout=valid) ‡"]
    assert extra["departed"].tolist() == [(), (), (("training.holdout", "valid"),)]
    assert set(extra["title"]) == {"scores from outside"}
    assert len(compared(grid)) == 4
    assert len(planned(grid)) == 1


def test_a_grid_without_cells_has_nothing_beside_it():
    grid = grid_of([], [record_of(make_cell(method="predict_all"))])
    assert grid.empty
    assert {"planned", "reference", "done", "macro_f1"} <= set(grid.columns)


def test_a_cell_shown_under_another_protocol_has_no_thresholds_from_its_own_ones_weights():
    own = make_cell()
    metrics = {"macro_f1": 0.2, "macro_f1@scaled_rate": 0.3, "macro_f1@weight_equivalent": 0.25}
    grid = grid_of([own, dataclasses.replace(own, shown_protocol="described")], [make_record(own, metrics)])
    assert grid["protocol"].tolist() == ["released", "described"]
    assert grid["macro_f1@scaled_rate"].tolist() == [0.3, 0.3]
    assert grid["macro_f1@weight_equivalent"].isna().tolist() == [False, True]
