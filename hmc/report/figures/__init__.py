"""The figures of a report, one a module; :mod:`hmc.report.figures.drawing` draws and writes them."""

from hmc.report.figures.drawing import FORMATS, INK, Drawing, inlined, made, render, shown_groups
from hmc.report.figures.frequency import precision_by_frequency, recall_by_frequency
from hmc.report.figures.learning import learning_curves
from hmc.report.figures.matrix import BETTER, WORSE, significance_matrix
from hmc.report.figures.ranks import critical_difference
from hmc.report.figures.sweep import sweep_curves
from hmc.report.figures.tuned import tuned_thresholds

__all__ = [
    "BETTER",
    "FORMATS",
    "INK",
    "WORSE",
    "Drawing",
    "critical_difference",
    "inlined",
    "learning_curves",
    "made",
    "precision_by_frequency",
    "recall_by_frequency",
    "render",
    "shown_groups",
    "significance_matrix",
    "sweep_curves",
    "tuned_thresholds",
]
