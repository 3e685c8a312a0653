"""The papers' numbers, read from ``results/published/*.csv``. What each file holds is told in the README beside them."""

from __future__ import annotations

import csv
import statistics
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

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
    values = {}
    path = folder / "au_prc.csv"
    for line, entry in _lines(path, ("dataset", "method", "au_prc", "seeds", "source")):
        key = (entry["dataset"], entry["method"])
        seeds = int(entry["seeds"]) if entry["seeds"] else None
        values[key] = PublishedValue(*key, _number(path, line, entry["au_prc"]), 3, entry["source"], seeds=seeds)
    singles: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    path = folder / "chmcnn_cellcycle_fun_seeds.csv"
    for line, entry in _lines(path, ("dataset", "method", "seed", "au_prc", "source")):
        singles[entry["dataset"], entry["method"], entry["source"]].append(_number(path, line, entry["au_prc"]))
    for (dataset, method, source), numbers in singles.items():
        spread = statistics.stdev(numbers) if len(numbers) > 1 else None
        mean = statistics.fmean(numbers)
        values[dataset, method] = PublishedValue(dataset, method, mean, 4, source, spread=spread, seeds=len(numbers))
    return values


def _macro_f1(path: Path) -> dict[str, PublishedValue]:
    values = {}
    for line, entry in _lines(path, ("dataset", "macro_f1_percent", "method", "note")):
        text = entry["macro_f1_percent"]
        method = "" if entry["method"] == "not named" else entry["method"]
        digits = len(text.partition(".")[2])
        values[entry["dataset"]] = PublishedValue(
            entry["dataset"], method, _number(path, line, text), digits, "Xu et al. 2026", note=entry["note"]
        )
    return values


def _lines(path: Path, columns: tuple[str, ...]) -> list[tuple[int, dict[str, str]]]:
    """The entries of a file with their line numbers."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            missing = [name for name in columns if name not in (reader.fieldnames or [])]
            if missing:
                raise PublishedError(f"{path}:1 lacks the column {missing[0]!r}; restore the file from git")
            entries = []
            for entry in reader:
                if None in entry or None in entry.values():
                    raise PublishedError(f"{path}:{reader.line_num} has not as many fields as the header; restore it from git")
                entries.append((reader.line_num, entry))
    except FileNotFoundError:
        raise PublishedError(f"{path} does not exist; restore it from git, or run from a checkout") from None
    return entries


def _number(path: Path, line: int, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise PublishedError(f"{path}:{line} has {text!r} where a number is expected; restore the file from git") from None
