"""Run what is missing of a suite, then write its tables. ``python scripts/reproduce.py --help`` teaches."""

from dataclasses import dataclass
from typing import Any

from hmc import console
from hmc.experiments.reproduce import reproduce, show_plan
from hmc.report.agreement import agreement
from hmc.report.page import collect
from hmc.results.store import Store, frame
from hmc.settings import ExecutorSettings, SuiteSettings, build, setting


@dataclass(frozen=True)
class ReproduceSettings:
    plan: bool = setting()
    listed: str = setting(choices=("run", "accept"))


def main(config: dict[str, Any]) -> int:
    runtime = console.runtime_settings(config)
    suite = build(SuiteSettings, config["suite"], at="suite")
    executor = build(ExecutorSettings, config["executor"], at="executor")
    asked = console.own_settings(ReproduceSettings, config)
    store = Store(runtime.results_dir)
    # What others computed (results/runs.csv) is no reproduction, unless one says so.
    listed = store.listed()
    accepted = listed if asked.listed == "accept" else {}
    if asked.plan:
        show_plan(suite, runtime, executor, accepted)
        return 0
    outcome = reproduce(suite, runtime, executor, accepted)
    results = collect(store.records(), accepted.values())
    console.show_results(suite, outcome.cells, results, runtime.results_dir)
    computed = results.curves.keys() & {cell.identity for cell in outcome.cells}
    if words := agreement(computed, results.frame, frame(listed.values())):
        print(words)
    for cell, error in outcome.failed.items():
        print(f"failed: {cell}: {error}")
    if outcome.unfinished:
        print("not all is done; the same command tries again what failed and goes on")
    else:
        print("all that can be run here is done" if outcome.left_out else "all is done")
    return int(outcome.unfinished)


if __name__ == "__main__":
    console.open_door("reproduce", main)
