"""README and docs/ are run, so that they stay true: commands, Python and YAML, page by page, in the order in which they stand.

Trainings that say nothing of epochs are shortened; nothing else is changed. Blocks without a language are not run: they need
data or files that a test has not, and the doors' own tests run what is like them.
"""

from __future__ import annotations

import dataclasses
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from hmc.data import catalog
from hmc.metrics.evaluate import RULE_METRICS, SCORE_METRICS
from hmc.rules import RULES
from hmc.settings import DatasetSettings, MethodSettings, ProtocolSettings, RuntimeSettings, SuiteSettings, build

PROJECT = Path(__file__).resolve().parents[1]
PAGES = [PROJECT / "README.md", *sorted((PROJECT / "docs").glob("*.md"))]
TEXTS = {page.name: page.read_text(encoding="utf-8") for page in [*PAGES, PROJECT / "CONTRIBUTING.md"]}


@dataclass(frozen=True)
class Block:
    """language: of the fence; content: what it holds; before: the text since the block above it."""

    language: str
    content: str
    before: str


def blocks(text: str) -> Iterator[Block]:
    end = 0
    for found in re.finditer(r"^```(\w*)\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        yield Block(found[1], found[2], text[end : found.start()])
        end = found.end()


def run(command: str, folder: Path) -> str:
    """One command of a page, as typed but with the project's own python and results in the folder."""
    words = shlex.split(command)
    assert words[0] == "python", command
    words[:2] = [sys.executable, str(PROJECT / words[1])]
    door = Path(words[1]).stem
    if door not in ("data", "predict", "benchmark"):
        words.append(f"results_dir={folder / 'results'}")
    if door == "train" and "training.epochs" not in command:
        words.append("training.epochs=1")
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    assert done.stdout.strip(), command
    return done.stdout


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_works_from_top_to_bottom(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reference = tmp_path / "results" / "reference"
    shutil.copytree(PROJECT / "results" / "reference", reference, ignore=shutil.ignore_patterns("runs"))
    monkeypatch.chdir(tmp_path)
    scope: dict[str, object] = {}
    for block in blocks(TEXTS[page.name]):
        if block.language == "bash":
            for command in filter(str.strip, block.content.splitlines()):
                run(command, tmp_path)
        elif block.language == "python":
            exec(block.content, scope)
        elif block.language == "yaml":
            document = yaml.safe_load(block.content)
            kind = SuiteSettings if "blocks" in document else DatasetSettings if "kind" in document else MethodSettings
            built = build(kind, document)
            Path(f"{built.name}.yaml").write_text(block.content, encoding="utf-8")
            for name in re.findall(r"`(\w+\.yaml)`", TEXTS[page.name]):
                if Path(name).stem.startswith(built.name):
                    Path(name).write_text(block.content, encoding="utf-8")


def test_every_page_has_something_to_run_or_to_say() -> None:
    counts = {name: sum(block.language in ("bash", "python") for block in blocks(text)) for name, text in TEXTS.items()}
    assert counts["README.md"] >= 5
    assert sum(counts.values()) >= 25


@pytest.mark.parametrize("name", list(TEXTS))
def test_links_lead_somewhere(name: str) -> None:
    place = PROJECT / ("docs" if (PROJECT / "docs" / name).exists() else "")
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", TEXTS[name]):
        assert target.startswith("https://") or (place / target).exists(), target


def test_make_knows_its_targets() -> None:
    named = {target for text in TEXTS.values() for target in re.findall(r"(?:`|^)make ([a-z-]+)", text, re.MULTILINE)}
    known = set(re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert "reproduce" in named
    assert named <= known


def test_readme_is_short() -> None:
    assert len(TEXTS["README.md"].encode()) < 6500


def test_every_switch_rule_and_metric_is_documented() -> None:
    for field in dataclasses.fields(ProtocolSettings):
        assert field.name == "name" or f"`{field.name}`" in TEXTS["methods.md"]
    page = TEXTS["metrics-and-rules.md"]
    for rule in RULES:
        assert f"`{rule}`" in page
    for metric in {**SCORE_METRICS, **RULE_METRICS}:
        stem = re.sub(r"_seen$|(?<=_frequency_).*|(?<=_depth_).*", "", metric)
        assert stem in page, metric


def test_every_method_that_ships_is_named() -> None:
    shipped = {path.stem for path in (PROJECT / "configs" / "method").iterdir()}
    missing = [name for name in sorted(shipped) if f"`{name}`" not in TEXTS["methods.md"]]
    assert missing == []


def test_the_notebook_runs(tmp_path: Path) -> None:
    """In its own process, as nbmake runs it; any cell that fails is a failure."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--nbmake"]
    done = subprocess.run(
        [*command, "--nbmake-timeout=300", str(PROJECT / "docs" / "tutorial.ipynb")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=400,
        env={**os.environ, "PYTEST_ADDOPTS": ""},
    )
    assert "1 passed" in done.stdout, done.stdout + done.stderr


@pytest.mark.skipif(bool(catalog.missing(catalog.card("enron"), RuntimeSettings())), reason="the benchmark files are not at hand")
def test_scores_from_outside_are_tested_over_the_benchmark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop over eight datasets of the page on methods of one's own."""
    monkeypatch.chdir(tmp_path)
    every = list(blocks(TEXTS["your-own-method.md"]))
    (script,) = (block.content for block in every if "KNeighborsRegressor" in block.content)
    (loop,) = (block.content for block in every if block.content.startswith("for name in"))
    names = re.findall(r"for name in ([\w ]+);", loop)[0].split()
    assert len(names) == 8
    exec(script.replace('["synthetic_tree"]', repr(names)), {})
    first, *_, last = re.findall("python .*", loop)
    for name in names:
        run(first.replace("$name", name), tmp_path)
    assert "p = 0.00781" in run(last, tmp_path)
