"""Hundreds of thousands of damaged files against the readers: the right answer, or one line that names file, line and remedy.

python -m tests.torture.fuzz tree 12345        shows one mutant and what becomes of it
"""

from __future__ import annotations

import contextlib
import re
import signal
import sys
import tempfile
import time
import tracemalloc
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from hmc.data import load as loading
from hmc.data.arff import ArffError
from hmc.data.dataset import DataWarning, Encoded
from hmc.settings import DatasetSettings, ProtocolSettings, RuntimeSettings
from tests.torture import slow_reader
from tests.torture.mutants import BASES, mutant

SECONDS = 10.0
"""A mutant that takes longer hangs."""
TIMES_THE_FILE = 20
SMALL = 300_000
"""Bytes that reading may take besides 20 times the file: what Python and numpy need for a few rows."""
LONGEST_MESSAGE = 1000
MEASURED = 40
"""One mutant of so many, and every large one, has its memory measured."""
LARGE = 20_000
LARGE_NUMBER = 1e14
"""Below it no number is too large to be trained on."""
PREPARED = 10
"""One of so many is also imputed, standardised and cached."""


class HangError(Exception):
    """A mutant took longer than SECONDS."""


@dataclass
class Findings:
    """What became of mutants. faults: those that became neither; the worst figures of the others."""

    outcomes: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    slowest: float = 0.0
    largest: float = 0.0
    """Working memory as a multiple of the files."""

    def add(self, other: Findings) -> None:
        self.outcomes += other.outcomes
        self.faults += other.faults
        self.slowest, self.largest = max(self.slowest, other.slowest), max(self.largest, other.largest)

    def __str__(self) -> str:
        counts = ", ".join(f"{count} {name}" for name, count in sorted(self.outcomes.items()))
        memory = f"; memory {self.largest:.1f} times the file" if self.largest else ""
        return f"{counts}; {len(self.faults)} faults; slowest {self.slowest:.2f} s{memory}"


@contextlib.contextmanager
def limited() -> Iterator[None]:
    """Raises HangError in what takes too long."""

    def stop(*_: object) -> None:
        raise HangError

    before = signal.signal(signal.SIGVTALRM, stop)
    # Of this process's own time: a busy machine is no hang.
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def fuzz(numbers: range, base: str, folder: Path) -> Findings:
    """Read these mutants of a dataset's files."""
    findings = Findings()
    for number in numbers:
        contents = mutant(number, base).contents()
        paths = {split: folder / f"{split}.arff" for split in contents}
        for split, content in contents.items():
            paths[split].write_bytes(content)
        size = sum(map(len, contents.values()))
        measured = number % MEASURED == 0 or size > LARGE
        began = time.process_time()
        try:
            with limited():
                outcome, read, working = read_files(paths, measured)
        except HangError:
            findings.faults.append(f"{base} {number}: takes longer than {SECONDS:g} s")
            continue
        except Exception as error:
            findings.faults.append(f"{base} {number}: {type(error).__name__}: {str(error)[:200]}")
            continue
        if not measured:
            findings.slowest = max(findings.slowest, time.process_time() - began)
        if measured:
            findings.largest = max(findings.largest, working / max(size, LARGE))
            if working > TIMES_THE_FILE * size + SMALL:
                findings.faults.append(f"{base} {number}: {working} bytes of memory for {size} bytes of files")
        expected = slow_reader.read_files(contents)
        problem = _refusal_problem(read, paths, contents, expected) if isinstance(read, str) else _difference(read, expected)
        if not problem and not isinstance(read, str) and number % PREPARED == 0:
            problem = _preparation_problem(paths, expected, folder / "cache")
        if problem:
            findings.faults.append(f"{base} {number}: {problem}")
        else:
            findings.outcomes[outcome] += 1
    return findings


def read_files(paths: dict[str, Path], measured: bool) -> tuple[str, Encoded | str, int]:
    """The outcome in a word, what was read or the refusal, and the working memory in bytes: the peak, less what is kept."""
    if measured:
        tracemalloc.start()
    try:
        read: Encoded | str
        try:
            read, outcome = loading.read_files(paths), "read right"
        except ArffError as error:
            read, outcome = str(error), "refused in one line"
        kept, peak = tracemalloc.get_traced_memory() if measured else (0, 0)
    finally:
        tracemalloc.stop()
    return outcome, read, peak - kept


def _refusal_problem(message: str, paths: dict[str, Path], contents: dict[str, bytes], expected: slow_reader.SlowDataset) -> str:
    found = re.match(r"(.*?/(train|valid|test)\.arff):(\d+): ", message)
    if not found or Path(found[1]) != paths[found[2]]:
        return f"names no file and line: {message[:200]!r}"
    if len(message.splitlines()) != 1 or not message.isprintable():
        return f"is not one printable line: {message[:200]!r}"
    if len(message) > LONGEST_MESSAGE + 3 * len(found[1]):
        return f"has {len(message)} letters: {message[:200]!r}"
    if "; " not in message:
        return f"names no remedy: {message!r}"
    if not expected.faults:
        return f"refuses what can be read: {message!r}"
    if (found[2], int(found[3])) not in expected.faults:
        return f"blames the wrong line, {sorted(expected.faults)[:5]} are wrong: {message!r}"
    return ""


def _difference(read: Encoded, expected: slow_reader.SlowDataset) -> str:
    if expected.faults:
        return f"was read, but {sorted(expected.faults)[:5]} are wrong"
    if list(read.names) != expected.names or list(read.feature_names) != expected.feature_names:
        return "other nodes or features"
    if [read.parents.of(node).tolist() for node in range(len(read.names))] != expected.parents:
        return "other parents"
    for split in expected.features:
        features = np.array(expected.features[split]).reshape(len(expected.features[split]), len(expected.feature_names))
        if not np.array_equal(read.features[split], features, equal_nan=True):
            return f"other features in {split}"
        if read.labels[split].tolist() != expected.labels[split]:
            return f"other labels in {split}"
    return ""


def _preparation_problem(paths: dict[str, Path], expected: slow_reader.SlowDataset, cache: Path) -> str:
    """Whether the dataset that training is given, once parsed and once from the cache, is what the slow reading says."""
    own = {split: str(path) for split, path in paths.items()}
    dataset = DatasetSettings(name="mutant", unevaluated=("root",), **own)
    runtime = RuntimeSettings(data_dir=str(cache), cache_dir=str(cache), download=False)
    wanted = slow_reader.prepared(expected.features)
    for _ in range(2):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                warnings.simplefilter("ignore", DataWarning)
                made = loading.load(dataset, ProtocolSettings(), runtime)
        except ValueError as error:
            if len(expected.names) == 1 and "no node to evaluate" in str(error):
                return ""
            largest = max((abs(number) for rows in expected.features.values() for row in rows for number in row), default=0)
            if largest > LARGE_NUMBER and ("too large to compute with" in str(error) or "rounding leaves noise" in str(error)):
                return ""
            return f"cannot be loaded: {error}"
        for split, rows in wanted.items():
            features = np.array(rows).reshape(len(rows), len(expected.feature_names))
            got = getattr(made, split).features
            if not np.isfinite(got).all():
                return f"{split} has features that are not finite"
            # NaN marks a deviation so small that rounding decides whether it is one.
            close = np.isclose(got, features, rtol=1e-4, atol=1e-4) | np.isnan(features)
            if not close.all():
                return f"other prepared features in {split}: {got.tolist()} instead of {features.tolist()}"
            if getattr(made, split).labels.tolist() != expected.labels[split]:
                return f"other labels in {split} after loading"
    for path in cache.iterdir():
        path.unlink()
    return ""


def run(count: int, first: int = 0, show: Callable[[str], None] = print) -> Findings:
    """This many mutants of datasets, shared equally over the bases."""
    total = Findings()
    with tempfile.TemporaryDirectory() as folder:
        for base in BASES:
            found = fuzz(range(first, first + count // len(BASES)), base, Path(folder))
            show(f"{base}: {found}")
            total.add(found)
    return total


def main(base: str, number: int) -> None:
    for split, content in mutant(number, base).contents().items():
        print(f"--- {split}: {content[:1500]!r}{' ...' if len(content) > 1500 else ''}")
    with tempfile.TemporaryDirectory() as folder:
        found = fuzz(range(number, number + 1), base, Path(folder))
    print(found)
    print(*found.faults, sep="\n")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
