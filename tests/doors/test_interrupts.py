"""Ctrl-C and SIGTERM at any moment: status 130 within two seconds, one line, and no process left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.processes import PROJECT

SUITE = "suite.blocks=[{datasets:[synthetic_tree],methods:[chmcnn],seeds:[0,1,2,3],overrides:['training.epochs=5000']}]"
COMMANDS = {
    "train": ["train.py", "training.epochs=100000"],
    "inline": ["reproduce.py", SUITE, "suite.name=s", "executor=inline"],
    "processes": ["reproduce.py", SUITE, "suite.name=s", "executor=processes"],
}
SECONDS = 2.0


def running_in(session: int) -> list[int]:
    """The processes of a session that have not ended, from Linux's /proc."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            found.append(int(entry.parent.name))
    return found


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at processes through /proc")
@pytest.mark.parametrize("name", COMMANDS)
# Before the imports, among them, while the workers' server starts, and while cells train.
@pytest.mark.parametrize("after", [0.3, 2.5, 6.0])
def test_an_interrupt_ends_a_command_with_one_line_and_leaves_no_process(name: str, after: float, tmp_path: Path) -> None:
    script, *arguments = COMMANDS[name]
    sent = signal.SIGTERM if after == 2.5 else signal.SIGINT
    command = [
        sys.executable,
        str(PROJECT / "scripts" / script),
        *arguments,
        f"results_dir={tmp_path / 'results'}",
        "progress=false",
    ]
    with (tmp_path / "out").open("w") as out, (tmp_path / "err").open("w") as err:
        run = subprocess.Popen(command, stdout=out, stderr=err, cwd=tmp_path, start_new_session=True)
        try:
            time.sleep(after)
            assert run.poll() is None, (tmp_path / "err").read_text()
            began = time.monotonic()
            # A terminal sends Ctrl-C to all of them, a scheduler asks the first one to end.
            if sent == signal.SIGINT:
                os.killpg(run.pid, sent)
            else:
                os.kill(run.pid, sent)
            status = run.wait(60)
            seconds = time.monotonic() - began
            while (left := running_in(run.pid)) and time.monotonic() - began < 5:
                time.sleep(0.05)
        finally:
            if run.poll() is None:
                os.killpg(run.pid, signal.SIGKILL)
    assert status == 130
    assert left == []
    lines = (tmp_path / "err").read_text().splitlines()
    assert lines == ["interrupted: what was complete is kept; the same command goes on from there"]
    # Generous for a machine that does other work: it is two seconds on one that does not.
    assert seconds < 5 * SECONDS


def test_several_interrupts_end_a_command_as_one_does(tmp_path: Path) -> None:
    script, *arguments = COMMANDS["processes"]
    command = [sys.executable, str(PROJECT / "scripts" / script), *arguments, f"results_dir={tmp_path / 'results'}"]
    run = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True)
    time.sleep(5)
    for _ in range(10):
        os.killpg(run.pid, signal.SIGINT)
        time.sleep(0.02)
        if run.poll() is not None:
            break
    _, err = run.communicate(timeout=60)
    assert run.returncode == 130
    assert "Traceback" not in err
