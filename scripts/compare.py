"""Do two methods differ? ``python scripts/compare.py --help`` teaches."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hmc import console
from hmc.report import comparisons
from hmc.results.store import Store
from hmc.settings import setting
from hmc.stats.frames import compare
from hmc.stats.pairwise import Choices


@dataclass(frozen=True)
class CompareSettings:
    a: str = setting()
    b: str = setting()
    metric: str = setting()
    over: str = setting(choices=("datasets", "seeds"))
    datasets: tuple[str, ...] = setting()
    comparisons: str = setting()
    alternative: str = setting(choices=("two-sided", "greater", "less"))
    zero_method: str = setting(choices=("pratt", "wilcox", "zsplit"))
    results_dir: str = setting()


def main(config: dict[str, Any]) -> int:
    asked = console.own_settings(CompareSettings, config)
    frame = Store(asked.results_dir).frame()
    choices = Choices(alternative=asked.alternative, zero_method=asked.zero_method)
    if asked.comparisons:
        path = Path(asked.comparisons)
        console.show_table(comparisons.table(path.stem, comparisons.read(path), frame, choices), path.parent)
        return 0
    frame = comparisons.results(frame, asked.datasets)
    a, b = comparisons.column(asked.a), comparisons.column(asked.b)
    found = compare(frame, a, b, asked.metric, asked.over, choices)
    print(found.sentence())
    if words := comparisons.rebuilt(comparisons.behind(frame, a, b)):
        print("Some of these numbers come from reconstructed data: " + ", ".join(words))
    return 0


if __name__ == "__main__":
    console.open_door("compare", main)
