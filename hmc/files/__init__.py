"""Files that are whole or not there, and the strict reading of text, CSV and YAML."""

from hmc.files.atomic import (
    ABANDONED_SECONDS,
    UnwritableError,
    remove_abandoned,
    replacing,
    require_writable,
    unwritable,
    write_atomically,
)

__all__ = [
    "ABANDONED_SECONDS",
    "UnwritableError",
    "remove_abandoned",
    "replacing",
    "require_writable",
    "unwritable",
    "write_atomically",
]
