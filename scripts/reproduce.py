"""Run what is missing of a suite, then write its tables and its page. ``python scripts/reproduce.py --help`` teaches."""

import hmc.interrupts  # noqa: F401 - first, for Ctrl-C during the imports below

# isort: split
from dataclasses import dataclass
from typing import Any

from hmc import console
from hmc.experiments.reproduce import reproduce, show_plan
from hmc.settings import ExecutorSettings, SuiteSettings, TableSettings, build, setting


@dataclass(frozen=True)
class ReproduceSettings:
    plan: bool = setting()
    recorded: str = setting(choices=("recompute", "reuse"))


def main(config: dict[str, Any]) -> int:
    runtime, asked = console.runtime_settings(config), console.door_settings(ReproduceSettings, config)
    suite = build(SuiteSettings, config["suite"], at="suite")
    executor = build(ExecutorSettings, config["executor"], at="executor")
    rules = build(TableSettings, config["tables"], at="tables")
    if asked.plan:
        show_plan(suite, runtime, executor, reuse=asked.recorded == "reuse")
        return 0
    outcome = reproduce(suite, runtime, executor, reuse=asked.recorded == "reuse")
    # Only now: a report needs pandas and matplotlib, which take seconds to import.
    from hmc.report.suite import report_reproduction

    print(report_reproduction(suite, outcome.cells, runtime.results_dir, reuse=asked.recorded == "reuse", asked=rules))
    print(outcome.text())
    return int(outcome.unfinished)


if __name__ == "__main__":
    console.open_door("reproduce", main)
