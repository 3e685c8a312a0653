"""The examples in docstrings are run, so that they stay true."""

from __future__ import annotations

import ast
import doctest
import importlib
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]
OPTIONAL = {"torchvision", "PIL", "obonet", "pyarrow", "submitit", "mlflow", "tensorboard"}
"""Packages of extras: modules that need one are left out where it is not installed."""


def with_examples() -> list[str]:
    """The modules of the project that have an example in a docstring."""
    found = []
    for path in sorted(PROJECT.glob("hmc/**/*.py")):
        nodes = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, DOCUMENTED)]
        if any(">>> " in (ast.get_docstring(node) or "") for node in nodes):
            found.append(".".join(path.relative_to(PROJECT).with_suffix("").parts).removesuffix(".__init__"))
    return found


DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef)


@pytest.mark.parametrize("name", with_examples())
def test_the_examples_of_a_module_run_as_printed(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] in OPTIONAL:
            pytest.skip(f"{name} needs {error.name}")
        raise
    # An example may write files.
    monkeypatch.chdir(tmp_path)
    outcome = doctest.testmod(module, optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE, report=True)
    assert outcome.attempted, f"the examples of {name} are not where doctest finds them"
    assert outcome.failed == 0


def test_the_parts_that_a_reader_starts_with_have_examples() -> None:
    expected = {
        *("hmc.metrics.ranking", "hmc.metrics.clus", "hmc.metrics.cafa", "hmc.metrics.grouped"),
        *("hmc.rules.apply", "hmc.rules.fit", "hmc.scores.coherent", "hmc.estimators.mixture", "hmc.settings.cell"),
    }
    assert expected <= set(with_examples())


def test_an_example_that_is_wrong_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "wrong_example.py").write_text('"""\n>>> 1 + 1\n3\n"""\n')
    monkeypatch.syspath_prepend(tmp_path)
    assert doctest.testmod(importlib.import_module("wrong_example"), report=False, verbose=False).failed == 1
