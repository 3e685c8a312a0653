"""The doors' own settings: a wrong one is one line and status 2, before anything is read, run or written."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.doors.conftest import Door


@pytest.mark.parametrize(
    ("name", "override", "words"),
    [
        ("compare", "datasets=enron", "datasets must be a list, got 'enron'; write datasets=[...]"),
        ("compare", "a=null", "a must be text, got None"),
        ("compare", "over=folds", "over='folds' is not known; known are datasets, seeds"),
        ("compare", "zero_method=prat", "did you mean 'pratt'"),
        ("compare", "datasets={a: 1}", "Error merging override"),
        ("compare", "comparisons=nowhere.yaml", "nowhere.yaml cannot be used: No such file or directory; correct the path"),
        ("data", "datasets=5", "datasets must be a list, got 5"),
        ("data", "action=describ", "did you mean 'describe'"),
        ("tables", "page=often", "page must be true or false, got 'often'"),
        ("tables", "reference=often", "reference must be true or false, got 'often'"),
        ("tables", "tables.rule=scaled", "tables.rule='scaled' is not known; did you mean 'scaled_rate'?"),
        ("tables", "tables.rules=half", "did you mean 'tables.rule'"),
        ("tables", "tables=scaled_rate", "write tables.rule=scaled_rate"),
        ("tables", "figures=[gif]", "figures[0]='gif' is not known; known are svg, png, pdf"),
        ("reproduce", "tables.tuned=nodes", "tables.tuned='nodes' is not known; did you mean 'node'?"),
        ("tables", "export=true", "export must be text, got True; write one word"),
        ("reproduce", "plan=maybe", "plan must be true or false, got 'maybe'"),
        ("reproduce", "recorded=accept", "recorded='accept' is not known; known are recompute, reuse"),
        ("reproduce", "suite.seeds=[1,1]", "name a seed twice; name each once"),
        ("benchmark", "members=[0]", "members[0] must be at least 1, got 0"),
        ("benchmark", "seconds=-1", "must be above 0"),
        ("benchmark", "datasets=[enrom]", "did you mean 'enron'"),
    ],
)
def test_a_mistake_is_one_line(door: Door, tmp_path: Path, name: str, override: str, words: str) -> None:
    (tmp_path / "results").mkdir()
    shown = door(name, override, status=2).stderr
    assert shown.startswith("error: ")
    assert shown.count("\n") == 1
    assert words in shown
    assert list(tmp_path.rglob("*")) == [tmp_path / "results"]


@pytest.mark.parametrize("name", ["tables", "compare"])
def test_a_results_folder_that_is_not_there_is_a_mistake_and_is_not_made(door: Door, tmp_path: Path, name: str) -> None:
    absent = tmp_path / "nowhere" / "results"
    shown = door(name, f"results_dir={absent}", status=2)
    assert shown.stderr == f"error: results_dir='{absent}' must be a folder that exists; correct the path\n"
    assert shown.stdout == ""
    assert list(tmp_path.iterdir()) == []


def test_an_absolute_results_folder_that_is_not_there_is_not_made(door: Door) -> None:
    assert not Path("/nonexistent").exists()
    assert door("tables", "results_dir=/nonexistent", status=2).stderr.count("\n") == 1
    assert not Path("/nonexistent").exists()
