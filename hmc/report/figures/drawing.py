"""A figure before it is drawn, how it is drawn, and how it is written.

Matplotlib is imported when something is drawn, without pyplot and so without any state of its own. A figure is written as SVG
whose ink becomes the surrounding text's colour, so that one drawing serves light and dark pages, and on request as PNG and PDF on
white. The same data give the same bytes.
"""

from __future__ import annotations

import hashlib
import io
import math
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from hmc.files import replacing
from hmc.report.grid import GROUPS, planned
from hmc.report.notes import FROM_OUTSIDE
from hmc.report.render import broken
from hmc.report.table import OUTSIDE
from hmc.settings import column_name, variant

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK = "#0b0c0d"
"""Of text, axes and the baseline. In an inlined SVG it becomes currentColor; nothing else is drawn in it."""
COLOURS = (INK, "#d55e00", "#3a8fd6", "#009e73", "#cc79a7", "#e69f00", "#8c6bb1", "#56b4e9")
"""Okabe and Ito's palette for the colour-blind, without its yellow (lost on white) and with its dark blue lightened (lost on
black).
"""
FORMATS = ("svg", "png", "pdf")
DASHES = ("-", "--", "-.", ":", (0, (6, 1.5)), (0, (3, 1, 1, 1)), (0, (1, 1)), (0, (8, 2, 2, 2)))
MARKERS = "osD^vPX*"
TITLE_WIDTH = 22
"""Characters of a line above a panel."""

Draw = Callable[[], "Figure"]


@dataclass(frozen=True)
class Drawing:
    """A figure that can be drawn, or why there is none.

    name: of its files. title: what it shows, with metric and unit. note: how to read it, or what is missing. draw: None where
    there is nothing to draw. data: all that the drawing depends on, as text. width: in CSS pixels; on a narrower page the figure
    scrolls rather than shrinks. more: details, folded on the page.
    """

    name: str
    title: str
    note: str
    draw: Draw | None = None
    data: str = ""
    width: int = 520
    more: str = ""


# --- drawing --------------------------------------------------------------------------------------------------------


def panel_grid(
    count: int, *, width: float, height: float, above: float = 0.35, title_lines: int = 1
) -> tuple[Figure, list[Axes]]:
    """A figure of so many panels, at most four in a row, and its panels.

    width, height: inches a panel; above: of the room over them. title_lines: of the panels' longest title. The panels share
    scales and ticks, so that setting these for the first sets them for all; each by itself would take seconds.
    """
    from matplotlib.figure import Figure

    across = min(4, count)
    down = math.ceil(count / across)
    titles = 0.14 * (title_lines - 1)
    above, gap, panel = above + titles, 0.45 + titles, height - 0.35
    wide, high = width * across + 0.5, 0.65 + down * panel + (down - 1) * gap + above
    figure = Figure(figsize=(wide, high))
    # In inches: the room for names, ticks and a legend does not grow with the panels. An automatic layout takes seconds here.
    figure.subplots_adjust(
        left=0.75 / wide,
        right=1 - 0.1 / wide,
        bottom=0.65 / high,
        top=1 - above / high,
        wspace=0.12,
        hspace=gap / panel,
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


def name_axes(figure: Figure, x: str, y: str) -> None:
    wide, high = figure.get_size_inches()
    figure.supxlabel(x, fontsize=9, y=0.08 / high, verticalalignment="bottom")
    figure.supylabel(y, fontsize=9, x=0.05 / wide, horizontalalignment="left")


def line_style(place: int) -> dict[str, Any]:
    # Past the last colour the dashes shift, so that no two lines are the same.
    dash = DASHES[(place + place // len(COLOURS)) % len(DASHES)]
    return {"color": COLOURS[place % len(COLOURS)], "linestyle": dash, "linewidth": 2.0 if place == 0 else 1.6}


# --- rendering ------------------------------------------------------------------------------------------------------


def render(drawing: Drawing, formats: Collection[str] = FORMATS) -> dict[str, bytes]:
    """The drawing in each format, by format; empty where there is nothing to draw.

    PNG and PDF are on white; the ink of an SVG is :data:`INK`.
    """
    if drawing.draw is None:
        return {}
    rendered = {}
    with _style(drawing.name):
        figure = drawing.draw()
        # Panels have margins of their own; measuring them all would cost as much as drawing them.
        alone = len(figure.axes) == 1
        tight: dict[str, Any] = {"bbox_inches": figure.get_tightbbox().padded(0.08)} if alone else {}
        for name in formats:
            content = io.BytesIO()
            figure.savefig(content, format=name, **_OPTIONS[name], **tight)
            rendered[name] = content.getvalue()
    return rendered


_OPTIONS: dict[str, dict[str, Any]] = {
    "svg": {"transparent": True, "metadata": {"Date": None, "Creator": None}},
    "png": {"dpi": 150, "facecolor": "white", "metadata": {"Software": None}},
    "pdf": {"facecolor": "white", "metadata": {"CreationDate": None, "Producer": None}},
}


def made(drawing: Drawing, folder: str | Path, formats: Collection[str] = ("svg",)) -> str | None:
    """The drawing's SVG, its files below ``folder`` being up to date; None where there is nothing to draw.

    formats: in which it is wanted as a file; an SVG is always written. Drawing is the slow part of a report, so files that this
    program wrote from the same data are kept. Files of other formats that show older data are removed.
    """
    if drawing.draw is None:
        return None
    path = Path(folder) / f"{drawing.name}.svg"
    absent = ["svg", *(name for name in formats if name != "svg")]
    if path.is_file():
        svg, _, mark = path.read_text(encoding="utf-8", errors="replace").rpartition("\n<!-- ")
        if mark == f"{_mark(drawing, svg)} -->\n":
            absent = [name for name in absent if not path.with_suffix(f".{name}").is_file()]
            if absent:
                _write(path, render(drawing, absent))
            return svg
    for name in FORMATS:
        path.with_suffix(f".{name}").unlink(missing_ok=True)
    rendered = render(drawing, absent)
    svg = rendered["svg"].decode().rstrip()
    _write(path, {**rendered, "svg": f"{svg}\n<!-- {_mark(drawing, svg)} -->\n".encode()})
    return svg


def _write(path: Path, rendered: Mapping[str, bytes]) -> None:
    """One file a format. The SVG, whose mark vouches for the others, comes last."""
    for name in sorted(rendered, key=("pdf", "png", "svg").index):
        with replacing(path.with_suffix(f".{name}")) as file:
            file.write(rendered[name])


def _mark(drawing: Drawing, svg: str) -> str:
    """A hash of what an SVG was drawn from and by, and one of what it holds: it is drawn anew when one of them changes."""
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


def shown_groups(grid: pd.DataFrame) -> list[tuple[str, str]]:
    """(group, protocol) of the plan, in the tables' order, the released protocol first."""
    cells = planned(grid)
    pairs = set(zip(cells["group"], cells["protocol"], strict=True))
    order = list(GROUPS)
    return sorted(pairs, key=lambda pair: (order.index(pair[0]), pair[1] != "released", pair[1]))


def short_names(grid: pd.DataFrame, columns: Iterable[str]) -> tuple[dict[str, str], str]:
    """Names of columns without the departures that all of them have, and words on these."""
    known = grid.drop_duplicates("column").set_index("column")
    own = {column: known.loc[column] for column in columns}
    # Not sets: a value may be a list, as of method.options.
    first, *others = (one["departed"] for one in own.values())
    shared = tuple(pair for pair in first if all(pair in departed for departed in others)) if others else ()
    if not shared:
        return {column: column for column in own}, ""
    short = {}
    for column, one in own.items():
        rest = tuple(pair for pair in one["departed"] if pair not in shared)
        sign = f" {OUTSIDE}" if column.endswith(OUTSIDE) else ""
        short[column] = column_name(str(one["method"]), str(one["protocol"]), variant(rest)) + sign
    return short, f" All with {variant(shared)}."


def signed_note(names: Iterable[str]) -> str:
    """A sentence on the sign of scores from outside, where one of these names bears it."""
    return f" {FROM_OUTSIDE}" if any(name.endswith(OUTSIDE) for name in names) else ""


def title_lines(names: Iterable[str]) -> int:
    """Lines of the longest of these titles of panels."""
    return max((len(broken(name, TITLE_WIDTH)) for name in names), default=1)


def counted(amount: int, word: str) -> str:
    return f"{amount} {word}{'' if amount == 1 else 's'}"
