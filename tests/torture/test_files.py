"""Damaged files in great numbers: see `fuzz.py` and `other_files.py`. A fault's line names what makes its file again."""

from __future__ import annotations

from pathlib import Path

import pytest

from hmc.data import arff
from tests.torture import fuzz, other_files, slow_reader
from tests.torture.mutants import BASES, mutant

FULL = 100_000


def test_mutants_are_the_same_each_time_and_rarely_the_base() -> None:
    made = [mutant(number, "tree").contents() for number in range(50)]
    assert made == [mutant(number, "tree").contents() for number in range(50)]
    assert sum(contents == BASES["tree"].contents() for contents in made) < 5


@pytest.mark.parametrize("base", BASES)
def test_the_slow_reading_agrees_on_undamaged_files(base: str, tmp_path: Path) -> None:
    expected = slow_reader.read_files(BASES[base].contents())
    assert not expected.faults
    for split, content in BASES[base].contents().items():
        (tmp_path / f"{split}.arff").write_bytes(content)
        assert arff.read(tmp_path / f"{split}.arff").rows == len(expected.labels[split])


def test_a_wrong_reading_would_be_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arff._Numbers, "add", lambda self, value: self.read.append(1.0))
    assert len(fuzz.fuzz(range(100), "tree", tmp_path).faults) > 5


@pytest.mark.parametrize(
    "classes",
    [
        [f"{place}" for place in range(20_000)],
        [f"{place // 100}/{place}" for place in range(100, 20_000)],
        ["root/a", *(f"a/{place}" for place in range(20_000))],
    ],
    ids=["one level", "two levels", "edges"],
)
def test_a_file_of_nothing_but_classes_is_read_in_little_memory(classes: list[str], tmp_path: Path) -> None:
    header = f"@relation r\n@attribute x numeric\n@attribute class hierarchical {','.join(classes)}\n@data\n"
    paths = {split: tmp_path / f"{split}.arff" for split in ("train", "test")}
    for path in paths.values():
        path.write_text(f"{header}1,{classes[-1].removeprefix('a/')}\n")
    outcome, _, memory = fuzz.read_files(paths, True)
    assert outcome == "read right"
    assert memory <= fuzz.TIMES_THE_FILE * sum(path.stat().st_size for path in paths.values()) + fuzz.SMALL


def test_some_damaged_datasets(capsys: pytest.CaptureFixture[str]) -> None:
    findings = fuzz.run(1200)
    assert findings.faults == []
    assert len(findings.outcomes) == 2


def test_some_other_damaged_files() -> None:
    findings = other_files.run(600)
    assert findings.faults == []
    assert len(findings.outcomes) == 2


@pytest.mark.torture
@pytest.mark.timeout(3600)
def test_damaged_datasets() -> None:
    findings = fuzz.run(FULL * 7 // 10)
    print(f"datasets: {findings}", *findings.faults[:50], sep="\n")
    assert findings.faults == []


@pytest.mark.torture
@pytest.mark.timeout(3600)
def test_other_damaged_files() -> None:
    findings = other_files.run(FULL * 3 // 10)
    print(f"other files: {findings}", *findings.faults[:50], sep="\n")
    assert findings.faults == []
