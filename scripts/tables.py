"""The tables of a suite, from the records that exist. ``python scripts/tables.py --help`` teaches."""

from typing import Any

from hmc import console
from hmc.experiments import plan
from hmc.report.tables import tables
from hmc.results import published
from hmc.results.store import Store
from hmc.settings import build


def main(config: dict[str, Any]) -> int:
    runtime = console.runtime_settings(config)
    suite = build(plan.SuiteSettings, config["suite"], at="suite")
    store = Store(runtime.results_dir)
    if config["export"]:
        print(f"wrote {store.export_csv()}")
    cells = [cell for cell, _ in plan.suite_cells(suite, runtime)]
    console.show_tables(tables(cells, store.frame(), published.load()), runtime.results_dir, suite.name)
    return 0


if __name__ == "__main__":
    console.open_door("tables", main)
