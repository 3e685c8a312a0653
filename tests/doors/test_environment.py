"""Doors in surroundings that are not as a program would like them."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.doors.conftest import PROJECT

TRAIN = [sys.executable, str(PROJECT / "scripts" / "train.py")]
SHORT = ["training.epochs=1", "training.hidden=8", "progress=false"]
REPRODUCE = [sys.executable, str(PROJECT / "scripts" / "reproduce.py"), "suite=smoke", "results_dir=r", "progress=false"]


def run(command: list[str], folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, encoding="latin-1", timeout=300, env={**os.environ, **environment}
    )


def test_a_terminal_that_lacks_a_sign_shows_a_question_mark(tmp_path: Path) -> None:
    """± and † are in no table of ASCII."""
    suite = ["suite.datasets=[synthetic_tree]", "suite.methods=[chmcnn]", "suite.seeds=[0,1]", "executor=inline"]
    command = [*REPRODUCE, *suite]
    for encoding in ("ascii", "latin-1"):
        done = run(command, tmp_path, PYTHONIOENCODING=encoding, PYTHONUTF8="0")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "all is done" in done.stdout
    assert "0.0" in done.stdout


def test_a_reader_who_has_enough_ends_the_program_without_a_word(tmp_path: Path) -> None:
    command = " ".join([sys.executable, str(PROJECT / "scripts" / "train.py"), "--help", "| head -n 1"])
    done = subprocess.run(["bash", "-c", f"set -o pipefail; {command}"], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.stderr == ""
    assert done.stdout.count("\n") == 1
    assert done.returncode in (0, 141)


def test_a_working_directory_that_was_removed_is_named(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    script = f"mkdir {gone} && cd {gone} && rmdir {gone} && {' '.join(TRAIN)} results_dir={tmp_path}/r"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=60, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr == "error: the working directory must exist, but it was removed; change to another folder\n"


@pytest.mark.skipif(not os.access("/tmp", os.W_OK), reason="/tmp cannot be written")
def test_a_long_temporary_folder_leaves_room_for_the_workers_socket(tmp_path: Path) -> None:
    long = tmp_path / ("x" * 120)
    long.mkdir()
    suite = ["suite.datasets=[synthetic_tree]", "suite.methods=[chmcnn]", "suite.seeds=[0,1]", "executor.workers=2"]
    command = [*REPRODUCE, *suite]
    done = run(command, tmp_path, TMPDIR=str(long))
    assert done.returncode == 0, done.stdout + done.stderr
    assert list(long.iterdir()) == []
    assert tempfile.gettempdir() != str(long)


def test_a_home_folder_and_other_paths_may_begin_with_a_tilde(tmp_path: Path) -> None:
    done = run([*TRAIN, "results_dir=~/mine", "cache_dir=~/cache", *SHORT], tmp_path, HOME=str(tmp_path / "home"))
    assert done.returncode == 0, done.stderr
    assert list((tmp_path / "home" / "mine" / "runs").iterdir())
    assert not (tmp_path / "~").exists()


def test_a_cells_folder_that_was_renamed_or_holds_others_stops_nothing(tmp_path: Path) -> None:
    command = [*TRAIN, "results_dir=r", *SHORT]
    assert run(command, tmp_path).returncode == 0
    (folder,) = tmp_path.glob("r/runs/*/*/*/seed-0/*")
    folder.rename(folder.with_name(f"{folder.name}.bak"))
    folder.with_name("notes").mkdir()
    suite = ["suite.datasets=[synthetic_tree]", "suite.methods=[chmcnn]", "suite.seeds=[0]", "executor=inline"]
    overrides = ["suite=smoke", *suite, "results_dir=r", "progress=false"]
    done = run([sys.executable, str(PROJECT / "scripts" / "reproduce.py"), *overrides], tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "all is done" in done.stdout
    (folder / "inner").mkdir(parents=True, exist_ok=True)
    assert run(command, tmp_path).returncode == 0


def test_a_symbolic_link_in_the_place_of_a_file_of_ours_leaves_its_target_alone(tmp_path: Path) -> None:
    assert run([*TRAIN, "results_dir=r", *SHORT], tmp_path).returncode == 0
    (folder,) = tmp_path.glob("r/runs/*/*/*/seed-0/*")
    precious = tmp_path / "precious.txt"
    precious.write_text("years of work")
    for name in ("lock", ".checkpoint.pt.tmp"):
        (folder / name).symlink_to(precious)
        run([*TRAIN, "results_dir=r", *SHORT, "force=true", "checkpoint_seconds=0"], tmp_path)
        assert precious.read_text() == "years of work"
        (folder / name).unlink(missing_ok=True)
