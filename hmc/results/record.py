"""One cell's result as one JSON document: what was run, on which data, with which numbers, where and by which versions.

On disk each part is one line, and the last line holds the sha256 of all that comes before it, so that a truncated or edited
record is noticed. The counts per node are written as text ("3 0 12 ..."), which the JSON parser skips at memory speed: the tables
read thousands of records and need none of these counts.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hmc.settings import Cell, column_name, identifying, identity_of

RECORD_SCHEMA = 2
"""Version of the record's layout. Not in the identity: a new layout never means new training (:mod:`hmc.results.convert`)."""
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
EVALUATION_KEYS = ("version", "tuning", "sibling", "scores")

_CHECKSUM = ',\n "checksum": "'
_REMEDY = "delete it and run the cell again"


class RecordError(ValueError):
    """A record cannot be trusted or does not say what it must. The message is for the user."""


class StaleRecordError(RecordError):
    """A record follows another schema than this program's."""


@dataclass(frozen=True)
class Record:
    """The outcome of one cell. Build one with :meth:`complete` or :meth:`failed`; every way in is checked.

    identity: what tells results apart, see :func:`hmc.settings.identity_of`. cell: dataset, group, method, protocol, variant,
    seed. settings: :func:`hmc.settings.identifying` of the run. parts: the identities of the cells that a mixture mixes. data:
    sha256, reconstructed ("" or what was), rows_train, rows_valid, rows_test, features, nodes, evaluated_nodes. status:
    "complete" or "failed"; error: one line, for failed ones. metrics: of the scores, name to a finite number. rules: of label
    sets, by rule and name. lacking: for each rule that could not be fitted, why. validation: metrics of the rows that the cell
    held out of training, for choosing settings; empty without any. packed_nodes: name to whole numbers per evaluated node, as
    text. evaluation: version, of metrics and rules; tuning, "holdout", "refit" or "" for where thresholds were fitted; sibling,
    the identity of the cell whose held-out scores they were fitted on; scores, the sha256 of the scores that were evaluated, ""
    where none were kept. learning_curve: mean loss of each epoch. times: started, finished (UTC, ISO 8601), train_seconds,
    step_milliseconds, data_seconds, evaluate_seconds, steps. environment: see :func:`hmc.results.provenance.environment`.

    Raises RecordError when a part is missing, malformed, or not finite.
    """

    identity: str
    cell: Mapping[str, Any]
    settings: Mapping[str, Any]
    data: Mapping[str, Any]
    status: str
    error: str = ""
    parts: Sequence[str] = ()
    metrics: Mapping[str, float] = field(default_factory=dict)
    rules: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    lacking: Mapping[str, str] = field(default_factory=dict)
    validation: Mapping[str, float] = field(default_factory=dict)
    evaluation: Mapping[str, Any] = field(default_factory=dict)
    packed_nodes: Mapping[str, str] = field(default_factory=dict)
    learning_curve: Sequence[float] = ()
    times: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, Any] = field(default_factory=dict)
    schema: int = RECORD_SCHEMA

    def __post_init__(self) -> None:
        _require(self.cell, CELL_KEYS, "cell")
        expected = identity_of(self.settings, str(self.data.get("sha256")), self.parts)
        if self.identity != expected:
            raise RecordError(f"identity {self.identity[:12]!r} does not belong to the settings and data ({expected[:12]!r})")
        if self.status == "failed":
            if not self.error or "\n" in self.error:
                raise RecordError("a failed record needs its error, in one line")
            if self.metrics or self.rules:
                raise RecordError("a failed record has metrics; a failure is never counted as a result")
        elif self.status == "complete":
            _require(self.data, DATA_KEYS, "data")
            _require(self.times, TIME_KEYS, "times")
            _require(self.evaluation, EVALUATION_KEYS, "evaluation")
            if not self.metrics:
                raise RecordError("a complete record has no metrics")
        else:
            raise RecordError(f"status must be 'complete' or 'failed', got {self.status!r}")
        for name, value in self.numbers():
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
                raise RecordError(f"{name} must be a finite number, got {value!r} (leave out what is not defined)")
        if not np.isfinite(np.array(self.learning_curve, dtype=np.float64)).all():
            raise RecordError("learning_curve has a value that is not finite; such a cell is recorded as failed")

    def numbers(self) -> Iterator[tuple[str, float]]:
        """Every metric under its dotted name: metrics.au_prc, rules.half.macro_f1."""
        yield from ((f"metrics.{name}", value) for name, value in self.metrics.items())
        yield from ((f"validation.{name}", value) for name, value in self.validation.items())
        for rule, values in self.rules.items():
            yield from ((f"rules.{rule}.{name}", value) for name, value in values.items())

    @classmethod
    def complete(
        cls,
        cell: Cell,
        *,
        data: Mapping[str, Any],
        metrics: Mapping[str, float],
        rules: Mapping[str, Mapping[str, float]],
        nodes: Mapping[str, Sequence[int]],
        lacking: Mapping[str, str],
        validation: Mapping[str, float] | None = None,
        evaluation: Mapping[str, Any],
        learning_curve: Sequence[float],
        times: Mapping[str, Any],
        environment: Mapping[str, Any],
    ) -> Record:
        """The record of a cell that ran to its end. ``data`` needs no sha256: it is the cell's."""
        return cls(
            **_of_cell(cell, data),
            status="complete",
            **_evaluated(metrics, rules, nodes, lacking, validation),
            evaluation=dict(evaluation),
            learning_curve=tuple(float(loss) for loss in learning_curve),
            times=dict(times),
            environment=dict(environment),
        )

    def evaluated_again(
        self,
        *,
        metrics: Mapping[str, float],
        rules: Mapping[str, Mapping[str, float]],
        nodes: Mapping[str, Sequence[int]],
        lacking: Mapping[str, str],
        validation: Mapping[str, float] | None = None,
        evaluation: Mapping[str, Any],
        seconds: float,
    ) -> Record:
        """The same training with another evaluation of its scores."""
        times = {**self.times, "evaluate_seconds": seconds}
        again = _evaluated(metrics, rules, nodes, lacking, validation)
        return dataclasses.replace(self, **again, evaluation=dict(evaluation), times=times)

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
        """The metrics and the training's time, for a terminal: those of the scores, then of label sets by rule."""
        lines = [f"  {name:<28} {value:.4f}" for name, value in self.metrics.items() if "_depth_" not in name]
        shown = ("macro_f1", "macro_recall", "macro_precision", "micro_f1")
        if self.rules:
            lines.append(f"\n  {'label sets by rule':<28} " + " ".join(f"{name:>15}" for name in shown))
            lines += [
                f"  {rule:<28} " + " ".join(f"{values[name]:>15.4f}" for name in shown if name in values)
                for rule, values in self.rules.items()
            ]
        lines += [f"  {rule:<28} {reason.partition(': ')[2] or reason}" for rule, reason in self.lacking.items()]
        if self.data["reconstructed"]:
            lines.append(f"  data: {self.data['reconstructed']}")
        if self.data.get("hierarchy"):
            lines.append(f"\n  hierarchy: {self.data['hierarchy']}")
        rows = [f"{self.data[f'rows_{split}']} {split}" for split in ("train", "valid", "test")]
        lines.append(f"  rows: {', '.join(rows)}")
        lines.append(f"\n  trained {self.times['train_seconds']:.1f} s, {self.times['step_milliseconds']:.2f} ms a step")
        return "\n".join(lines)

    def to_json(self) -> str:
        """The text of the record's file. Raises RecordError for a part that JSON cannot hold."""
        document = {entry.name: getattr(self, entry.name) for entry in dataclasses.fields(self)}
        document["nodes"] = document.pop("packed_nodes")
        document["parts"] = list(self.parts)
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
        document = read_document(text, source)
        schema = document.get("schema")
        if schema != RECORD_SCHEMA:
            remedy = "convert it: python scripts/evaluate.py action=convert" if schema == 1 else "use the version that wrote it"
            raise StaleRecordError(f"{source} has record schema {schema!r}, not {RECORD_SCHEMA}; {remedy}")
        try:
            document["packed_nodes"] = document.pop("nodes")
            document["learning_curve"] = tuple(document["learning_curve"])
            document["parts"] = tuple(document["parts"])
            return cls(**document)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise RecordError(f"{source} is not a valid record ({type(error).__name__}: {error}); {_REMEDY}") from error


def read_document(text: str | bytes, source: str) -> dict[str, Any]:
    """A record's document of whatever schema, its checksum checked. Raises RecordError."""
    content = text.encode() if isinstance(text, str) else text
    body, mark, tail = content.rpartition(_CHECKSUM.encode())
    if not mark or not tail.endswith(b'"\n}\n'):
        raise RecordError(f"{source} is truncated or not a record; {_REMEDY}")
    if hashlib.sha256(body).hexdigest().encode() != tail[:-4]:
        raise RecordError(f"{source} was changed after it was written (its checksum does not fit); {_REMEDY}")
    try:
        document = json.loads(body + b"\n}")
    except ValueError as error:
        raise RecordError(f"{source} is not a valid record ({type(error).__name__}: {error}); {_REMEDY}") from error
    if not isinstance(document, dict):
        raise RecordError(f"{source} is not a valid record (it must be a JSON object); {_REMEDY}")
    return document


def _evaluated(
    metrics: Mapping[str, float],
    rules: Mapping[str, Mapping[str, float]],
    nodes: Mapping[str, Sequence[int]],
    lacking: Mapping[str, str],
    validation: Mapping[str, float] | None,
) -> dict[str, Any]:
    """The parts of a record that evaluation decides."""
    lengths = {name: len(counts) for name, counts in nodes.items()}
    if len(set(lengths.values())) > 1:
        raise RecordError(f"the counts per node differ in length: {lengths}")
    return {
        "metrics": {name: float(value) for name, value in metrics.items()},
        "rules": {rule: {name: float(value) for name, value in values.items()} for rule, values in rules.items()},
        "lacking": dict(lacking),
        "validation": {name: float(value) for name, value in (validation or {}).items()},
        "packed_nodes": {name: " ".join(str(int(count)) for count in counts) for name, counts in nodes.items()},
    }


def _of_cell(cell: Cell, data: Mapping[str, Any]) -> dict[str, Any]:
    """The parts of a record that the cell decides."""
    return {
        "identity": cell.identity,
        "cell": {
            "dataset": cell.dataset,
            "group": cell.settings.dataset.group,
            "method": cell.method,
            "protocol": cell.settings.protocol.name,
            "variant": cell.variant,
            "seed": cell.seed,
        },
        "settings": identifying(cell.settings),
        "parts": tuple(part.identity for part in cell.parts),
        "data": {**data, "sha256": cell.data_sha256},
    }


def _require(part: Mapping[str, Any], keys: Sequence[str], name: str) -> None:
    missing = [key for key in keys if key not in part]
    if missing:
        raise RecordError(f"{name} lacks {', '.join(missing)}")
