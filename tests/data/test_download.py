from __future__ import annotations

import functools
import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from hmc.data.catalog import MissingDataError, content_hash
from hmc.data.download import DownloadError, download, fetch
from hmc.settings import DatasetSettings, RuntimeSettings

CONTENT = b"@relation r\n" * 5000
PIN = content_hash(CONTENT)


class Server(BaseHTTPRequestHandler):
    """`/good/` sends the file, `/changed/` another one, `/short/` breaks off in the middle, `/closed/` ends early unannounced."""

    asked: list[str]

    def __init__(self, asked: list[str], *arguments: object) -> None:
        self.asked = asked
        super().__init__(*arguments)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        kind = self.path.split("/")[1]
        body = {"good": CONTENT, "changed": CONTENT.upper(), "short": CONTENT[:1000], "closed": CONTENT[:1000]}.get(kind)
        if body is None:
            self.send_error(404)
            return
        self.send_response(200)
        if kind != "closed":
            self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def asked() -> list[str]:
    return []


@pytest.fixture
def address(asked: list[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Server, asked))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def everything_under(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def dataset(url: str) -> DatasetSettings:
    pins = dict.fromkeys(("a/train.arff", "a/test.arff"), hashlib.sha256(CONTENT).hexdigest())
    return DatasetSettings(name="served", url=url, train="a/train.arff", test="a/test.arff", sha256=pins)


def online(folder: Path) -> RuntimeSettings:
    return RuntimeSettings(data_dir=str(folder))


def test_a_good_file_gets_its_name(address: str, tmp_path: Path) -> None:
    download(f"{address}/good/file", tmp_path / "deep/er/file.arff", PIN)
    assert (tmp_path / "deep/er/file.arff").read_bytes() == CONTENT
    assert everything_under(tmp_path) == ["deep", "deep/er", "deep/er/file.arff"]


def test_a_git_blob_id_is_checked_too(address: str, tmp_path: Path) -> None:
    download(f"{address}/good/file", tmp_path / "file", content_hash(CONTENT, "git-blob"))
    assert (tmp_path / "file").read_bytes() == CONTENT
    with pytest.raises(DownloadError, match="not the pinned file"):
        download(f"{address}/good/file", tmp_path / "other", "git-blob:" + "0" * 40)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("changed", "not the pinned file"),
        ("short", "connection broke"),
        ("closed", "not the pinned file"),
        ("gone", "answered 404 Not Found"),
    ],
)
def test_a_bad_answer_leaves_nothing_behind(address: str, tmp_path: Path, kind: str, words: str) -> None:
    with pytest.raises(DownloadError, match=words) as caught:
        fetch(dataset(f"{address}/{kind}"), online(tmp_path))
    message = str(caught.value)
    assert "\n" not in message
    assert "HMC_DATA_DIR" in message
    assert str(tmp_path) in message
    assert everything_under(tmp_path) == []


def test_a_bad_answer_does_not_touch_an_older_file(address: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"older")
    with pytest.raises(DownloadError):
        download(f"{address}/changed/file", tmp_path / "file", PIN)
    assert (tmp_path / "file").read_bytes() == b"older"


def test_no_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    port = server.server_port
    server.server_close()
    with pytest.raises(DownloadError, match=r"127\.0\.0\.1 cannot be reached .*network.*HMC_DATA_DIR"):
        fetch(dataset(f"http://127.0.0.1:{port}"), online(tmp_path))


@pytest.mark.parametrize("url", ["http://example.org/file", "ftp://example.org/file", "file:///etc/passwd"])
def test_only_https(url: str, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="only https"):
        download(url, tmp_path / "file", PIN)


def test_a_folder_that_cannot_be_written(address: str, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file, no folder")
    with pytest.raises(DownloadError, match="cannot write"):
        download(f"{address}/good/file", tmp_path / "taken/file.arff", PIN)


def test_only_what_is_missing_is_fetched(address: str, asked: list[str], tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/train.arff").write_bytes(CONTENT)
    served = dataset(f"{address}/good")
    assert fetch(served, online(tmp_path)) == {"train": tmp_path / "a/train.arff", "test": tmp_path / "a/test.arff"}
    fetch(served, online(tmp_path))
    assert asked == ["/good/a/test.arff"]


def test_nothing_is_fetched_when_it_may_not_be(address: str, asked: list[str], runtime: RuntimeSettings) -> None:
    with pytest.raises(MissingDataError, match=r"served: .*train\.arff is not there .*download=false.*HMC_DATA_DIR"):
        fetch(dataset(f"{address}/good"), runtime)
    assert asked == []


def test_a_card_without_address(runtime: RuntimeSettings) -> None:
    with pytest.raises(MissingDataError, match="check the path"):
        fetch(dataset(""), runtime)
