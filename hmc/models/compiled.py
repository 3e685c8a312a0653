"""Kernels that numba compiles, with the machine code kept on disk where that is possible."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numba


def compiled(**options: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """``numba.njit`` that keeps what it compiles; where no folder for that can be written, it compiles anew in every process."""

    def compile_function(function: Callable[..., Any]) -> Callable[..., Any]:
        try:
            return numba.njit(cache=True, **options)(function)
        except RuntimeError as error:
            if "cache" not in str(error):
                raise
            warnings.warn(
                "compiled code cannot be kept, neither beside the program nor in your home folder, so each process compiles anew "
                "(ten seconds or so); set NUMBA_CACHE_DIR to a folder that can be written",
                RuntimeWarning,
                # Here, so that several kernels say it once.
                stacklevel=1,
            )
            return numba.njit(**options)(function)

    return compile_function
