"""Run what is missing of a suite, then write its tables. ``python scripts/reproduce.py --help`` teaches."""

from dataclasses import dataclass
from typing import Any

from hmc import console
from hmc.experiments.plan import ExecutorSettings, SuiteSettings
from hmc.experiments.reproduce import reproduce, show_plan
from hmc.report.page import collect
from hmc.results.store import Store
from hmc.settings import build, setting


@dataclass(frozen=True)
class ReproduceSettings:
    plan: bool = setting()


def main(config: dict[str, Any]) -> int:
    runtime = console.runtime_settings(config)
    suite = build(SuiteSettings, config["suite"], at="suite")
    executor = build(ExecutorSettings, config["executor"], at="executor")
    if console.own_settings(ReproduceSettings, config).plan:
        show_plan(suite, runtime, executor)
        return 0
    outcome = reproduce(suite, runtime, executor)
    # Only this store's records: what others computed (results/runs.csv) is no reproduction.
    console.show_results(suite, outcome.cells, collect(Store(runtime.results_dir).records()), runtime.results_dir)
    for cell, error in outcome.failed.items():
        print(f"failed: {cell}: {error}")
    if outcome.unfinished:
        print("not all is done; the same command tries again what failed and goes on")
    else:
        print("all that can be run here is done" if outcome.left_out else "all is done")
    return int(outcome.unfinished)


if __name__ == "__main__":
    console.open_door("reproduce", main)
