"""Who runs a cell: a lock file that the system releases when its holder ends, however it ends.

Reproductions that share a store, in other terminals or on other machines, see from it what they need not run. Machines share
the locks where the file system does (NFS 4, Lustre mounted with flock); where it has no locks at all, cells are run unlocked.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import platform
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

from hmc.files import unwritable

NAME = "lock"

TRIES, PAUSE_SECONDS = 3, 0.01
"""Of a lock: who asks whether a cell is locked has its lock for an instant."""


class LockedError(RuntimeError):
    """Another process runs the cell. folder: of the cell's record."""

    def __init__(self, folder: Path, holder: str) -> None:
        super().__init__(f"{folder} is being run by {holder or 'another process'}; wait for it, or end it")
        self.folder = folder
        self.holder = holder


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the cell whose record is in this folder. Raises LockedError where another process holds it, UnwritableError
    where it cannot be locked.
    """
    path = folder / NAME
    handle = _lock(path)
    if handle is None:
        yield
        return
    try:
        # On a full disk the lock has no room for its holder's name, but holds.
        with contextlib.suppress(OSError):
            os.ftruncate(handle, 0)
            os.pwrite(handle, f"process {os.getpid()} on {platform.node()}".encode(), 0)
        yield
    finally:
        # Removed before it is released: whoever opened it meanwhile finds that the name is gone, and opens it anew.
        path.unlink(missing_ok=True)
        os.close(handle)


def is_locked(folder: Path) -> bool:
    """Whether a process holds the cell now."""
    try:
        handle = os.open(folder / NAME, os.O_RDWR | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        # Shared, so that those who ask do not take each other for a holder.
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(handle)
    return False


def _lock(path: Path) -> int | None:
    """The locked file, or None where the file system has no locks."""
    tries = 0
    while True:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
        except OSError as error:
            raise unwritable(path, error) from None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(handle, 200, 0).decode(errors="replace")
            os.close(handle)
            tries += 1
            if tries < TRIES:
                time.sleep(PAUSE_SECONDS)
                continue
            raise LockedError(path.parent, holder) from None
        except OSError as error:
            os.close(handle)
            path.unlink(missing_ok=True)
            warnings.warn(
                f"{path.parent} is on a file system without locks ({error.strerror}): start one reproduction at a time there",
                RuntimeWarning,
                stacklevel=3,
            )
            return None
        if _is_at(handle, path):
            return handle
        os.close(handle)


def _is_at(handle: int, path: Path) -> bool:
    """Whether the open file is still the one that has this name."""
    try:
        named = path.lstat()
    except FileNotFoundError:
        return False
    opened = os.fstat(handle)
    return (named.st_dev, named.st_ino) == (opened.st_dev, opened.st_ino)
