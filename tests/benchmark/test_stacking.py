"""What the benchmark of stacks counts. No time is asserted."""

from pathlib import Path

from hmc.benchmark import stacking
from hmc.benchmark.stacking import Stacking
from hmc.settings import RuntimeSettings


def test_every_stack_is_measured_and_counts_the_parameters_of_one_network(tmp_path: Path) -> None:
    found = stacking.measure("synthetic_tree", (1, 3), RuntimeSettings(cache_dir=str(tmp_path), threads=1), seconds=0.05)
    assert found.parameters == 21 * 100 + 101 * 100 + 101 * 61
    assert set(found.milliseconds) == {1, 3}
    assert min(found.milliseconds.values()) > 0


def test_the_best_stack_is_the_one_whose_seeds_take_least() -> None:
    found = Stacking("some", 10, {1: 0.9, 2: 0.6, 3: 0.7}, generated=True)
    assert found.best == 2
    assert stacking.as_documents([found])[0]["best"] == 2
    assert "some*" in stacking.table([found])
