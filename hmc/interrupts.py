"""Ctrl-C before a door is open. Imported first, so that seconds of imports end with one line too.

Nothing has begun by then and nothing has to be kept, so the process ends at once. :func:`hmc.console.open_door` puts Python's own
handler back.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from types import FrameType

INTERRUPTED = 130
"""The exit status of a program that Ctrl-C ended."""
MESSAGE = "interrupted: what was complete is kept; the same command goes on from there"


def end(number: int, frame: FrameType | None) -> None:
    """Say so in one line, and end with status 130."""
    os.write(2, f"{MESSAGE}\n".encode())
    os._exit(INTERRUPTED)


def ending_at_once() -> None:
    """Let SIGINT and SIGTERM end this process at once; only in a main thread whose SIGINT nobody else has claimed."""
    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, end)
        signal.signal(signal.SIGTERM, end)


if sys.argv[0].endswith(".py"):
    ending_at_once()
