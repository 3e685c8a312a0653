"""Do two methods differ? ``python scripts/compare.py --help`` teaches."""

from typing import Any

from hmc import console
from hmc.results.store import Store
from hmc.settings import SettingsError, column_name
from hmc.stats.frames import compare
from hmc.stats.pairwise import Choices


def main(config: dict[str, Any]) -> int:
    frame = Store(config["results_dir"]).frame()
    wanted = frame["dataset"].isin(config["datasets"]) if config["datasets"] else ~frame["group"].isin(("synthetic", "images"))
    frame = frame[wanted & (frame["status"] == "complete")]
    if frame.empty:
        raise SettingsError(f"{config['results_dir']} holds no results of the datasets asked for; run scripts/reproduce.py first")
    a, b = (_column(config[name]) for name in ("a", "b"))
    choices = Choices(alternative=config["alternative"], zero_method=config["zero_method"])
    found = compare(frame, a, b, config["metric"], config["over"], choices)
    print(found.sentence())
    if (frame["reconstructed"] != "").any():
        print("Some of these numbers come from reconstructed data: " + ", ".join(sorted(set(frame["reconstructed"]) - {""})))
    return 0


def _column(name: str) -> str:
    method, slash, protocol = name.partition("/")
    return column_name(method, protocol, "") if slash else method


if __name__ == "__main__":
    console.open_door("compare", main)
