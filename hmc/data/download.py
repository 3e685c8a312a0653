"""Fetching a benchmark dataset's missing files, one at a time, each checked before it gets its name."""

from __future__ import annotations

import logging
import re
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

from hmc.data.catalog import download_folder, files, how_to_get, locate, matches, missing_file, pinned
from hmc.settings import DatasetSettings, RuntimeSettings

TIMEOUT = 60.0
"""Seconds without any answer from the server (ours)."""
LARGEST = 2_000_000_000
"""Bytes of a file (ours; the benchmark's largest has 30 million), so that no server can fill a disk."""
LONGEST = 3600.0
"""Seconds for a file (ours)."""
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
        raise DownloadError(
            f"{dataset.name}: {path} could not be downloaded: {error}; {how_to_get(dataset, path, runtime)}"
        ) from None
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

    pooch.get_logger().setLevel(logging.WARNING)
    return Path(pooch.retrieve(url, known_hash=None, fname="received", path=folder, downloader=_receive))


def _receive(url: str, output_file: str, _: Any) -> None:
    """Pooch's downloader: writes what the server sends, within LARGEST and LONGEST. Raises DownloadError with the reason."""
    import requests
    import urllib3

    began = time.monotonic()
    try:
        hooks = {"response": _refuse_insecure_redirect}
        with requests.get(url, stream=True, timeout=TIMEOUT, hooks=hooks) as response, Path(output_file).open("wb") as file:
            if not response.ok:
                raise DownloadError(f"{url} answered {response.status_code} {response.reason}")
            announced = response.headers.get("Content-Length", "")
            received = 0
            if announced.isdecimal() and int(announced) > LARGEST:
                raise DownloadError(
                    f"{url} announces {int(announced)} bytes, more than the {LARGEST} that are downloaded at most"
                )
            # read1 returns what there is: a server that sends a byte a minute is not waited for.
            while part := response.raw.read1(65536, decode_content=True):
                file.write(part)
                received += len(part)
                if received > LARGEST:
                    raise DownloadError(f"{url} sent more than the {LARGEST} bytes that are downloaded at most")
                if time.monotonic() - began > LONGEST:
                    raise DownloadError(f"{url} sent only {received} bytes in {LONGEST:g} seconds; fetch the file in another way")
            if announced.isdecimal() and received < int(announced) and "Content-Encoding" not in response.headers:
                raise DownloadError(_broken(url))
    except DownloadError:
        raise
    except (requests.exceptions.ChunkedEncodingError, urllib3.exceptions.ProtocolError):
        raise DownloadError(_broken(url)) from None
    except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
        raise DownloadError(f"{urlsplit(url).hostname} {_reason(error)}") from None
    except OSError as error:
        # A bundle of certificates that is not there; what has a number was said by the system, of the file to be written.
        if error.errno is None:
            raise DownloadError(f"{urlsplit(url).hostname} was not asked: {' '.join(str(error).split())}") from None
        raise


def _broken(url: str) -> str:
    return f"the connection broke while {url} was being downloaded; try again"


def _reason(error: Exception) -> str:
    """Why a server could not be reached, by what requests and urllib3 raise. Says no password of a proxy's address."""
    from requests import exceptions
    from urllib3 import exceptions as below

    text = " ".join(str(error).split())
    if isinstance(error, exceptions.SSLError) or "CERTIFICATE_VERIFY_FAILED" in text:
        why = re.search(r"CERTIFICATE_VERIFY_FAILED\] certificate verify failed: ([^()]*)", text)
        return (
            f"has a certificate that cannot be trusted ({why[1].strip() if why else 'TLS failed'}); where a proxy of yours signs "
            "connections, set REQUESTS_CA_BUNDLE to its certificate"
        )
    if isinstance(error, (exceptions.ProxyError, below.ProxyError)):
        return "cannot be reached: the proxy that HTTPS_PROXY names does not answer or refuses; correct or unset HTTPS_PROXY"
    if isinstance(error, exceptions.InvalidSchema):
        return "cannot be reached: HTTPS_PROXY names a SOCKS proxy, which needs PySocks; install it, or unset HTTPS_PROXY"
    if isinstance(error, (exceptions.InvalidProxyURL, exceptions.InvalidURL)):
        return "cannot be reached: its address or that of HTTPS_PROXY cannot be read (write # in a password as %23)"
    if isinstance(error, (exceptions.Timeout, below.TimeoutError)):
        return f"did not answer within {TIMEOUT:g} seconds; try again, or see whether a firewall is in between"
    if isinstance(error, exceptions.TooManyRedirects):
        return "redirects without end"
    if "NameResolutionError" in text or "Failed to resolve" in text or "getaddrinfo" in text:
        return "cannot be reached: its name cannot be resolved; see whether there is a network, and DNS"
    if "Connection refused" in text:
        return "cannot be reached: it refuses connections; see whether it is the right address"
    return f"cannot be reached ({type(error).__name__}); see whether there is a network"
