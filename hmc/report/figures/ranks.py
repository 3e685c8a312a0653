"""The critical-difference diagram: average ranks of methods."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from hmc.report.figures.drawing import COLOURS, INK, Drawing, signed_note
from hmc.report.render import slug
from hmc.report.significance import Analysis
from hmc.stats.pairwise import number
from hmc.stats.ranks import matrix

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def critical_difference(found: Analysis) -> Drawing:
    """Average ranks over datasets, Nemenyi's critical difference, and bars over methods that it does not tell apart."""
    ranking = found.ranking
    name = slug(f"critical_difference_{found.name}")
    title = f"Average ranks by {found.metric.in_sentence} over datasets (1 is best), {found.where}"
    if ranking.p is None:
        reason = ranking.reason or "nothing is complete"
        return Drawing(name, title, f"No figure: {reason}.")
    data = repr((ranking.methods, ranking.ranks, ranking.nemenyi, ranking.critical_difference, ranking.alpha))
    note = (
        f"Friedman's test over {len(ranking.datasets)} datasets: p = {number(ranking.p)}. Bars join methods that are less than "
        f"Nemenyi's critical difference apart, at {ranking.alpha:g}.{signed_note(ranking.methods)}"
    )
    return Drawing(name, title, note, lambda: _draw_ranks(found), data, width=640, more=ranking.sentence())


def _draw_ranks(found: Analysis) -> Figure:
    import scikit_posthocs
    from matplotlib.figure import Figure

    ranking = found.ranking
    methods = len(ranking.methods)
    bars = len(ranking.nemenyi_groups)
    figure = Figure(figsize=(7.2, 0.26 * (math.ceil(methods / 2) + bars + 4)))
    axes = figure.add_axes((0.3, 0.02, 0.4, 0.96))
    scikit_posthocs.critical_difference_diagram(
        dict(zip(ranking.methods, ranking.ranks, strict=True)),
        matrix(ranking.methods, ranking.nemenyi),
        alpha=ranking.alpha,
        ax=axes,
        label_fmt_left="{label} ({rank:.2f})",
        label_fmt_right="({rank:.2f}) {label}",
        label_props={"fontsize": 8.5},
        elbow_props={"color": INK, "linewidth": 0.9, "clip_on": False},
        marker_props={"s": 18, "color": INK, "clip_on": False},
        crossbar_props={"color": COLOURS[1], "linewidth": 3},
        text_h_margin=0.03 * max(1, methods - 1),
    )
    for text in axes.texts:
        text.set_color(INK)
    # The library takes a bar's points from a set, whose order changes from process to process.
    for line in axes.lines:
        if line.get_color() == COLOURS[1]:
            line.set_xdata(np.sort(np.asarray(line.get_xdata())))
    axes.set_xlim(1, methods)
    axes.set_ylim(top=2.6)
    axes.set_xticks(range(1, methods + 1, math.ceil(methods / 12)))
    axes.tick_params(labelsize=8.5)
    # Above the scale's numbers, where the library would draw through them.
    width = min(ranking.critical_difference or 0.0, methods - 1)
    axes.errorbar(1 + width / 2, 1.7, xerr=width / 2, color=INK, linewidth=1.5, capsize=4)
    axes.text(
        1 + width / 2, 1.95, f"critical difference {ranking.critical_difference:.2f}", ha="center", va="bottom", fontsize=8.5
    )
    return figure
