"""What all tests share: no deadlines for property tests (compiled kernels compile on first use), and where the benchmark
files are.
"""

import os
from pathlib import Path

import pytest
import torch
from hypothesis import settings

settings.register_profile("project", deadline=None, max_examples=50, derandomize=True)
settings.load_profile("project")
torch.set_num_threads(1)


@pytest.fixture(scope="session")
def benchmark_files() -> Path:
    """The folder with the benchmark files; the test is skipped where they are not at hand."""
    named = os.environ.get("HMC_DATA_DIR")
    folder = Path(named) if named else Path(__file__).resolve().parents[1] / "data"
    if not (folder / "others").is_dir():
        pytest.skip("the benchmark files are not at hand; set HMC_DATA_DIR, or run: python scripts/data.py action=fetch")
    return folder
