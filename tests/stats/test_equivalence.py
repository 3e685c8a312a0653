"""Two one-sided tests: equal to within a margin, or not shown to be."""

import math

import numpy as np
import pytest

from hmc.stats.equivalence import equivalence
from hmc.stats.pairwise import ComparisonError


def values(factor: float, count: int = 8) -> dict[str, float]:
    return {f"set {place}": factor * (0.1 + 0.02 * place) for place in range(count)}


@pytest.mark.parametrize(
    ("factor", "equal"), [(1.0, True), (1.05, True), (0.95, True), (1.15, False), (0.85, False), (2.0, False)]
)
def test_both_tests_must_hold(factor: float, equal: bool) -> None:
    found = equivalence(values(factor), values(1.0))
    assert found.p is not None
    assert (found.p < 0.05) == equal
    assert found.ratio == pytest.approx(factor)
    assert found.p == max(found.above.p, found.below.p)


def test_the_margin_is_the_same_in_both_directions() -> None:
    random = np.random.default_rng(0)
    a = {place: float(value) for place, value in enumerate(random.uniform(0.1, 0.9, 12))}
    b = {place: value * float(random.uniform(0.92, 1.08)) for place, value in a.items()}
    one, other = equivalence(a, b, margin=0.1), equivalence(b, a, margin=0.1)
    assert (one.above.p, one.below.p) == (other.below.p, other.above.p)
    assert one.ratio == pytest.approx(1 / other.ratio)


def test_a_pair_with_a_zero_has_no_ratio_and_is_left_out() -> None:
    found = equivalence(values(1.0) | {"zero": 0.0}, values(1.0) | {"zero": 0.3, "only b": 0.1})
    assert (found.n, found.left_out) == (8, ("zero",))


def test_too_few_pairs_give_no_p_and_say_so() -> None:
    found = equivalence(values(1.0, 4), values(1.0, 4))
    assert found.p is None
    assert "no p-value" in found.sentence()
    assert math.isnan(equivalence({}, {}).ratio)


@pytest.mark.parametrize("margin", [0, 1, -0.1])
def test_a_margin_out_of_range_is_refused(margin: float) -> None:
    with pytest.raises(ComparisonError, match="margin"):
        equivalence(values(1.0), values(1.0), margin=margin)
    with pytest.raises(ComparisonError, match="negative"):
        equivalence({"a": -0.1}, {"a": 0.1})
