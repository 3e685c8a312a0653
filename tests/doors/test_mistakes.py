"""The doors' own settings: a wrong one is one line and status 2, before anything is read, run or written."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.doors.conftest import Door


@pytest.mark.parametrize(
    ("name", "override", "words"),
    [
        ("compare", "datasets=enron", "datasets='enron' is no list; write datasets=[...]"),
        ("compare", "a=null", "a=None is no text"),
        ("compare", "over=folds", "over='folds' is not known; known are datasets, seeds"),
        ("compare", "zero_method=prat", "did you mean 'pratt'"),
        ("compare", "datasets={a: 1}", "Error merging override"),
        ("compare", "comparisons=nowhere.yaml", "No such file or directory: 'nowhere.yaml'"),
        ("data", "datasets=5", "datasets=5 is no list"),
        ("data", "action=describ", "did you mean 'describe'"),
        ("tables", "page=often", "page='often' is no truth value; write true or false"),
        ("tables", "reference=often", "reference='often' is no truth value; write true or false"),
        ("tables", "export=true", "export=True is no text; write one word"),
        ("reproduce", "plan=maybe", "plan='maybe' is no truth value; write true or false"),
        ("reproduce", "recorded=accept", "recorded='accept' is not known; known are recompute, reuse"),
        ("reproduce", "suite.seeds=[1,1]", "name a seed twice; name each once"),
        ("benchmark", "members=[0]", "members[0]=0 is out of range: it must be at least 1"),
        ("benchmark", "seconds=-1", "it must be above 0"),
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
