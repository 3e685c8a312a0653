"""The tables that are checked in are those that the checked-in records give.

Both are taken from git's index, which a person's own reproduction does not change; without git there is nothing to hold.
"""

import subprocess
from pathlib import Path

import pytest

from hmc.report import comparisons
from hmc.report.grid import collect
from hmc.report.render import markdown
from hmc.report.suite import write_report
from hmc.results.store import Store
from tests.suites import cells_of_suite, suite_of

PROJECT = Path(__file__).resolve().parents[2]
TABLES = "results/reference/tables"
COMPARISONS = "results/reference/comparisons"


def git(*arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], cwd=PROJECT, check=True, capture_output=True).stdout


def suites() -> list[str]:
    """Those with tables."""
    return sorted({Path(path).parts[3] for path in listed(TABLES)})


def listed(*paths: str) -> list[str]:
    """The files of these paths that git's index has; none without git."""
    try:
        return [path for path in git("ls-files", "-z", *paths).decode().split("\0") if path]
    except (OSError, subprocess.CalledProcessError):
        return []


@pytest.mark.parametrize("name", suites())
def test_checked_in_tables_are_what_the_checked_in_records_give(name: str, tmp_path: Path) -> None:
    (tmp_path / "runs.csv").write_bytes(git("show", ":results/reference/runs.csv"))
    store = Store(tmp_path)
    write_report(suite_of(name), cells_of_suite(name), collect(store.records(), store.lines()), tmp_path, page=False)
    written = {path.name: path.read_bytes() for path in (tmp_path / "tables" / name).iterdir()}
    checked_in = {Path(path).name: git("show", f":{path}") for path in listed(f"{TABLES}/{name}")}
    remedy = f"run: python scripts/tables.py suite={name} results_dir=results/reference && git add {TABLES}/{name}"
    assert sorted(written) == sorted(checked_in), remedy
    for table, content in checked_in.items():
        assert written[table].decode() == content.decode(), remedy


@pytest.mark.parametrize("path", [path for path in listed(COMPARISONS) if path.endswith(".yaml")])
def test_checked_in_comparisons_are_what_the_checked_in_records_give(path: str, tmp_path: Path) -> None:
    name = Path(path).stem
    (tmp_path / "runs.csv").write_bytes(git("show", ":results/reference/runs.csv"))
    (tmp_path / f"{name}.yaml").write_bytes(git("show", f":{path}"))
    table = comparisons.table(name, comparisons.read(tmp_path / f"{name}.yaml"), Store(tmp_path).frame())
    assert markdown(table) == git("show", f":{COMPARISONS}/{name}.md").decode(), (
        f"run: python scripts/compare.py comparisons={path} results_dir=results/reference"
    )
