"""Do two methods differ? ``python scripts/compare.py --help`` teaches."""

import hmc.interrupts  # noqa: F401 - first, for Ctrl-C during the imports below

# isort: split
import shutil
from typing import Any

from hmc import console
from hmc.report.comparisons import CompareSettings, compared


def main(config: dict[str, Any]) -> int:
    print(compared(console.door_settings(CompareSettings, config), shutil.get_terminal_size((110, 40)).columns))
    return 0


if __name__ == "__main__":
    console.open_door("compare", main)
