"""Suites of short cells, as a person types them, and what becomes of them."""

from __future__ import annotations

from pathlib import Path

from hmc.scores import SCORES
from tests.experiments.examples import SIZES


def block(methods: str, seeds: int, *overrides: str) -> str:
    """A block of short cells, as Hydra reads it."""
    quoted = ",".join(f"'{override}'" for override in (*SIZES, *(overrides or ("training.epochs=6",))))
    return f"{{datasets:[synthetic_tree],methods:[{methods}],seeds:{list(range(seeds))},overrides:[{quoted}]}}".replace(" ", "")


def tables(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((folder / "tables" / "smoke").iterdir())}


def left(folder: Path) -> list[str]:
    """The names of all files below a store's runs but for scores, one for each file."""
    return sorted(path.name for path in (folder / "runs").rglob("*") if path.is_file() and path.name != SCORES)
