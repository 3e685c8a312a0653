"""What comes from outside (downloads, files of results, names) is data: never run, never written elsewhere, never markup."""

from __future__ import annotations

import ast
import functools
import io
import pickle
import threading
import zipfile
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from omegaconf import OmegaConf

from hmc.data import cache, catalog
from hmc.data.download import DownloadError, download, fetch
from hmc.experiments.checkpoint import NAME, CheckpointFile
from hmc.files import yaml_file
from hmc.report import claims, page
from hmc.report.grid import build_grid, collect
from hmc.report.tables import tables
from hmc.results import Record, RecordError, Store, published
from hmc.results.published import PublishedError
from hmc.settings import DatasetSettings, RuntimeSettings, SettingsError
from tests.report.examples import METRICS
from tests.results.examples import make_cell, make_record

PROJECT = Path(__file__).resolve().parents[1]
SOURCES = sorted([*PROJECT.glob("hmc/**/*.py"), *PROJECT.glob("scripts/*.py")])


# --- the source -----------------------------------------------------------------------------------------------------


def calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def keyword(call: ast.Call, name: str) -> Any:
    return next((ast.literal_eval(entry.value) for entry in call.keywords if entry.arg == name), None)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PROJECT)))
def test_nothing_in_the_source_runs_what_it_reads(path: Path) -> None:
    modules = {"pickle", "_pickle", "cloudpickle", "dill", "joblib", "shelve", "marshal", "jsonpickle", "tarfile"}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        assert not modules & {name.partition(".")[0] for name in names}
        if "yaml" in names:
            assert path.name == "yaml_file.py", "YAML is read in one place"
    for name, call in calls(path):
        assert name not in ("eval", "exec", "os.system", "os.popen", "shutil.unpack_archive", "pd.read_pickle", "__import__")
        assert not name.endswith((".read_pickle", ".unsafe_load", ".full_load", ".extract", ".extractall"))
        assert not keyword(call, "shell")
        if name in ("np.load", "numpy.load"):
            assert keyword(call, "allow_pickle") is False
        if name == "torch.load":
            assert keyword(call, "weights_only") is True


# --- pickles --------------------------------------------------------------------------------------------------------


class Payload:
    """Unpickling one writes a file."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return Path.write_text, (self.target, "it ran")


@pytest.fixture
def mark(tmp_path: Path) -> Iterator[Path]:
    """What a payload writes when it runs; it must not be there at the end."""
    target = tmp_path / "it_ran"
    pickle.loads(pickle.dumps(Payload(target)))
    assert target.read_text() == "it ran", "the payload does nothing, so the test shows nothing"
    target.unlink()
    yield target
    assert not target.exists()


@pytest.mark.parametrize("form", ["object array", "bare pickle", "pickle in the archive"])
def test_a_pickle_in_a_parsed_dataset_is_refused(mark: Path, tmp_path: Path, form: str) -> None:
    path = tmp_path / "parsed.npz"
    if form == "object array":
        np.savez(path, key=np.array("k"), names=np.array([Payload(mark)], dtype=object))
    elif form == "bare pickle":
        path.write_bytes(pickle.dumps(Payload(mark)))
    else:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("key.npy", pickle.dumps(Payload(mark)))
    with pytest.raises(cache.CacheError):
        cache.restore(path, "k")


@pytest.mark.parametrize("legacy", [True, False])
def test_a_pickle_in_a_checkpoint_is_refused(mark: Path, tmp_path: Path, legacy: bool) -> None:
    folder = tmp_path / "cell"
    folder.mkdir()
    torch.save({"version": 1, "state": Payload(mark)}, folder / NAME, _use_new_zipfile_serialization=not legacy)
    with pytest.warns(RuntimeWarning, match="begins anew"):
        assert CheckpointFile([folder], [make_cell()], "cpu", 1).load() is None


def test_a_pickle_in_place_of_a_record_is_refused(mark: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "results")
    path = store.save(make_record(make_cell()))
    path.write_bytes(pickle.dumps(Payload(mark)))
    assert store.state(make_cell()).name == "failed"
    with pytest.raises(RecordError, match="not a record"):
        store.load(make_cell())


# --- YAML -----------------------------------------------------------------------------------------------------------


def evil(target: Path) -> str:
    return f"!!python/object/apply:pathlib.Path.write_text [!!python/object/apply:pathlib.Path [{target}], it ran]"


def test_yaml_makes_no_objects(mark: Path, tmp_path: Path) -> None:
    path = tmp_path / "claims.yaml"
    path.write_text(f"- {evil(mark)}\n")
    with pytest.raises(SettingsError, match=r"claims\.yaml:1: this cannot be read as YAML"):
        yaml_file.read(path)
    with pytest.raises(PublishedError, match=r"claims\.yaml:1"):
        claims.load(path)
    with pytest.raises(yaml.YAMLError):
        OmegaConf.load(path)


@pytest.mark.parametrize(
    "text", ["a: 1\na: 2", "{a: 1, b: {c: 1, c: 2}}", "a: [1", "\t- x", "&a [*a", "a: 2020-99-99", "%YAML 9"]
)
def test_yaml_that_says_two_things_or_nothing_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match=r"^mine\.yaml(:\d+)?: this cannot be read as YAML"):
        yaml_file.parse(text, "mine.yaml")


def test_yaml_that_nests_without_end_is_refused() -> None:
    with pytest.raises(SettingsError, match="write it flatter"):
        yaml_file.parse("[" * 100_000, "mine.yaml")


# --- downloads ------------------------------------------------------------------------------------------------------


def test_every_card_downloads_by_https_and_by_pinned_hash() -> None:
    for name in catalog.names():
        card = catalog.card(name)
        assert not card.url or card.url.startswith("https://")
        for path in catalog.files(card).values():
            assert catalog.pinned(card, path), f"{name}: {path} is not pinned"


@pytest.mark.parametrize("path", ["../outside.arff", "a/../../outside.arff", "{folder}/outside.arff"])
def test_a_download_stays_in_its_folder(tmp_path: Path, path: str) -> None:
    path = path.format(folder=tmp_path)
    pins = {path: "0" * 64}
    card = DatasetSettings(name="card", url="https://127.0.0.1:1", train=path, test=path, sha256=pins)
    with pytest.raises(DownloadError, match="outside the data folder"):
        fetch(card, RuntimeSettings(data_dir=str(tmp_path / "data")))
    assert not (tmp_path / "outside.arff").exists()


class Redirect(BaseHTTPRequestHandler):
    def __init__(self, target: str, *arguments: object) -> None:
        self.target = target
        super().__init__(*arguments)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        self.send_response(302)
        self.send_header("Location", self.target)
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.mark.parametrize("target", ["http://example.org/file", "ftp://example.org/file", "file:///etc/passwd"])
def test_a_redirection_to_what_is_not_https_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Redirect, target))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        with pytest.raises(DownloadError, match=f"{target} is not downloaded: only https"):
            download(f"http://127.0.0.1:{server.server_port}/file", tmp_path / "file", f"sha256:{'0' * 64}")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert list(tmp_path.iterdir()) == []


def test_names_in_a_parsed_dataset_write_nothing(tmp_path: Path) -> None:
    """An archive whose members would leave the folder, were they ever unpacked."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name in ("../../outside", "/tmp/outside_of_parsed", "key.npy"):
            archive.writestr(name, b"x")
    path = tmp_path / "a" / "b" / "parsed.npz"
    path.parent.mkdir(parents=True)
    path.write_bytes(content.getvalue())
    with pytest.raises(cache.CacheError):
        cache.restore(path, "k")
    assert [one.name for one in tmp_path.rglob("*")] == ["a", "b", "parsed.npz"]
    assert not Path("/tmp/outside_of_parsed").exists()


# --- the page -------------------------------------------------------------------------------------------------------

HOSTILE = [
    "<script>document.title='broken'</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</title></style><svg onload=alert(1)>",
    "{{ 7 * 7 }}{% for x in y %}",
    "javascript:alert(1)//&lt;b&gt;",
]


class Parts(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.scripts: list[str] = []
        self._in_script = False
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attributes}
        self._in_script = tag == "script"

    def handle_data(self, text: str) -> None:
        if self._in_script:
            self.scripts.append(text)
            self._in_script = False


def rendered(folder: Path, name: str) -> Parts:
    # Names may hold no slash.
    own = name.replace("/", ":")
    cells = [
        make_cell(f"data {own}", f"method {own}", seed, group="own", protocol=f"p {own}", departed=((name, name),))
        for seed in (0, 1)
    ]
    records = [make_record(cell, dict.fromkeys(METRICS, 0.5), reconstructed=name) for cell in cells[:1]]
    records.append(Record.failed(cells[1], name))
    results = collect(records)
    grid = build_grid(cells, results.frame)
    made, judged = tables(grid, published.load()), claims.judge(claims.load(), grid)
    path = page.write_page(grid, results, made, judged, folder, suite=name.replace("/", "_"), title=name)
    return Parts(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", HOSTILE)
def test_names_are_text_on_the_page(tmp_path: Path, name: str) -> None:
    plain, hostile = rendered(tmp_path / "plain", "plain"), rendered(tmp_path / "hostile", name)
    assert hostile.scripts == plain.scripts
    assert set(hostile.tags) <= set(plain.tags)
    assert hostile.attributes <= plain.attributes
    assert not [attribute for attribute in hostile.attributes if attribute.startswith("on")]
