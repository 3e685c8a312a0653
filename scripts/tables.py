"""The tables and the report page of a suite, from the records that exist. ``python scripts/tables.py --help`` teaches."""

import gc
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hmc import console
from hmc.experiments import plan
from hmc.report.page import collect
from hmc.report.summary import insert, summary
from hmc.results import published
from hmc.results.store import Store
from hmc.settings import SuiteSettings, build, setting


@dataclass(frozen=True)
class TablesSettings:
    export: bool = setting()
    page: bool = setting()
    summary: str = setting()


def main(config: dict[str, Any]) -> int:
    # To look through all that was read for cycles, again and again, takes a tenth of the seconds that this process lives.
    gc.disable()
    runtime = console.runtime_settings(config)
    suite = build(SuiteSettings, config["suite"], at="suite")
    store = Store(runtime.results_dir)
    asked = console.own_settings(TablesSettings, config)
    if asked.export:
        print(f"wrote {store.export_csv()}")
    cells = [cell for cell, _ in plan.suite_cells(suite, runtime)]
    results = collect(store.records(), store.lines())
    show = console.show_results if asked.page else console.show_tables
    show(suite, cells, results, runtime.results_dir)
    if asked.summary:
        insert(summary(cells, results.frame, published.load()), Path(asked.summary))
        print(f"the summary is in {asked.summary}")
    return 0


if __name__ == "__main__":
    console.open_door("tables", main)
