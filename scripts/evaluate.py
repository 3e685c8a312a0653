"""Evaluate stored scores again, or scores from outside. Trains nothing. ``python scripts/evaluate.py --help`` teaches."""

import hmc.interrupts  # noqa: F401 - first, for Ctrl-C during the imports below

# isort: split
from typing import Any

from hmc import console
from hmc.experiments import plan
from hmc.experiments.outside import OutsideSettings, evaluate_outside, outside_cell
from hmc.experiments.overlap import overlaps
from hmc.experiments.reevaluate import EvaluateSettings, evaluate_again
from hmc.results.store import Store
from hmc.settings import DatasetSettings, OverlapSettings, SuiteSettings, build


def main(config: dict[str, Any]) -> int:
    runtime, asked = console.runtime_settings(config), console.door_settings(EvaluateSettings, config)
    outside = console.door_settings(OutsideSettings, config)
    if outside.scores:
        dataset = build(DatasetSettings, config["dataset"], at="dataset")
        cell = outside_cell(config["method"]["name"], dataset, config["seed"], outside, runtime)
        print(evaluate_outside(cell, outside, runtime))
        return 0
    store = Store(runtime.results_dir, must_exist=True)
    if asked.action == "convert":
        print(f"{store.convert()} records of an earlier layout converted")
        return 0
    cells = [cell for cell, _ in plan.suite_cells(build(SuiteSettings, config["suite"], at="suite"), runtime)]
    if asked.action == "overlap":
        from hmc.report.overlap_table import write_overlap

        pair = build(OverlapSettings, config["overlap"], at="overlap")
        print(write_overlap(overlaps(cells, pair, runtime), pair, store.folder / "comparisons"))
        return 0
    found = evaluate_again(cells, runtime, force=runtime.force)
    print(found.text())
    return int(bool(found.failed))


if __name__ == "__main__":
    console.open_door("evaluate", main)
