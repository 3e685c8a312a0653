"""The datasets: list, fetch, verify, describe, export, and rows that splits share. ``python scripts/data.py --help`` teaches."""

import hmc.interrupts  # noqa: F401 - first, for Ctrl-C during the imports below

# isort: split
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hmc import console
from hmc.data import export, overview
from hmc.settings import SettingsError, setting

ACTIONS = {
    "list": overview.listing,
    "fetch": overview.fetch,
    "verify": overview.verify,
    "describe": overview.describe,
    "leaks": overview.leaks,
}


@dataclass(frozen=True)
class DataSettings:
    action: str = setting(choices=(*ACTIONS, "export"))
    datasets: tuple[str, ...] = setting()
    output: str = setting()
    format: str = setting(choices=export.FORMATS)


def main(config: dict[str, Any]) -> int:
    asked, runtime = console.door_settings(DataSettings, config), console.runtime_settings(config)
    cards = overview.cards(asked.datasets)
    if asked.action == "export":
        if not asked.datasets:
            raise SettingsError("datasets must name what to export, such as datasets=[enron]")
        table = export.export(cards, runtime, Path(asked.output).expanduser(), asked.format)
    else:
        table = ACTIONS[asked.action](cards, runtime)
    print(table.to_string(index=False))
    return int(overview.has_problem(table))


if __name__ == "__main__":
    console.open_door("data", main)
