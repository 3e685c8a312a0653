"""The suites of configs/suite, for tests."""

from __future__ import annotations

from hmc import configs
from hmc.experiments import plan
from hmc.settings import Cell, RuntimeSettings, SuiteSettings, build


def suite_of(name: str) -> SuiteSettings:
    return build(SuiteSettings, configs.read("suite", name), at="suite")


def cells_of_suite(name: str) -> list[Cell]:
    return [cell for cell, _ in plan.suite_cells(suite_of(name), RuntimeSettings())]
