"""Methods against each other, two at a time: what they are compared on, and a list of such comparisons as one table.

A text that quotes many tests keeps their list in a file; the table is what the records say of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from hmc.files import yaml_file
from hmc.report.near_best import QUICK
from hmc.report.pair_table import BALANCE, balance, difference, p_value
from hmc.report.render import DASH, RECONSTRUCTED, Table
from hmc.report.tables import OVER_DATASETS, marked
from hmc.settings import SettingsError, build, column_name, did_you_mean, setting
from hmc.stats.frames import compare
from hmc.stats.pairwise import Choices


@dataclass(frozen=True)
class Asked:
    """One comparison of a list. a, b: as :func:`column` takes them. datasets: empty for all that :func:`results` takes."""

    a: str = setting()
    b: str = setting()
    metric: str = setting()
    datasets: tuple[str, ...] = setting(())


def read(path: Path) -> tuple[Asked, ...]:
    """The comparisons that a YAML file lists. Raises SettingsError naming the file and entry, OSError where it cannot be read."""
    entries = yaml_file.read(path)
    if not isinstance(entries, list) or not entries:
        raise SettingsError(f"{path} is no list of comparisons; write lines of - {{a: METHOD, b: METHOD, metric: METRIC}}")
    try:
        return tuple(build(Asked, entry, at=f"comparisons[{place}]") for place, entry in enumerate(entries))
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


def rebuilt(values: pd.DataFrame) -> list[str]:
    """What was reconstructed of these results' data, in words, sorted."""
    return sorted(set(values["reconstructed"]) - {""})


def table(name: str, asked: Sequence[Asked], frame: pd.DataFrame, choices: Choices = QUICK) -> Table:
    """One row a comparison over datasets, in the list's order.

    frame: as the store gives it. Raises SettingsError and ComparisonError for what the results do not have.
    """
    rows, words = [], set()
    for one in asked:
        chosen = results(frame, one.datasets)
        (pair,) = compare(chosen, column(one.a), column(one.b), one.metric, choices=choices)
        compared = behind(chosen, pair.a, pair.b)
        words |= set(rebuilt(compared))
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
