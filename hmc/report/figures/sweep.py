"""Metrics against the level of a setting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from hmc.report.figures.drawing import MARKERS, Drawing, line_style, name_axes, panel_grid
from hmc.report.metric import HALF, suffix
from hmc.report.render import slug
from hmc.report.sweeps import Sweep, shown_levels, shown_metrics

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Point = tuple[float, float, float]
"""Level, mean and standard deviation."""


def sweep_curves(sweep: Sweep, rule: str = HALF) -> Drawing:
    """The metrics of sweeps (percent) against the level of a setting, a panel a metric and a line a method.

    Bands are standard deviations over seeds. A level where a planned cell is not done is left out of its line.
    """
    name = slug(f"{sweep.name}{suffix(rule)}")
    metrics = shown_metrics(sweep.cells, rule)
    first, *others = [metrics[0].title, *(metric.in_sentence for metric in metrics[1:])]
    names = f"{', '.join([first, *others[:-1]])} and {others[-1]}" if others else first
    title = f"{names} (percent) by the {sweep.swept.title}, {sweep.where}"
    lines: dict[str, dict[str, list[Point]]] = {}
    levels_of: dict[str, set[float]] = {label: set(sweep.levels) for label in sweep.labels}
    for metric in metrics:
        for label in sweep.labels:
            points = []
            complete = shown_levels(sweep, label, metric)
            levels_of[label] &= set(complete)
            for level in complete:
                values = 100 * sweep.at(label, level)[metric.name].to_numpy(float)
                points.append((level, float(values.mean()), float(values.std(ddof=1)) if len(values) > 1 else 0.0))
            if points:
                lines.setdefault(metric.title, {})[label] = points
    if not lines:
        return Drawing(name, title, "No figure: no level is complete.")
    counts = sorted(set(sweep.cells.groupby(["label", "level"]).size()))
    seeds = f"{counts[0]} seeds" if len(counts) == 1 else f"{counts[0]} to {counts[-1]} seeds"
    lacking = [f"{label} at {level:g}" for label in sweep.labels for level in sweep.levels if level not in levels_of[label]]
    missing = f" Not complete and left out: {', '.join(lacking)}." if lacking else ""
    note = f"Mean over {seeds}; bands are one standard deviation over them.{missing}"
    logarithmic, levels, word = sweep.swept.logarithmic, sweep.levels, sweep.swept.title
    data = repr((lines, logarithmic, levels, word))
    return Drawing(name, title, note, lambda: _draw_sweep(lines, levels, word, logarithmic), data, width=640)


def _draw_sweep(
    panels: Mapping[str, Mapping[str, Sequence[Point]]], levels: Sequence[float], word: str, logarithmic: bool
) -> Figure:
    from matplotlib.ticker import NullLocator

    figure, shown = panel_grid(len(panels), width=2.9, height=2.7, above=0.75)
    labels = list(dict.fromkeys(label for lines in panels.values() for label in lines))
    for axes, (metric, lines) in zip(shown, panels.items(), strict=True):
        for label, points in lines.items():
            style = labels.index(label)
            places, means, spreads = (np.array(values) for values in zip(*points, strict=True))
            line = line_style(style)
            axes.fill_between(places, means - spreads, means + spreads, color=line["color"], alpha=0.15, linewidth=0)
            axes.plot(places, means, label=label, marker=MARKERS[style % len(MARKERS)], markersize=4.5, **line)
        axes.set_title(metric, fontsize=9)
    first = shown[0]
    if logarithmic:
        first.set_xscale("log")
        first.set_xlim(min(levels) * 0.85, max(levels) * 1.18)
    else:
        room = 0.04 * (max(levels) - min(levels))
        first.set_xlim(min(levels) - room, max(levels) + room)
    first.xaxis.set_ticks(levels, [f"{level:g}" for level in levels])
    first.xaxis.set_minor_locator(NullLocator())
    first.set_ylim(bottom=0)
    handles = {line.get_label(): line for axes in shown for line in axes.get_lines()}
    figure.legend(
        [handles[label] for label in labels], labels, loc="upper left", ncols=4, borderaxespad=0, frameon=False, fontsize=8
    )
    name_axes(figure, word, "percent")
    return figure
