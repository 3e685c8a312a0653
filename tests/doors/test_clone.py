"""What a user runs in a clone of the project changes nothing that is checked in."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.doors.conftest import PROJECT
from tests.doors.suites import block


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=a", "-c", "user.email=a@b.example", "-c", "commit.gpgsign=false")
    return subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """What a clone of the project would hold if all that lies here were committed."""
    try:
        names = git(PROJECT, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("the project is no git checkout here")
    folder = tmp_path / "clone"
    for name in names:
        if name and (PROJECT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(PROJECT / name, folder / name)
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--no-verify", "-m", "all")
    assert git(folder, "status", "--porcelain") == ""
    return folder


def run(clone: Path, name: str, *overrides: str) -> str:
    """A door of the clone, as typed there: results, caches and all else go where they go by default."""
    variables = {key: value for key, value in os.environ.items() if key != "HMC_DATA_DIR"} | {"PYTHONPATH": str(clone)}
    command = [sys.executable, f"scripts/{name}.py", *overrides]
    done = subprocess.run(command, cwd=clone, env=variables, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"{name}: {done.stdout}\n{done.stderr}"
    return done.stdout


def test_the_doors_leave_a_clone_as_it_was(clone: Path) -> None:
    some = f"suite.blocks=[{block('chmcnn,weighted', 2, 'training.epochs=1')}]"
    run(clone, "train", "-m", "seed=0,1", "training.epochs=1", "progress=false")
    assert run(clone, "reproduce", some).endswith("all is done\n")
    assert "wrote results/runs.csv\n" in run(clone, "tables", some, "export=results/runs.csv")
    listed = run(clone, "compare", "comparisons=results/reference/comparisons/findings.yaml")
    assert "also as results/comparisons/findings.md, .csv and .tex" in listed
    assert git(clone, "status", "--porcelain") == ""
    assert {path.name for path in (clone / "results").iterdir()} == {
        *("published", "reference"),
        *("runs", "runs.csv", "tables", "report", "comparisons"),
    }
    # And each record says that it was made by just this commit.
    records = [json.loads(path.read_text())["environment"] for path in clone.glob("results/runs/**/record.json")]
    assert len(records) == 6
    assert {(one["commit"], one["dirty"]) for one in records} == {(git(clone, "rev-parse", "HEAD").strip(), False)}
