"""YAML holds plain, finite data of a bounded size; whatever else is refused in one line."""

from __future__ import annotations

import time

import pytest

from hmc.files import yaml_file
from hmc.settings import SettingsError


def aliases(count: int) -> str:
    lines = ["a0: &a0 [x, x]"] + [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, count)]
    return "\n".join(lines)


def merges(count: int) -> str:
    return "a: &b0 {k: 1}\n" + "\n".join(f"b{i}: &b{i} {{<<: [{', '.join([f'*b{i - 1}'] * 20)}]}}" for i in range(1, count))


@pytest.mark.parametrize("text", [aliases(7), aliases(60), merges(7), merges(60), "[" + "1, " * 100_001 + "]"])
def test_what_aliases_repeat_counts_each_time(text: str) -> None:
    began = time.process_time()
    with pytest.raises(SettingsError, match=r"^mine\.yaml:1: it holds more than 100000 entries, counting what aliases repeat"):
        yaml_file.parse(text, "mine.yaml")
    assert time.process_time() - began < 20


def test_a_few_aliases_are_fine() -> None:
    assert yaml_file.parse("a: &a {x: 1}\nb: *a\nc: {<<: *a, y: 2}\n", "mine.yaml") == {
        "a": {"x": 1},
        "b": {"x": 1},
        "c": {"x": 1, "y": 2},
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: 1\nsince: 2020-01-01", r"mine\.yaml:2: the date '2020-01-01' must be in quotes"),
        ("since: 2020-01-01T10:00:00Z", r"mine\.yaml:1: the date '2020-01-01T10:00:00Z' must be in quotes"),
        ("x: .nan", r"mine\.yaml:1: '\.nan' must be a finite number"),
        ("x: [1, -.inf]", r"mine\.yaml:1: '-\.inf' must be a finite number"),
        ("x: 1.0e+999", r"mine\.yaml:1: '1\.0e\+999' must be a finite number"),
        ("x: !!binary aGVsbG8=", r"mine\.yaml:1: !!binary must be text, a number, a list or a mapping"),
        ("x: !!set {a, b}", r"mine\.yaml:1: !!set must be text"),
        ("a: &a [*a]", r"mine\.yaml:1: an alias stands within what it names"),
    ],
)
def test_what_no_setting_can_be_is_refused(text: str, words: str) -> None:
    with pytest.raises(SettingsError, match=rf"^{words}") as raised:
        yaml_file.parse(text, "mine.yaml")
    assert "\n" not in str(raised.value)


def test_dates_in_quotes_are_texts() -> None:
    assert yaml_file.parse("since: '2020-01-01'", "mine.yaml") == {"since": "2020-01-01"}


@pytest.mark.parametrize("text", ["members: 1:30", "members: 010"])
def test_numbers_that_yaml_reads_in_other_bases_are_refused(text):
    with pytest.raises(SettingsError, match="must be a plain number"):
        yaml_file.parse(text, "mine.yaml")
