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
from hmc.settings import SuiteSettings, TableSettings, build, setting


@dataclass(frozen=True)
class TablesSettings:
    page: bool = setting()
    figures: tuple[str, ...] = setting(choices=("svg", "png", "pdf"))
    reference: bool = setting()
    export: str = setting()
    summary: str = setting()


def main(config: dict[str, Any]) -> int:
    runtime, asked = console.runtime_settings(config), console.door_settings(TablesSettings, config)
    suite, rules = build(SuiteSettings, config["suite"], at="suite"), build(TableSettings, config["tables"], at="tables")
    store = Store(runtime.results_dir, must_exist=True)
    cells = [cell for cell, _ in plan.suite_cells(suite, runtime)]
    if asked.export:
        print(f"wrote {store.export_csv(cells, Path(asked.export).expanduser())}")
    results = collect_results(store, reference=asked.reference)
    report = write_report(suite, cells, results, runtime.results_dir, asked=rules, page=asked.page, figures=asked.figures)
    print(report_text(report))
    if asked.summary:
        insert(summary(report.grid, published.load(), rules.tuned), Path(asked.summary).expanduser())
        print(f"the summary is in {asked.summary}")
    return 0


if __name__ == "__main__":
    console.open_door("tables", main)
