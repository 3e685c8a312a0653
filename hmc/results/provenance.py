"""Where and by what a number was made: versions, commit, machine. Nothing here imports torch or names the host."""

from __future__ import annotations

import functools
import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

from hmc import __version__

CHECKOUT = Path(__file__).resolve().parents[2]
"""The folder that holds the package: a checkout's root, or site-packages."""
SLURM_LOGS = "slurm"
"""The folder of the Slurm tasks' logs, below the results folder."""


def environment(device: str, threads: int, determinism: str = "") -> dict[str, Any]:
    """What a record says about its surroundings.

    device: as used ("cpu", "cuda:0 NVIDIA ..."); threads: of torch; determinism: runtime.determinism, fast or strict.
    commit is "" and dirty False where the program does not run from its own git checkout. log: of the Slurm task that this is,
    only where it is one.
    """
    commit, dirty = revision()
    log = slurm_log()
    return {
        "python": platform.python_version(),
        "torch": version("torch"),
        "numpy": version("numpy"),
        "scipy": version("scipy"),
        "hmc": __version__,
        "commit": commit,
        "dirty": dirty,
        "machine": f"{platform.system()} {platform.machine()}",
        "processor": processor(),
        "instructions": instructions(),
        "cores": cores(),
        "device": device,
        "threads": threads,
        "determinism": determinism,
        **({"log": log} if log else {}),
    }


def slurm_log() -> str:
    """The log of the Slurm task that this process is, below the results folder; empty where it is none."""
    if "SUBMITIT_FOLDER" not in os.environ or "SLURM_JOB_ID" not in os.environ:
        return ""
    array, job = os.environ.get("SLURM_ARRAY_JOB_ID"), os.environ["SLURM_JOB_ID"]
    number = f"{array}_{os.environ['SLURM_ARRAY_TASK_ID']}" if array else job
    return f"{SLURM_LOGS}/{number}_0_log.out"


def version(package: str) -> str:
    """A package's installed version, without importing it; "" where it is not installed."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


@functools.cache
def revision(checkout: Path = CHECKOUT) -> tuple[str, bool]:
    """The commit of a checkout and whether anything but its results differs from it; ("", False) where there is none.

    Asked once a process: what counts is the program that was loaded, not what the folder holds when a cell ends.
    """
    if _git(checkout, "rev-parse", "--show-toplevel") != str(checkout):
        return "", False
    commit = _git(checkout, "rev-parse", "--verify", "--quiet", "HEAD")
    if not commit:
        return "", False
    return commit, _git(checkout, "status", "--porcelain", "--", ".", ":(exclude)results") != ""


@functools.cache
def processor() -> str:
    """The processor's name as the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.processor())


@functools.cache
def instructions() -> str:
    """The widest vector instructions of the processor, which decide in what order sums are formed; "" where it does not tell."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    flags = {flag for line in text.splitlines() if line.startswith(("flags", "Features")) for flag in line.split()}
    return next((name for name, flag in _VECTORS.items() if flag in flags), "")


_VECTORS = {"AVX512": "avx512f", "AVX2": "avx2", "AVX": "avx", "SVE": "sve", "NEON": "asimd"}
"""Widest first, with the flag by which Linux tells of each."""


def cores() -> int:
    """The number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _git(folder: Path, *arguments: str) -> str:
    """What git answers, "" when it cannot."""
    try:
        # GIT_OPTIONAL_LOCKS: asking for the state must not touch the index of someone who is committing.
        answer = subprocess.run(
            ["git", *arguments],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return answer.stdout.strip()
