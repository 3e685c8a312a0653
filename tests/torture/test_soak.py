"""What the soak calls growth. The soak itself takes hours: ``make soak``."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tests.torture.soak import MOST_BYTES_A_CELL, Sample, faults, growth, soak


def samples(**growth_a_cell: float) -> list[Sample]:
    """A hundred samples, eight cells apart, of a process that holds more with each cell; the first ones are filling up."""
    made = []
    for place in range(100):
        cells, full = 8 * place, min(place / 10, 1)
        held = {"memory": 5e8 * full + 4096 * (place * 7 % 5), "handles": 9, "threads": 1, "children": 2}
        made.append(
            Sample(cells / 2, cells, **{name: int(value + growth_a_cell.get(name, 0) * cells) for name, value in held.items()})
        )
    return made


def test_a_steady_process_has_no_fault() -> None:
    assert faults(samples()) == []
    assert abs(growth(samples()[20:])) < 100


@pytest.mark.parametrize(
    ("name", "a_cell", "words"),
    [
        ("memory", 2 * MOST_BYTES_A_CELL, "memory grew by 20"),
        ("handles", 0.01, "handles grew from"),
        ("threads", 0.005, "threads grew from"),
        ("children", 0.005, "children grew from"),
    ],
)
def test_growth_is_noticed(name: str, a_cell: float, words: str) -> None:
    (found,) = faults(samples(**{name: a_cell}))
    assert found.startswith(words)


def test_too_short_a_run_proves_nothing() -> None:
    assert "run longer" in faults(samples()[:5])[0]


@pytest.mark.torture
def test_a_short_soak_writes_what_it_saw(tmp_path: Path) -> None:
    seen = soak(0.01, tmp_path)
    with (tmp_path / "samples.csv").open(newline="") as file:
        assert [int(row["cells"]) for row in csv.DictReader(file)] == [one.cells for one in seen]
    assert [path.name for path in tmp_path.iterdir()] == ["samples.csv"]
