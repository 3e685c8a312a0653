"""Looking at processes from outside: waiting for something, who descends from whom, who is alive."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

PROJECT = Path(__file__).resolve().parents[1]

Found = TypeVar("Found")


def wait_for(condition: Callable[[], Found], seconds: float = 60) -> Found:
    """What the condition returns as soon as that is true."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)
    return found


def children(parent: int) -> list[int]:
    """The processes that any thread of this one started; [] where it is gone."""
    try:
        tasks = list(Path(f"/proc/{parent}/task").iterdir())
        return [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except OSError:
        return []


def descendants(parent: int) -> list[int]:
    return [one for child in children(parent) for one in (child, *descendants(child))]


def alive(process: int) -> bool:
    try:
        os.kill(process, 0)
        # A zombie that init has not yet reaped runs no more.
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def command_line(process: int) -> str:
    """The words that a process was started with; "" where it is gone."""
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""
