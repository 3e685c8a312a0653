"""The GPU's benchmark, on the CPU: what it compares and counts."""

import pytest
import torch

from hmc.benchmark import gpu
from hmc.settings import RuntimeSettings, SettingsError


def test_a_device_is_compared_with_the_cpu_before_it_is_timed(tmp_path) -> None:
    runtime = RuntimeSettings(cache_dir=str(tmp_path))
    found = gpu.measure(torch.device("cpu"), ["synthetic_tree"], [1, 2], runtime, seconds=0.05)
    assert [one.difference for one in found.parity] == [0.0, 0.0, 0.0]
    assert all(one.same for one in found.parity)
    assert [(one.dataset, one.stack, one.generated) for one in found.speed] == [
        ("synthetic_tree", 1, False),
        ("synthetic_tree", 2, False),
    ]
    assert all(one.steps_per_second > 0 and one.share_of_copy > 0 for one in found.speed)
    assert gpu.table(found).count("  same ") == 3
    assert gpu.as_document(found)["parity"][0]["what"] == "maximum over descendants"


def test_a_difference_is_named() -> None:
    report = gpu.GpuReport("some", 1e3, (gpu.Parity("scores", 0.5, False),), ())
    assert "DIFFERS  scores: 0.5" in gpu.table(report)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_without_a_gpu_it_says_so() -> None:
    with pytest.raises(SettingsError, match="needs a GPU that torch can use"):
        gpu.the_gpu()
