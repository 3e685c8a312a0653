"""Fetching a benchmark dataset's missing files, one at a time, each checked before it gets its name."""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

from hmc.data.catalog import download_folder, files, how_to_get, locate, matches, missing_file, pinned
from hmc.settings import DatasetSettings, RuntimeSettings

TIMEOUT = 60.0
"""Seconds without any answer from the server (ours)."""
_LOCAL_HOSTS = ("127.0.0.1", "localhost")


class DownloadError(OSError):
    """A file could not be downloaded, or what came is not the pinned file. Nothing is left under the file's name."""


def fetch(dataset: DatasetSettings, runtime: RuntimeSettings) -> dict[str, Path]:
    """From each split that the dataset has to its file, downloaded if it is found nowhere and runtime.download allows it.

    Raises MissingDataError when a file is not there and may not be downloaded or has no address, DownloadError when downloading
    fails.
    """
    paths = files(dataset)
    located = locate(dataset, runtime)
    return {split: located[split] or fetch_file(dataset, path, runtime) for split, path in paths.items()}


def fetch_file(dataset: DatasetSettings, path: str, runtime: RuntimeSettings) -> Path:
    """Download one file that is found nowhere. path: as the card names it. Raises as :func:`fetch` does."""
    pin = pinned(dataset, path)
    if not dataset.url or not pin or path == dataset.train_stand_in:
        raise missing_file(dataset, path, runtime)
    if not runtime.download:
        raise missing_file(dataset, path, runtime, "download=false, so it was not downloaded")
    folder = download_folder(runtime).absolute()
    target = folder / path
    if not target.resolve().is_relative_to(folder.resolve()):
        raise DownloadError(f"{dataset.name}: {path} lies outside the data folder {folder}; correct the card's path")
    try:
        download(f"{dataset.url.rstrip('/')}/{quote(path)}", target, pin)
    except DownloadError as error:
        raise DownloadError(f"{dataset.name}: {error}; {how_to_get(dataset, path, runtime)}") from None
    return target


def download(url: str, target: Path, pin: str) -> None:
    """Fetch one file and put it at ``target``, complete and checked, or not at all.

    url: https (http only from this machine). pin: `sha256:...` or `git-blob:...`. Several processes may fetch one file at once.
    Raises DownloadError, in one line, for any reason that it did not work.
    """
    _require_secure(url)
    try:
        # Beside the target, so that the last step is a rename; but no new folder before there is something to put into it.
        beside = next(parent for parent in target.absolute().parents if parent.is_dir())
        with tempfile.TemporaryDirectory(prefix=".download-", dir=beside) as folder:
            received = _retrieve(url, Path(folder))
            if not matches(received.read_bytes(), pin):
                raise DownloadError(
                    f"what {url} sent is not the pinned file ({pin}): it was changed there, or cut off on the way"
                )
            target.parent.mkdir(parents=True, exist_ok=True)
            received.replace(target)
    except DownloadError:
        raise
    except OSError as error:
        raise DownloadError(f"cannot write {target}: {error.strerror or error}") from None


def _require_secure(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOCAL_HOSTS):
        raise DownloadError(f"{url} is not downloaded: only https addresses are")


def _refuse_insecure_redirect(response: Any, **_: Any) -> None:
    if response.is_redirect:
        _require_secure(urljoin(response.url, response.headers["location"]))


def _retrieve(url: str, folder: Path) -> Path:
    """The file as the server sent it, in ``folder``."""
    # Imported here because most runs have their files and need no client.
    import pooch
    import requests

    pooch.get_logger().setLevel(logging.WARNING)
    downloader = pooch.HTTPDownloader(timeout=TIMEOUT, hooks={"response": _refuse_insecure_redirect})
    try:
        name = pooch.retrieve(url, known_hash=None, fname="received", path=folder, downloader=downloader)
    except requests.HTTPError as error:
        status = f"{error.response.status_code} {error.response.reason}" if error.response is not None else str(error)
        raise DownloadError(f"{url} answered {status}") from None
    except requests.exceptions.ChunkedEncodingError:
        raise DownloadError(f"the connection broke while {url} was being downloaded; try again") from None
    except requests.RequestException as error:
        raise DownloadError(
            f"{urlsplit(url).hostname} cannot be reached for {Path(urlsplit(url).path).name} ({type(error).__name__}; is there a "
            "network?)"
        ) from None
    return Path(name)
