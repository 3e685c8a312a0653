from __future__ import annotations

import contextlib
import functools
import hashlib
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from hmc.data import download as module
from hmc.data.catalog import MissingDataError, content_hash
from hmc.data.download import DownloadError, download, fetch
from hmc.settings import DatasetSettings, RuntimeSettings

CONTENT = b"@relation r\n" * 5000
PIN = content_hash(CONTENT)


class Server(BaseHTTPRequestHandler):
    """`/good/` sends the file, `/changed/` another one, `/short/` breaks off in the middle, `/closed/` ends early unannounced,
    `/slow/` sends ten bytes at a time and `/silent/` nothing for a while.
    """

    asked: list[str]

    def __init__(self, asked: list[str], *arguments: object) -> None:
        self.asked = asked
        super().__init__(*arguments)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        kind = self.path.split("/")[1]
        body = {"good": CONTENT, "changed": CONTENT.upper(), "short": CONTENT[:1000], "closed": CONTENT[:1000]}.get(kind)
        if kind == "silent":
            time.sleep(1)
        if kind == "slow":
            self._drip()
            return
        if body is None:
            self.send_error(404)
            return
        self.send_response(200)
        if kind != "closed":
            self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(body)

    def _drip(self) -> None:
        self.send_response(200)
        self.end_headers()
        with contextlib.suppress(OSError):
            for _ in range(100):
                self.wfile.write(b"0123456789")
                self.wfile.flush()
                time.sleep(0.05)

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
    with pytest.raises(
        DownloadError, match=r"a/train\.arff could not be downloaded: 127\.0\.0\.1 cannot be reached: it refuses .*HMC_DATA_DIR"
    ):
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


def test_a_file_that_is_announced_or_becomes_too_large_is_not_kept(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LARGEST", 999)
    with pytest.raises(DownloadError, match=r"/good/file announces 60000 bytes, more than the 999"):
        download(f"{address}/good/file", tmp_path / "file", PIN)
    with pytest.raises(DownloadError, match=r"/closed/file sent more than the 999 bytes"):
        download(f"{address}/closed/file", tmp_path / "file", PIN)
    assert everything_under(tmp_path) == []


def test_a_server_that_sends_a_little_at_a_time_is_not_waited_for(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LONGEST", 0.2)
    began = time.monotonic()
    with pytest.raises(DownloadError, match=r"/slow/file sent only \d+ bytes in 0\.2 seconds"):
        download(f"{address}/slow/file", tmp_path / "file", PIN)
    assert time.monotonic() - began < 5
    assert everything_under(tmp_path) == []


def test_a_server_that_says_nothing_is_told(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TIMEOUT", 0.2)
    with pytest.raises(DownloadError, match=r"127\.0\.0\.1 did not answer within 0\.2 seconds"):
        download(f"{address}/silent/file", tmp_path / "file", PIN)


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"REQUESTS_CA_BUNDLE": "/nowhere.pem"}, r"localhost was not asked: .*invalid path: /nowhere\.pem"),
        ({"HTTPS_PROXY": "socks5://127.0.0.1:9"}, r"HTTPS_PROXY names a SOCKS proxy, which needs PySocks"),
        ({"HTTPS_PROXY": "http://user:pa#ss@127.0.0.1:9"}, r"its address or that of HTTPS_PROXY cannot be read"),
        ({"HTTPS_PROXY": "http://user:secret@127.0.0.1:9"}, r"the proxy that HTTPS_PROXY names does not answer or refuses"),
    ],
)
def test_the_cause_is_named_and_no_password(
    variables: dict[str, str], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NO_PROXY", "no_proxy", "HTTPS_PROXY", "https_proxy", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("requests.utils.should_bypass_proxies", lambda url, no_proxy: False)
    with pytest.raises(DownloadError, match=words) as raised:
        download("https://localhost:9/file", tmp_path / "file", PIN)
    assert not {"secret", "pa#ss"} & set(str(raised.value).replace("@", " ").replace(":", " ").split())
    assert "\n" not in str(raised.value)


def test_a_name_that_cannot_be_resolved_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    with pytest.raises(DownloadError, match=r"nowhere\.invalid cannot be reached: its name cannot be resolved"):
        download("https://nowhere.invalid/file", tmp_path / "file", PIN)


def test_a_certificate_that_nobody_signed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "localhost")
    made = subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"),
            *("-keyout", tmp_path / "key", "-out", tmp_path / "certificate"),
        ],
        capture_output=True,
        check=False,
    )
    if made.returncode:
        pytest.skip("openssl cannot make a certificate here")
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Server, []))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "certificate", tmp_path / "key")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        with pytest.raises(
            DownloadError, match=r"localhost has a certificate that cannot be trusted \(self.signed certificate\)"
        ):
            download(f"https://localhost:{server.server_port}/good/file", tmp_path / "file", PIN)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
