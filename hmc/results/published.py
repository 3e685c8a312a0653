"""The papers' numbers, read from ``results/published/*.csv``; the README beside them says what each file holds."""

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

BASELINE = "chmcnn"
MICRO_AVERAGE_PRECISION = "micro average precision"
"""How a source states C-HMCNN's AU(PRC)."""
_METRICS = {BASELINE: "au_prc", "clus_ens": "clus_pooled_area", "clus_hmc": "clus_pooled_area"}
"""Our name of the metric of methods whose sources do not state it beside the number: C-HMCNN's is micro average precision, the
CLUS columns are areas under interpolated curves.
"""


class PublishedError(ValueError):
    """A file of published numbers is missing or malformed. The message is for the user."""


@dataclass(frozen=True)
class PublishedValue:
    """One published number.

    value, spread: in the unit of its file (AU(PRC) a fraction, F1 percent); spread is the standard deviation over seeds. seeds:
    how many runs it is the mean of. Both are None where not published. method: "" where the source does not name it. digits:
    decimals worth printing. metric: what our records call its metric, "" where that is not known; stated: what the source says
    of it. trained_on: train, train+valid, or "" where not stated.
    """

    dataset: str
    method: str
    value: float
    digits: int
    source: str
    spread: float | None = None
    seeds: int | None = None
    note: str = ""
    metric: str = ""
    stated: str = ""
    trained_on: str = ""


@dataclass(frozen=True)
class Published:
    """au_prc: by (dataset, method), fractions. macro_f1: by dataset, percent, of a method that the source does not name. later:
    what was published after C-HMCNN, fractions; a method may occur in au_prc too, from another source.
    """

    au_prc: Mapping[tuple[str, str], PublishedValue]
    macro_f1: Mapping[str, PublishedValue]
    later: tuple[PublishedValue, ...] = ()

    def of_others(self, dataset: str) -> list[PublishedValue]:
        """What is published for a dataset of methods other than C-HMCNN, the later sources first."""
        older = [value for value in self.au_prc.values() if value.method != BASELINE]
        return [value for value in (*self.later, *older) if value.dataset == dataset]


def load(folder: Path | None = None) -> Published:
    """All published numbers; ``folder`` defaults to the checkout's ``results/published``.

    Raises PublishedError naming the file and line.
    """
    folder = folder or FOLDER
    return Published(_au_prc(folder), _macro_f1(folder / "xu2026_f1.csv"), _later(folder / "au_prc_later.csv"))


def _au_prc(folder: Path) -> dict[tuple[str, str], PublishedValue]:
    """The table's three decimals; where single seeds were posted, their mean and standard deviation instead."""
    values: dict[tuple[str, str], PublishedValue] = {}
    path = folder / "au_prc.csv"
    for line, entry in _lines(path, ("dataset", "method", "au_prc", "seeds", "source")):
        key = (entry["dataset"], entry["method"])
        _require_new(path, line, key, values)
        seeds = _whole(path, line, entry["seeds"]) if entry["seeds"] else None
        metric = _METRICS.get(entry["method"], "")
        values[key] = PublishedValue(
            *key, _number(path, line, entry["au_prc"], 1), 3, entry["source"], seeds=seeds, metric=metric
        )
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
        mean, metric = statistics.fmean(numbers), _METRICS.get(key[1], "")
        values[key] = PublishedValue(*key, mean, 4, sources[key], spread=spread, seeds=len(numbers), metric=metric)
    return values


def _later(path: Path) -> tuple[PublishedValue, ...]:
    columns = ("dataset", "method", "au_prc", "seeds", "source", "trained_on", "metric")
    values: dict[tuple[str, ...], PublishedValue] = {}
    for line, entry in _lines(path, columns):
        key = (entry["dataset"], entry["method"], entry["source"])
        _require_new(path, line, key, values)
        stated = entry["metric"]
        values[key] = PublishedValue(
            entry["dataset"],
            entry["method"],
            _number(path, line, entry["au_prc"], 1),
            3,
            entry["source"],
            seeds=_whole(path, line, entry["seeds"]) if entry["seeds"] else None,
            metric="au_prc" if stated == MICRO_AVERAGE_PRECISION else _METRICS.get(entry["method"], ""),
            stated=stated,
            trained_on=entry["trained_on"],
        )
    return tuple(values.values())


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
