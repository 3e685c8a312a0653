"""Small ARFF files for the tests of the data wing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hmc.settings import DatasetSettings, RuntimeSettings

HEADER = """@RELATION small
@ATTRIBUTE length numeric
@ATTRIBUTE colour {red,green,blue}
@ATTRIBUTE class hierarchical 01,01/01,01/02,02
@DATA
"""
ROWS = {
    "train": "1,red,01/01\n2,green,02\n?,?,01/02@02\n",
    "valid": "4,blue,01\n",
    "test": "?,red,01/01\n6,blue,02@01/02\n",
}


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write a file of this text or these bytes and return its path."""

    def writer(text: str | bytes, name: str = "file.arff") -> Path:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return writer


@pytest.fixture
def own(write: Callable[..., Path]) -> DatasetSettings:
    """The user's own dataset of three small files."""
    paths = {split: str(write(HEADER + rows, f"{split}.arff")) for split, rows in ROWS.items()}
    return DatasetSettings(name="small", **paths)


@pytest.fixture
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RuntimeSettings:
    """A data folder and a cache of this test's own, and no network."""
    monkeypatch.delenv("HMC_DATA_DIR", raising=False)
    return RuntimeSettings(data_dir=str(tmp_path / "data"), cache_dir=str(tmp_path / "cache"), download=False)
