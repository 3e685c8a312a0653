"""The cell, the unit of work, and the canonical hash that identifies its result."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hmc.settings.build import plain, to_mapping
from hmc.settings.schema import RunSettings


def canonical_hash(document: Any) -> str:
    """sha256 of the canonical JSON (sorted keys, no spaces, shortest exact floats) of a plain document."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


NETWORK_KEYS = (
    *("members", "ensemble", "resampling", "node_weights", "focal", "schedule", "weighted_share"),
    *("reduction", "loss", "loss_options", "objective", "options"),
)
"""Settings of a method that only a network has."""


def identifying(settings: RunSettings) -> dict[str, Any]:
    """The part of the settings that can change a score: no titles, no addresses, no paths.

    Settings that came after the first records (see :func:`setting`) are in it only where they depart from their defaults. What
    trains a network is in it only for a network: an estimator's scores depend on its rows alone.
    """
    document = _without_omitted_defaults(settings)
    named = ("name", "labels", "unevaluated", "optional_unevaluated", "fraction")
    document["dataset"] = {key: value for key, value in document["dataset"].items() if key in named}
    del document["method"]["title"]
    if settings.method.kind != "network":
        document["training"] = {key: value for key, value in document["training"].items() if key == "holdout"}
        document["method"] = {key: value for key, value in document["method"].items() if key not in NETWORK_KEYS}
        document["protocol"] = {key: value for key, value in document["protocol"].items() if key in ("name", "imputation")}
    if "encoder" in document:
        del document["encoder"]["checkpoint"]
    return document


def _without_omitted_defaults(settings: Any) -> dict[str, Any]:
    """:func:`to_mapping`, less what came after the first records and has its default."""
    document: dict[str, Any] = {}
    omitted = _omitted_defaults(type(settings))  # type: ignore[arg-type]
    for name in settings.__dataclass_fields__:
        value = getattr(settings, name)
        if name in omitted and value == omitted[name]:
            continue
        # Most are scalars, see plain.
        if value is None or isinstance(value, (str, int, float)):
            document[name] = value
        else:
            document[name] = _without_omitted_defaults(value) if dataclasses.is_dataclass(value) else plain(value)
    return document


@functools.cache
def _omitted_defaults(kind: type) -> dict[str, Any]:
    """The defaults that are left out of identities."""
    return {
        entry.name: entry.default if entry.default_factory is dataclasses.MISSING else entry.default_factory()
        for entry in dataclasses.fields(kind)
        if entry.metadata.get("omit_default_from_identity")
    }


def identity_of(document: Mapping[str, Any], data_sha256: str, parts: Sequence[str] = ()) -> str:
    """What tells results apart: identifying settings, the data's hash and, of a mixture, the identities of its parts, hashed.

    The layout of records is not in it, so that a new one never means new training.
    """
    whole: dict[str, Any] = {"settings": document, "data_sha256": data_sha256}
    return canonical_hash(whole | ({"parts": list(parts)} if parts else {}))


Departures = tuple[tuple[str, Any], ...]
"""Settings in which a cell differs from its files, by dotted key, sorted: (("method.members", 5),)."""


def departures(settings: RunSettings, base: RunSettings) -> Departures:
    """The settings that can change a number in which a run departs from the one that its files alone describe.

    Typed and sorted, so that ``training.epochs=1`` and ``=1.0``, and two orders of the same overrides, are the same. Not the
    seed, not the names, and no path; of the user's own files only ``dataset.fraction``, since how files are to be read says
    nothing of a method. A setting that only the files have is None.
    """
    mine, theirs = (dict(_leaves(_departing(one))) for one in (settings, base))
    keys = sorted(key for key in mine.keys() | theirs.keys() if key not in mine or key not in theirs or mine[key] != theirs[key])
    return tuple((key, mine.get(key)) for key in keys)


def _departing(settings: RunSettings) -> dict[str, Any]:
    """The settings in which two cells of one column may not differ."""
    document = {group: to_mapping(getattr(settings, group)) for group in ("method", "training", "protocol", "encoder")}
    if settings.method.kind == "estimator":
        document["training"] = {"holdout": settings.training.holdout}
    del document["method"]["name"], document["method"]["title"], document["protocol"]["name"], document["encoder"]["checkpoint"]
    dataset = settings.dataset
    document["dataset"] = {"fraction": dataset.fraction}
    if dataset.kind == "synthetic":
        document["dataset"]["synthetic"] = to_mapping(dataset.synthetic)
    elif not dataset.is_own:
        document["dataset"] |= {"labels": dataset.labels, "unevaluated": plain(dataset.unevaluated)}
        document["dataset"] |= {"optional_unevaluated": plain(dataset.optional_unevaluated)}
    return document


def _leaves(document: Mapping[str, Any], at: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in document.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{at}{key}.")
        else:
            yield f"{at}{key}", value


def variant(departed: Departures) -> str:
    """Departures as the name of a column shows them: "method.members=5, training.dropout=0.3".

    >>> variant((("method.focal.power", 1.0), ("training.learning_rate", 1e-5)))
    'method.focal.power=1, training.learning_rate=1e-05'
    """
    return ", ".join(f"{key}={_value(value)}" for key, value in departed)


def _value(value: Any) -> str:
    if isinstance(value, str):
        return value
    return f"{value:.15g}" if isinstance(value, float) else json.dumps(value, separators=(",", ":"))


@dataclass(frozen=True)
class Cell:
    """The unit of work, of resuming and of statistics: one dataset, method and seed under one protocol.

    departed: the settings in which this cell departs from its files, see :func:`departures`. parts: the cells that a mixture
    mixes. shown_protocol: the protocol under which the cell is shown, where none of that one's switches touches it and so the
    cell of another protocol serves; empty for its own.
    """

    settings: RunSettings
    data_sha256: str
    departed: Departures = ()
    parts: tuple[Cell, ...] = ()
    shown_protocol: str = ""

    def __post_init__(self) -> None:
        mixed = self.settings.method.mixture
        if len(self.parts) != len(mixed):
            raise ValueError(f"the cell of a mixture must have the cells of its parts {list(mixed)}, got {len(self.parts)}")

    @functools.cached_property
    def identity(self) -> str:
        return identity_of(identifying(self.settings), self.data_sha256, [part.identity for part in self.parts])

    def of_seeds(self, seeds: Iterable[int]) -> Iterator[Cell]:
        """The same cell under other seeds; as fast as plans of thousands of cells need, since only the seed is looked at."""
        document = identifying(self.settings)
        for seed in seeds:
            parts = tuple(next(part.of_seeds([seed])) for part in self.parts)
            cell = dataclasses.replace(self, settings=dataclasses.replace(self.settings, seed=seed), parts=parts)
            document["seed"] = seed
            cell.__dict__["identity"] = identity_of(document, self.data_sha256, [part.identity for part in parts])
            yield cell

    @property
    def dataset(self) -> str:
        return self.settings.dataset.name

    @property
    def method(self) -> str:
        return self.settings.method.name

    @property
    def protocol(self) -> str:
        return self.shown_protocol or self.settings.protocol.name

    @property
    def seed(self) -> int:
        return self.settings.seed

    @property
    def variant(self) -> str:
        """The departures as text, empty for none."""
        return variant(self.departed)

    @property
    def column(self) -> str:
        """The column of a table that this cell belongs to."""
        return column_name(self.method, self.protocol, self.variant)

    def __str__(self) -> str:
        return f"{self.dataset}, {self.column}, seed {self.seed}"


def column_name(method: str, protocol: str, variant: str) -> str:
    """The column of a table: the method, then in brackets a protocol other than ``released`` and the variant."""
    marks = [mark for mark in ("" if protocol == "released" else protocol, variant) if mark]
    return f"{method} ({', '.join(marks)})" if marks else method
