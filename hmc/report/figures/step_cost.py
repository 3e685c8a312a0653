"""Curves of what a training step costs: against nodes, depth, members and stack size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hmc.report.figures.drawing import COLOURS, Drawing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_AXES = {
    "nodes": "nodes (one network of 32 hidden units)",
    "depth": "depth (a tree of 10,000 nodes)",
    "members": "members (4,000 nodes, 500 hidden units)",
    "stack": "seeds in a stack (500 nodes, 500 hidden units)",
}


def cost_curves(documents: Sequence[Mapping[str, Any]]) -> Drawing:
    """Milliseconds of a training step, and of its constraint and loss, against each thing that was varied.

    documents: as :func:`hmc.benchmark.scaling.as_documents` makes them.
    """
    title = "Milliseconds of a training step of four rows: whole, and its constraint and loss alone"
    note = "Generated hierarchies on this machine's CPU; both axes are logarithmic. Grey: megabytes above an idle process."
    return Drawing("scale", title, note, lambda: _draw(documents), repr(documents), width=720)


def _draw(documents: Sequence[Mapping[str, Any]]) -> Figure:
    from matplotlib.figure import Figure
    from matplotlib.ticker import NullLocator

    figure = Figure(figsize=(9.0, 6.4), layout="constrained")
    for axes, (varied, label) in zip(figure.subplots(2, 2, sharey=True).flat, _AXES.items(), strict=True):
        mine = [one for one in documents if one["case"]["varied"] == varied]
        shapes = sorted({one["case"]["shape"] for one in mine}, reverse=True)
        for shape, dash in zip(shapes, ("-", "--"), strict=False):
            alike = [one for one in mine if one["case"]["shape"] == shape]
            across = [one["case"][varied] for one in alike]
            words = f" ({shape})" if len(shapes) > 1 else ""
            axes.plot(across, [one["step"] for one in alike], dash, marker="o", color=COLOURS[2], label=f"step{words}")
            hierarchy = [one["constraint_and_loss"] for one in alike]
            axes.plot(across, hierarchy, dash, marker="s", color=COLOURS[1], label=f"constraint and loss{words}")
            if varied == "nodes":
                axes.plot(across, [max(one["megabytes"], 1) for one in alike], dash, color="0.6", label=f"megabytes{words}")
        ticks = sorted({one["case"][varied] for one in mine})
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
        axes.set_yticks([0.1, 1, 10, 100], ["0.1", "1", "10", "100"])
        axes.set_ylim(0.1, 200)
        axes.xaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_minor_locator(NullLocator())
        axes.set_xlabel(label)
        axes.set_ylabel("milliseconds")
        axes.legend(frameon=False, fontsize=8)
    return figure
