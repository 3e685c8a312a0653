"""The benchmark datasets: list, fetch, verify, describe. ``python scripts/data.py --help`` teaches."""

from typing import Any

from hmc import console
from hmc.data import describe
from hmc.settings import SettingsError, did_you_mean

ACTIONS = {"list": describe.listing, "fetch": describe.fetch, "verify": describe.verify, "describe": describe.describe}


def main(config: dict[str, Any]) -> int:
    action = config["action"]
    if action not in ACTIONS:
        raise SettingsError(f"action={action!r} is not known{did_you_mean(str(action), ACTIONS)}")
    table = ACTIONS[action](describe.cards(config["datasets"]), console.runtime_settings(config))
    print(table.to_string(index=False))
    return int(describe.has_problem(table))


if __name__ == "__main__":
    console.open_door("data", main)
