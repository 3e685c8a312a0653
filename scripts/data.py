"""The benchmark datasets: list, fetch, verify, describe. ``python scripts/data.py --help`` teaches."""

import hmc.interrupts  # noqa: F401 - first, for Ctrl-C during the imports below

# isort: split
from dataclasses import dataclass
from typing import Any

from hmc import console
from hmc.data import overview
from hmc.settings import setting

ACTIONS = {"list": overview.listing, "fetch": overview.fetch, "verify": overview.verify, "describe": overview.describe}


@dataclass(frozen=True)
class DataSettings:
    action: str = setting(choices=tuple(ACTIONS))
    datasets: tuple[str, ...] = setting()


def main(config: dict[str, Any]) -> int:
    asked = console.door_settings(DataSettings, config)
    table = ACTIONS[asked.action](overview.cards(asked.datasets), console.runtime_settings(config))
    print(table.to_string(index=False))
    return int(overview.has_problem(table))


if __name__ == "__main__":
    console.open_door("data", main)
