"""Files that are whole or not there: written under a temporary name beside their place, then renamed."""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

ABANDONED_SECONDS = 3600.0
"""A temporary file that nobody wrote to for so long was left by a killed process (ours)."""

_REMEDIES = {
    errno.ELOOP: "remove it, since it could lead to any file",
    errno.ENOSPC: "free some space there, or choose another folder",
    errno.EDQUOT: "free some space there, or choose another folder",
    errno.EROFS: "choose a folder that can be written",
    errno.EACCES: "choose a folder that can be written, or change its permissions",
    errno.EPERM: "choose a folder that can be written, or change its permissions",
}


class UnwritableError(OSError):
    """A file or folder cannot be written. The message is for the user."""


def unwritable(path: Path, error: OSError) -> UnwritableError:
    """The error to raise for a path that cannot be written: what, why, and the remedy, in one line."""
    reason = "it is a symbolic link" if error.errno == errno.ELOOP else error.strerror or str(error)
    remedy = _REMEDIES.get(error.errno or 0, "see that its folder is there and can be written")
    return UnwritableError(f"{path} cannot be written: {reason}; {remedy}")


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A binary file that takes the path's place at the end of the block: a reader sees the old file or the new one, whole.

    Makes the folder. Of several writers at once the last one's file stays. What killed writers left is removed an hour later.
    Raises UnwritableError; the old file then stays.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        remove_abandoned(path.parent, f".{path.name}.*.tmp")
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    except OSError as error:
        raise unwritable(path, error) from None
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
            # mkstemp makes files that only their owner may read; a checked-in or shared result is for others too.
            os.fchmod(file.fileno(), 0o666 & ~_umask())
        Path(temporary).replace(path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        if isinstance(error, OSError):
            raise unwritable(path, error) from None
        raise


def write_atomically(path: Path, text: str) -> None:
    """Write a text as UTF-8, see :func:`replacing`; what UTF-8 has not (half of a file's name in another encoding) as Python's
    escapes.
    """
    with replacing(path) as file:
        file.write(text.encode("utf-8", "backslashreplace"))


def require_writable(folder: Path) -> None:
    """Raises UnwritableError where no file can be written in the folder, which is made if need be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(4096))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise unwritable(folder, error) from None


def remove_abandoned(folder: Path, pattern: str) -> None:
    """Remove temporary files that nobody has written to for an hour."""
    for path in folder.glob(pattern):
        with contextlib.suppress(OSError):
            if time.time() - path.lstat().st_mtime > ABANDONED_SECONDS:
                path.unlink()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
