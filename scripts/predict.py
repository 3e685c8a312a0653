"""Score new rows with a saved model. ``python scripts/predict.py --help`` teaches."""

import hmc.interrupts  # noqa: F401 - first, for Ctrl-C during the imports below

# isort: split
from typing import Any

from hmc import console
from hmc.experiments.prediction import PredictSettings, predict


def main(config: dict[str, Any]) -> int:
    print(predict(console.door_settings(PredictSettings, config)))
    return 0


if __name__ == "__main__":
    console.open_door("predict", main)
