"""Did recall go up, or did the ranking get better? Macro F1 at 0.5 and with tuned thresholds, and macro average precision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from hmc.report.figures.drawing import COLOURS, INK, MARKERS, Drawing, signed_note
from hmc.report.grid import BASELINE, GROUPS, HELD_OUT, by_dataset, complete_places, marked, with_metric
from hmc.report.metric import HALF, MACRO_AP, MACRO_F1
from hmc.report.table import RECONSTRUCTED
from hmc.settings import variant

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FIRST = (BASELINE, "ensemble_summed", "ensemble", "weighted", "weighted_focal_bbma")
"""Methods that are shown before others, in this order."""
MOST_METHODS = 5
PREDICT_ALL = "predict_all"
_TICKS = (0, 0.5, 1, 2, 5, 10, 20, 30, 40, 60, 80, 100)


@dataclass(frozen=True)
class Point:
    """One method on one dataset, in percent. ranking: macro average precision, None where it is not known."""

    half: float
    tuned: float
    ranking: float | None


Rows = Mapping[str, Mapping[str, Point]]
"""Points by dataset and method."""


def tuned_thresholds(grid: pd.DataFrame, tuned: str) -> Drawing:
    """A row a dataset: each method's macro F1 at 0.5 (hollow) and with tuned thresholds (filled), beside its macro AP.

    tuned: the decision rule. Hollow marks apart and filled ones together: a method moves scores across 0.5. Filled marks apart:
    it ranks better. The methods are the first ones of FIRST and of the plan, trained on train and valid, or on train alone where
    only that has more than one method with both numbers.
    """
    title = f"Macro F1 at 0.5 and with tuned thresholds ({tuned}), and macro AP, which needs none (percent)"
    if tuned == HALF:
        return Drawing("tuned_thresholds", title, "No figure: tables.tuned must be another rule than half.")
    cells = grid[(grid["protocol"] == "released") & ~grid["reference"]]
    refit, held_out = (_rows(cells[cells["departed"].map(departed.__eq__).astype(bool)], tuned) for departed in ((), HELD_OUT))
    rows = held_out if _compared(held_out) > _compared(refit) == 0 else refit
    if not rows:
        return Drawing(
            "tuned_thresholds", title, f"No figure: no method is complete with macro F1 both at 0.5 and with rule {tuned}."
        )
    methods = list(dict.fromkeys(method for points in rows.values() for method in points))
    every = grid[(grid["column"] == PREDICT_ALL) & grid["done"]]
    floors = {
        name: 100 * float(values[MACRO_F1.name].mean())
        for dataset, values in by_dataset(every).items()
        if (name := marked(dataset, values)) in rows
    }
    how = f"Trained on train alone ({variant(HELD_OUT)})" if rows is held_out else "Trained on train and valid"
    floor = f" Upright line: {PREDICT_ALL}, macro F1." if floors else ""
    rebuilt = f" {RECONSTRUCTED} Reconstructed data." if any(name.endswith(RECONSTRUCTED) for name in rows) else ""
    note = (
        "Hollow: macro F1 at 0.5; filled: with thresholds tuned on held-out rows. Where hollow marks lie apart and filled ones "
        "together, a method moves scores across 0.5 and ranks no better; where filled marks lie apart, and macro AP with them, "
        f"it ranks better. {how}; means over seeds; the scale is that of square roots.{floor}{rebuilt}{signed_note(methods)}"
    )
    data = repr((rows, methods, floors, tuned))
    return Drawing("tuned_thresholds", title, note, lambda: _draw(rows, methods, floors, tuned), data, width=620)


def _compared(rows: Rows) -> int:
    """Datasets with more than one method."""
    return sum(len(points) > 1 for points in rows.values())


def _rows(cells: pd.DataFrame, tuned: str) -> Rows:
    """The points of complete places, datasets by group, of at most MOST_METHODS methods."""
    under = MACRO_F1.under(tuned)
    done, _ = complete_places(with_metric(with_metric(cells, MACRO_F1.name), under.name))
    planned = list(dict.fromkeys(done["column"]))
    # By method, since the columns of one kind of training differ in nothing else.
    names = {column: str(done.loc[done["column"] == column, "method"].iloc[0]) for column in planned}
    order = sorted(planned, key=lambda column: FIRST.index(names[column]) if names[column] in FIRST else len(FIRST))
    shown = order[:MOST_METHODS]
    found: dict[str, dict[str, Point]] = {}
    for group in GROUPS:
        part = done[done["group"] == group]
        for dataset in dict.fromkeys(part["dataset"]):
            for column in shown:
                values = part[(part["dataset"] == dataset) & (part["column"] == column)]
                if len(values):
                    ranking = values[MACRO_AP.name].mean() if MACRO_AP.name in values else np.nan
                    found.setdefault(marked(str(dataset), values), {})[column] = Point(
                        100 * float(values[MACRO_F1.name].mean()),
                        100 * float(values[under.name].mean()),
                        None if np.isnan(ranking) else 100 * float(ranking),
                    )
    return found


def _draw(rows: Rows, methods: Sequence[str], floors: Mapping[str, float], tuned: str) -> Figure:
    from matplotlib.figure import Figure

    ranked = any(point.ranking is not None for points in rows.values() for point in points.values())
    pitch = 0.16 * len(methods) + 0.16
    wide, high = (7.4 if ranked else 5.6), 1.15 + pitch * len(rows)
    left, top, bottom = 1.2, 0.72, 0.43
    figure = Figure(figsize=(wide, high))
    width = 3.9 if ranked else wide - left - 0.12
    box = (bottom / high, (high - top - bottom) / high)
    scored = figure.add_axes((left / wide, box[0], width / wide, box[1]))
    panels = [(scored, width, "macro F1 (percent)", f"Hollow: at 0.5. Filled: thresholds by {tuned}")]
    if ranked:
        narrow = wide - left - width - 0.32
        ranking = figure.add_axes(((left + width + 0.2) / wide, box[0], narrow / wide, box[1]))
        panels.append((ranking, narrow, "macro AP (percent)", "Ranking alone, no threshold"))
    for place, (dataset, points) in enumerate(rows.items()):
        if dataset in floors:
            scored.plot([floors[dataset]] * 2, [place - 0.42, place + 0.42], color=INK, alpha=0.45, linewidth=1.2)
        for lane, method in enumerate(methods):
            if method not in points:
                continue
            y = place + (lane - (len(methods) - 1) / 2) / (len(methods) + 1)
            point, style = points[method], _style(lane)
            scored.annotate(
                "",
                (point.tuned, y),
                (point.half, y),
                arrowprops={"arrowstyle": "-", "color": COLOURS[lane], "alpha": 0.55, "shrinkA": 3.2, "shrinkB": 0},
            )
            scored.plot(point.half, y, **style, markerfacecolor="none", markeredgewidth=1.3)
            scored.plot(point.tuned, y, **style)
            if point.ranking is not None:
                panels[-1][0].plot(point.ranking, y, **style)
    for axes, inches, label, words in panels:
        _scale(axes, rows, inches)
        axes.set_xlabel(label, fontsize=9)
        axes.set_title(words, fontsize=8.5, loc="left")
    scored.set_yticks(range(len(rows)), list(rows))
    handles = [scored.plot([], [], **_style(lane), label=method)[0] for lane, method in enumerate(methods)]
    if floors:
        handles += scored.plot([], [], color=INK, alpha=0.45, marker="|", markersize=9, linestyle="", label=PREDICT_ALL)
    figure.legend(
        handles=handles,
        loc="upper left",
        ncols=min(6, len(handles)),
        borderaxespad=0.2,
        frameon=False,
        fontsize=8,
        columnspacing=1.2,
    )
    return figure


def _style(lane: int) -> dict[str, Any]:
    return {"marker": MARKERS[lane], "color": COLOURS[lane], "markersize": 5.5, "linestyle": ""}


def _scale(axes: Axes, rows: Rows, inches: float) -> None:
    """The scale of a panel so many inches wide, and the stripes behind every second row."""
    highest = max(axes.dataLim.x1, 1.0)
    axes.set_xscale("function", functions=(lambda values: np.sqrt(np.clip(values, 0, None)), np.square))
    axes.set_xlim(0, highest * 1.06)
    ticks = [tick for tick in _TICKS if tick <= highest * 1.06]
    least = 0.25 / inches * (highest * 1.06) ** 0.5
    # Of two ticks that would touch, the smaller one goes.
    far = [tick for tick, after in zip(ticks, [*ticks[1:], 1e9], strict=True) if after**0.5 - tick**0.5 > least]
    axes.set_xticks(far, [f"{tick:g}" for tick in far])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_yticks(range(len(rows)), [""] * len(rows))
    for place in range(0, len(rows), 2):
        axes.axhspan(place - 0.5, place + 0.5, color=INK, alpha=0.05, linewidth=0)
    axes.grid(True, axis="x", color=INK, alpha=0.15, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(length=0)
    axes.spines[["top", "right", "left"]].set_visible(False)
