"""Decision rules: what turns scores into label sets.

A rule gives each node a threshold; a row's label set is the nodes whose score is above theirs, closed under ancestors. Rules are
fitted on held-out rows, never on test rows and never on rows that the scores' method was fitted on.
"""

from hmc.rules.apply import Decisions, decide
from hmc.rules.evidence import Evidence, RuleError
from hmc.rules.fit import RULES, fit, fit_all, needs_held_out_rows, require_known, rule

__all__ = [
    "RULES",
    "Decisions",
    "Evidence",
    "RuleError",
    "decide",
    "fit",
    "fit_all",
    "needs_held_out_rows",
    "require_known",
    "rule",
]
