"""Hours and bytes before anything is run."""

from __future__ import annotations

from pathlib import Path

import pytest

from hmc import configs
from hmc.experiments import cost
from hmc.experiments.outcome import run_stack
from hmc.results.store import Store
from hmc.settings import Cell, departures
from tests.experiments.examples import make_cell, runtime_in


def benchmark_cell(dataset: str = "enron", method: str = "chmcnn", seed: int = 0, *overrides: str) -> Cell:
    settings = configs.run_settings(dataset, method, seed, overrides=overrides)
    return Cell(settings, "ab" * 32, departures(settings, configs.run_settings(dataset, method, seed)))


def row(dataset: str, method: str, milliseconds: float, *, members: int = 1, hidden: int = 1000) -> dict[str, str]:
    return {
        "dataset": dataset,
        "method": method,
        "status": "complete",
        "times.step_milliseconds": str(milliseconds),
        "times.data_seconds": "3",
        "times.evaluate_seconds": "2",
        "data.features": "1001",
        "data.nodes": "56",
        "settings.method.ensemble": "shared_batches",
        "settings.method.members": str(members),
        "settings.training.hidden": str(hidden),
        "settings.training.layers": "3",
        "settings.training.batch_size": "4",
    }


def test_sizes_of_a_cell() -> None:
    cell = benchmark_cell()
    assert cost.parameters(cell) == 1002 * 1000 + 1001 * 1000 + 1001 * 56
    assert cost.steps(cell) == 133 * 247
    assert cost.parameters(benchmark_cell("enron", "ensemble", 0, "method.members=7")) == 7 * 2059056


def test_measured_steps_decide() -> None:
    cell = benchmark_cell()
    found = cost.cost([cell], [row("enron", "chmcnn", 4.0)], stack=1, workers=1)
    assert found.seconds[cell.identity] == pytest.approx(133 * 247 * 0.004 + 5)
    assert found.measured == 1
    assert found.hours([cell]) == pytest.approx(found.seconds[cell.identity] / 3600)


def test_a_step_of_other_methods_with_the_same_networks_is_better_than_none() -> None:
    cell = benchmark_cell("enron", "weighted_linear")
    others = [row("enron", "weighted", 4.0, members=2), row("enron", "ensemble", 6.0, members=2)]
    found = cost.cost([cell], others, stack=1, workers=1)
    assert found.seconds[cell.identity] == pytest.approx(133 * 247 * 0.005 + 5)
    assert found.measured == 1
    own = row("enron", "weighted_linear", 7.0, members=2)
    found = cost.cost([cell], [*others, own], stack=1, workers=1)
    assert found.seconds[cell.identity] == pytest.approx(133 * 247 * 0.007 + 5)


def test_others_are_estimated_by_size_and_corrected_by_what_was_measured() -> None:
    known, other = benchmark_cell(), benchmark_cell("diatoms")
    plain = cost.cost([known, other], [], stack=1, workers=1)
    slow = row("enron", "chmcnn", 3 * plain.seconds[known.identity] / (133 * 247) * 1000)
    for cells in ([known, other], [other]):
        corrected = cost.cost(cells, [slow], stack=1, workers=1)
        assert corrected.seconds[other.identity] == pytest.approx(3 * plain.seconds[other.identity])
        assert corrected.measured == len(cells) - 1


@pytest.mark.parametrize(
    "change",
    [{"data.features": ""}, {"data.nodes": "many"}, {"settings.encoder.frozen": "false"}],
    ids=lambda change: str(change),
)
def test_rows_that_do_not_tell_their_networks_correct_nothing(change: dict[str, str]) -> None:
    cell = benchmark_cell("diatoms")
    plain = cost.cost([cell], [], stack=1, workers=1)
    assert cost.cost([cell], [row("enron", "chmcnn", 400.0) | change], stack=1, workers=1).seconds == plain.seconds


def test_members_not_measured_are_not_taken_for_measured() -> None:
    cell = benchmark_cell("enron", "ensemble", 0, "method.members=10")
    assert cost.cost([cell], [row("enron", "ensemble", 1.0, members=2)], stack=1, workers=1).measured == 0


def test_passes_of_a_dropout_ensemble_cost_less_than_networks_and_more_than_nothing() -> None:
    """And a measured one of ten passes corrects by what it took beyond what ten passes are expected to take."""
    one, ten, networks = (
        benchmark_cell("enron", *cell) for cell in (("chmcnn",), ("dropout_focal_bbma",), ("ensemble", 0, "method.members=10"))
    )
    plain = cost.work([one, ten, networks])
    assert plain[one.identity] * 2 < plain[ten.identity] < plain[networks.identity] / 2
    expected = plain[ten.identity] / (133 * 247)
    measured = row("enron", "dropout_focal_bbma", 3 * expected, members=10) | {"settings.method.ensemble": "dropout"}
    other = benchmark_cell("diatoms", "dropout_focal_gmu", 0, "method.members=50")
    found = cost.cost([other], [measured], stack=1, workers=1).seconds[other.identity]
    assert found == pytest.approx(3 * cost.work([other])[other.identity] / 1000)


def test_own_files_have_no_estimate() -> None:
    own = benchmark_cell("arff", "chmcnn", 0, "dataset.name=mine", "dataset.train=a.arff", "dataset.test=b.arff")
    assert cost.cost([own], [], stack=1, workers=1).seconds == {own.identity: None}
    assert cost.work([own, make_cell()]) == {own.identity: 1.0, make_cell().identity: 1.0}


def test_checkpoints_of_all_that_run_at_once() -> None:
    found = cost.cost([benchmark_cell()], [], stack=2, workers=3)
    assert found.checkpoint_bytes == 2059056 * 2 * 3 * 12


def test_a_real_record_is_found_again(tmp_path: Path) -> None:
    cells = [make_cell(seed) for seed in range(2)]
    run_stack(cells[:1], runtime_in(tmp_path))
    store = Store(tmp_path)
    found = cost.cost(cells[1:], store.rows(), stack=1, workers=1)
    assert found.measured == 1
    times = store.load(cells[0]).times
    around = times["data_seconds"] + times["evaluate_seconds"]
    assert found.seconds[cells[1].identity] == pytest.approx(times["step_milliseconds"] / 1000 * times["steps"] + around)


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 bytes"), (999, "999 bytes"), (1500, "1.5 kB"), (25e6, "25 MB"), (3e12, "3.0 TB")]
)
def test_bytes_in_words(count: float, text: str) -> None:
    assert cost.readable(count) == text


def test_free_space_of_a_folder_to_be(tmp_path: Path) -> None:
    assert cost.free_bytes(tmp_path / "not" / "yet") > 0


def test_scores_take_disk_for_test_rows_and_held_out_rows() -> None:
    """enron: 660 test rows; without a valid split a fifth of 988 is held out; 57 nodes."""
    plain, held_out = (benchmark_cell("enron", "chmcnn", 0, f"training.holdout={name}") for name in ("none", "valid"))
    stored = [cost.cost([cell], [], stack=1, workers=1).score_bytes for cell in (plain, held_out)]
    rows = [660, 660 + round(0.2 * 988)]
    nodes = cost.size(plain.settings.dataset).nodes
    assert stored == [pytest.approx(count * nodes * cost.SCORE_BYTES, abs=1) for count in rows]


def test_a_forest_costs_by_its_trees_and_its_blocks_bound_its_memory() -> None:
    small, large, blocks = (
        benchmark_cell("eisen_go", "extra_trees", 0, *overrides)
        for overrides in (("method.estimator.parameters.n_estimators=10",), (), ("method.estimator.block=100",))
    )
    assert cost.modelled(large) == pytest.approx(10 * cost.modelled(small))
    assert cost.memory(large) == pytest.approx(10 * cost.memory(small), rel=1e-6)
    assert 1e9 < cost.memory(large) < 6e9
    assert cost.memory(blocks) == pytest.approx(cost.memory(large) * 100 / cost.size(large.settings.dataset).nodes, rel=1e-6)
    assert cost.memory(benchmark_cell()) == 0
    assert cost.cost([small, large], [], stack=1, workers=1).memory_bytes == cost.memory(large)


def test_what_an_estimator_took_on_a_dataset_is_what_it_will_take() -> None:
    cell = benchmark_cell("enron", "extra_trees")
    fitted = row("enron", "extra_trees", 0.0) | {"times.steps": "0", "times.train_seconds": "12"}
    found = cost.cost([cell], [fitted], stack=1, workers=1)
    assert found.seconds[cell.identity] == pytest.approx(12 + 5)
    assert found.measured == 1
