"""Where torch computes: the device, its threads, and whether its kernels must repeat their sums."""

from __future__ import annotations

import os

import numba
import torch

from hmc.settings import RuntimeSettings, SettingsError


def device_for(wanted: str) -> torch.device:
    """The device that ``runtime.device`` names; ``auto`` takes a GPU where there is one.

    Raises SettingsError where torch cannot compute on it here.
    """
    if wanted == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(wanted)
    except RuntimeError:
        raise SettingsError(f"device must be auto, cpu, cuda or cuda:N, got {wanted!r}") from None
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        count = torch.cuda.device_count()
        raise SettingsError(f"device={wanted!r}: this machine has {count} GPUs that torch can use; use device=cpu")
    if device.type not in ("cpu", "cuda"):
        # torch knows the names of devices that this build, or this machine, has not: xpu, meta, hpu.
        raise SettingsError(f"device must be auto, cpu, cuda or cuda:N, got {wanted!r}; training is tested on these only")
    return device


def limit_threads(count: int) -> None:
    """Let torch and the compiled kernels use this many threads, no more than the machine has."""
    torch.set_num_threads(count)
    most: int = numba.config.NUMBA_NUM_THREADS  # type: ignore[attr-defined]
    numba.set_num_threads(min(count, most))


def require_determinism(runtime: RuntimeSettings, device: torch.device) -> None:
    """Let torch use only kernels that repeat their sums in the same order, or any, as ``runtime.determinism`` says."""
    strict = runtime.determinism == "strict"
    if strict and device.type == "cuda":
        # cuBLAS reads it when it is first used; without it torch refuses every product.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    # The call loads torch's compiler, which takes seconds, so it is made only where it changes something.
    if strict != torch.are_deterministic_algorithms_enabled():
        torch.use_deterministic_algorithms(strict)
    # What is drawn or computed fills every tensor here; filling each with NaN first only takes time.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]


def prepared_device(runtime: RuntimeSettings) -> torch.device:
    """The device to train on, with threads and determinism set as ``runtime`` says. Raises SettingsError."""
    limit_threads(runtime.threads)
    device = device_for(runtime.device)
    require_determinism(runtime, device)
    return device
