"""The tables of a suite, from its grid: an expected cell without a complete record is a dash, and so is every mean of it."""

from __future__ import annotations

import pandas as pd

from hmc.report import notes
from hmc.report.grid import GROUPS
from hmc.report.metric import HALF
from hmc.report.profile_tables import rare_nodes
from hmc.report.published_tables import published_au_prc, published_forests, published_later, published_macro_f1
from hmc.report.results_tables import results, results_of_one, shown_metrics
from hmc.report.rule_tables import overviews, rules
from hmc.report.table import DASH, Table
from hmc.results.published import Published
from hmc.settings import TableSettings


def tables(grid: pd.DataFrame, published: Published, rule: str = HALF, tuned: str = TableSettings.tuned) -> list[Table]:
    """Every table of the grid: ours against published, then, per group of datasets, results and rare nodes, then the methods.

    rule: the decision rule whose metrics fill them. Published macro F1 is at 0.5 and is compared with that alone. tuned: the rule
    that stands beside 0.5 where both are shown.
    """
    if grid.empty:
        return []
    every = [published_au_prc(grid, published), published_macro_f1(grid, published), published_later(grid, published)]
    every.append(published_forests(grid, published))
    for group in (name for name in GROUPS if name in set(grid["group"])):
        part = grid[grid["group"] == group]
        if part["dataset"].nunique() == 1:
            every.append(results_of_one(part, group, rule))
        else:
            every += [results(part, group, metric) for metric in shown_metrics(part, rule)]
        every += [*overviews(part, group, tuned), rules(part, group)]
        every += rare_nodes(part, group, rule)
    return [table for table in [*every, methods(grid)] if table.rows]


def methods(grid: pd.DataFrame) -> Table:
    """The methods of the grid and their titles; no rows where none has a title."""
    titles = {
        # A column that stands beside the plan keeps its sign.
        one["method"] if one["planned"] or one["reference"] else one["column"]: one["title"] or DASH
        for one in grid.drop_duplicates("column").to_dict("records")
    }
    return Table(
        name="methods",
        title="The methods of these tables",
        header=("method", "title"),
        rows=tuple(titles.items()) if set(titles.values()) != {DASH} else (),
        notes=notes.about_columns(grid["column"]),
    )
