"""One holder at a time, and a kill releases."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hmc.experiments.lock import NAME, LockedError, is_locked, locked
from hmc.files import UnwritableError


def test_a_claim_excludes_and_is_released(tmp_path: Path) -> None:
    folder = tmp_path / "cell"
    assert not is_locked(folder)
    with locked(folder):
        assert is_locked(folder)
        with pytest.raises(LockedError, match=r"process \d+ on"), locked(folder):
            pytest.fail("held twice")
    assert not is_locked(folder)
    assert list(folder.iterdir()) == []
    with locked(folder):
        assert is_locked(folder)


def test_a_killed_holder_releases(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from hmc.experiments.lock import locked\n"
        "with locked(Path(sys.argv[1])):\n    print('held', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(LockedError, match=f"process {holder.pid} on"), locked(tmp_path):
        pytest.fail("held twice")
    holder.kill()
    holder.wait()
    holder.stdout.close()
    assert not is_locked(tmp_path)
    with locked(tmp_path):
        assert is_locked(tmp_path)


@pytest.fixture
def asking(tmp_path: Path) -> Iterator[int]:
    """Another process's question about a cell whose holder was killed, at the instant in which it has the lock."""
    handle = os.open(tmp_path / NAME, os.O_RDWR | os.O_CREAT)
    os.write(handle, b"process 1 on a machine that is gone")
    fcntl.flock(handle, fcntl.LOCK_SH)
    yield handle
    os.close(handle)


def test_a_question_in_passing_keeps_nobody_from_claiming(asking: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda seconds: fcntl.flock(asking, fcntl.LOCK_UN))
    with locked(tmp_path):
        assert is_locked(tmp_path)


def test_whoever_asks_is_not_taken_for_a_holder(asking: int, tmp_path: Path) -> None:
    assert not is_locked(tmp_path)


def test_only_one_of_many_is_inside_at_a_time(tmp_path: Path) -> None:
    """Ten processes take and release the same claim; each adds one to a number, which loses none."""
    code = """
import sys, time
from pathlib import Path
from hmc.experiments.lock import LockedError, locked
folder, added = Path(sys.argv[1]), 0
while added < 50:
    try:
        with locked(folder / "cell"):
            number = int((folder / "number").read_text())
            (folder / "number").write_text(str(number + 1))
            added += 1
    except LockedError:
        time.sleep(0.0005)
"""
    (tmp_path / "number").write_text("0")
    racers = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path)]) for _ in range(4)]
    assert [racer.wait() for racer in racers] == [0] * 4
    assert (tmp_path / "number").read_text() == "200"
    assert not (tmp_path / "cell" / NAME).exists()


def test_a_link_in_the_locks_place_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    folder = tmp_path / "cell"
    folder.mkdir()
    (folder / NAME).symlink_to(victim)
    assert not is_locked(folder)
    with pytest.raises(UnwritableError, match=r"cell/lock cannot be written: it is a symbolic link; remove it"), locked(folder):
        pytest.fail("locked through a link")
    assert victim.read_text() == "precious"
