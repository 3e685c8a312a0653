"""Devices that torch names but cannot train on here."""

import pytest
import torch

from hmc.settings import RuntimeSettings, SettingsError
from hmc.training.device import device_for, require_determinism


@pytest.mark.parametrize("wanted", ["xpu", "meta", "hpu", "mps", "gpu", "cuda:x", "", "CPU "])
def test_a_device_that_is_not_supported_is_refused_in_one_line(wanted: str) -> None:
    with pytest.raises(SettingsError, match=r"^device must be auto, cpu, cuda or cuda:N, got "):
        device_for(wanted)


def test_a_gpu_that_is_not_there_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"this machine has \d+ GPUs that torch can use"):
        device_for(f"cuda:{torch.cuda.device_count()}")
    assert device_for("cpu").type == "cpu"


def test_strict_determinism_is_set_and_taken_back() -> None:
    require_determinism(RuntimeSettings(determinism="strict"), torch.device("cpu"))
    assert torch.are_deterministic_algorithms_enabled()
    require_determinism(RuntimeSettings(), torch.device("cpu"))
    assert not torch.are_deterministic_algorithms_enabled()
