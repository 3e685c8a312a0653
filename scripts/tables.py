"""The tables and the page of a suite, from the records that exist. ``python scripts/tables.py --help`` teaches."""

import hmc.interrupts  # noqa: F401 - first, for Ctrl-C during the imports below

# isort: split
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hmc import console
from hmc.experiments import plan
from hmc.report.suite import collect_results, report_text, write_report
from hmc.report.summary import insert, summary
from hmc.results import published
from hmc.results.store import Store
from hmc.settings import SuiteSettings, build, setting


@dataclass(frozen=True)
class TablesSettings:
    page: bool = setting()
    reference: bool = setting()
    export: str = setting()
    summary: str = setting()


def main(config: dict[str, Any]) -> int:
    runtime, asked = console.runtime_settings(config), console.door_settings(TablesSettings, config)
    suite = build(SuiteSettings, config["suite"], at="suite")
    store = Store(runtime.results_dir, must_exist=True)
    cells = [cell for cell, _ in plan.suite_cells(suite, runtime)]
    if asked.export:
        print(f"wrote {store.export_csv(cells, Path(asked.export).expanduser())}")
    report = write_report(suite, cells, collect_results(store, reference=asked.reference), runtime.results_dir, page=asked.page)
    print(report_text(report))
    if asked.summary:
        insert(summary(report.grid, published.load()), Path(asked.summary).expanduser())
        print(f"the summary is in {asked.summary}")
    return 0


if __name__ == "__main__":
    console.open_door("tables", main)
