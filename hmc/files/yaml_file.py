"""Reading YAML files that users write: the only module that does, so that it is done safely everywhere.

Only plain data are made (no objects). What YAML would take in silence is refused: a key given twice, dates and numbers that are
not finite, which no record could hold, and aliases that would fill the memory.
"""

from __future__ import annotations

import math
import re
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from hmc.files.utf8 import NotUtf8Error, decoded
from hmc.settings import SettingsError

MOST_NODES = 100_000
"""Scalars, lists and mappings of one text, those that an alias repeats counted each time (ours; the largest here has 2,000)."""


class _RefusedError(yaml.constructor.ConstructorError):
    """YAML that is read as something that no setting can be."""


class _Loader(yaml.SafeLoader):
    """YAML's safe loader, which also refuses a repeated key and what no setting can be."""

    def get_single_node(self) -> yaml.Node | None:
        node = super().get_single_node()
        if node is not None and _size(node, {}) > MOST_NODES:
            raise _RefusedError(
                None, None, f"it holds more than {MOST_NODES} entries, counting what aliases repeat", node.start_mark
            )
        return node

    def construct_yaml_float(self, node: yaml.ScalarNode) -> float:
        number: float = super().construct_yaml_float(node)
        if not math.isfinite(number):
            raise _RefusedError(None, None, f"{node.value[:60]!r} must be a finite number", node.start_mark)
        return number

    def construct_yaml_int(self, node: yaml.ScalarNode) -> int:
        # YAML 1.1 takes 1:30 for 90 and 010 for 8.
        if ":" in node.value or re.fullmatch(r"[-+]?0[0-7_]+", node.value):
            raise _RefusedError(
                None, None, f"{node.value[:60]!r} must be a plain number, or in quotes if it is text", node.start_mark
            )
        number: int = super().construct_yaml_int(node)
        return number

    def construct_yaml_timestamp(self, node: yaml.ScalarNode) -> Any:
        super().construct_yaml_timestamp(node)
        raise _RefusedError(None, None, f"the date {node.value[:60]!r} must be in quotes", node.start_mark)

    def construct_other(self, node: yaml.Node) -> Any:
        kind = node.tag.rpartition(":")[2]
        raise _RefusedError(None, None, f"!!{kind[:60]} must be text, a number, a list or a mapping", node.start_mark)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[tuple[str, str]] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
                if (key.tag, key.value) in seen:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"the key {key.value[:60]!r} is given twice", key.start_mark
                    )
                seen.add((key.tag, key.value))
        return super().construct_mapping(node, deep)


_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_yaml_int)
_Loader.add_constructor("tag:yaml.org,2002:float", _Loader.construct_yaml_float)
_Loader.add_constructor("tag:yaml.org,2002:timestamp", _Loader.construct_yaml_timestamp)
for _kind in ("binary", "set", "omap", "pairs"):
    _Loader.add_constructor(f"tag:yaml.org,2002:{_kind}", _Loader.construct_other)


def _size(node: yaml.Node, known: dict[int, int]) -> int:
    """How many nodes this one stands for once its aliases are written out. known: sizes by id, 0 while one is counted."""
    if id(node) in known:
        if not known[id(node)]:
            raise _RefusedError(None, None, "an alias stands within what it names; write it out", node.start_mark)
        return known[id(node)]
    known[id(node)] = 0
    size = 1
    if isinstance(node, yaml.SequenceNode):
        size += sum(_size(entry, known) for entry in node.value)
    elif isinstance(node, yaml.MappingNode):
        size += sum(_size(key, known) + _size(value, known) for key, value in node.value)
    known[id(node)] = size
    return size


def parse(text: str | bytes, source: str) -> Any:
    """What a YAML text holds: mappings, lists, scalars.

    source: its file or override, for messages. Raises SettingsError naming it, and the line, for what is not YAML or UTF-8, or
    for a value that no setting can have.
    """
    try:
        return yaml.load(decoded(text) if isinstance(text, bytes) else text, _Loader)
    except NotUtf8Error as error:
        raise SettingsError(f"{source}:{error.line}: {error}; convert it") from None
    except RecursionError:
        raise SettingsError(f"{source}: the YAML nests too deeply; write it flatter") from None
    except _RefusedError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise SettingsError(f"{source}:{line}: {' '.join(str(error.problem).split())}; correct it there") from None
    # YAML's own types (a date, a number of many digits) may fail as Python's do.
    except (yaml.YAMLError, ValueError, OverflowError, TypeError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{source}:{mark.line + 1}" if mark is not None else source
        problem = " ".join(str(getattr(error, "problem", None) or error).split())[:200]
        raise SettingsError(f"{place}: this cannot be read as YAML ({problem}); correct it there") from None


def read(path: Path) -> Any:
    """What a YAML file holds. Raises SettingsError as :func:`parse` does, OSError where the file cannot be read."""
    return parse(path.read_bytes(), str(path))
