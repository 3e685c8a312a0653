"""Recall, and average precision, by how often a node occurs in training."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from hmc.report.figures.drawing import (
    COLOURS,
    INK,
    MARKERS,
    TITLE_WIDTH,
    Drawing,
    counted,
    line_style,
    name_axes,
    panel_grid,
    short_names,
    signed_note,
    title_lines,
)
from hmc.report.grid import BASELINE, GROUPS, compared, compared_datasets, has_values, means_over_datasets, planned
from hmc.report.metric import BANDS, HALF, metric, suffix
from hmc.report.render import broken, slug
from hmc.settings import column_name

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_LINES = 7
"""With more methods than this each gets a panel of its own."""


@dataclass(frozen=True)
class Shown:
    """What is drawn against frequency. name: how its metrics' names begin."""

    name: str
    title: str
    of_rule: bool


RECALL = Shown("recall_frequency", "mean node recall", of_rule=True)
PRECISION = Shown("macro_ap_frequency", "mean average precision of nodes", of_rule=False)


def recall_by_frequency(grid: pd.DataFrame, group: str, protocol: str, rule: str = HALF) -> Drawing:
    """Mean node recall (percent) against the nodes' positives in training, see :func:`by_frequency`."""
    return by_frequency(grid, group, protocol, RECALL, rule)


def precision_by_frequency(grid: pd.DataFrame, group: str, protocol: str, rule: str = HALF) -> Drawing:
    """Mean average precision (percent) against the nodes' positives in training; no rule changes it."""
    return by_frequency(grid, group, protocol, PRECISION)


def by_frequency(grid: pd.DataFrame, group: str, protocol: str, shown: Shown, rule: str = HALF) -> Drawing:
    """A metric of nodes (percent) against their positives in training, a line a method.

    Over the datasets on which most can be compared. A method that is not planned on all of them, or not complete there, is left
    out, and named. Means over seeds, then over the datasets that have such nodes.
    """
    rule = rule if shown.of_rule else HALF
    part = compared(grid)
    part = part[(part["group"] == group) & (part["protocol"] == protocol)]
    baseline = column_name(BASELINE, protocol, "")
    part = part[part["dataset"].isin(compared_datasets(planned(part), baseline))]
    name = slug(f"{shown.name}_{group}_{protocol}{suffix(rule)}")
    under = "" if rule == HALF else f" with rule {rule}"
    what = shown.title[0].upper() + shown.title[1:]
    title = f"{what}{under} (percent) by the node's positive rows in training, {GROUPS[group]}, protocol {protocol}"
    ranges = {metric(f"{shown.name}_{band}", rule): label for band, label in BANDS.items()}
    ranges = {one: label for one, label in ranges.items() if has_values(part, one)}
    means = means_over_datasets(part, list(dict.fromkeys(part["column"])), [one.name for one in ranges])
    lines = {
        column: [math.nan if value is None else 100 * value for value in values.values()]
        for column, values in means.items()
        if any(value is not None for value in values.values())
    }
    left_out = [column for column in means if column not in lines]
    missing = f" Not complete on these datasets and left out: {', '.join(left_out)}." if left_out else ""
    if not lines:
        return Drawing(name, title, f"No figure: no method is complete on all datasets of the group.{missing}")
    datasets = part["dataset"].nunique()
    names, shared = short_names(part, lines)
    lines = {names[column]: values for column, values in lines.items()}
    note = (
        f"Mean over seeds, then over {counted(datasets, 'dataset')} (those that have such nodes). The scale is that of square "
        f"roots, so that small values can be told apart.{_dashed(lines, baseline)}{shared}{missing}{signed_note(lines)}"
    )
    labels = list(ranges.values())
    axis = f"{shown.title} (percent)"
    width = 520 if len(lines) <= MOST_LINES else 900
    return Drawing(name, title, note, lambda: _draw(lines, labels, baseline, axis), repr((lines, labels, baseline, axis)), width)


def _dashed(lines: Mapping[str, Sequence[float]], baseline: str) -> str:
    return f" Dashed in every panel: {baseline}." if len(lines) > MOST_LINES and baseline in lines else ""


def _draw(lines: Mapping[str, Sequence[float]], labels: Sequence[str], baseline: str, axis: str) -> Figure:
    order = [baseline, *(one for one in lines if one != baseline)] if baseline in lines else list(lines)
    places = np.arange(len(labels))
    highest = max([value for values in lines.values() for value in values if not math.isnan(value)], default=1.0)
    if len(order) <= MOST_LINES:
        figure, (axes,) = panel_grid(1, width=7.2, height=4.0)
        for place, column in enumerate(order):
            style = place if baseline in lines else place + 1
            axes.plot(places, lines[column], label=column, marker=MARKERS[style], markersize=5, **line_style(style))
        axes.legend(loc="best", frameon=False)
        shown = [axes]
    else:
        others = [column for column in order if column != baseline]
        figure, shown = panel_grid(len(others), width=2.3, height=1.9, title_lines=title_lines(others))
        for axes, column in zip(shown, others, strict=True):
            if baseline in lines:
                axes.plot(places, lines[baseline], color=INK, alpha=0.5, linestyle="--", linewidth=1.2)
            axes.plot(places, lines[column], marker="o", markersize=3.5, color=COLOURS[1], linewidth=1.6)
            axes.set_title("\n".join(broken(column, TITLE_WIDTH)), fontsize=8)
    ticks = [tick for tick in (0, 1, 5, 10, 20, 40, 60, 80, 100) if tick <= max(1, highest * 1.15)]
    first = shown[0]
    first.set_yscale("function", functions=(_root, np.square))
    first.set_ylim(0, max(1.0, highest * 1.15))
    first.set_yticks(ticks, [str(tick) for tick in ticks])
    first.set_xticks(places, labels)
    first.set_xlim(-0.25, len(labels) - 0.75)
    if len(shown) > 1:
        for axes in shown:
            axes.tick_params(axis="x", labelsize=6.5, rotation=30)
    name_axes(figure, "positive rows in training", axis)
    return figure


def _root(values: np.ndarray) -> np.ndarray:
    return np.sqrt(np.clip(values, 0, None))
