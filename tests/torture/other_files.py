"""The other files that are read: tables of images and their hierarchies, parsed datasets, records, runs.csv, published numbers,
claims, configuration, checkpoints.

Each kind has a small base, a reader that ends in a value or in the kind's own error, and a second reading of what is right.
"""

from __future__ import annotations

import math
import random
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from hmc import configs
from hmc.data import cache, catalog, images, load
from hmc.data.catalog import DataError
from hmc.data.dataset import Encoded
from hmc.report import claims
from hmc.results import Record, Store, published, runs_csv
from hmc.results.published import PublishedError
from hmc.results.record import RecordError
from hmc.settings import MethodSettings, SettingsError, build, to_mapping
from tests.results.examples import make_cell, make_record
from tests.torture import mutants, slow_reader, slow_table
from tests.torture.fuzz import Findings, HangError, limited

KEY = "a" * 64


@dataclass(frozen=True)
class Kind:
    """One kind of file.

    name: of the file in the mutants' folder. base: its bytes. read: the value in a folder, or an error of ``errors``, whose
    message names the file. right: whether a value is what the (changed) bytes say.
    """

    name: str
    base: Callable[[], bytes]
    read: Callable[[Path], Any]
    errors: tuple[type[Exception], ...]
    right: Callable[[bytes, Any], bool]


# --- parsed datasets ------------------------------------------------------------------------------------------------


def _encoded() -> Encoded:
    with tempfile.TemporaryDirectory() as folder:
        paths = {split: Path(folder) / f"{split}.arff" for split in ("train", "test")}
        for split, content in mutants.BASES["nominal"].contents().items():
            paths[split].write_bytes(content)
        return load.read_files(paths)


def _cache_bytes() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "parsed.npz"
        cache.save(path, KEY, _encoded())
        return path.read_bytes()


def _same_encoded(_: bytes, read: Encoded) -> bool:
    known = _encoded()
    same = read.names == known.names and read.feature_names == known.feature_names
    same &= np.array_equal(read.parents.offsets, known.parents.offsets)
    same &= np.array_equal(read.parents.indices, known.parents.indices)
    for split in ("train", "valid", "test"):
        same &= np.array_equal(read.features[split], known.features[split], equal_nan=True)
        same &= np.array_equal(read.labels[split], known.labels[split])
    return bool(same)


# --- records --------------------------------------------------------------------------------------------------------


def _record() -> Record:
    return make_record(make_cell())


def _read_record(folder: Path) -> Record:
    path = folder / "record.json"
    return Record.from_json(path.read_bytes(), str(path))


def _runs_csv() -> bytes:
    records = [make_record(make_cell(seed=seed), {"au_prc": 0.1 + seed, "macro_f1": 0.5}) for seed in (0, 11)]
    records.append(Record.failed(make_cell("diatoms"), 'it said "no", twice'))
    return runs_csv.csv_text([runs_csv.row(record) for record in records]).encode()


def _read_runs(folder: Path) -> Any:
    return Store(folder).frame()


def _csv_lines(content: bytes, separator: str = ",") -> list[list[str]]:
    """Fields of a CSV file as RFC 4180 has them, one character at a time."""
    lines: list[list[str]] = [[""]]
    quoted = False
    text = content.decode().removeprefix("\ufeff")  # the byte order mark that spreadsheets write
    at = 0
    while at < len(text):
        letter = text[at]
        if quoted:
            if letter == '"' and text[at + 1 : at + 2] == '"':
                lines[-1][-1] += '"'
                at += 1
            elif letter == '"':
                quoted = False
            else:
                lines[-1][-1] += letter
        elif letter == '"' and not lines[-1][-1]:
            quoted = True
        elif letter == separator:
            lines[-1].append("")
        elif letter in "\r\n":
            if lines[-1] != [""]:
                lines.append([""])
        else:
            lines[-1][-1] += letter
        at += 1
    return [line for line in lines if line != [""]]


def _same_runs(content: bytes, frame: Any) -> bool:
    header, *lines = _csv_lines(content)
    identities = {line[header.index("identity")] for line in lines}
    if set(frame["identity"]) != identities or len(frame) != len(identities):
        return False
    for _, row in frame.iterrows():
        same = [line for line in lines if line[header.index("identity")] == row["identity"]]
        if not any(_same_row(dict(zip(header, line, strict=True)), row) for line in same):
            return False
    return True


def _same_row(line: dict[str, str], row: Any) -> bool:
    for name, text in line.items():
        # A column without any entry is not kept.
        value = row.get({"data.reconstructed": "reconstructed"}.get(name, runs_csv.metric_name(name)), "")
        if value != text if isinstance(value, str) else (not math.isnan(value) if not text else float(value) != float(text)):
            return False
    return True


# --- published numbers, claims, configuration -----------------------------------------------------------------------

AU_PRC = (
    b"dataset,method,au_prc,seeds,source\nenron,chmcnn,0.756,10,C-HMCNN\n"
    b'enron,hmcn_f,0.724,,"Wehrmann et al. 2018, as transcribed"\nspo_go,chmcnn,0.382,10,C-HMCNN\n'
)
SEEDS = b"dataset,method,seed,au_prc,source\ncellcycle_fun,chmcnn,0,0.25,issue\ncellcycle_fun,chmcnn,1,0.26,issue\n"
F1 = (
    b"dataset,label_as_printed,value_as_printed,macro_f1_percent,method,note\n"
    b"enron,ENRON,15.4,15.4,not named,\nspo_go,S,1.1,1.1,x,a\n"
)

LATER = (
    b"dataset,method,au_prc,seeds,source,trained_on,metric\nenron,dhn,0.761,10,DHN,train+valid,micro average precision\n"
    b'spo_go,hmcn_f,0.4,,"DHN, as listed",train,\n'
)


def _read_published(folder: Path) -> published.Published:
    written = {"au_prc.csv": AU_PRC, "chmcnn_cellcycle_fun_seeds.csv": SEEDS, "xu2026_f1.csv": F1, "au_prc_later.csv": LATER}
    for name, content in written.items():
        if not (folder / name).exists():
            (folder / name).write_bytes(content)
    return published.load(folder)


def _same_au_prc(content: bytes, read: published.Published) -> bool:
    header, *lines = _csv_lines(content)
    entries = [dict(zip(header, line, strict=True)) for line in lines]
    wanted = {
        (entry["dataset"], entry["method"]): (float(entry["au_prc"]), int(entry["seeds"]) if entry["seeds"] else None)
        for entry in entries
    }
    wanted[("cellcycle_fun", "chmcnn")] = (0.255, 2)
    found = {key: (value.value, value.seeds) for key, value in read.au_prc.items()}
    return len(entries) == len({(entry["dataset"], entry["method"]) for entry in entries}) and found == wanted


def _same_later(content: bytes, read: published.Published) -> bool:
    header, *lines = _csv_lines(content)
    entries = [dict(zip(header, line, strict=True)) for line in lines]
    wanted = [
        (
            entry["dataset"],
            entry["method"],
            float(entry["au_prc"]),
            int(entry["seeds"]) if entry["seeds"] else None,
            entry["source"],
        )
        for entry in entries
    ]
    return wanted == [(value.dataset, value.method, value.value, value.seeds, value.source) for value in read.later]


def _same_f1(content: bytes, read: published.Published) -> bool:
    header, *lines = _csv_lines(content)
    entries = [dict(zip(header, line, strict=True)) for line in lines]
    wanted = {entry["dataset"]: float(entry["macro_f1_percent"]) for entry in entries}
    return len(wanted) == len(entries) and {name: value.value for name, value in read.macro_f1.items()} == wanted


def _same_seeds(content: bytes, read: published.Published) -> bool:
    header, *lines = _csv_lines(content)
    entries = [dict(zip(header, line, strict=True)) for line in lines]
    groups: dict[tuple[str, str], list[float]] = {}
    for entry in entries:
        groups.setdefault((entry["dataset"], entry["method"]), []).append(float(entry["au_prc"]))
    found = {key: value for key, value in read.au_prc.items() if value.digits == 4}
    return set(found) == set(groups) and all(math.isclose(found[key].value, math.fsum(v) / len(v)) for key, v in groups.items())


CLAIMS = b"""- id: recall
  text: Recall rises.
  criteria:
    - {kind: difference, methods: [a, b], against: c, metric: macro_recall, needed: any}
    - {kind: ratio, methods: [a], against: c, metric: macro_recall, threshold: 4.5}
- id: bound
  text: A bound holds.
  outside: nothing here measures it
"""


def _read_claims(folder: Path) -> tuple[claims.Claim, ...]:
    return claims.load(folder / "claims.yaml")


def _contains(read: Any, said: Any) -> bool:
    """Whether what was built holds all that the file says."""
    if isinstance(said, dict):
        return all(_contains(read[str(key)], value) for key, value in said.items())
    if isinstance(said, (list, tuple)):
        return len(read) == len(said) and all(_contains(one, other) for one, other in zip(read, said, strict=True))
    if isinstance(read, str):
        return read == str(said)
    return read == said or (isinstance(read, (int, float)) and float(read) == float(said))


def _same_claims(content: bytes, read: tuple[claims.Claim, ...]) -> bool:
    return _contains([to_mapping(claim) for claim in read], yaml.safe_load(content))


METHOD = b"""# a method
name: mine
members: 5
ensemble: shared_batches
node_weights: {scheme: binary, omega: 0.5}
focal: {uncertainty: gmu, power: 1e-1}
options: {scale: [1, 2]}
"""


def _read_method(folder: Path) -> MethodSettings:
    return build(MethodSettings, configs.read_file(folder / "method.yaml"), at="method")


def _same_method(content: bytes, read: MethodSettings) -> bool:
    return _contains(to_mapping(read), yaml.safe_load(content))


# --- images ---------------------------------------------------------------------------------------------------------

NODES = b"# animals\nanimal/cat\nanimal/dog/poodle\n  # a plant\nplant/fern\n"
IMAGES = (
    b"image,partition,labels,site\na.png,train,animal/cat,1\nb.png,train,\"['cat', 'fern']\",1\n"
    b'c.png,val,animal.dog@plant,2\nd.png,test,root,"a ""b"""\n'
)


UNLABELLED = b"image,partition,labels\na.png,train,root\nb.png,test,root\n"


def _read_images(folder: Path) -> images.ImageTable:
    (folder / "nodes.txt").write_bytes(NODES)
    return _read_table(folder)


def _read_nodes(folder: Path) -> images.ImageTable:
    (folder / "images.csv").write_bytes(UNLABELLED)
    return _read_table(folder)


def _read_table(folder: Path) -> images.ImageTable:
    for name in "abcd":
        (folder / f"{name}.png").touch()
    return images.read_table(catalog.card("images"), folder / "images.csv", folder, folder / "nodes.txt")


def _entries(content: bytes) -> list[str]:
    lines = content.decode("utf-8-sig").splitlines()
    return list(dict.fromkeys(entry for line in lines if (entry := line.strip()) and entry[0] != "#"))


def _labels(text: str) -> list[str]:
    """A cell's labels: joined by @, or in brackets, between commas or quotes, or numbers between blanks."""
    text = text.strip()
    if text[:1] != "[" or text[-1:] != "]":
        return [label for part in text.split("@") if (label := part.strip())]
    words = text[1:-1].split()
    if words and all(word.lstrip("+-").isdecimal() and len(word) - len(word.lstrip("+-")) <= 1 for word in words):
        return words
    labels, at = [], 0
    text = text[1:-1]
    while at < len(text):
        if text[at] in "'\"":
            quote, name, at = text[at], "", at + 1
            while text[at] != quote:
                at += text[at] == "\\"
                name += text[at]
                at += 1
            labels.append(name)
            at += 1
        elif text[at] == "," or text[at].isspace():
            at += 1
        else:
            name = ""
            while at < len(text) and text[at] not in ",'\"":
                name += text[at]
                at += 1
            labels.append(name.strip())
    return [label for label in labels if label]


def _same_images(content: bytes, read: images.ImageTable) -> bool:
    header, *lines = _csv_lines(content.removeprefix(b"\xef\xbb\xbf"))
    places, names, _ = slow_reader.hierarchy(_entries(NODES), (), names_stand_for_paths=True)
    places |= {name: place for place, name in enumerate(names)} | {name.split(".")[-1]: place for place, name in enumerate(names)}
    wanted = []
    for line in lines:
        entry = dict(zip(header, line, strict=True))
        split = {"val": "valid", "validation": "valid"}.get(
            entry["partition"].strip().lower(), entry["partition"].strip().lower()
        )
        nodes = tuple(places[label] for label in _labels(entry["labels"]))
        wanted.append((read.path.parent / entry["image"], split, nodes))
    return wanted == [(row.file, row.split, row.nodes) for row in read.rows]


def _same_nodes(content: bytes, read: images.ImageTable) -> bool:
    _, names, parents = slow_reader.hierarchy(_entries(content), ("root",), names_stand_for_paths=True)
    found = [read.hierarchy.parents.of(node).tolist() for node in range(len(read.hierarchy))]
    return list(read.hierarchy.names) == names and found == parents


KINDS = {
    "images": Kind("images.csv", lambda: IMAGES, _read_images, (DataError,), _same_images),
    "nodes": Kind("nodes.txt", lambda: NODES, _read_nodes, (DataError,), _same_nodes),
    "table": Kind("table.csv", lambda: slow_table.ROWS, slow_table.read, (DataError,), slow_table.same(_csv_lines, _labels)),
    "cache": Kind("parsed.npz", _cache_bytes, lambda f: cache.restore(f / "parsed.npz", KEY), (cache.CacheError,), _same_encoded),
    "record": Kind(
        "record.json", lambda: _record().to_json().encode(), _read_record, (RecordError,), lambda _, r: r == _record()
    ),
    # Lines of another schema are left out with a warning.
    "runs": Kind("runs.csv", _runs_csv, _read_runs, (RecordError, RuntimeWarning), _same_runs),
    "au_prc": Kind("au_prc.csv", lambda: AU_PRC, _read_published, (PublishedError,), _same_au_prc),
    "seeds": Kind("chmcnn_cellcycle_fun_seeds.csv", lambda: SEEDS, _read_published, (PublishedError,), _same_seeds),
    "later": Kind("au_prc_later.csv", lambda: LATER, _read_published, (PublishedError,), _same_later),
    "f1": Kind("xu2026_f1.csv", lambda: F1, _read_published, (PublishedError,), _same_f1),
    "claims": Kind("claims.yaml", lambda: CLAIMS, _read_claims, (PublishedError,), _same_claims),
    "method": Kind("method.yaml", lambda: METHOD, _read_method, (SettingsError,), _same_method),
}
SHARES = {
    "images": 3,
    "nodes": 1,
    "table": 2,
    "cache": 2,
    "record": 3,
    "runs": 1,
    "au_prc": 2,
    "later": 1,
    "seeds": 1,
    "f1": 1,
    "claims": 1,
    "method": 2,
}
"""How many of 20 mutants are of each kind."""


def mutant(number: int, kind: str, base: bytes) -> bytes:
    """The mutant of this number."""
    generator = random.Random(f"{mutants.SEED} {kind} {number}")
    changes = (mutants.huge,) if generator.random() < mutants.SHARE_HUGE / 5 else mutants.ANYWHERE
    for _ in range(generator.choice([1, 1, 1, 2, 3])):
        base = generator.choice(changes)(generator, base)
    return base


def fuzz(numbers: range, name: str, folder: Path) -> Findings:
    """Read these mutants of one kind of file."""
    findings, kind = Findings(), KINDS[name]
    base = kind.base()
    path = folder / kind.name
    for number in numbers:
        content = mutant(number, name, base)
        path.write_bytes(content)
        began = time.process_time()
        problem, outcome = "", "refused in one line"
        try:
            with limited(), warnings.catch_warnings():
                warnings.simplefilter("error")
                read = kind.read(folder)
            outcome = "read right"
            if not kind.right(content, read):
                problem = "was read as something else"
        except kind.errors as error:
            message = str(error)
            if len(message.splitlines()) != 1 or len(message) > 1500:
                problem = f"no one short line: {message[:300]!r}"
            elif name != "cache" and ("; " not in message or (name != "method" and kind.name not in message)):
                problem = f"names no file or no remedy: {message!r}"
        except HangError:
            problem = "hangs"
        except Exception as error:
            problem = f"{type(error).__name__}: {str(error)[:200]}"
        findings.slowest = max(findings.slowest, time.process_time() - began)
        if problem:
            findings.faults.append(f"{name} {number}: {problem}")
        else:
            findings.outcomes[outcome] += 1
    path.unlink(missing_ok=True)
    return findings


def run(count: int, first: int = 0, show: Callable[[str], None] = print) -> Findings:
    """This many mutants, shared over the kinds."""
    total = Findings()
    for name, share in SHARES.items():
        with tempfile.TemporaryDirectory() as folder:
            found = fuzz(range(first, first + count * share // sum(SHARES.values())), name, Path(folder))
        show(f"{name}: {found}")
        total.add(found)
    return total
