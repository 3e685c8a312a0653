"""Where a suite's numbers come from: counts, commits, machines, versions, data, and what failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pandas as pd

from hmc.report.grid import GROUPS, Results

MOST_FAILURES = 20

_VERSIONS = ("hmc", "python", "torch", "numpy", "scipy")
_MACHINE = ("machine", "processor", "device", "threads")


def provenance(grid: pd.DataFrame, results: Results) -> dict[str, Any]:
    """What the page says of the records behind it, as its template takes it."""
    frame = results.frame
    mine = frame[frame["identity"].isin(grid["identity"])]
    done = mine[mine["status"] == "complete"]
    failed = mine[mine["status"] == "failed"]
    at_hand = int(done["identity"].isin(list(results.curves)).sum())
    planned = grid[grid["planned"]]
    expected = done["identity"].isin(planned["identity"])
    return {
        "records": int(expected.sum()),
        "planned": len(planned),
        "beside": int((~expected).sum()),
        "at_hand": at_hand,
        "from_csv": len(done) - at_hand,
        "commits": [
            {"commit": commit or "no checkout", "changed": dirty == "true", "records": count}
            for (commit, dirty), count in _together(done, ["environment.commit", "environment.dirty"])
        ],
        "machines": [
            {"words": ", ".join(part for part in _machine(parts) if part), "records": count}
            for parts, count in _together(done, [f"environment.{name}" for name in _MACHINE])
        ],
        "versions": [
            {"words": ", ".join(f"{name} {part}" for name, part in zip(_VERSIONS, parts, strict=True) if part), "records": count}
            for parts, count in _together(done, [f"environment.{name}" for name in _VERSIONS])
        ],
        "data": [
            {"dataset": dataset, "sha256": sha256, "group": GROUPS.get(group, group), "note": note, "records": count}
            for (dataset, sha256, group, note), count in _together(done, ["dataset", "data.sha256", "group", "reconstructed"])
        ],
        "outside": [
            {"name": f"{dataset}, {column}", "origin": origin, "records": count}
            for (dataset, column, origin), count in _together(done, ["dataset", "column", "data.origin"])
            if origin
        ],
        "failed": [
            {"cell": f"{one['dataset']}, {one['column']}, seed {one['seed']}", "error": one["error"]}
            for one in failed.head(MOST_FAILURES).to_dict("records")
        ],
        "failures": len(failed),
        "hours": float(done["times.train_seconds"].sum()) / 3600 if "times.train_seconds" in done else 0.0,
    }


def _together(done: pd.DataFrame, names: Sequence[str]) -> list[tuple[tuple[str, ...], int]]:
    """The combinations of some columns' texts and how many records have each, sorted; a column that is not there is empty."""
    columns = [done[name].astype(str) if name in done else [""] * len(done) for name in names]
    return sorted(Counter(zip(*columns, strict=True)).items())


def _machine(parts: Sequence[str]) -> list[str]:
    system, processor, device, threads = parts
    words = f"{threads} {'thread' if threads == '1' else 'threads'}" if threads else ""
    return [system, processor, device, words]
