"""The benchmark datasets: list, fetch, verify, describe. ``python scripts/data.py --help`` teaches."""

from dataclasses import dataclass
from typing import Any

from hmc import console
from hmc.data import describe
from hmc.settings import setting

ACTIONS = {"list": describe.listing, "fetch": describe.fetch, "verify": describe.verify, "describe": describe.describe}


@dataclass(frozen=True)
class DataSettings:
    action: str = setting(choices=tuple(ACTIONS))
    datasets: tuple[str, ...] = setting()


def main(config: dict[str, Any]) -> int:
    asked = console.own_settings(DataSettings, config)
    table = ACTIONS[asked.action](describe.cards(asked.datasets), console.runtime_settings(config))
    print(table.to_string(index=False))
    return int(describe.has_problem(table))


if __name__ == "__main__":
    console.open_door("data", main)
