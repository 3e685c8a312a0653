"""Recall by how often a node occurs in training."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from hmc.report.figures.drawing import COLOURS, INK, MARKERS, Drawing, counted, line_style, name_axes, panel_grid, short_names
from hmc.report.grid import BASELINE, FREQUENCIES, GROUPS, compared_datasets, means_over_datasets
from hmc.report.render import broken, slug
from hmc.settings import column_name

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_LINES = 7
"""With more methods than this each gets a panel of its own."""
TITLE_WIDTH = 22
"""Characters of a line above a panel."""


def recall_by_frequency(grid: pd.DataFrame, group: str, protocol: str) -> Drawing:
    """Mean node recall (percent) against the nodes' positives in training, a line a method.

    Of the datasets on which most can be compared. A method that is not planned on all of them, or not complete there, is left
    out, and named. Means over seeds, then over the datasets that have such nodes.
    """
    part = grid[(grid["group"] == group) & (grid["protocol"] == protocol)]
    baseline = column_name(BASELINE, protocol, "")
    part = part[part["dataset"].isin(compared_datasets(part, baseline))]
    name = slug(f"recall_frequency_{group}_{protocol}")
    title = f"Mean node recall (percent) by the node's positive rows in training, {GROUPS[group]}, protocol {protocol}"
    ranges = {metric: label for metric, label in FREQUENCIES.items() if metric in part and part[metric].notna().any()}
    means = means_over_datasets(part, list(dict.fromkeys(part["column"])), list(ranges))
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
        f"roots, so that small recalls can be told apart.{_reference(lines, protocol)}{shared}{missing}"
    )
    labels = list(ranges.values())
    return Drawing(name, title, note, lambda: _draw_recall(lines, labels, baseline), repr((lines, labels, baseline)))


def _reference(lines: Mapping[str, Sequence[float]], protocol: str) -> str:
    baseline = column_name(BASELINE, protocol, "")
    return f" Dashed in every panel: {baseline}." if len(lines) > MOST_LINES and baseline in lines else ""


def _draw_recall(lines: Mapping[str, Sequence[float]], labels: Sequence[str], baseline: str) -> Figure:
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
        figure, shown = panel_grid(len(others), width=2.3, height=1.9)
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
    name_axes(figure, "positive rows in training", "mean node recall (percent)")
    return figure


def _root(values: np.ndarray) -> np.ndarray:
    return np.sqrt(np.clip(values, 0, None))
