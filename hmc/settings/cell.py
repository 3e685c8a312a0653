"""The cell, the unit of work, and the canonical hash that identifies its result."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hmc.settings.build import plain
from hmc.settings.schema import RunSettings

RECORD_SCHEMA = 1
"""Version of the record's layout and of what its numbers mean; part of every identity."""


def canonical_hash(document: Any) -> str:
    """sha256 of the canonical JSON (sorted keys, no spaces, shortest exact floats) of a plain document."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def identifying(settings: RunSettings) -> dict[str, Any]:
    """The part of the settings that can change a number: no titles, no addresses, no table of other datasets.

    Settings that came later (see :func:`setting`) are in it only where they depart from their defaults.
    """
    document = _without_later_defaults(settings.checked())
    named = ("name", "labels", "unevaluated", "fraction")
    document["dataset"] = {key: value for key, value in document["dataset"].items() if key in named}
    del document["method"]["title"], document["training"]["per_dataset"]
    if "encoder" in document:
        del document["encoder"]["checkpoint"]
    return document


def _without_later_defaults(settings: Any) -> dict[str, Any]:
    """:func:`to_mapping`, less what came later and has its default."""
    document: dict[str, Any] = {}
    later = _later_defaults(type(settings))  # type: ignore[arg-type]
    for name in settings.__dataclass_fields__:
        value = getattr(settings, name)
        if name in later and value == later[name]:
            continue
        # Most are scalars, see plain.
        if value is None or isinstance(value, (str, int, float)):
            document[name] = value
        else:
            document[name] = _without_later_defaults(value) if dataclasses.is_dataclass(value) else plain(value)
    return document


@functools.cache
def _later_defaults(kind: type) -> dict[str, Any]:
    """The defaults of a dataclass's settings that came later."""
    return {
        entry.name: entry.default if entry.default_factory is dataclasses.MISSING else entry.default_factory()
        for entry in dataclasses.fields(kind)
        if entry.metadata.get("later")
    }


def identity(settings: RunSettings, data_sha256: str) -> str:
    """What tells results apart: the identifying settings, the data's hash and the record's schema, hashed."""
    return _identity(identifying(settings), data_sha256)


def _identity(document: Mapping[str, Any], data_sha256: str) -> str:
    return canonical_hash({"settings": document, "data_sha256": data_sha256, "schema": RECORD_SCHEMA})


@dataclass(frozen=True)
class Cell:
    """The unit of work, of resuming and of statistics: one dataset, method and seed under one protocol.

    variant: the settings, other than the seed, in which this cell departs from its files, as typed ("method.members=5");
    empty for none.
    """

    settings: RunSettings
    data_sha256: str
    variant: str = ""

    @functools.cached_property
    def identity(self) -> str:
        return identity(self.settings, self.data_sha256)

    def of_seeds(self, seeds: Iterable[int]) -> Iterator[Cell]:
        """The same cell under other seeds; as fast as plans of thousands of cells need, since only the seed is looked at."""
        document = identifying(self.settings)
        for seed in seeds:
            cell = dataclasses.replace(self, settings=dataclasses.replace(self.settings, seed=seed))
            document["seed"] = seed
            cell.__dict__["identity"] = _identity(document, self.data_sha256)
            yield cell

    @property
    def dataset(self) -> str:
        return self.settings.dataset.name

    @property
    def method(self) -> str:
        return self.settings.method.name

    @property
    def protocol(self) -> str:
        return self.settings.protocol.name

    @property
    def seed(self) -> int:
        return self.settings.seed

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
