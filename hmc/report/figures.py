"""Figures of a report: recall by node frequency, learning curves, critical difference, significance matrix.

Matplotlib is imported when something is drawn, without pyplot and so without any state of its own. A figure is written as PNG and
PDF on white, and as SVG whose ink becomes the surrounding text's colour, so that one drawing serves light and dark pages. The
same data give the same bytes.
"""

from __future__ import annotations

import hashlib
import io
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from hmc.files import replacing
from hmc.report.closeness import ALPHA
from hmc.report.formats import broken, slug
from hmc.report.significance import Analysis
from hmc.report.sweeps import METRICS as SWEPT_METRICS
from hmc.report.sweeps import Sweep, shown_levels
from hmc.report.tables import BASELINE, FREQUENCIES, GROUPS, compared_datasets, means_over_datasets
from hmc.settings import column_name
from hmc.stats.pairwise import number
from hmc.stats.ranks import matrix

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK = "#0b0c0d"
"""Of text, axes and the baseline. In an inlined SVG it becomes currentColor; nothing else is drawn in it."""
COLOURS = (INK, "#d55e00", "#3a8fd6", "#009e73", "#cc79a7", "#e69f00", "#8c6bb1", "#56b4e9")
"""Okabe and Ito's palette for the colour-blind, without its yellow (lost on white) and with its dark blue lightened (lost on
black).
"""
DASHES = ("-", "--", "-.", ":", (0, (6, 1.5)), (0, (3, 1, 1, 1)), (0, (1, 1)), (0, (8, 2, 2, 2)))
MARKERS = "osD^vPX*"
MOST_LINES = 7
"""With more methods than this each gets a panel of its own."""
MOST_POINTS = 60
TITLE_WIDTH = 22
"""Characters of a line above a panel."""
BETTER, WORSE = "#7cc4f0", "#f2b35e"

Draw = Callable[[], "Figure"]
Curve = list[tuple[int, float]]
"""Epoch and mean relative loss."""
Point = tuple[float, float, float]
"""Level, mean and standard deviation."""


@dataclass(frozen=True)
class Drawing:
    """A figure that can be drawn, or why there is none.

    name: of its files. title: what it shows, with metric and unit. note: how to read it, or what is missing. draw: None where
    there is nothing to draw. data: all that the drawing depends on, as text. width: below which, in CSS pixels, the page lets it
    scroll rather than shrink. more: details, for those who ask.
    """

    name: str
    title: str
    note: str
    draw: Draw | None = None
    data: str = ""
    width: int = 520
    more: str = ""


@dataclass(frozen=True)
class Rendered:
    """A drawn figure: PNG and PDF on white, and SVG whose ink is :data:`INK`."""

    png: bytes
    pdf: bytes
    svg: str


# --- what to draw ---------------------------------------------------------------------------------------------------


def recall_by_frequency(plan: pd.DataFrame, group: str, protocol: str) -> Drawing:
    """Mean node recall (percent) against the nodes' positives in training, a line a method.

    Of the datasets on which most can be compared. A method that is not planned on all of them, or not complete there, is left
    out, and named. Means over seeds, then over the datasets that have such nodes.
    """
    part = plan[(plan["group"] == group) & (plan["protocol"] == protocol)]
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
    names, shared = _shortened(lines)
    lines = {names[column]: values for column, values in lines.items()}
    note = (
        f"Mean over seeds, then over {_count(datasets, 'dataset')} (those that have such nodes). The scale is that of square "
        f"roots, so that small recalls can be told apart.{_reference(lines, protocol)}{shared}{missing}"
    )
    labels = list(ranges.values())
    return Drawing(name, title, note, lambda: _draw_recall(lines, labels, baseline), repr((lines, labels, baseline)))


def learning_curves(plan: pd.DataFrame, curves: Mapping[str, Sequence[float]], group: str, protocol: str) -> Drawing:
    """Training loss by epoch relative to the first, a panel a method, a line a dataset.

    curves: by identity, a loss an epoch. Losses of different methods are sums or means of different terms, so only their
    course can be compared.
    """
    part = plan[(plan["group"] == group) & (plan["protocol"] == protocol) & plan["done"]]
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
    names, shared = _shortened(panels)
    panels = {names[column]: curves for column, curves in panels.items()}
    note = f"Mean over the seeds at hand; at most {MOST_POINTS} epochs of a curve are drawn. Both axes are logarithmic.{shared}"
    return Drawing(name, title, note, lambda: _draw_learning(panels), repr(panels))


def critical_difference(found: Analysis) -> Drawing:
    """Average ranks over datasets, Nemenyi's critical difference, and bars over methods that it does not tell apart."""
    ranking = found.ranking
    name = slug(f"critical_difference_{found.metric.name}_{found.protocol}")
    title = f"Average ranks by {_lower(found.metric.title)} over datasets (1 is best), protocol {found.protocol}"
    if ranking.p is None:
        reason = ranking.reason or "nothing is complete"
        return Drawing(name, title, f"No figure: {reason}.")
    data = repr((ranking.methods, ranking.ranks, ranking.nemenyi, ranking.critical_difference, ranking.alpha))
    note = (
        f"Friedman's test over {len(ranking.datasets)} datasets: p = {number(ranking.p)}. Bars join methods that are less than "
        f"Nemenyi's critical difference apart, at {ranking.alpha:g}."
    )
    return Drawing(name, title, note, lambda: _draw_ranks(found), data, width=640, more=ranking.sentence())


def significance_matrix(found: Analysis) -> Drawing:
    """p after Holm of every pair of methods: blue where the row's method is better, orange where it is worse."""
    name = slug(f"significance_{found.metric.name}_{found.protocol}")
    title = f"{found.metric.title}: which methods differ over datasets, protocol {found.protocol}"
    if not found.pairs.tested:
        return Drawing(name, title, f"No figure: {found.sentence()}")
    note = (
        f"{found.sentence()} Numbers are p after Holm; blue with +: the row's method is significantly better, orange with −: "
        "significantly worse; a dash: not tested. The columns are the rows' methods, by number."
    )
    data = repr([(pair.a, pair.b, pair.p_holm, pair.test.rank_biserial) for pair in found.pairs])
    return Drawing(name, title, note, lambda: _draw_matrix(found), data, width=240 + 30 * len(found.columns))


def sweep_curves(sweep: Sweep) -> Drawing:
    """Macro recall, macro F1 and AU(PRC) (percent) against the level of a setting, a panel a metric and a line a method.

    Bands are standard deviations over seeds. A level where a planned cell is not done is left out of its line.
    """
    name = sweep.name
    title = f"Macro recall, macro F1 and AU(PRC) (percent) by the {sweep.swept.title}, {sweep.where}"
    lines: dict[str, dict[str, list[Point]]] = {}
    for metric in SWEPT_METRICS:
        for label in sweep.labels:
            points = []
            for level in shown_levels(sweep, label):
                values = 100 * sweep.at(label, level)[metric.name].to_numpy(float)
                points.append((level, float(values.mean()), float(values.std(ddof=1)) if len(values) > 1 else 0.0))
            if points:
                lines.setdefault(metric.title, {})[label] = points
    if not lines:
        return Drawing(name, title, "No figure: no level is complete.")
    counts = sorted(set(sweep.cells.groupby(["label", "level"]).size()))
    seeds = f"{counts[0]} seeds" if len(counts) == 1 else f"{counts[0]} to {counts[-1]} seeds"
    lacking = [
        f"{label} at {level:g}" for label in sweep.labels for level in sweep.levels if level not in shown_levels(sweep, label)
    ]
    missing = f" Not complete and left out: {', '.join(lacking)}." if lacking else ""
    note = f"Mean over {seeds}; bands are one standard deviation over them.{missing}"
    logarithmic, levels, word = sweep.swept.logarithmic, sweep.levels, sweep.swept.title
    data = repr((lines, logarithmic, levels, word))
    return Drawing(name, title, note, lambda: _draw_sweep(lines, levels, word, logarithmic), data, width=640)


# --- drawing --------------------------------------------------------------------------------------------------------


def _draw_recall(lines: Mapping[str, Sequence[float]], labels: Sequence[str], baseline: str) -> Figure:
    order = [baseline, *(one for one in lines if one != baseline)] if baseline in lines else list(lines)
    places = np.arange(len(labels))
    highest = max([value for values in lines.values() for value in values if not math.isnan(value)], default=1.0)
    if len(order) <= MOST_LINES:
        figure, (axes,) = _panels(1, width=7.2, height=4.0)
        for place, column in enumerate(order):
            style = place if baseline in lines else place + 1
            axes.plot(places, lines[column], label=column, marker=MARKERS[style], markersize=5, **_line(style))
        axes.legend(loc="best", frameon=False)
        shown = [axes]
    else:
        others = [column for column in order if column != baseline]
        figure, shown = _panels(len(others), width=2.3, height=1.9)
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
    _name_axes(figure, "positive rows in training", "mean node recall (percent)")
    return figure


def _draw_learning(panels: Mapping[str, Mapping[str, Curve]]) -> Figure:
    from matplotlib.ticker import NullLocator

    datasets = list(dict.fromkeys(dataset for curves in panels.values() for dataset in curves))
    single = len(panels) == 1
    across = min(4 if len(panels) > 2 else 2, len(datasets))
    above = 0.45 + 0.19 * math.ceil(len(datasets) / across)
    figure, shown = _panels(len(panels), width=5.0 if single else 2.3, height=3.4 if single else 1.9, above=above)
    for axes, (column, curves) in zip(shown, panels.items(), strict=True):
        for dataset, curve in curves.items():
            axes.plot(*zip(*curve, strict=True), label=dataset, **_line(datasets.index(dataset)))
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
    _name_axes(figure, "epoch", "loss / loss of the first epoch")
    return figure


def _draw_sweep(
    panels: Mapping[str, Mapping[str, Sequence[Point]]], levels: Sequence[float], word: str, logarithmic: bool
) -> Figure:
    from matplotlib.ticker import NullLocator

    figure, shown = _panels(len(panels), width=2.9, height=2.7, above=0.75)
    labels = list(dict.fromkeys(label for lines in panels.values() for label in lines))
    for axes, (metric, lines) in zip(shown, panels.items(), strict=True):
        for label, points in lines.items():
            style = labels.index(label)
            places, means, spreads = (np.array(values) for values in zip(*points, strict=True))
            line = _line(style)
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
    _name_axes(figure, word, "percent")
    return figure


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


def _draw_matrix(found: Analysis) -> Figure:
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    columns = found.columns
    count = len(columns)
    side = 0.46 if count <= 12 else 0.36
    figure = Figure(figsize=(2.4 + side * count, 0.5 + side * count))
    axes = figure.add_axes((0, 0, 1, 1))
    places = {column: place for place, column in enumerate(columns)}
    for pair in found.pairs:
        favours = pair.test.rank_biserial or 0.0
        for row, column, sign in ((pair.a, pair.b, 1), (pair.b, pair.a, -1)):
            x, y = places[column], places[row]
            significant = pair.p_holm is not None and pair.p_holm < ALPHA
            if significant:
                colour = BETTER if favours * sign > 0 else WORSE
                axes.add_patch(Rectangle((x - 0.48, y - 0.48), 0.96, 0.96, facecolor=colour, edgecolor="none"))
            mark = ("+" if favours * sign > 0 else "−") if significant else ""
            text = "–" if pair.p_holm is None else _short(pair.p_holm) + (f"\n{mark}" if mark else "")
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


def _panels(count: int, *, width: float, height: float, above: float = 0.35) -> tuple[Figure, list[Axes]]:
    """A figure of so many panels, at most four in a row; sizes in inches a panel, and of the room above them.

    They share scales and ticks, so that setting these for the first sets them for all; each by itself would take seconds.
    """
    from matplotlib.figure import Figure

    across = min(4, count)
    down = math.ceil(count / across)
    wide, high = width * across + 0.5, height * down + 0.25 + above
    figure = Figure(figsize=(wide, high))
    # In inches: the room for names, ticks and a legend does not grow with the panels. An automatic layout takes seconds here.
    figure.subplots_adjust(
        left=0.75 / wide,
        right=1 - 0.1 / wide,
        bottom=0.65 / high,
        top=1 - above / high,
        wspace=0.12,
        hspace=0.45 / (height - 0.3),
    )
    grid = figure.subplots(down, across, sharex=True, sharey=True, squeeze=False)
    shown = list(grid.flat)
    for axes in shown[count:]:
        axes.remove()
    # The lowest panel of a column names its ticks, also where the last row is not full.
    for place, axes in enumerate(shown[:count]):
        axes.tick_params(labelbottom=place + across >= count)
        axes.grid(True, color=INK, alpha=0.15, linewidth=0.6)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
    return figure, shown[:count]


def _name_axes(figure: Figure, x: str, y: str) -> None:
    wide, high = figure.get_size_inches()
    figure.supxlabel(x, fontsize=9, y=0.08 / high, verticalalignment="bottom")
    figure.supylabel(y, fontsize=9, x=0.05 / wide, horizontalalignment="left")


def _line(place: int) -> dict[str, Any]:
    # Past the last colour the dashes shift, so that no two lines are the same.
    dash = DASHES[(place + place // len(COLOURS)) % len(DASHES)]
    return {"color": COLOURS[place % len(COLOURS)], "linestyle": dash, "linewidth": 2.0 if place == 0 else 1.6}


def _root(values: np.ndarray) -> np.ndarray:
    return np.sqrt(np.clip(values, 0, None))


# --- rendering ------------------------------------------------------------------------------------------------------


def render(drawing: Drawing) -> Rendered | None:
    """The drawing in every format; None where there is nothing to draw."""
    if drawing.draw is None:
        return None
    with _style(drawing.name):
        figure = drawing.draw()
        png, pdf, svg = io.BytesIO(), io.BytesIO(), io.StringIO()
        # Panels have margins of their own; measuring them all would cost as much as drawing them.
        alone = len(figure.axes) == 1
        tight: dict[str, Any] = {"bbox_inches": figure.get_tightbbox().padded(0.08)} if alone else {}
        figure.savefig(svg, format="svg", transparent=True, metadata={"Date": None, "Creator": None}, **tight)
        figure.savefig(png, format="png", dpi=150, facecolor="white", metadata={"Software": None}, **tight)
        figure.savefig(pdf, format="pdf", facecolor="white", metadata={"CreationDate": None, "Producer": None}, **tight)
    return Rendered(png.getvalue(), pdf.getvalue(), svg.getvalue())


def write(drawing: Drawing, rendered: Rendered, folder: str | Path) -> list[Path]:
    """Write <name>.png, .pdf and .svg below ``folder``. Returns their paths."""
    paths = []
    for suffix, content in (("png", rendered.png), ("pdf", rendered.pdf), ("svg", rendered.svg)):
        path = Path(folder) / f"{drawing.name}.{suffix}"
        with replacing(path) as file:
            if isinstance(content, str):
                content = f"{content.rstrip()}\n<!-- {_mark(drawing, content)} -->\n".encode()
            file.write(content)
        paths.append(path)
    return paths


def made(drawing: Drawing, folder: str | Path) -> str | None:
    """The drawing's SVG, its files below ``folder`` being up to date; None where there is nothing to draw.

    Drawing is the slow part of a report, so files that this program wrote from the same data are kept as they are.
    """
    if drawing.draw is None:
        return None
    path = Path(folder) / f"{drawing.name}.svg"
    if path.with_suffix(".png").is_file() and path.with_suffix(".pdf").is_file() and path.is_file():
        svg, _, mark = path.read_text(encoding="utf-8", errors="replace").rpartition("\n<!-- ")
        if mark == f"{_mark(drawing, svg)} -->\n":
            return svg
    rendered = render(drawing)
    assert rendered is not None
    write(drawing, rendered, folder)
    return rendered.svg.rstrip()


def _mark(drawing: Drawing, svg: str) -> str:
    """What an SVG was drawn from and by, and what it holds, so that it is drawn anew when one of these changes."""
    sources = {__file__, drawing.draw.__code__.co_filename} if drawing.draw else {__file__}
    versions = [metadata.version(name) for name in ("matplotlib", "scikit-posthocs")]
    by = *versions, *(Path(source).read_text(encoding="utf-8") for source in sorted(sources))
    return " ".join(hashlib.sha256(part.encode()).hexdigest() for part in (repr((drawing.data, by)), svg.rstrip()))


def inlined(svg: str, drawing: Drawing) -> str:
    """An SVG document as an element of a page: no address in it, the ink that of the page, ids of its own, scaled by the page."""
    body = svg[svg.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = re.sub(r"<style[^>]*>.*?</style>", "", body, count=1, flags=re.DOTALL)
    body = body.replace("xlink:href", "href").replace(INK, "currentColor")
    body = re.sub(r'\bid="', f'id="{drawing.name}-', body)
    body = body.replace('href="#', f'href="#{drawing.name}-').replace("url(#", f"url(#{drawing.name}-")
    head, _, rest = body.partition(">")
    box = re.search(r'viewBox="([^"]*)"', head)
    assert box is not None, "matplotlib writes a viewBox"
    points = float(box[1].split()[2])
    title = drawing.title.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    return (
        f'<svg viewBox="{box[1]}" role="img" aria-label="{title}" '
        f'style="max-width:{points * 4 / 3:.0f}px;min-width:{min(drawing.width, round(points * 4 / 3))}px">{rest}'
    )


@contextmanager
def _style(name: str) -> Iterator[None]:
    """Settings under which every figure is drawn."""
    import matplotlib

    settings: dict[Any, Any] = {
        "backend": "Agg",
        "font.family": "sans-serif",
        "font.sans-serif": ["DejaVu Sans"],
        "font.size": 9,
        "svg.fonttype": "none",
        "svg.hashsalt": name,
        "pdf.fonttype": 3,
        "text.color": INK,
        "text.parse_math": False,
        "axes.edgecolor": INK,
        "axes.labelcolor": INK,
        "axes.titlecolor": INK,
        "xtick.color": INK,
        "ytick.color": INK,
        "xtick.labelcolor": INK,
        "ytick.labelcolor": INK,
        "legend.labelcolor": INK,
        "axes.unicode_minus": False,
        "axes.titley": 1.02,
    }
    with matplotlib.rc_context(settings):
        yield


# --- parts ----------------------------------------------------------------------------------------------------------


def shown_groups(plan: pd.DataFrame) -> list[tuple[str, str]]:
    """(group, protocol) of the plan, in the tables' order, the released protocol first."""
    pairs = set(zip(plan["group"], plan["protocol"], strict=True))
    order = list(GROUPS)
    return sorted(pairs, key=lambda pair: (order.index(pair[0]), pair[1] != "released", pair[1]))


def _reference(lines: Mapping[str, Sequence[float]], protocol: str) -> str:
    baseline = column_name(BASELINE, protocol, "")
    return f" Dashed in every panel: {baseline}." if len(lines) > MOST_LINES and baseline in lines else ""


def _shortened(columns: Iterable[str]) -> tuple[dict[str, str], str]:
    """Names of columns without the settings (key=value) that all of them name in their brackets, and words on these settings."""
    marks = {column: column.partition(" (")[2].removesuffix(")").split(", ") for column in columns}
    shared = set.intersection(*({mark for mark in own if "=" in mark} for own in marks.values())) if len(marks) > 1 else set()
    if not shared:
        return {column: column for column in marks}, ""
    short = {}
    for column, own in marks.items():
        rest = ", ".join(mark for mark in own if mark not in shared)
        short[column] = column.partition(" (")[0] + (f" ({rest})" if rest else "")
    return short, f" All with {', '.join(sorted(shared))}."


def _count(amount: int, word: str) -> str:
    return f"{amount} {word}{'' if amount == 1 else 's'}"


def _lower(title: str) -> str:
    return title if title.startswith("AU") else title[0].lower() + title[1:]


def _short(p: float) -> str:
    return "<.001" if p < 0.001 else "1" if p > 0.995 else f"{p:.3f}"[1:] if p < 0.1 else f"{p:.2f}"[1:]
