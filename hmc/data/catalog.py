"""Which datasets there are, where their files lie, and whether a file is the one that is meant."""

from __future__ import annotations

import hashlib
import math
import os
from pathlib import Path

from hmc import configs
from hmc.settings import DatasetSettings, RuntimeSettings

PROJECT = Path(__file__).resolve().parents[2]
TEMPLATE_CARDS = ("arff", "table", "images", "benthicnet_e")
"""The cards that need the user's own files."""
ENVIRONMENT = "HMC_DATA_DIR"


class DataError(ValueError):
    """A dataset's settings or files cannot be used as they are."""


class MissingDataError(OSError):
    """A dataset's file is not there. The message says how to get it."""


# --- cards ----------------------------------------------------------------------------------------------------------


def names() -> list[str]:
    """All datasets with a card of their own (the benchmark's and the synthetic ones), grouped as in the papers' tables."""
    order = ("fun", "go", "non_genomic", "synthetic", "images", "own")
    found = [name for name in configs.names("dataset") if name not in TEMPLATE_CARDS]
    return sorted(found, key=lambda name: (order.index(card(name).group), name))


def card(name: str) -> DatasetSettings:
    """One dataset's card. Raises SettingsError for an unknown name, with the nearest known one, and for a card with a mistake."""
    found: DatasetSettings = configs.settings_of("dataset", name)
    return found


# --- files ----------------------------------------------------------------------------------------------------------


def files(dataset: DatasetSettings) -> dict[str, str]:
    """From each split that the dataset has to its file, as the card or the user wrote it; a stand-in is the train file.

    A table also has a ``hierarchy``. A dataset of images has one table of all splits, ``table``, and ``hierarchy``, unless its
    card lists the parents. Where one file holds all rows, it is that of train.
    Raises DataError when there is no train or test file, or no table or hierarchy.
    """
    whole = checked_shares(dataset)
    if dataset.kind in ("synthetic", "digits"):
        return {}
    if dataset.kind == "images":
        return _image_files(dataset)
    paths = {"train": dataset.train_stand_in or dataset.train, "valid": dataset.valid, "test": dataset.test}
    if dataset.kind == "table":
        paths["hierarchy"] = dataset.table.hierarchy
        if not dataset.table.hierarchy:
            raise DataError(
                f"dataset.table.hierarchy of {dataset.name!r} is empty; give the file with dataset.table.hierarchy=PATH"
            )
        if whole and dataset.table.split:
            raise DataError("dataset.split and dataset.table.split both say which rows are in which split; leave one out")
        whole = whole or bool(dataset.table.split)
    for split in ("train",) if whole else ("train", "test"):
        if not paths[split]:
            raise DataError(f"dataset.{split} of {dataset.name!r} is empty; give the file with dataset.{split}=PATH")
    for split in ("valid", "test"):
        if whole and paths[split]:
            raise DataError(f"dataset.train of {dataset.name!r} holds the rows of all splits; leave dataset.{split} out")
    return {split: path for split, path in paths.items() if path}


def checked_shares(dataset: DatasetSettings) -> bool:
    """Whether the rows are shared out. Raises DataError for shares that cannot be."""
    shares = dataset.split
    if not shares:
        return False
    if dataset.kind not in ("arff", "table"):
        raise DataError(f"dataset.split divides the rows of files, but dataset.kind is {dataset.kind}; leave it out")
    if len(shares) != 3 or not math.isclose(sum(shares), 1, abs_tol=1e-6) or not shares[0] or not shares[2]:
        raise DataError(
            f"dataset.split={list(shares)} must be the shares of train, valid and test, together 1, such as [0.6,0.2,0.2]"
        )
    return True


def _image_files(dataset: DatasetSettings) -> dict[str, str]:
    images = dataset.images
    for key in ("table", "hierarchy"):
        if not getattr(images, key) and not (key == "hierarchy" and images.parents):
            raise DataError(f"dataset.images.{key} of {dataset.name!r} is empty; give the file with dataset.images.{key}=PATH")
    if images.hierarchy and images.parents:
        raise DataError(f"dataset.images of {dataset.name!r} has both hierarchy and parents; leave one out")
    return {"table": images.table} | ({"hierarchy": images.hierarchy} if images.hierarchy else {})


def pinned(dataset: DatasetSettings, path: str) -> str:
    """`sha256:...` or `git-blob:...` as the card pins it, or '' for a file without a pin (the user's own, a stand-in)."""
    if path in dataset.sha256:
        return f"sha256:{dataset.sha256[path].lower()}"
    return f"git-blob:{dataset.git_blob[path].lower()}" if path in dataset.git_blob else ""


def content_hash(content: bytes, kind: str = "sha256") -> str:
    """`sha256:...`, or with kind `git-blob` the id that git gives a file of this content, `git-blob:...`."""
    if kind == "git-blob":
        header = b"blob %d\0" % len(content)
        return f"git-blob:{hashlib.sha1(header + content, usedforsecurity=False).hexdigest()}"
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def matches(content: bytes, pin: str) -> bool:
    """Whether a file of this content is the pinned one. pin: as :func:`pinned` returns it, not empty."""
    return content_hash(content, pin.partition(":")[0]) == pin


def folders(runtime: RuntimeSettings) -> list[Path]:
    """Where relative paths are looked up, in order: runtime.data_dir alone, or else HMC_DATA_DIR of the environment and data/."""
    if runtime.data_dir:
        return [Path(runtime.data_dir).expanduser()]
    named = os.environ.get(ENVIRONMENT, "")
    return [*([Path(named).expanduser()] if named else []), PROJECT / "data"]


def download_folder(runtime: RuntimeSettings) -> Path:
    """Where downloads go: runtime.data_dir, or else data/; never HMC_DATA_DIR, which may be shared or read-only."""
    return folders(runtime)[-1]


def locate(dataset: DatasetSettings, runtime: RuntimeSettings) -> dict[str, Path | None]:
    """From each split that the dataset has to the file found for it, or None. Opens no file and downloads nothing.

    A path of the user's (one that the card does not pin) is also tried as it is, from the current folder, and beside a card of
    the user's own.
    """
    found: dict[str, Path | None] = {}
    for split, path in files(dataset).items():
        candidates = [folder / path for folder in folders(runtime)]
        if not pinned(dataset, path):
            own = [place for place in own_places(dataset, path) if place.is_file()]
            if len({place.resolve() for place in own}) > 1:
                raise DataError(
                    f"{dataset.name}: the file {path} is both {own[0].absolute()} and {own[1]}; write the one that is meant"
                )
            candidates = [*own, *candidates]
        found[split] = next((candidate for candidate in candidates if candidate.is_file()), None)
    return found


def own_places(dataset: DatasetSettings, path: str) -> list[Path]:
    """Where a path of the user's may lie besides the data folders: below the current folder, and beside the user's own card."""
    own = Path(path).expanduser()
    return [own, *([Path(dataset.folder) / own] if dataset.folder else [])]


def located(dataset: DatasetSettings, runtime: RuntimeSettings) -> dict[str, Path]:
    """The file of each split, for messages: empty where a split has none of its own or it is not there."""
    return {split: path for split, path in locate(dataset, runtime).items() if path is not None}


def present(dataset: DatasetSettings, runtime: RuntimeSettings) -> dict[str, Path]:
    """:func:`locate`, every file being there. Raises MissingDataError for the first that is not."""
    paths = files(dataset)
    found = {}
    for name, path in locate(dataset, runtime).items():
        if path is None:
            raise missing_file(dataset, paths[name], runtime)
        found[name] = path
    return found


def missing(dataset: DatasetSettings, runtime: RuntimeSettings) -> list[str]:
    """The files, as the card names them, that are in none of the folders; empty when the dataset can be loaded offline."""
    paths = files(dataset)
    return [paths[split] for split, path in locate(dataset, runtime).items() if path is None]


def how_to_get(dataset: DatasetSettings, path: str, runtime: RuntimeSettings) -> str:
    """What the user can do about a missing file, for the end of a message."""
    if not dataset.url:
        return "check the path"
    remedy = f"put it under {download_folder(runtime)}/, or set {ENVIRONMENT} (or data_dir=...) to the folder that holds it"
    return (
        f"{remedy}; or set dataset.train_stand_in=PATH to use a file that stands in for it"
        if path in dataset.git_blob
        else remedy
    )


def missing_file(dataset: DatasetSettings, path: str, runtime: RuntimeSettings, reason: str = "") -> MissingDataError:
    """The error for a file that is nowhere to be found. reason: why it was not downloaded either."""
    places = [] if pinned(dataset, path) else [Path(place).parent for place in own_places(dataset, path)]
    looked = ", ".join(dict.fromkeys(str(folder) for folder in (*places, *folders(runtime))))
    remedy = how_to_get(dataset, path, runtime)
    return MissingDataError(
        f"{dataset.name}: the file {path} is not there (looked in {looked}){f'; {reason}' if reason else ''}; {remedy}"
    )


def read_checked(dataset: DatasetSettings, path: str, found: Path) -> bytes:
    """The contents of a file, checked against its pin if it has one.

    path: as the card names it. Raises DataError when it is another file than the pinned one, OSError when it cannot be read.
    """
    content = found.read_bytes()
    pin = pinned(dataset, path)
    if pin and not matches(content, pin):
        actual = content_hash(content, pin.partition(":")[0])
        raise DataError(
            f"{found}: this is not the file that {dataset.name} needs ({actual} instead of {pin}); remove it and fetch it again"
        )
    return content


def image_folder(dataset: DatasetSettings, runtime: RuntimeSettings, table: Path) -> Path:
    """The folder of the image files: the table's own, or the one that dataset.images.folder names, wherever it is found.

    Raises MissingDataError where there is no such folder.
    """
    if not dataset.images.folder:
        return table.parent
    wanted = Path(dataset.images.folder).expanduser()
    candidates = [*own_places(dataset, str(wanted)), *(folder / wanted for folder in folders(runtime)), table.parent / wanted]
    found = next((folder for folder in candidates if folder.is_dir()), None)
    if found is None:
        raise MissingDataError(
            f"{dataset.name}: dataset.images.folder={dataset.images.folder} must be a folder that exists (looked in "
            f"{', '.join(str(folder) for folder in candidates)}); correct the path"
        )
    return found
