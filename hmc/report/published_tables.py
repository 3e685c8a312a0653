"""Ours against published numbers. No published value stands beside a number of another metric."""

from __future__ import annotations

import dataclasses

import pandas as pd

from hmc.report import notes, verdicts
from hmc.report.grid import BASELINE, BENCHMARK, HELD_OUT, baseline_column, by_dataset, marked, mean_std, on_train_alone, places
from hmc.report.metric import AU_PRC, MACRO_F1, Metric, metric
from hmc.report.table import DASH, Entry, MeanStd, Number, Table
from hmc.results.published import Published, PublishedValue
from hmc.settings import variant

_COMPARISON = ("dataset", "method", "ours", "published", "difference", "verdict")


def published_au_prc(grid: pd.DataFrame, published: Published) -> Table:
    """AU(PRC) of each column for whose method a value of the same metric is published.

    Datasets without any are listed with a dash, and so are reference predictors.
    """
    # No table of the papers at hand has images.
    grid = _trained_as_papers(grid[grid["group"] != "images"])
    known = {dataset for dataset, _ in published.au_prc}
    rows: list[tuple[Entry, ...]] = []
    shown = []
    for (dataset, column), values in places(grid).items():
        # Other data have no published counterpart, whatever they are called.
        comparable = values["group"].isin(BENCHMARK).all()
        value = published.au_prc.get((dataset, str(values["method"].iloc[0]))) if comparable else None
        if value is not None and value.metric != AU_PRC.name:
            value = None
        if value is not None or dataset not in known or not comparable or values["reference"].all():
            rows.append(_comparison(dataset, column, values, AU_PRC, value, verdicts.AU_PRC))
            shown.append(values)
    part = pd.concat(shown) if shown else grid[:0]
    return Table(
        name="published_au_prc",
        title="AU(PRC) (micro-averaged average precision, fraction), ours against published: "
        f"mean ± standard deviation over seeds (n){notes.progress(part)}",
        header=_COMPARISON,
        rows=tuple(rows),
        notes=(*notes.signs(rows), verdicts.AU_PRC.why, *notes.about(part)),
        with_seeds=True,
        keys=2,
    )


def published_macro_f1(grid: pd.DataFrame, published: Published) -> Table:
    """Macro F1 of every column against the paper's one cell for the dataset, whose method is not named; the nearest is marked."""
    rows: list[tuple[Entry, ...]] = []
    strong = set()
    grid = _trained_as_papers(grid[grid["dataset"].isin(list(published.macro_f1)) & grid["group"].isin(BENCHMARK)])
    for dataset, part in by_dataset(grid).items():
        value = published.macro_f1[dataset]
        columns = {column: values for (_, column), values in places(part).items()}
        distances = {
            place: None if (mean := mean_std(values, MACRO_F1).mean) is None else abs(mean - value.value)
            for place, values in enumerate(columns.values(), len(rows))
            if not values["reference"].all()
        }
        if distances and None not in distances.values():
            strong.add((min(distances, key=lambda place: distances[place] or 0.0), 1))
        rows += [_comparison(dataset, column, values, MACRO_F1, value, verdicts.MACRO_F1) for column, values in columns.items()]
    return Table(
        name="published_macro_f1",
        title="Macro F1 (percent), each of our methods against the paper's cell, whose method is not named: "
        f"mean ± standard deviation over seeds (n){notes.progress(grid)}",
        header=_COMPARISON,
        rows=tuple(rows),
        notes=(
            *notes.signs(rows),
            verdicts.MACRO_F1.why,
            "Bold (* in plain text): the method nearest to the paper's cell, once all methods of the dataset are complete.",
            *notes.about(grid),
        ),
        strong=frozenset(strong),
        with_seeds=True,
        keys=2,
    )


def _trained_as_papers(grid: pd.DataFrame) -> pd.DataFrame:
    """The cells that are trained on train and valid."""
    return grid[~on_train_alone(grid)]


def _comparison(
    dataset: str, column: str, values: pd.DataFrame, shown: Metric, value: PublishedValue | None, tolerance: verdicts.Tolerance
) -> tuple[Entry, ...]:
    """A row of ours against a published value. A reference predictor reproduces nothing, so it has no verdict."""
    ours = (values[shown.name].dropna() * shown.scale).tolist() if shown.name in values else []
    judged = verdicts.verdict(ours, value, tolerance, planned=len(values))
    name, mean = marked(dataset, values), mean_std(values, shown)
    if value is None:
        return name, column, mean, DASH, DASH, DASH
    difference: Entry = DASH if judged.difference is None else Number(judged.difference, f"+z.{shown.digits + 1}f")
    verdict = DASH if values["reference"].all() else marked(judged.name, values)
    return name, column, mean, published_entry(value), difference, verdict


def published_entry(value: PublishedValue) -> MeanStd:
    """A published value as an entry, with its spread and its number of runs where they are known."""
    return MeanStd(value.value, value.spread, value.seeds or 0, digits=value.digits)


# --- other methods' numbers -------------------------------------------------------------------------------------------


def published_later(grid: pd.DataFrame, published: Published) -> Table:
    """What others have published for these datasets beside our C-HMCNN in the same metric.

    Ours is trained on the same rows: on train and valid, or, where theirs saw train alone, with training.holdout=valid. A value
    whose metric is not stated has neither a number of ours beside it nor a verdict.
    """
    grid = grid[grid["group"].isin(BENCHMARK) & (grid["method"] == BASELINE) & (grid["protocol"] == "released")]
    rows: list[tuple[Entry, ...]] = []
    for dataset, part in by_dataset(grid).items():
        for value in published.of_others(dataset):
            column = baseline_column(held_out=value.trained_on == "train")
            ours = part[part["column"] == column]
            rows.append((marked(dataset, part), *_beside_ours(value, ours)))
    return Table(
        name="published_later",
        title=f"Other methods' published numbers beside our {BASELINE} in the same metric (fractions): mean ± standard deviation "
        "over seeds (n)",
        header=("dataset", "method", "published", "metric", "trained on", "ours", "difference", "ours is", "source"),
        rows=tuple(rows),
        notes=(
            *notes.signs(rows),
            "AU(PRC) is micro average precision, a step function; CLUS pooled area is the area under an interpolated curve: two "
            "metrics, each compared with its own kind alone. Where a source does not state its metric, nothing is compared.",
            "Ours is trained on train + valid as theirs, or, where theirs saw train alone, on train alone "
            f"({variant(HELD_OUT)}). {verdicts.STANDING}",
            *notes.about(grid),
        ),
        with_seeds=True,
        keys=2,
    )


CLUS_ENS = "clus_ens"
_FORESTS = ("extra_trees", "random_forest")


def published_forests(grid: pd.DataFrame, published: Published) -> Table:
    """Our forests, and C-HMCNN, beside every published value of CLUS-Ens, an ensemble of trees: in CLUS's metric, in which it is
    published, and in micro average precision, in which C-HMCNN is. No rows without a forest.
    """
    grid = _trained_as_papers(grid[grid["group"].isin(BENCHMARK) & (grid["protocol"] == "released") & grid["planned"]])
    grid = grid[grid["method"].isin((*_FORESTS, BASELINE)) & (grid["column"] == grid["method"])]
    pooled = dataclasses.replace(metric("clus_pooled_area"), unit="fraction", scale=1, digits=3)
    rows: list[tuple[Entry, ...]] = []
    for (dataset, column), values in places(grid).items():
        for value in (one for one in published.of_others(dataset) if one.method == CLUS_ENS):
            ours, micro = mean_std(values, pooled), mean_std(values, AU_PRC)
            difference: Entry = DASH if ours.mean is None else Number(ours.mean - value.value, "+z.3f")
            rows.append((marked(dataset, values), column, ours, published_entry(value), difference, micro, value.source))
    return Table(
        name="published_forests",
        title="Forests beside the published CLUS-Ens (fractions): mean ± standard deviation over seeds (n)",
        header=("dataset", "method", "CLUS pooled area", f"published {CLUS_ENS}", "difference", AU_PRC.title, "source"),
        rows=tuple(rows) if set(grid["method"]) & set(_FORESTS) else (),
        notes=(
            *notes.signs(rows),
            f"{CLUS_ENS} is published as the area under CLUS's interpolated curve; the difference is to ours in the same metric. "
            f"{AU_PRC.title} is micro average precision, a step function, in which C-HMCNN is published.",
            *notes.about(grid),
        ),
        with_seeds=True,
        keys=2,
    )


def _beside_ours(value: PublishedValue, ours: pd.DataFrame) -> tuple[Entry, ...]:
    """A row without its dataset: a published value, and ours in the same metric."""
    theirs, trained_on = published_entry(value), value.trained_on or DASH
    if not value.metric:
        return value.method, theirs, "not stated", trained_on, DASH, DASH, DASH, value.source
    shown = dataclasses.replace(metric(value.metric), unit="fraction", scale=1, digits=3)
    mean = DASH if ours.empty else mean_std(ours, shown)
    if isinstance(mean, str) or mean.mean is None:
        return value.method, theirs, shown.title, trained_on, mean, DASH, DASH, value.source
    standing = marked(verdicts.standing(mean.mean, value), ours)
    return value.method, theirs, shown.title, trained_on, mean, Number(mean.mean - value.value, "+z.4f"), standing, value.source
