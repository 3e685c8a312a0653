"""Training loss by epoch."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from hmc.report.figures.drawing import TITLE_WIDTH, Drawing, line_style, name_axes, panel_grid, short_names, title_lines
from hmc.report.grid import GROUPS
from hmc.report.render import broken, slug

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_POINTS = 60
"""Epochs drawn of a curve."""

Curve = list[tuple[int, float]]
"""Epoch and mean relative loss."""


def learning_curves(grid: pd.DataFrame, curves: Mapping[str, Sequence[float]], group: str, protocol: str) -> Drawing:
    """Training loss by epoch relative to the first, a panel a method, a line a dataset.

    curves: by identity, a loss an epoch. Losses of different methods are sums or means of different terms, so only their
    course can be compared.
    """
    part = grid[(grid["group"] == group) & (grid["protocol"] == protocol) & grid["done"]]
    name = slug(f"learning_curves_{group}_{protocol}")
    title = f"Training loss relative to the first epoch, {GROUPS[group]}, protocol {protocol}"
    panels: dict[str, dict[str, Curve]] = {}
    for (column, dataset), values in part.groupby(["column", "dataset"], sort=False):
        known = [np.asarray(curves[one], dtype=float) for one in values["identity"] if len(curves.get(one, ())) > 1]
        known = [curve / curve[0] for curve in known if curve[0] > 0 and (curve > 0).all()]
        if known:
            shortest = min(len(curve) for curve in known)
            epochs = np.unique(np.geomspace(1, shortest, MOST_POINTS).round().astype(int))
            means = np.mean([curve[epochs - 1] for curve in known], axis=0)
            panels.setdefault(str(column), {})[str(dataset)] = [
                (int(epoch), float(mean)) for epoch, mean in zip(epochs, means, strict=True)
            ]
    if not panels:
        return Drawing(name, title, "No figure: no record at hand has a learning curve (runs.csv holds none).")
    names, shared = short_names(part, panels)
    panels = {names[column]: curves for column, curves in panels.items()}
    note = f"Mean over the seeds at hand; at most {MOST_POINTS} epochs of a curve are drawn. Both axes are logarithmic.{shared}"
    return Drawing(name, title, note, lambda: _draw_learning(panels), repr(panels))


def _draw_learning(panels: Mapping[str, Mapping[str, Curve]]) -> Figure:
    from matplotlib.ticker import NullLocator

    datasets = list(dict.fromkeys(dataset for curves in panels.values() for dataset in curves))
    single = len(panels) == 1
    across = min(4 if len(panels) > 2 else 2, len(datasets))
    above = 0.45 + 0.19 * math.ceil(len(datasets) / across)
    size = {"width": 5.0, "height": 3.4} if single else {"width": 2.3, "height": 1.9}
    figure, shown = panel_grid(len(panels), **size, above=above, title_lines=title_lines(panels))
    for axes, (column, curves) in zip(shown, panels.items(), strict=True):
        for dataset, curve in curves.items():
            axes.plot(*zip(*curve, strict=True), label=dataset, **line_style(datasets.index(dataset)))
        axes.set_title("\n".join(broken(column, TITLE_WIDTH)), fontsize=8)
    points = [point for curves in panels.values() for curve in curves.values() for point in curve]
    longest = max(epoch for epoch, _ in points)
    lowest, highest = min(loss for _, loss in points), max(loss for _, loss in points)
    ticks = [tick for tick in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000) if tick <= longest]
    steps = [tick for tick in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10) if lowest * 0.7 <= tick <= highest * 1.4]
    ticks = ticks[:: max(1, math.ceil(len(ticks) / (8 if single else 4)))]
    steps = steps or [1]
    first = shown[0]
    for axis, places, low, high in (
        (first.xaxis, ticks, 0.9, longest * 1.1),
        (first.yaxis, steps, min(lowest, steps[0]) * 0.9, max(highest, steps[-1]) * 1.1),
    ):
        (first.set_xscale if axis is first.xaxis else first.set_yscale)("log")
        axis.set_ticks(places, [f"{place:g}" for place in places])
        axis.set_minor_locator(NullLocator())
        (first.set_xlim if axis is first.xaxis else first.set_ylim)(low, high)
    handles = {line.get_label(): line for axes in shown for line in axes.get_lines()}
    figure.legend(
        [handles[dataset] for dataset in datasets],
        datasets,
        loc="upper left",
        ncols=across,
        borderaxespad=0,
        frameon=False,
        fontsize=8,
    )
    name_axes(figure, "epoch", "loss / loss of the first epoch")
    return figure
