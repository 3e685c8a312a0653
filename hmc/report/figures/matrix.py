"""Which pairs of methods differ, as a matrix of p-values."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

from hmc.report.figures.drawing import INK, Drawing, counted, signed_note
from hmc.report.render import slug
from hmc.report.significance import Analysis
from hmc.report.table import DASH
from hmc.report.testing import ALPHA
from hmc.stats.pairwise import Comparison

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BETTER, WORSE = "#7cc4f0", "#f2b35e"


def significance_matrix(found: Analysis) -> Drawing:
    """Holm's p of every pair of methods: blue where the row's method is better, orange where it is worse.

    Methods without any tested pair are left out.
    """
    name = slug(f"significance_{found.name}")
    title = f"{found.metric.title}: which methods differ over datasets, {found.where}"
    if not found.pairs.tested:
        return Drawing(name, title, f"No figure: {found.sentence()}")
    pairs = [pair for pair in found.pairs if pair.p_holm is not None]
    tested = {side for pair in pairs for side in (pair.a, pair.b)}
    columns = [column for column in found.columns if column in tested]
    left_out = len(found.columns) - len(columns)
    without = f" Left out, without any tested pair: {counted(left_out, 'method')}." if left_out else ""
    note = (
        f"{found.sentence()} Numbers are Holm's p; blue with +: the row's method is significantly better, orange with −: "
        f"significantly worse; a dash: not tested. The columns are the rows' methods, by number.{without}{signed_note(columns)}"
    )
    data = repr([(pair.a, pair.b, pair.p_holm, pair.test.rank_biserial) for pair in pairs])
    return Drawing(name, title, note, lambda: _draw_matrix(columns, pairs), data, width=240 + 30 * len(columns))


def _draw_matrix(columns: Sequence[str], pairs: Sequence[Comparison]) -> Figure:
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    count = len(columns)
    side = 0.46 if count <= 12 else 0.36
    figure = Figure(figsize=(2.4 + side * count, 0.5 + side * count))
    axes = figure.add_axes((0, 0, 1, 1))
    places = {column: place for place, column in enumerate(columns)}
    shown = {frozenset((pair.a, pair.b)) for pair in pairs}
    for first, second in itertools.permutations(columns, 2):
        if frozenset((first, second)) not in shown:
            axes.text(places[second], places[first], DASH, ha="center", va="center", fontsize=7, color=INK, alpha=0.5)
    for pair in pairs:
        favours = pair.test.rank_biserial or 0.0
        for row, column, sign in ((pair.a, pair.b, 1), (pair.b, pair.a, -1)):
            x, y = places[column], places[row]
            significant = pair.p_holm is not None and pair.p_holm < ALPHA
            if significant:
                colour = BETTER if favours * sign > 0 else WORSE
                axes.add_patch(Rectangle((x - 0.48, y - 0.48), 0.96, 0.96, facecolor=colour, edgecolor="none"))
            mark = ("+" if favours * sign > 0 else "−") if significant else ""
            text = _short(pair.p_holm or 0.0) + (f"\n{mark}" if mark else "")
            # On a coloured square the ink is always dark, on the page's ground it follows the page.
            axes.text(x, y, text, ha="center", va="center", fontsize=7 if count <= 12 else 5.5, color="#000001" if mark else INK)
    axes.set_xlim(-0.5, count - 0.5)
    axes.set_ylim(count - 0.5, -0.5)
    axes.set_aspect("equal")
    axes.set_xticks(range(count), [str(place + 1) for place in range(count)])
    axes.set_yticks(range(count), [f"{column}  {place + 1}" for column, place in places.items()])
    axes.xaxis.tick_top()
    axes.tick_params(length=0, labelsize=8)
    axes.grid(False)
    for spine in axes.spines.values():
        spine.set_alpha(0.3)
    return figure


def _short(p: float) -> str:
    return "<.001" if p < 0.001 else "1" if p > 0.995 else f"{p:.3f}"[1:] if p < 0.1 else f"{p:.2f}"[1:]
