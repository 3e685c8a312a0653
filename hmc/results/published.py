"""The papers' numbers, read from ``results/published/*.csv``. What each file holds is told in the README beside them."""

from __future__ import annotations

import re
import statistics
from collections import defaultdict
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from hmc.files import csv_file

FOLDER = Path(__file__).resolve().parents[2] / "results" / "published"
"""Where a checkout keeps them, whatever folder its own results go to."""


class PublishedError(ValueError):
    """A file of published numbers is missing or malformed. The message is for the user."""


@dataclass(frozen=True)
class PublishedValue:
    """One published number.

    value, spread: in the unit of its file (AU(PRC) a fraction, F1 percent); spread is the standard deviation over seeds. seeds:
    how many runs it is the mean of. Both are None where not published. method: "" where the source does not name it. digits:
    decimals worth printing.
    """

    dataset: str
    method: str
    value: float
    digits: int
    source: str
    spread: float | None = None
    seeds: int | None = None
    note: str = ""


@dataclass(frozen=True)
class Published:
    """au_prc: by (dataset, method), fractions. macro_f1: by dataset, percent, of a method that the source does not name."""

    au_prc: Mapping[tuple[str, str], PublishedValue]
    macro_f1: Mapping[str, PublishedValue]


def load(folder: Path | None = None) -> Published:
    """All published numbers; ``folder`` defaults to the checkout's ``results/published``.

    Raises PublishedError naming the file and line.
    """
    folder = folder or FOLDER
    return Published(au_prc=_au_prc(folder), macro_f1=_macro_f1(folder / "xu2026_f1.csv"))


def _au_prc(folder: Path) -> dict[tuple[str, str], PublishedValue]:
    """The table's three decimals; where single seeds were posted, their mean and standard deviation instead."""
    values: dict[tuple[str, str], PublishedValue] = {}
    path = folder / "au_prc.csv"
    for line, entry in _lines(path, ("dataset", "method", "au_prc", "seeds", "source")):
        key = (entry["dataset"], entry["method"])
        _require_new(path, line, key, values)
        seeds = _whole(path, line, entry["seeds"]) if entry["seeds"] else None
        values[key] = PublishedValue(*key, _number(path, line, entry["au_prc"], 1), 3, entry["source"], seeds=seeds)
    singles: dict[tuple[str, str], dict[int, float]] = defaultdict(dict)
    sources: dict[tuple[str, str], str] = {}
    path = folder / "chmcnn_cellcycle_fun_seeds.csv"
    for line, entry in _lines(path, ("dataset", "method", "seed", "au_prc", "source")):
        key, seed = (entry["dataset"], entry["method"]), _whole(path, line, entry["seed"])
        _require_new(path, line, (*key, entry["seed"]), {(*key, str(known)) for known in singles[key]})
        if sources.setdefault(key, entry["source"]) != entry["source"]:
            raise PublishedError(f"{path}:{line} names a second source for {', '.join(key)}; {_RESTORE}")
        singles[key][seed] = _number(path, line, entry["au_prc"], 1)
    for key, by_seed in singles.items():
        numbers = list(by_seed.values())
        spread = statistics.stdev(numbers) if len(numbers) > 1 else None
        values[key] = PublishedValue(*key, statistics.fmean(numbers), 4, sources[key], spread=spread, seeds=len(numbers))
    return values


def _macro_f1(path: Path) -> dict[str, PublishedValue]:
    values: dict[str, PublishedValue] = {}
    for line, entry in _lines(path, ("dataset", "macro_f1_percent", "method", "note")):
        text = entry["macro_f1_percent"]
        _require_new(path, line, (entry["dataset"],), {(known,) for known in values})
        method = "" if entry["method"] == "not named" else entry["method"]
        digits = len(text.partition(".")[2])
        values[entry["dataset"]] = PublishedValue(
            entry["dataset"], method, _number(path, line, text, 100), digits, "Xu et al. 2026", note=entry["note"]
        )
    return values


_RESTORE = "restore the file from git"


def _lines(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    """The entries of a file with their line numbers."""
    try:
        found, entries = csv_file.read(path, _RESTORE)
        missing = [name for name in columns if name not in found]
        if missing:
            raise PublishedError(f"{path}:1 lacks the column {missing[0]!r}; {_RESTORE}")
        yield from entries
    except FileNotFoundError:
        raise PublishedError(f"{path} does not exist; restore it from git, or run from a checkout") from None
    except csv_file.CsvError as error:
        raise PublishedError(str(error)) from None


def _require_new(path: Path, line: int, key: tuple[str, ...], known: Container[tuple[str, ...]]) -> None:
    if key in known:
        raise PublishedError(f"{path}:{line} names {', '.join(key)[:60]!r} a second time; {_RESTORE}")


def _number(path: Path, line: int, text: str, most: float) -> float:
    value = csv_file.number(text)
    if value is None or not 0 <= value <= most:
        raise PublishedError(f"{path}:{line} has {text[:60]!r} where a number from 0 to {most:g} is expected; {_RESTORE}")
    return value


def _whole(path: Path, line: int, text: str) -> int:
    if not re.fullmatch("[0-9]{1,9}", text):
        raise PublishedError(f"{path}:{line} has {text[:60]!r} where a whole number is expected; {_RESTORE}")
    return int(text)
