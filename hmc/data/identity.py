"""What tells one dataset's numbers from another's: a hash of its files, or of what generates it."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path
from typing import Any

from hmc.data import catalog, digits, images, synthetic, table
from hmc.data.catalog import MissingDataError
from hmc.settings import DatasetSettings, EncoderSettings, RuntimeSettings, canonical_hash

PRETRAINING_VERSION = 1
"""Of how our own encoder is pretrained, to be raised with every change that changes a number; see hmc.models.encoder."""


def data_sha256(dataset: DatasetSettings, runtime: RuntimeSettings, encoder: EncoderSettings | None = None) -> str:
    """What tells one dataset's numbers from another's, as a sha256; it goes into every result's identity.

    encoder: where one encodes the images, what it was pretrained on counts too: its checkpoint by its contents, ours by the
    version of its pretraining.

    A pinned file counts by its pin, so that no file is opened and a result's identity is known before its data are there; any
    other file by its contents; a generated dataset by the generator's version and settings. A stand-in counts by its contents and
    as a stand-in.

    Raises MissingDataError when a file without a pin is not there, DataError when the dataset names no file.
    """
    data = _data_sha256(dataset, runtime)
    if encoder is None or encoder.name == "none" or encoder.noise == 1:
        return data
    return canonical_hash({"data": data, "pretrained": _pretrained(encoder)})


def _pretrained(encoder: EncoderSettings) -> str:
    if not encoder.checkpoint:
        return f"pretraining {PRETRAINING_VERSION}"
    path = Path(encoder.checkpoint).expanduser()
    if not path.is_file():
        raise MissingDataError(f"encoder.checkpoint={encoder.checkpoint} is not there; correct the path")
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _data_sha256(dataset: DatasetSettings, runtime: RuntimeSettings) -> str:
    catalog.checked_shares(dataset)
    if dataset.holds_images:
        return _images_sha256(dataset, runtime)
    if dataset.kind == "synthetic":
        return canonical_hash({"generator": synthetic.GENERATOR_VERSION, **dataclasses.asdict(dataset.synthetic)})
    found = catalog.locate(dataset, runtime)
    document = {}
    for split, path in catalog.files(dataset).items():
        pin = catalog.pinned(dataset, path)
        if not pin:
            own = found[split]
            if own is None:
                raise catalog.missing_file(dataset, path, runtime)
            pin = catalog.content_hash(own.read_bytes())
        document[split] = pin
    if dataset.train_stand_in:
        document["stand_in"] = "train"
    if dataset.kind == "table":
        return canonical_hash(
            {"table": table.VERSION, "files": document, "settings": table_document(dataset), **_shares(dataset)}
        )
    return canonical_hash(document | _shares(dataset))


def table_document(dataset: DatasetSettings) -> dict[str, Any]:
    """The settings that decide what is read from a table's files."""
    document = dataclasses.asdict(dataset.table)
    # Known by its contents.
    del document["hierarchy"]
    return document


def _shares(dataset: DatasetSettings) -> dict[str, Any]:
    return {"split": list(dataset.split)} if dataset.split else {}


def _images_sha256(dataset: DatasetSettings, runtime: RuntimeSettings) -> str:
    settings = dataclasses.asdict(dataset.images)
    if dataset.kind == "digits":
        return canonical_hash({"digits": digits.VERSION, **{key: settings[key] for key in ("mean", "deviation")}})
    listed = images.table_of(dataset, runtime)
    for name in ("table", "folder", "hierarchy"):
        del settings[name]
    written = {name: catalog.content_hash(path.read_bytes()) for name, path in catalog.present(dataset, runtime).items()}
    return canonical_hash({"images": images.VERSION, "files": written, "contents": images.contents(listed), "settings": settings})
