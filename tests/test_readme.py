"""The README's commands and code are run, so that they stay true. Trainings are shortened; nothing else is changed."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]
TEXT = (PROJECT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


COMMANDS = [line for block in blocks("bash") for line in block.splitlines() if line.strip()]


def shell(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    words = shlex.split(command)
    assert words[0] == "python", command
    words[:2] = [sys.executable, str(PROJECT / words[1])]
    places = [] if "data.py" in command else [f"results_dir={folder / 'results'}"]
    return subprocess.run([*words, *places], cwd=folder, capture_output=True, text=True, timeout=500)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all commands, with the results that a clone has."""
    made = tmp_path_factory.mktemp("readme")
    shutil.copytree(PROJECT / "results" / "reference", made / "results" / "reference", ignore=shutil.ignore_patterns("runs"))
    return made


def test_there_are_commands() -> None:
    assert len(COMMANDS) >= 8


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_works_as_printed(command: str, folder: Path) -> None:
    shortened = command if "plan=true" in command or "train.py" not in command else f"{command} training.epochs=1"
    if "training.epochs=5" in command:
        shortened = command
    done = shell(shortened, folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.strip()


def test_the_python_examples_run(capsys: pytest.CaptureFixture[str]) -> None:
    scope: dict[str, object] = {}
    for block in blocks("python"):
        exec(block, scope)
    assert "MyObjective" in scope
    assert capsys.readouterr().out.count("\n") > 5


def test_the_yaml_example_is_a_method() -> None:
    import yaml

    from hmc.settings import MethodSettings, build

    (example,) = blocks("yaml")
    assert build(MethodSettings, yaml.safe_load(example), at="method").focal.uncertainty == "gmu"


def test_make_knows_its_targets() -> None:
    named = set(re.findall(r"`make ([a-z]+)", TEXT)) | {"reproduce"}
    known = set(re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert named <= known


def test_every_switch_and_metric_is_documented() -> None:
    import dataclasses

    from hmc.metrics.evaluate import METRICS
    from hmc.settings import ProtocolSettings

    for field in dataclasses.fields(ProtocolSettings):
        assert field.name == "name" or f"`{field.name}`" in TEXT
    for metric in METRICS:
        stem = re.sub(r"_seen$|(?<=recall_frequency_).*|(?<=recall_depth_).*", "", metric)
        assert stem in TEXT, metric
