"""Methods against each other, two at a time: what they are compared on, and a list of such comparisons as one table.

A text that quotes many tests keeps their list in a file; the table is what the records say of it.
"""

from __future__ import annotations

import dataclasses
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from hmc.files import yaml_file
from hmc.report import notes
from hmc.report.grid import OVER_DATASETS, marked, signed
from hmc.report.metric import metric
from hmc.report.pair_table import effect_words, pair_table
from hmc.report.render import terminal, write_tables
from hmc.report.table import OUTSIDE, RECONSTRUCTED, Entry, Number, Table
from hmc.report.testing import QUICK
from hmc.results.reference import lines
from hmc.results.runs_csv import frame, merged, natural
from hmc.results.store import Store
from hmc.settings import SettingsError, build, column_name, did_you_mean, setting
from hmc.stats.frames import OVER, compare
from hmc.stats.pairwise import ALTERNATIVES, ZERO_METHODS, Choices, Family, number


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
    list: bool = setting()
    alternative: str = setting(choices=tuple(ALTERNATIVES))
    zero_method: str = setting(choices=tuple(ZERO_METHODS))
    reference: bool = setting()
    results_dir: str = setting()


def compared(asked: CompareSettings, width: int = 100) -> str:
    """The answer as text: what can be compared, a list of comparisons, which is also written, or two methods pair by pair.

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
        answer = table(path.stem, read(path), known, choices)
        folder = store.folder / "comparisons"
        write_tables([answer], folder)
        return f"{terminal(answer, width)}\nalso as {folder / answer.name}.md, .csv and .tex"
    chosen = results(known, asked.datasets)
    if asked.list:
        return f"{terminal(columns_table(chosen), width)}\n{metrics_text(chosen, width)}"
    a, b = column(asked.a, chosen), column(asked.b, chosen)
    _require_same_data(chosen, a, b)
    pairs = compare(chosen, a, b, asked.metric, asked.over, choices)
    shown = datasets_table(pairs, behind(chosen, a, b)) if asked.over == "datasets" else seeds_table(pairs)
    return f"{terminal(shown, width)}\nIn full: {pairs.sentence()}"


def columns_table(values: pd.DataFrame) -> Table:
    """What can be compared: the methods that have results, with their datasets and seeds."""
    rows = tuple(
        (str(name), Number(part["dataset"].nunique()), Number(part.groupby("dataset").size().min()), Number(len(part)))
        for name, part in values.groupby("column", sort=True)
    )
    return Table(
        name="columns",
        title="What a and b may be",
        header=("method", "datasets", "fewest seeds", "results"),
        rows=rows,
        notes=notes.about_columns(set(values["column"])),
    )


def metrics_text(values: pd.DataFrame, width: int) -> str:
    """What metric may be: the names of metrics that some result has."""
    names = [name for name in values.select_dtypes("float").columns if "." not in name and values[name].notna().any()]
    shown = ", ".join(sorted(names, key=natural))
    return textwrap.fill(f"metric may be {shown}.", width, break_long_words=False, break_on_hyphens=False)


def datasets_table(pairs: Family, values: pd.DataFrame) -> Table:
    """Two methods over datasets: a row a dataset, then the difference and the test in the notes. values: their results."""
    (pair,) = pairs
    shown = metric(pair.metric)
    of_dataset = {str(name): part for name, part in values.groupby("dataset")}
    rows: list[tuple[Entry, ...]] = [
        (
            marked(str(name), of_dataset[str(name)]),
            *(Number(shown.points * value, ".2f") for value in (a, b)),
            Number(shown.points * (a - b), "+z.2f"),
        )
        for name, a, b in zip(pair.pairs.keys, pair.pairs.a, pair.pairs.b, strict=True)
    ]
    if pair.test.p is None:
        test = f"no test: {pair.test.reason}"
    else:
        test = f"Wilcoxon signed-rank, {pair.test.alternative}, n = {pair.test.n}: p = {number(pair.test.p)}"
    return Table(
        name="pair",
        title=f"{shown.title} in {shown.difference_unit}, {pair.a} (a) against {pair.b} (b), {pair.note or 'no shared dataset'}",
        header=("dataset", "a", "b", "a - b"),
        rows=tuple(rows),
        notes=(
            f"a is higher on {pair.wins}, equal on {pair.ties}, lower on {pair.losses} of {pair.test.n} datasets; "
            f"Hodges-Lehmann difference {effect_words(pair)}; {test}.",
            *_rebuilt(values),
            *notes.about_columns((pair.a, pair.b)),
        ),
    )


def seeds_table(pairs: Family) -> Table:
    """Two methods over seeds, a row a dataset with a test of its own; p after Holm over the datasets."""
    first = next(iter(pairs))
    return pair_table(
        "seeds",
        f"{metric(first.metric).title}, {first.a} against {first.b}, over seeds within each dataset",
        pairs,
        ("Holm over the datasets.",),
    )


def read(path: Path) -> tuple[PairSettings, ...]:
    """The comparisons that a YAML file lists. Raises SettingsError naming the file and entry, OSError where it cannot be read."""
    entries = yaml_file.read(path)
    if not isinstance(entries, list) or not entries:
        raise SettingsError(f"{path} must be a list of comparisons, one a line: - {{a: METHOD, b: METHOD, metric: METRIC}}")
    try:
        return tuple(build(PairSettings, entry, at=f"comparisons[{place}]") for place, entry in enumerate(entries))
    except SettingsError as error:
        raise SettingsError(f"{path}: {error}") from None


def column(name: str, values: pd.DataFrame) -> str:
    """The column of results that a method, a method/protocol or a column's own name means.

    A column's own name is such as ``weighted (method.members=5)``; scores from outside need not be given their sign.
    """
    method, slash, protocol = name.partition("/")
    meant = column_name(method, protocol, "") if slash else name
    return f"{meant} {OUTSIDE}" if f"{meant} {OUTSIDE}" in set(values["column"]) else meant


def results(frame: pd.DataFrame, datasets: Sequence[str] = ()) -> pd.DataFrame:
    """The complete results on these datasets, or on all but generated ones and images, which count only if named.

    The columns of scores from outside bear their sign. Raises SettingsError where there are no results, or none of one of these
    datasets.
    """
    complete = frame[frame["status"] == "complete"]
    known = sorted(set(complete["dataset"]))
    for name in datasets:
        if known and name not in known:
            raise SettingsError(f"there are no results of the dataset {name!r}{did_you_mean(name, known)}")
    chosen = complete[complete["dataset"].isin(datasets) if datasets else complete["group"].isin(OVER_DATASETS)]
    if chosen.empty:
        others = f"; generated datasets and images count only if named: datasets=[{','.join(known)}]" if known else ""
        raise SettingsError(
            f"there are no results of the datasets asked for{others or '; run scripts/reproduce.py first, or set results_dir'}"
        )
    return chosen.assign(column=signed(chosen))


def behind(frame: pd.DataFrame, a: str, b: str) -> pd.DataFrame:
    """The results of two columns on the datasets that both have."""
    return frame[frame["column"].isin([a, b])].groupby("dataset").filter(lambda values: values["column"].nunique() == len({a, b}))


def _require_same_data(frame: pd.DataFrame, a: str, b: str) -> None:
    """Raises SettingsError where two columns have results of one dataset's name on different data."""
    for dataset, values in behind(frame, a, b).groupby("dataset"):
        # Lines of an earlier program do not say.
        of_column = {str(name): set(part["data.sha256"]) - {""} for name, part in values.groupby("column")}
        ours, theirs = of_column.get(a, set()), of_column.get(b, set())
        if ours and theirs and not ours & theirs:
            raise SettingsError(
                f"{a} and {b} must have results on the same data, got two different ones called {dataset!r}; give each its own "
                "dataset.name, or leave it out with datasets=[...]"
            )


def _rebuilt(values: pd.DataFrame) -> list[str]:
    """Notes on reconstructed data among these results."""
    return [f"{RECONSTRUCTED} {part}, not the published dataset." for part in notes.reconstructions(values)]


def table(name: str, asked: Sequence[PairSettings], frame: pd.DataFrame, choices: Choices = QUICK) -> Table:
    """One row a comparison over datasets, in the list's order.

    frame: as the store gives it. Raises SettingsError and ComparisonError for what the results do not have.
    """
    pairs, rebuilt = [], set()
    for one in asked:
        chosen = results(frame, one.datasets)
        a, b = column(one.a, chosen), column(one.b, chosen)
        _require_same_data(chosen, a, b)
        (pair,) = compare(chosen, a, b, one.metric, choices=choices)
        used = behind(chosen, pair.a, pair.b)
        rebuilt |= set(_rebuilt(used))
        # Each p stands for itself.
        pairs.append(dataclasses.replace(pair, note=marked(pair.note, used) if pair.note else "", p_holm=None))
    return pair_table(
        name,
        "Two methods at a time over datasets",
        pairs,
        (
            f"Wilcoxon signed-rank, {choices.alternative}, a pair a dataset. n: datasets on which both have results. Each p is "
            "that of its own row, without a correction for the others.",
            *sorted(rebuilt),
        ),
    )
