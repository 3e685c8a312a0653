"""The benchmark's own correctness: what it counts and compares. No time is asserted."""

from pathlib import Path

import pytest

from hmc.benchmark import steps
from hmc.benchmark.steps import Measurement
from hmc.settings import RuntimeSettings


def test_a_measurement_counts_all_members_parameters(tmp_path: Path) -> None:
    runtime = RuntimeSettings(cache_dir=str(tmp_path), threads=1)
    one, two = (steps.measure("synthetic_tree", members, runtime, seconds=0.05) for members in (1, 2))
    # 20 features, two hidden layers of 100, 61 nodes, biases included
    assert one.parameters == 21 * 100 + 101 * 100 + 101 * 61
    assert two.parameters == 2 * one.parameters
    assert not one.generated
    assert min(one.ours, one.plain, one.floor) > 0


def test_a_dataset_that_is_not_at_hand_is_replaced_by_one_of_its_size_and_marked(tmp_path: Path) -> None:
    runtime = RuntimeSettings(data_dir=str(tmp_path), cache_dir=str(tmp_path), threads=1)
    measured = steps.measure("enron", 1, runtime, seconds=0.01)
    assert measured.generated
    assert measured.parameters == 1002 * 1000 + 1001 * 1000 + 1001 * 57
    assert "enron*" in steps.table([measured])
    assert "generated dataset" in steps.table([measured])


def test_ratios_are_of_one_run() -> None:
    measured = Measurement("some", 1, 10, ours=3.0, plain=2.0, floor=1.5, generated=False)
    assert (measured.over_plain, measured.over_floor) == (1.5, 2.0)
    (document,) = steps.as_documents([measured])
    assert document["over_plain"] == pytest.approx(1.5)
    assert "1.50" in steps.table([measured])
