"""The suites of configs/suite, for tests."""

from __future__ import annotations

from hmc.experiments import plan
from hmc.experiments.plan import SuiteSettings
from hmc.settings import Cell, RuntimeSettings, build


def suite_of(name: str) -> SuiteSettings:
    return build(SuiteSettings, plan.read("suite", name), at="suite")


def cells_of_suite(name: str) -> list[Cell]:
    return [cell for cell, _ in plan.suite_cells(suite_of(name), RuntimeSettings())]
