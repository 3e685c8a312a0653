"""Curves of what a training step costs: against nodes, depth, members and stack size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hmc.report.figures.drawing import COLOURS, Drawing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_AXES = {
    "nodes": "nodes (one network of 32 hidden units)",
    "depth": "depth (a tree of 10,000 nodes)",
    "members": "members (4,000 nodes, 500 hidden units)",
    "stack": "seeds in a stack (500 nodes, 500 hidden units)",
}


def cost_curves(documents: Sequence[Mapping[str, Any]]) -> Drawing:
    """Milliseconds of a training step, and of its constraint and loss, against each thing that was varied; and megabytes.

    documents: as :func:`hmc.benchmark.scaling.as_documents` makes them.
    """
    title = "A training step of four rows: milliseconds, whole and of its constraint and loss alone, and memory"
    note = "Generated hierarchies on this machine's CPU; all axes are logarithmic. Megabytes: above those of an idle process."
    return Drawing("scale", title, note, lambda: _draw(documents), repr(documents), width=900)


def _draw(documents: Sequence[Mapping[str, Any]]) -> Figure:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12.6, 6.4), layout="constrained")
    first = None
    for place, (varied, label) in zip((1, 2, 4, 5), _AXES.items(), strict=True):
        axes = figure.add_subplot(2, 3, place, sharey=first)
        first = first or axes
        for one, words, dash in _shapes(documents, varied):
            across = [document["case"][varied] for document in one]
            axes.plot(across, [document["step"] for document in one], dash, marker="o", color=COLOURS[2], label=f"step{words}")
            hierarchy = [document["constraint_and_loss"] for document in one]
            axes.plot(across, hierarchy, dash, marker="s", color=COLOURS[1], label=f"constraint and loss{words}")
        _scale(axes, documents, varied, label)
        axes.set_yscale("log")
        axes.set_yticks([0.1, 1, 10, 100], ["0.1", "1", "10", "100"])
        axes.set_ylim(0.1, 200)
        axes.set_ylabel("milliseconds")
    memory = figure.add_subplot(2, 3, 3)
    for one, words, dash in _shapes(documents, "nodes"):
        megabytes = [max(document["megabytes"], 1) for document in one]
        memory.plot(
            [document["case"]["nodes"] for document in one], megabytes, dash, marker="o", color=COLOURS[3], label=f"memory{words}"
        )
    _scale(memory, documents, "nodes", _AXES["nodes"])
    memory.set_yscale("log")
    memory.set_yticks([1, 10, 100, 1000], ["1", "10", "100", "1,000"])
    memory.set_ylabel("megabytes")
    for axes in figure.axes:
        axes.legend(frameon=False, fontsize=8)
        axes.minorticks_off()
    return figure


def _shapes(documents: Sequence[Mapping[str, Any]], varied: str) -> list[tuple[list[Mapping[str, Any]], str, str]]:
    """The documents of what was varied, by the hierarchy's shape; the shape in words, where there are several, and its dash."""
    mine = [one for one in documents if one["case"]["varied"] == varied]
    shapes = sorted({one["case"]["shape"] for one in mine}, reverse=True)
    return [
        ([one for one in mine if one["case"]["shape"] == shape], f" ({shape})" if len(shapes) > 1 else "", dash)
        for shape, dash in zip(shapes, ("-", "--"), strict=False)
    ]


def _scale(axes: Axes, documents: Sequence[Mapping[str, Any]], varied: str, label: str) -> None:
    """The scale of what was varied."""
    ticks = sorted({one["case"][varied] for one in documents if one["case"]["varied"] == varied})
    axes.set_xscale("log")
    axes.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    axes.set_xlabel(label)
