import pytest

from hmc.report.near_best import ALPHA, fewest_pairs, near_best
from hmc.stats.pairwise import holm, wilcoxon


@pytest.mark.parametrize("tests", [1, 2, 5, 24])
def test_with_the_fewest_pairs_unanimous_differences_are_significant_after_holm_and_with_one_less_they_are_not(tests):
    def least(pairs):
        p = wilcoxon([float(place) for place in range(1, pairs + 1)], [0.0] * pairs).p
        return holm([p] * tests)[0]

    needed = fewest_pairs(tests)
    assert least(needed) < ALPHA <= (least(needed - 1) or 1.0)
    assert (fewest_pairs(1), fewest_pairs(5)) == (6, 8)


def test_only_the_seeds_that_both_have_count_and_each_comparison_speaks_for_itself():
    best = dict.fromkeys(range(10), 0.5)
    same = dict.fromkeys(range(3, 13), 0.5)
    short = dict.fromkeys(range(4), 0.5)
    found = near_best({"short": short, "best": best, "same": same}, "best")
    assert (found.close, found.told, found.needed, found.few) == ({"same"}, True, 7, (4,))


def test_holm_decides_over_the_columns_together():
    def worse(most):
        """Below the best for all of ten seeds but the one of the smallest differences."""
        return {seed: 0.5 + (0.001 if seed < most else -0.01 * (seed + 1)) for seed in range(10)}

    best = dict.fromkeys(range(10), 0.5)
    alone = near_best({"best": best, "a": worse(3)}, "best")
    among = near_best({"best": best, "a": worse(3), **{f"equal_{place}": worse(5) for place in range(4)}}, "best")
    assert "a" not in alone.close
    assert "a" in among.close
