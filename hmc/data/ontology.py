"""The terms of an ontology in the OBO format (the Gene Ontology's), read by obonet.

Obsolete terms are left out, alternative ids stand for their terms, and is_a and part_of (or whatever relations are asked for)
make a term the child of another.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hmc.data.catalog import DataError
from hmc.files.utf8 import printable
from hmc.hierarchy import short


@dataclass(frozen=True)
class Terms:
    """parents: of each term. alternative: from another id to its term. refused: ids that no row may carry, and why."""

    parents: Mapping[str, tuple[str, ...]]
    alternative: Mapping[str, str]
    refused: Mapping[str, str]

    def with_ancestors(self, carried: Iterable[str]) -> set[str]:
        """The terms that these labels name, and all above them; labels that name none are left out."""
        waiting = [term for label in carried if (term := self.alternative.get(label, label)) in self.parents]
        kept: set[str] = set()
        while waiting:
            term = waiting.pop()
            if term not in kept:
                kept.add(term)
                waiting += self.parents[term]
        return kept


def read(file: Path, relations: Collection[str] = ("is_a", "part_of"), namespaces: Collection[str] = ()) -> Terms:
    """The terms of an ontology. namespaces: only of these; empty: of all.

    Raises DataError for a file that is not OBO, a namespace without a term, or where obonet is not installed.
    """
    try:
        import obonet
    except ImportError:
        raise DataError(f"{file}: reading an ontology needs obonet; install it: pip install '.[ontology]'") from None
    try:
        with file.open(encoding="utf-8") as lines, _quiet():
            graph = obonet.read_obo(lines, ignore_obsolete=False)
    except OSError:
        raise
    # What is wrong with a file shows itself in any way that its reader fails.
    except Exception as error:
        reason = printable(" ".join(str(error).split()))[:160] or type(error).__name__
        raise DataError(f"{file}: it cannot be read as OBO ({reason}); download the ontology again") from None
    nodes: dict[str, dict[str, Any]] = dict(graph.nodes(data=True))
    default = graph.graph.get("default-namespace", [""])
    default_space = default[0] if isinstance(default, list) else str(default)
    # obonet makes a node of whatever an edge names; only terms have names.
    terms = {str(name): data for name, data in nodes.items() if "name" in data}
    refused = {name: f"is obsolete{_replaced(data)}" for name, data in terms.items() if data.get("is_obsolete") == "true"}
    current = {name: data for name, data in terms.items() if name not in refused}
    if not current:
        raise DataError(f"{file}: it holds no terms; give an ontology in the OBO format")
    space_of: dict[str, str] = {name: str(data.get("namespace", default_space)) for name, data in current.items()}
    for space in namespaces:
        if space not in space_of.values():
            known = ", ".join(short(known) for known in sorted(set(space_of.values())))
            raise DataError(f"{file}: no term has the namespace {short(space)}, only {known}; correct dataset.table.namespaces")
    if namespaces:
        outside = {name: space for name, space in space_of.items() if space not in namespaces}
        refused |= {
            name: f"is in the namespace {space}, which dataset.table.namespaces leaves out" for name, space in outside.items()
        }
        current = {name: data for name, data in current.items() if name not in outside}
    alternative = {other: name for name, data in current.items() for other in data.get("alt_id", []) if other not in current}
    parents = {
        name: tuple(
            dict.fromkeys(
                parent for _, parent, kind in graph.out_edges(name, keys=True) if kind in relations and parent in current
            )
        )
        for name in current
    }
    return Terms(parents, alternative, {name: why for name, why in refused.items() if name not in alternative})


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without obonet's remarks on headers."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)


def _replaced(term: Mapping[str, Any]) -> str:
    others = [*term.get("replaced_by", []), *term.get("consider", [])]
    return f" (the ontology names {', '.join(others[:3])} in its place)" if others else ""
