"""What a sweep ends with: its settings, sorted by how they did on held-out rows. Test rows are not for choosing."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from hmc.results.record import Record

METRICS = ("macro_ap", "au_prc", "macro_f1")
"""Of held-out rows; the table is sorted by the first (ours)."""
ADVICE = (
    "to choose among them, sweep with training.holdout=valid; a table of held-out metrics follows then (never choose by test)"
)


def sweep_table(records: Sequence[Record]) -> str:
    """One line a setting, means over its seeds, best first for each dataset; or the advice how to get such a table.

    records: of one sweep. Empty for fewer than two settings.
    """
    groups: dict[tuple[str, str], list[Record]] = {}
    for record in records:
        groups.setdefault((record.cell["dataset"], record.column), []).append(record)
    if len(groups) < 2:
        return ""
    if not all(record.validation for record in records):
        return ADVICE
    means = {
        key: [statistics.fmean(record.validation.get(name, 0.0) for record in group) for name in METRICS]
        for key, group in groups.items()
    }
    width = max(len(", ".join(key)) for key in groups)
    lines = [f"{'held-out rows, best first':<{width}} " + "".join(f"{name:>10}" for name in METRICS) + "  seeds"]
    for key in sorted(groups, key=lambda key: (key[0], -means[key][0])):
        shown = "".join(f"{value:>10.4f}" for value in means[key])
        lines.append(f"{', '.join(key):<{width}} {shown}{len(groups[key]):>7}")
    return "\n".join(lines)
