"""Results of an earlier layout in today's: records and lines of runs.csv. Nothing is trained again, and nothing is lost.

Schema 1 had the schema in the identity, all metrics in one list (at a threshold of 0.5), and three switches and a group of
datasets under names that did not explain themselves.
"""

from __future__ import annotations

import functools
import json
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hmc.results.record import RECORD_SCHEMA, Record, RecordError, read_document
from hmc.settings import RunSettings, canonical_hash, identity_of

Row = dict[str, str]

SWITCHES = {"negative": "negative_weights", "weighted_label": "weights_apply_to", "unseen": "unseen_node_weight"}
"""Of protocols: from the name in schema 1 to today's."""
VALUES = {"weights_apply_to": {"negative": "negatives", "positive": "positives"}}
GROUPS = {"others": "non_genomic"}
OF_SCORES = ("au_prc", "incoherent_share")
"""The metrics of schema 1 that no threshold changes; all others were at 0.5."""
NOT_KEPT = {"version": 0, "tuning": "", "sibling": "", "scores": ""}
"""The evaluation of a record whose scores were not kept: good for the rule ``half`` alone."""


def converted_document(document: Mapping[str, Any]) -> dict[str, Any]:
    """A record's document of schema 1 in today's layout.

    Raises RecordError for another schema, and where its identity is not that of its settings.
    """
    if document.get("schema") != 1:
        raise RecordError(f"record schema {document.get('schema')!r} cannot be converted; use the version that wrote it")
    settings, sha256 = document["settings"], document["data"].get("sha256")
    if document["identity"] != _first_identity(settings, sha256):
        raise RecordError(f"identity {str(document['identity'])[:12]!r} does not belong to the settings and data")
    new = {key: value for key, value in document.items() if key != "metrics"}
    new["schema"] = RECORD_SCHEMA
    new["settings"] = converted_settings(settings)
    new["identity"] = identity_of(new["settings"], sha256)
    new["cell"] = {
        **document["cell"],
        "group": GROUPS.get(document["cell"]["group"], document["cell"]["group"]),
        "variant": converted_variant(document["cell"]["variant"]),
    }
    metrics = document["metrics"]
    new["metrics"] = {name: value for name, value in metrics.items() if name in OF_SCORES}
    half = {name: value for name, value in metrics.items() if name not in OF_SCORES}
    return new | {
        "parts": [],
        "rules": {"half": half} if half else {},
        "lacking": {},
        "evaluation": NOT_KEPT if document["status"] == "complete" else {},
    }


def converted_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Identifying settings of schema 1 under today's names."""
    protocol = {_switch(key): _value(_switch(key), value) for key, value in settings["protocol"].items()}
    return {**settings, "protocol": protocol}


def converted_variant(text: str) -> str:
    """A variant of schema 1, which stood as it was typed, in today's order and names."""
    parts = []
    for part in filter(None, text.split(", ")):
        key, _, value = part.partition("=")
        if key.startswith("protocol."):
            name = _switch(key.removeprefix("protocol."))
            key, value = f"protocol.{name}", _value(name, value)
        parts.append(f"{key}={value}")
    return ", ".join(sorted(parts))


def converted_line(line: Mapping[str, str]) -> Row:
    """A line of schema 1 of a runs.csv in today's layout. Raises RecordError where its identity is not that of its settings."""
    settings = settings_of_line(line)
    if line["identity"] != _first_identity(settings, line["data.sha256"]):
        raise RecordError(f"identity {line['identity'][:12]!r} does not belong to the settings and data of its line")
    new: Row = {}
    for name, value in line.items():
        part, _, rest = name.partition(".")
        if part == "metrics" and rest not in OF_SCORES:
            new[f"rules.half.{rest}"] = value
        elif name.startswith("settings.protocol."):
            key = _switch(rest.removeprefix("protocol."))
            new[f"settings.protocol.{key}"] = _value(key, value)
        else:
            new[name] = value
    new["group"] = GROUPS.get(line["group"], line["group"])
    new["variant"] = converted_variant(line["variant"])
    new["schema"] = str(RECORD_SCHEMA)
    new["identity"] = identity_of(converted_settings(settings), line["data.sha256"])
    if line["status"] == "complete":
        new |= {f"evaluation.{key}": str(value) for key, value in NOT_KEPT.items() if value != ""}
    return new


def settings_of_line(line: Mapping[str, str]) -> dict[str, Any]:
    """The identifying settings that a line's columns spell, with the types that the settings have."""
    document: dict[str, Any] = {}
    for name, text in line.items():
        if not name.startswith("settings."):
            continue
        *groups, key = name.split(".")[1:]
        target = document
        for group in groups:
            target = target.setdefault(group, {})
        target[key] = _typed((*groups, key), text)
    # An empty mapping has no column.
    document.setdefault("training", {})
    method = document["method"]
    if "members" in method:
        method.setdefault("options", {})
    if "estimator" in method:
        method["estimator"].setdefault("parameters", {})
    return document


def convert_file(path: Path) -> Record:
    """The record in a file of schema 1, in today's layout. Raises RecordError."""
    document = converted_document(read_document(path.read_bytes(), str(path)))
    document["packed_nodes"] = document.pop("nodes")
    document["learning_curve"] = tuple(document["learning_curve"])
    document["parts"] = tuple(document["parts"])
    return Record(**document)


def _first_identity(settings: Mapping[str, Any], sha256: str) -> str:
    return canonical_hash({"settings": settings, "data_sha256": sha256, "schema": 1})


def _switch(name: str) -> str:
    return SWITCHES.get(name, name)


def _value(switch: str, value: Any) -> Any:
    return VALUES.get(switch, {}).get(value, value)


@functools.cache
def _kind(place: tuple[str, ...]) -> Any:
    """The type of a setting by its dotted place; Any where the settings do not say."""
    kind: Any = RunSettings
    for part in place:
        renamed = _switch(part) if place[0] == "protocol" else part
        hints = typing.get_type_hints(kind) if hasattr(kind, "__dataclass_fields__") else {}
        if renamed not in hints:
            return Any
        kind = hints[renamed]
    return kind


def _typed(place: tuple[str, ...], text: str) -> Any:
    kind = _kind(place)
    if kind is str:
        return text
    if kind is float:
        return float(text)
    try:
        return json.loads(text)
    except ValueError:
        return text
