"""The tables that are checked in are those that the checked-in records give."""

import subprocess
from pathlib import Path

import pytest

from hmc.console import show_tables
from hmc.experiments import plan
from hmc.report.page import collect
from hmc.results.store import Store
from hmc.settings import RuntimeSettings, build

PROJECT = Path(__file__).resolve().parents[2]
TABLES = "results/tables"


def git(*arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], cwd=PROJECT, check=True, capture_output=True).stdout


def suites() -> list[str]:
    """Those with tables in git's index, which a person's own reproduction does not change; none without git."""
    try:
        paths = git("ls-files", "-z", TABLES).decode().split("\0")
    except (OSError, subprocess.CalledProcessError):
        return []
    return sorted({Path(path).parts[2] for path in paths if path})


@pytest.mark.parametrize("name", suites())
def test_checked_in_tables_are_what_the_checked_in_records_give(name: str, tmp_path: Path) -> None:
    (tmp_path / "runs.csv").write_bytes(git("show", ":results/runs.csv"))
    store = Store(tmp_path)
    suite = build(plan.SuiteSettings, plan.read("suite", name), at="suite")
    cells = [cell for cell, _ in plan.suite_cells(suite, RuntimeSettings())]
    show_tables(suite, cells, collect(store.records(), store.lines()), str(tmp_path))
    written = {path.name: path.read_bytes() for path in (tmp_path / "tables" / name).iterdir()}
    listed = git("ls-files", "-z", f"{TABLES}/{name}").decode().split("\0")
    checked_in = {Path(path).name: git("show", f":{path}") for path in listed if path}
    remedy = f"run: python scripts/tables.py suite={name} && git add {TABLES}/{name}"
    assert sorted(written) == sorted(checked_in), remedy
    for table, content in checked_in.items():
        assert written[table].decode() == content.decode(), remedy
