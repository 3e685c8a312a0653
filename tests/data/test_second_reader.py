"""Benchmark files as liac-arff reads them, a program of other people: the same numbers, nominal values and labels."""

from __future__ import annotations

import re
from pathlib import Path

import arff as liac
import numpy as np
import pytest

from hmc.data import arff, catalog

FILES = ["cellcycle_fun", "eisen_go", "enron", "imclef07d"]
"""A tree and a DAG, nominal and numeric attributes, missing values, repeated names."""


def for_liac(text: str) -> str:
    """It knows no hierarchical attributes and no repeated names; it reads the class as a text and takes any name."""
    lines, place = [], 0
    for line in text.splitlines():
        if re.match(r"@attribute\b", line, re.IGNORECASE):
            place += 1
            kind = line.split(None, 2)[2]
            line = f"@attribute a{place} {'string' if kind.lower().startswith('hierarchical') else kind}"
        lines.append(line)
    return "\n".join(lines)


@pytest.mark.parametrize("name", FILES)
def test_the_test_file_reads_the_same(name: str, benchmark_files: Path) -> None:
    card = catalog.card(name)
    path = benchmark_files / catalog.files(card)["test"]
    ours = arff.read(path)
    theirs = liac.loads(for_liac(path.read_text()))
    columns = list(zip(*theirs["data"], strict=True))
    place = next(index for index, (_, kind) in enumerate(theirs["attributes"]) if kind == "STRING")
    assert [tuple(text.split("@")) for text in columns.pop(place)] == [tuple(labels) for labels in ours.labels]
    assert len(columns) == len(ours.columns)
    for attribute, column, values in zip(ours.attributes, ours.columns, columns, strict=True):
        if attribute.values is None:
            np.testing.assert_array_equal(column, [np.nan if value is None else value for value in values])
        else:
            assert [None if code < 0 else attribute.values[code] for code in column] == list(values)
