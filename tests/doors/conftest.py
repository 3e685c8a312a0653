"""Doors are tried as a person uses them: as commands, in a folder of their own."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]

Door = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def door(tmp_path: Path) -> Door:
    """Run scripts/<name>.py with overrides; results and caches go to a temporary folder. Returns the finished process."""

    def run(name: str, *overrides: str, status: int = 0) -> subprocess.CompletedProcess[str]:
        places = [f"results_dir={tmp_path / 'results'}"] if name not in ("data", "benchmark", "predict") else []
        done = subprocess.run(
            [sys.executable, str(PROJECT / "scripts" / f"{name}.py"), *places, *overrides],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == status, f"status {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    return run
