import pytest

from hmc.report.testing import ALPHA, fewest_pairs
from hmc.stats.pairwise import holm, wilcoxon


@pytest.mark.parametrize("tests", [1, 2, 5, 24])
def test_with_the_fewest_pairs_unanimous_differences_are_significant_after_holm_and_with_one_less_they_are_not(tests):
    def least(pairs):
        p = wilcoxon([float(place) for place in range(1, pairs + 1)], [0.0] * pairs).p
        return holm([p] * tests)[0]

    needed = fewest_pairs(tests)
    assert least(needed) < ALPHA <= (least(needed - 1) or 1.0)
    assert (fewest_pairs(1), fewest_pairs(5)) == (6, 8)
