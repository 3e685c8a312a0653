"""Methods against each other, two at a time: what they are compared on, and a list of such comparisons as one table.

A text that quotes many tests keeps their list in a file; the table is what the records say of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from hmc.files import yaml_file
from hmc.report.grid import OVER_DATASETS, marked
from hmc.report.near_best import QUICK
from hmc.report.pair_table import BALANCE, POINTS, balance, difference, p_value
from hmc.report.render import DASH, RECONSTRUCTED, Table, terminal, write_tables
from hmc.results.reference import lines
from hmc.results.runs_csv import frame, merged
from hmc.results.store import Store
from hmc.settings import SettingsError, build, column_name, did_you_mean, setting
from hmc.stats.frames import OVER, compare
from hmc.stats.pairwise import ALTERNATIVES, ZERO_METHODS, Choices, Comparison, Family


@dataclass(frozen=True)
class PairSettings:
    """One comparison of a list. a, b: as :func:`column` takes them. datasets: empty for all that :func:`results` takes."""

    a: str = setting()
    b: str = setting()
    metric: str = setting()
    datasets: tuple[str, ...] = setting(())


@dataclass(frozen=True)
class CompareSettings:
    """What ``scripts/compare.py`` is asked."""

    a: str = setting()
    b: str = setting()
    metric: str = setting()
    over: str = setting(choices=OVER)
    datasets: tuple[str, ...] = setting()
    comparisons: str = setting()
    alternative: str = setting(choices=tuple(ALTERNATIVES))
    zero_method: str = setting(choices=tuple(ZERO_METHODS))
    reference: bool = setting()
    results_dir: str = setting()


def compared(asked: CompareSettings, width: int = 100) -> str:
    """The answer as text: a table of a list of comparisons, which is also written, or two methods dataset by dataset and the
    test.

    Raises SettingsError and ComparisonError for what the results do not have.
    """
    store = Store(asked.results_dir, must_exist=True)
    known = frame(merged(lines() if asked.reference else [], store.rows()))
    choices = Choices(alternative=asked.alternative, zero_method=asked.zero_method)
    if asked.comparisons:
        path = Path(asked.comparisons).expanduser()
        if path.suffix not in (".yaml", ".yml"):
            raise SettingsError(
                f"comparisons={asked.comparisons!r} must be a YAML file (.yaml) that lists comparisons; see --help"
            )
        found = table(path.stem, read(path), known, choices)
        folder = store.folder / "comparisons"
        write_tables([found], folder)
        return f"{terminal(found, width)}\nalso as {folder / found.name}.md, .csv and .tex"
    chosen = results(known, asked.datasets)
    a, b = column(asked.a), column(asked.b)
    pairs = compare(chosen, a, b, asked.metric, asked.over, choices)
    shown = pair_table(pairs, behind(chosen, a, b)) if asked.over == "datasets" else seeds_table(pairs)
    return f"{terminal(shown, width)}\nIn full: {pairs.sentence()}"


def pair_table(pairs: Family, values: pd.DataFrame) -> Table:
    """Two methods over datasets: a row a dataset, then the difference and the test in the notes. values: their results."""
    (pair,) = pairs
    named = {str(name): part for name, part in values.groupby("dataset")}
    rows = [
        (marked(str(name), named[str(name)]), *(f"{POINTS * value:.2f}" for value in (a, b)), f"{POINTS * (a - b):+z.2f}")
        for name, a, b in zip(pair.pairs.keys, pair.pairs.a, pair.pairs.b, strict=True)
    ]
    test = "no test" if pair.test.p is None else f"Wilcoxon signed-rank, {choice_words(pair)}: p = {p_value(pair.test.p)}"
    return Table(
        name="pair",
        title=f"{pair.metric} in points (hundredths), {pair.a} (a) against {pair.b} (b), {pair.note or 'no shared dataset'}",
        header=("dataset", "a", "b", "a - b"),
        rows=tuple(rows),
        notes=(
            f"a is higher on {pair.wins}, equal on {pair.ties}, lower on {pair.losses} of {pair.test.n} datasets; "
            f"Hodges-Lehmann difference {difference(pair)} points; {test}.",
            *(f"{RECONSTRUCTED} {part}, not the published dataset." for part in reconstructions(values)),
        ),
    )


def seeds_table(pairs: Family) -> Table:
    """Two methods over seeds, a row a dataset with a test of its own; p after Holm over the datasets."""
    first = next(iter(pairs))
    return Table(
        name="seeds",
        title=f"{first.metric} in points (hundredths), {first.a} (a) against {first.b} (b), over seeds within each dataset",
        header=("dataset", "seeds", BALANCE, "difference a - b", "p", "p after Holm"),
        rows=tuple(
            (pair.where, str(pair.test.n), balance(pair), difference(pair), p_value(pair.test.p), p_value(pair.p_holm))
            for pair in pairs
        ),
    )


def choice_words(pair: Comparison) -> str:
    """The side and the number of pairs of a test."""
    return f"{pair.test.alternative}, n = {pair.test.n}"


def read(path: Path) -> tuple[PairSettings, ...]:
    """The comparisons that a YAML file lists. Raises SettingsError naming the file and entry, OSError where it cannot be read."""
    entries = yaml_file.read(path)
    if not isinstance(entries, list) or not entries:
        raise SettingsError(f"{path} is no list of comparisons; write lines of - {{a: METHOD, b: METHOD, metric: METRIC}}")
    try:
        return tuple(build(PairSettings, entry, at=f"comparisons[{place}]") for place, entry in enumerate(entries))
    except SettingsError as error:
        raise SettingsError(f"{path}: {error}") from None


def column(name: str) -> str:
    """The column that a method, a method/protocol or a column's own name, such as ``weighted (method.members=5)``, means."""
    method, slash, protocol = name.partition("/")
    return column_name(method, protocol, "") if slash else method


def results(frame: pd.DataFrame, datasets: Sequence[str] = ()) -> pd.DataFrame:
    """The complete results on these datasets, or on all but generated ones and images, which count only if named.

    Raises SettingsError where there are none, or none of one of these datasets.
    """
    complete = frame[frame["status"] == "complete"]
    known = sorted(set(complete["dataset"]))
    for name in datasets:
        if known and name not in known:
            raise SettingsError(f"there are no results of the dataset {name!r}{did_you_mean(name, known)}")
    found = complete[complete["dataset"].isin(datasets) if datasets else complete["group"].isin(OVER_DATASETS)]
    if found.empty:
        raise SettingsError("there are no results of the datasets asked for; run scripts/reproduce.py first, or set results_dir")
    return found


def behind(frame: pd.DataFrame, a: str, b: str) -> pd.DataFrame:
    """The results of two columns on the datasets that both have."""
    return frame[frame["column"].isin([a, b])].groupby("dataset").filter(lambda values: values["column"].nunique() == len({a, b}))


def reconstructions(values: pd.DataFrame) -> list[str]:
    """What was reconstructed of these results' data, in words, sorted."""
    return sorted(set(values["reconstructed"]) - {""})


def table(name: str, asked: Sequence[PairSettings], frame: pd.DataFrame, choices: Choices = QUICK) -> Table:
    """One row a comparison over datasets, in the list's order.

    frame: as the store gives it. Raises SettingsError and ComparisonError for what the results do not have.
    """
    rows, words = [], set()
    for one in asked:
        chosen = results(frame, one.datasets)
        (pair,) = compare(chosen, column(one.a), column(one.b), one.metric, choices=choices)
        compared = behind(chosen, pair.a, pair.b)
        words |= set(reconstructions(compared))
        rows.append(
            (
                one.metric,
                pair.a,
                pair.b,
                marked(str(pair.test.n), compared),
                pair.note or DASH,
                balance(pair),
                difference(pair),
                p_value(pair.test.p),
            )
        )
    return Table(
        name=name,
        title="Two methods at a time over datasets: difference in points (hundredths) of the metric, and p",
        header=("metric", "a", "b", "n", "a dataset's value", BALANCE, "difference a - b", "p"),
        rows=tuple(rows),
        notes=(
            f"Wilcoxon signed-rank, {choices.alternative}, a pair a dataset; difference: Hodges-Lehmann. n: datasets on which "
            "both have results. Each p stands for itself, without a correction for the other rows.",
            *(f"{RECONSTRUCTED} {part}, not the published dataset, is among them." for part in sorted(words)),
        ),
    )
