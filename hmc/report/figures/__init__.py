"""The figures of a report, one a module; :mod:`hmc.report.figures.drawing` draws and writes them."""

from hmc.report.figures.drawing import INK, Drawing, Rendered, inlined, made, render, shown_groups, write
from hmc.report.figures.learning import learning_curves
from hmc.report.figures.matrix import BETTER, WORSE, significance_matrix
from hmc.report.figures.ranks import critical_difference
from hmc.report.figures.recall import recall_by_frequency
from hmc.report.figures.sweep import sweep_curves

__all__ = [
    "BETTER",
    "INK",
    "WORSE",
    "Drawing",
    "Rendered",
    "critical_difference",
    "inlined",
    "learning_curves",
    "made",
    "recall_by_frequency",
    "render",
    "shown_groups",
    "significance_matrix",
    "sweep_curves",
    "write",
]
