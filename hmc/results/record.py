"""One cell's result as one JSON document: what was run, on which data, with which numbers, where and by which versions.

On disk each part is one line, and the last line holds the sha256 of all that comes before it, so that a truncated or edited
record is noticed. The counts per node are written as text ("3 0 12 ..."), which the JSON parser skips at memory speed: the
tables read thousands of records and need none of these counts.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hmc.settings import RECORD_SCHEMA, Cell, canonical_hash, column_name, identifying

CELL_KEYS = ("dataset", "group", "method", "protocol", "variant", "seed")
DATA_KEYS = (
    "sha256",
    "reconstructed",
    "rows_train",
    "rows_valid",
    "rows_test",
    "features",
    "nodes",
    "evaluated_nodes",
)
TIME_KEYS = ("started", "finished", "train_seconds", "step_milliseconds", "data_seconds", "evaluate_seconds", "steps")

_CHECKSUM = ',\n "checksum": "'
_REMEDY = "delete it and run the cell again"


class RecordError(ValueError):
    """A record cannot be trusted or does not say what it must. The message is for the user."""


class StaleRecordError(RecordError):
    """A record follows another schema than this program's."""


@dataclass(frozen=True)
class Record:
    """The outcome of one cell. Build one with :meth:`complete` or :meth:`failed`; every way in is checked.

    identity: what tells results apart, see :func:`hmc.settings.identity`.
    cell: dataset, group, method, protocol, variant, seed.
    settings: :func:`hmc.settings.identifying` of the run.
    data: sha256, reconstructed ("" or what was), rows_train, rows_valid, rows_test, features, nodes, evaluated_nodes.
    status: "complete" or "failed"; error: one line, for failed ones.
    metrics: name to a finite fraction. packed_nodes: name to whole numbers per evaluated node, as text.
    learning_curve: mean loss of each epoch.
    times: started, finished (UTC, ISO 8601), train_seconds, step_milliseconds, data_seconds, evaluate_seconds, steps.
    environment: see :func:`hmc.results.provenance.environment`.

    Raises RecordError when a part is missing, malformed, or not finite.
    """

    identity: str
    cell: Mapping[str, Any]
    settings: Mapping[str, Any]
    data: Mapping[str, Any]
    status: str
    error: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
    packed_nodes: Mapping[str, str] = field(default_factory=dict)
    learning_curve: Sequence[float] = ()
    times: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, Any] = field(default_factory=dict)
    schema: int = RECORD_SCHEMA

    def __post_init__(self) -> None:
        _require(self.cell, CELL_KEYS, "cell")
        expected = canonical_hash({"settings": self.settings, "data_sha256": self.data.get("sha256"), "schema": self.schema})
        if self.identity != expected:
            raise RecordError(f"identity {self.identity[:12]!r} does not belong to the settings and data ({expected[:12]!r})")
        if self.status == "failed":
            if not self.error or "\n" in self.error:
                raise RecordError("a failed record needs its error, in one line")
            if self.metrics:
                raise RecordError("a failed record has metrics; a failure is never counted as a result")
        elif self.status == "complete":
            _require(self.data, DATA_KEYS, "data")
            _require(self.times, TIME_KEYS, "times")
            if not self.metrics:
                raise RecordError("a complete record has no metrics")
        else:
            raise RecordError(f"status is {self.status!r}; expected 'complete' or 'failed'")
        for name, value in self.metrics.items():
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
                raise RecordError(f"metrics.{name} is {value!r}; expected a finite number (leave out what is not defined)")
        if not np.isfinite(np.array(self.learning_curve, dtype=np.float64)).all():
            raise RecordError("learning_curve has a value that is not finite; such a cell is recorded as failed")

    @classmethod
    def complete(
        cls,
        cell: Cell,
        *,
        data: Mapping[str, Any],
        metrics: Mapping[str, float],
        nodes: Mapping[str, Sequence[int]],
        learning_curve: Sequence[float],
        times: Mapping[str, Any],
        environment: Mapping[str, Any],
    ) -> Record:
        """The record of a cell that ran to its end. ``data`` needs no sha256: it is the cell's."""
        lengths = {name: len(counts) for name, counts in nodes.items()}
        if len(set(lengths.values())) > 1:
            raise RecordError(f"the counts per node differ in length: {lengths}")
        return cls(
            **_of_cell(cell, data),
            status="complete",
            metrics={name: float(value) for name, value in metrics.items()},
            packed_nodes={name: " ".join(str(int(count)) for count in counts) for name, counts in nodes.items()},
            learning_curve=tuple(float(loss) for loss in learning_curve),
            times=dict(times),
            environment=dict(environment),
        )

    @classmethod
    def failed(
        cls,
        cell: Cell,
        error: BaseException | str,
        *,
        data: Mapping[str, Any] | None = None,
        times: Mapping[str, Any] | None = None,
        environment: Mapping[str, Any] | None = None,
    ) -> Record:
        """The record of a cell that stopped with an error, which is kept as one line."""
        text = " ".join(str(error).split())
        if isinstance(error, BaseException):
            text = f"{type(error).__name__}: {text}" if text else type(error).__name__
        return cls(
            **_of_cell(cell, data or {}),
            status="failed",
            error=text or "no reason given",
            times=dict(times or {}),
            environment=dict(environment or {}),
        )

    @property
    def column(self) -> str:
        """The column of a table that this record belongs to."""
        return column_name(self.cell["method"], self.cell["protocol"], self.cell["variant"])

    @property
    def nodes(self) -> dict[str, list[int]]:
        """The counts per evaluated node, unpacked at each call."""
        return {name: [int(count) for count in text.split()] for name, text in self.packed_nodes.items()}

    def text(self) -> str:
        """The metrics and the training's time, for a terminal."""
        lines = [f"  {name:<28} {value:.4f}" for name, value in self.metrics.items()]
        if self.data["reconstructed"]:
            lines.append(f"  data: {self.data['reconstructed']}")
        lines.append(f"  trained {self.times['train_seconds']:.1f} s, {self.times['step_milliseconds']:.2f} ms a step")
        return "\n".join(lines)

    def to_json(self) -> str:
        """The text of the record's file. Raises RecordError for a part that JSON cannot hold."""
        document = {entry.name: getattr(self, entry.name) for entry in dataclasses.fields(self)}
        document["nodes"] = document.pop("packed_nodes")
        document = {"schema": document.pop("schema"), **document}
        try:
            lines = [f" {json.dumps(key)}: {json.dumps(value, allow_nan=False)}" for key, value in document.items()]
        except (TypeError, ValueError) as error:
            raise RecordError(f"the record of {self.cell['dataset']} cannot be written as JSON: {error}") from error
        body = "{\n" + ",\n".join(lines)
        return f'{body}{_CHECKSUM}{hashlib.sha256(body.encode()).hexdigest()}"\n}}\n'

    @classmethod
    def from_json(cls, text: str | bytes, source: str = "record") -> Record:
        """The record in a text; ``source`` names its file in errors.

        Raises StaleRecordError for another schema, RecordError for a truncated, edited or malformed record.
        """
        content = text.encode() if isinstance(text, str) else text
        body, mark, tail = content.rpartition(_CHECKSUM.encode())
        if not mark or not tail.endswith(b'"\n}\n'):
            raise RecordError(f"{source} is truncated or no record; {_REMEDY}")
        if hashlib.sha256(body).hexdigest().encode() != tail[:-4]:
            raise RecordError(f"{source} was changed after it was written (its checksum does not fit); {_REMEDY}")
        try:
            document = json.loads(body + b"\n}")
            if not isinstance(document, dict):
                raise RecordError("it is no JSON object")
            schema = document.get("schema")
            if schema != RECORD_SCHEMA:
                raise StaleRecordError(f"{source} has record schema {schema!r}, not {RECORD_SCHEMA}; run the cell again")
            document["packed_nodes"] = document.pop("nodes")
            document["learning_curve"] = tuple(document["learning_curve"])
            return cls(**document)
        except StaleRecordError:
            raise
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise RecordError(f"{source} is no valid record ({type(error).__name__}: {error}); {_REMEDY}") from error


def _of_cell(cell: Cell, data: Mapping[str, Any]) -> dict[str, Any]:
    """The parts of a record that the cell decides."""
    return {
        "identity": cell.identity,
        "cell": {
            "dataset": cell.dataset,
            "group": cell.settings.dataset.group,
            "method": cell.method,
            "protocol": cell.protocol,
            "variant": cell.variant,
            "seed": cell.seed,
        },
        "settings": identifying(cell.settings),
        "data": {**data, "sha256": cell.data_sha256},
    }


def _require(part: Mapping[str, Any], keys: Sequence[str], name: str) -> None:
    missing = [key for key in keys if key not in part]
    if missing:
        raise RecordError(f"{name} lacks {', '.join(missing)}")
