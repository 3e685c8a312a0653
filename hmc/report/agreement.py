"""Results computed here against the checked-in ones of the same cells: does this machine give the same numbers?"""

from __future__ import annotations

from collections.abc import Collection

import pandas as pd

from hmc.report.grid import METRICS, Metric


def agreement(identities: Collection[str], ours: pd.DataFrame, recorded: pd.DataFrame) -> str:
    """In a few lines: how many results are also in a runs.csv, and the largest difference of each metric; empty if none is.

    identities: of the results that were computed here. ours, recorded: as :func:`hmc.results.store.frame` makes them. Another
    processor or other versions may round a sum differently, and training carries such a difference on, so equality is said but
    not asked for.
    """
    mine, theirs = (table[table["status"] == "complete"].set_index("identity") for table in (ours, recorded))
    both = [identity for identity in theirs.index if identity in mine.index and identity in identities]
    if not both:
        return ""
    mine, theirs = mine.loc[both], theirs.loc[both]
    names = [metric.name for metric in METRICS]
    same = int((mine[names] == theirs[names]).all(axis=1).sum())
    if same == len(both):
        return f"{len(both)} of these results are also in runs.csv, and equal it to the last digit"
    said = f"{len(both)} of these results are also in runs.csv, and {same} equal it to the last digit; the largest differences:"
    return "\n".join([said, *(_largest(mine, theirs, metric) for metric in METRICS)])


def _largest(mine: pd.DataFrame, theirs: pd.DataFrame, metric: Metric) -> str:
    differences = (mine[metric.name] - theirs[metric.name]) * metric.scale
    place = str(differences.abs().idxmax())
    difference = float(differences.loc[place])
    if difference == 0:
        return f"  {metric.title} none"
    cell = mine.loc[place]
    unit = " points" if metric.scale == 100 else ""
    return f"  {metric.title} {difference:+.2g}{unit} ({cell['dataset']}, {cell['column']}, seed {cell['seed']})"
