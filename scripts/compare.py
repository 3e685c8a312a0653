"""Do two methods differ? ``python scripts/compare.py --help`` teaches."""

from dataclasses import dataclass
from typing import Any

from hmc import console
from hmc.results.store import Store
from hmc.settings import SettingsError, column_name, setting
from hmc.stats.frames import compare
from hmc.stats.pairwise import Choices


@dataclass(frozen=True)
class CompareSettings:
    a: str = setting()
    b: str = setting()
    metric: str = setting()
    over: str = setting(choices=("datasets", "seeds"))
    datasets: tuple[str, ...] = setting()
    alternative: str = setting(choices=("two-sided", "greater", "less"))
    zero_method: str = setting(choices=("pratt", "wilcox", "zsplit"))
    results_dir: str = setting()


def main(config: dict[str, Any]) -> int:
    asked = console.own_settings(CompareSettings, config)
    frame = Store(asked.results_dir).frame()
    wanted = frame["dataset"].isin(asked.datasets) if asked.datasets else ~frame["group"].isin(("synthetic", "images"))
    frame = frame[wanted & (frame["status"] == "complete")]
    if frame.empty:
        raise SettingsError(f"{asked.results_dir} holds no results of the datasets asked for; run scripts/reproduce.py first")
    a, b = (_column(name) for name in (asked.a, asked.b))
    choices = Choices(alternative=asked.alternative, zero_method=asked.zero_method)
    found = compare(frame, a, b, asked.metric, asked.over, choices)
    print(found.sentence())
    both = frame[frame["column"].isin([a, b])].groupby("dataset").filter(lambda values: values["column"].nunique() == len({a, b}))
    if rebuilt := sorted(set(both["reconstructed"]) - {""}):
        print("Some of these numbers come from reconstructed data: " + ", ".join(rebuilt))
    return 0


def _column(name: str) -> str:
    method, slash, protocol = name.partition("/")
    return column_name(method, protocol, "") if slash else method


if __name__ == "__main__":
    console.open_door("compare", main)
