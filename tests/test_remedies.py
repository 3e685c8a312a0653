"""What a message tells the user to set can be set: every remedy of the form key=value is tried at the doors."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from hmc.configs import CONFIGS
from hmc.overrides import checked
from hmc.settings import SettingsError

PROJECT = Path(__file__).resolve().parents[1]
DOORS = ("train", "reproduce", "evaluate", "predict", "tables", "compare", "data", "benchmark")
KEY = r"[a-z_]+(?:\.[a-z_]+)*"
REMEDY = re.compile(rf"\b(?:set|use|give|write|or|with|lower|leave|by) ({KEY})=([\w./-]*)")
BARE = re.compile(rf"\b(?:set|lower|raise|shorten|correct|change) ({KEY})\b(?!=)")
PLACEHOLDERS = {"": "1", "...": "1"}


def texts(path: Path) -> list[str]:
    """The string literals of a module, f-strings with {} for what is filled in; docstrings are not messages."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documentation = {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    inner = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            found.append("".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation | inner:
            found.append(node.value)
    return found


ALL = sorted(
    {
        (found[1], found[2])
        for path in PROJECT.glob("hmc/**/*.py")
        for text in texts(path)
        for found in REMEDY.finditer(text)
        if found[1] not in ("key", "group.key")
    }
)
KEYS = sorted(
    {found[1] for path in PROJECT.glob("hmc/**/*.py") for text in texts(path) for found in BARE.finditer(text) if "." in found[1]}
)


def taken_by_a_door(override: str) -> bool:
    for door in DOORS:
        try:
            checked(door, [override])
        except SettingsError:
            continue
        return True
    return False


def test_there_are_remedies() -> None:
    assert len(ALL) > 20
    assert len(KEYS) > 5


@pytest.mark.parametrize(("key", "value"), ALL)
def test_a_remedy_can_be_typed(key: str, value: str) -> None:
    override = f"{key}={PLACEHOLDERS.get(value, value)}"
    if (CONFIGS / key).is_dir() and not (CONFIGS / key / f"{value}.yaml").exists():
        pytest.skip(f"{override}: the message fills in a file's name")
    assert taken_by_a_door(override), override


@pytest.mark.parametrize("key", KEYS)
def test_a_setting_that_is_to_be_changed_exists(key: str) -> None:
    assert taken_by_a_door(f"{key}=1"), key


def test_no_message_speaks_of_keys_that_no_door_has() -> None:
    wrong = [text for path in PROJECT.glob("hmc/**/*.py") for text in texts(path) if re.search(r"\bruntime\.[a-z_]+=?", text)]
    assert wrong == []
