"""Compiled kernels where nothing that they compile to can be kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import pytest

from hmc.models.compiled import compiled


def test_without_a_place_for_compiled_code_it_compiles_anew_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    njit = numba.njit

    def unwritable(*_: Any, cache: bool = False, **options: Any) -> Callable[..., Any]:
        if cache:
            raise RuntimeError("cannot cache function 'double': no locator available for file 'x.py'")
        return njit(**options)

    monkeypatch.setattr(numba, "njit", unwritable)
    with pytest.warns(RuntimeWarning, match="set NUMBA_CACHE_DIR to a folder that can be written"):

        @compiled(nogil=True)
        def double(number: int) -> int:
            return 2 * number

    assert double(21) == 42


def test_another_failure_of_the_compiler_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **options: Any) -> Callable[..., Any]:
        raise RuntimeError("out of registers")

    monkeypatch.setattr(numba, "njit", broken)
    with pytest.raises(RuntimeError, match="out of registers"):
        compiled()(lambda number: number)
