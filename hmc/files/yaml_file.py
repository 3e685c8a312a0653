"""Reading YAML files of people: the only module that does, so that it is done safely everywhere.

Only plain data are made (no objects), and what YAML would take in silence, a key given twice, is refused.
"""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from hmc.files.utf8 import NotUtf8Error, decoded
from hmc.settings import SettingsError


class _Loader(yaml.SafeLoader):
    """YAML's safe loader, which also refuses a repeated key."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[tuple[str, str]] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
                if (key.tag, key.value) in seen:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"the key {key.value[:60]!r} stands twice", key.start_mark
                    )
                seen.add((key.tag, key.value))
        return super().construct_mapping(node, deep)


def parse(text: str | bytes, source: str) -> Any:
    """What a YAML text holds: mappings, lists, scalars.

    source: its file or override, for messages. Raises SettingsError naming it, and the line, for what is no YAML or not UTF-8.
    """
    try:
        return yaml.load(decoded(text) if isinstance(text, bytes) else text, _Loader)
    except NotUtf8Error as error:
        raise SettingsError(f"{source}:{error.line}: {error}; convert it") from None
    except RecursionError:
        raise SettingsError(f"{source}: the YAML nests too deeply; write it flatter") from None
    # YAML's own types (a date, a number of many digits) may fail as Python's do.
    except (yaml.YAMLError, ValueError, OverflowError, TypeError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{source}:{mark.line + 1}" if mark is not None else source
        problem = " ".join(str(getattr(error, "problem", None) or error).split())[:200]
        raise SettingsError(f"{place}: this is no YAML ({problem}); correct it there") from None


def read(path: Path) -> Any:
    """What a YAML file holds. Raises SettingsError as :func:`parse` does, OSError where the file cannot be read."""
    return parse(path.read_bytes(), str(path))
