"""Two methods on the same datasets or seeds: signed-rank test, effect sizes, and Holm over a family of comparisons.

Differences are always a - b, rounded to 12 decimals first: without that, differences that are equal on paper are ranked by
the last bit of a subtraction.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
import scipy

ALTERNATIVES = {"two-sided": "two-sided", "greater": "one-sided, a greater than b", "less": "one-sided, a less than b"}
ZERO_METHODS = {
    "pratt": "zero differences ranked, then left out (Pratt)",
    "wilcox": "zero differences left out before ranking (Wilcoxon)",
    "zsplit": "zero differences ranked and split over both signs",
}
METHODS = ("auto", "exact", "approx")

FEWEST_PAIRS = 5
"""Fewer pairs give no p-value: not even a one-sided test of four unanimous pairs can reach 0.05 (2 ** -4 = 0.0625)."""

EXACT_PAIRS = 50
"""The most nonzero differences for which ``auto`` uses the exact distribution (scipy's limit)."""

MOST_EXACT_PAIRS = 500
"""The most nonzero differences for which an exact distribution is computed at all."""

DECIMALS = 12


class ComparisonError(ValueError):
    """A comparison that makes no sense: an unknown name, an unknown choice, a value that is not finite."""


@dataclass(frozen=True)
class Choices:
    """What a signed-rank comparison depends on besides the values. The defaults are ours.

    alternative: two-sided, greater (a above b) or less. zero_method: ``pratt``, so that methods that tie on a dataset weaken
    the evidence; scipy's default ``wilcox`` drops such pairs. method: exact, approx (normal, ties corrected), or auto: exact
    for up to 50 nonzero differences, also with ties. correction: of 0.5 for continuity, with approx only. level: of the
    interval. resamples, seed: of the interval's bootstrap; 0 resamples: no interval.

    Raises ComparisonError for anything else.
    """

    alternative: str = "two-sided"
    zero_method: str = "pratt"
    method: str = "auto"
    correction: bool = False
    level: float = 0.95
    resamples: int = 10_000
    seed: int = 0

    def __post_init__(self) -> None:
        known: Mapping[str, Iterable[str]] = {"alternative": ALTERNATIVES, "zero_method": ZERO_METHODS, "method": METHODS}
        for name, words in known.items():
            if getattr(self, name) not in words:
                raise ComparisonError(f"{name} must be one of {', '.join(words)}, got {getattr(self, name)!r}")
        if not 0 < self.level < 1:
            raise ComparisonError(f"level must be above 0 and below 1, got {self.level!r}")
        if self.resamples < 0:
            raise ComparisonError(f"resamples must be at least 0, got {self.resamples!r}")


DEFAULT = Choices()


# --- pairing --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Pairs:
    """The values of a and b under the keys that both have, sorted by key, and the keys that only the other has."""

    keys: tuple[Any, ...]
    a: tuple[float, ...]
    b: tuple[float, ...]
    missing_a: tuple[Any, ...] = ()
    missing_b: tuple[Any, ...] = ()


def pair_up(a: Mapping[Any, float | None], b: Mapping[Any, float | None]) -> Pairs:
    """The values of a and b paired by key (dataset or seed). None and NaN are missing values.

    Raises ComparisonError for an infinite value.

    >>> pair_up({"x": 1.0, "y": 2.0}, {"y": 3.0, "z": None})
    Pairs(keys=('y',), a=(2.0,), b=(3.0,), missing_a=('z',), missing_b=('x', 'z'))
    """
    valid_a, valid_b = present(a, "a"), present(b, "b")
    every = sorted(set(a) | set(b))
    keys = tuple(key for key in every if key in valid_a and key in valid_b)
    return Pairs(
        keys,
        tuple(valid_a[key] for key in keys),
        tuple(valid_b[key] for key in keys),
        missing_a=tuple(key for key in every if key not in valid_a),
        missing_b=tuple(key for key in every if key not in valid_b),
    )


def present(values: Mapping[Any, float | None], name: str) -> dict[Any, float]:
    """The values without None and NaN. ``name``: whose they are, for the message. Raises ComparisonError for an infinite one."""
    known = {key: float(value) for key, value in values.items() if value is not None and not math.isnan(value)}
    for key, value in known.items():
        if math.isinf(value):
            raise ComparisonError(f"{name} must be finite, got {value} for {key!r}")
    return known


def differences_of(a: Sequence[float] | np.ndarray, b: Sequence[float] | np.ndarray) -> np.ndarray:
    """a - b, rounded to 12 decimals, float64 [pairs].

    Raises ComparisonError for sequences of different lengths and for values that are not finite.
    """
    first, second = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if first.ndim != 1 or first.shape != second.shape:
        raise ComparisonError(f"a and b must be sequences of the same length, got shapes {first.shape} and {second.shape}")
    differences = np.round(first - second, DECIMALS)
    if not np.isfinite(differences).all():
        raise ComparisonError(
            "a and b must be finite, got NaN or an infinite value; pair_up leaves out what is missing, and lists it"
        )
    return differences


# --- the signed-rank test -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SignedRankTest:
    """A Wilcoxon signed-rank test and the choices behind its p-value.

    n: pairs; n_nonzero: pairs that differ; ties: whether some of these differ equally much. method: exact or approx, as
    resolved. rank_sum_a, rank_sum_b: sums of the ranks of the pairs in which a, or b, is greater. p: None where nothing was
    tested, and then ``reason`` says why.
    """

    alternative: str
    zero_method: str
    method: str
    correction: bool
    n: int
    n_nonzero: int
    ties: bool
    rank_sum_a: float
    rank_sum_b: float
    p: float | None
    reason: str = ""

    @property
    def rank_biserial(self) -> float | None:
        """Matched-pairs rank-biserial correlation, the simple difference of the shares of rank sum that favour a and b.

        In [-1, 1], above 0 where a is greater; None where no pair differs. Follows the test's treatment of zeros.
        """
        total = self.rank_sum_a + self.rank_sum_b
        return (self.rank_sum_a - self.rank_sum_b) / total if self.n_nonzero else None

    @property
    def least_p(self) -> float:
        """The smallest exact p-value that so many pairs can give, all of them differing in one direction."""
        sides = 2 if self.alternative == "two-sided" else 1
        return min(1.0, sides * 0.5**self.n_nonzero)

    def sentence(self) -> str:
        """The test, all choices, and the p-value or why there is none."""
        if self.p is None:
            return f"Wilcoxon signed-rank, {ALTERNATIVES[self.alternative]}: no p-value, {self.reason}"
        if self.method == "exact":
            how = "exact distribution over all signs" + (", given the ties" if self.ties else "")
        else:
            how = "normal approximation, ties corrected, " + ("with" if self.correction else "no") + " continuity correction"
        text = (
            f"Wilcoxon signed-rank, {ALTERNATIVES[self.alternative]}, {how}, n = {self.n} ({self.n - self.n_nonzero} zero), "
            f"{ZERO_METHODS[self.zero_method]}, rank sums {self.rank_sum_a:g} and {self.rank_sum_b:g}: p = {number(self.p)}"
        )
        if self.least_p > 0.05:
            text += f" (so few pairs cannot give less than {number(self.least_p)})"
        return text


def wilcoxon(
    a: Sequence[float] | np.ndarray,
    b: Sequence[float] | np.ndarray,
    *,
    alternative: str = "two-sided",
    zero_method: str = "pratt",
    method: str = "auto",
    correction: bool = False,
) -> SignedRankTest:
    """Wilcoxon signed-rank test of a against b, paired by place. The choices are those of :class:`Choices`.

    With approx, p is scipy's. The exact distribution is computed here: without ties and zeros it gives scipy's p in a fraction
    of the time; with them scipy's exact method is not exact, and its enumeration of all signs takes 1.6 s for 13 pairs.

    Raises ComparisonError for unknown choices, values that cannot be paired, and method=exact with more than 500 pairs that
    differ.

    >>> test = wilcoxon([0.5, 0.6, 0.7, 0.8, 0.9], [0.4, 0.5, 0.6, 0.5, 0.4])
    >>> test.n, test.p, test.rank_biserial
    (5, 0.0625, 1.0)
    """
    choices = Choices(alternative, zero_method, method, correction)
    differences = differences_of(a, b)
    return _signed_rank(differences, choices)


def _signed_rank(differences: np.ndarray, choices: Choices) -> SignedRankTest:
    n, n_nonzero = len(differences), int(np.count_nonzero(differences))
    magnitudes = np.abs(differences[differences != 0])
    ties = len(np.unique(magnitudes)) < n_nonzero
    method = choices.method
    if method == "auto":
        method = "exact" if n_nonzero <= EXACT_PAIRS else "approx"
    if method == "exact" and n_nonzero > MOST_EXACT_PAIRS:
        raise ComparisonError(
            f"method=exact takes at most {MOST_EXACT_PAIRS} pairs that differ, got {n_nonzero}; method=approx is as good there"
        )
    ranked = differences[differences != 0] if choices.zero_method == "wilcox" else differences
    ranks = pd.Series(np.abs(ranked)).rank().to_numpy()
    split = ranks[ranked == 0].sum() / 2 if choices.zero_method == "zsplit" else 0.0
    rank_sum_a, rank_sum_b = ranks[ranked > 0].sum() + split, ranks[ranked < 0].sum() + split
    reason, p = "", None
    if n < FEWEST_PAIRS:
        pairs = "no pairs" if n == 0 else "1 pair" if n == 1 else f"{n} pairs"
        reason = f"{pairs} where at least {FEWEST_PAIRS} are needed"
    elif n_nonzero == 0:
        reason = f"all {n} pairs are equal"
    elif method == "exact":
        p = _exact_given_ranks(ranks[ranked != 0], float(rank_sum_a - split), choices.alternative)
    else:
        p = float(
            scipy.stats.wilcoxon(
                differences,
                zero_method=choices.zero_method,
                correction=choices.correction,
                alternative=choices.alternative,
                method="asymptotic",
            ).pvalue
        )
    return SignedRankTest(
        choices.alternative,
        choices.zero_method,
        method,
        choices.correction and method == "approx",
        n,
        n_nonzero,
        ties,
        float(rank_sum_a),
        float(rank_sum_b),
        p,
        reason,
    )


def _exact_given_ranks(ranks: np.ndarray, rank_sum: float, alternative: str) -> float:
    """The p of a positive rank sum when each rank has either sign with the same chance.

    Averaged ranks are halves, so twice the sum is a whole number; its distribution is built rank by rank.
    """
    chances = _chances(tuple(sorted(np.rint(2 * ranks).astype(np.int64).tolist())))
    place = round(2 * rank_sum)
    below, above = float(chances[: place + 1].sum()), float(chances[place:].sum())
    p = {"less": below, "greater": above, "two-sided": 2 * min(below, above)}[alternative]
    return min(1.0, p)


@lru_cache(maxsize=256)
def _chances(doubled_ranks: tuple[int, ...]) -> np.ndarray:
    """The chance of each sum of a random choice of these whole numbers; without ties it depends on their count alone."""
    chances = np.ones(1)
    for rank in doubled_ranks:
        longer = np.zeros(len(chances) + rank)
        longer[: len(chances)] += chances / 2
        longer[rank:] += chances / 2
        chances = longer
    return chances


# --- the size of a difference ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Shift:
    """The Hodges-Lehmann estimate of the difference a - b, in the metric's unit, with a percentile bootstrap interval.

    low, high: None without an interval, that is with fewer than two pairs or no resamples.
    """

    estimate: float
    low: float | None
    high: float | None
    level: float
    resamples: int
    seed: int

    def sentence(self) -> str:
        """The estimate, its interval and how that was made."""
        text = f"Hodges-Lehmann difference a - b {self.estimate:+.4g}"
        if self.low is None or self.high is None:
            return text
        return (
            f"{text}, {100 * self.level:g} % interval [{self.low:+.4g}, {self.high:+.4g}] "
            f"(percentile bootstrap over pairs, {self.resamples} resamples, seed {self.seed})"
        )


def hodges_lehmann(
    differences: Sequence[float] | np.ndarray, *, level: float = 0.95, resamples: int = 10_000, seed: int = 0
) -> Shift | None:
    """The median of the means of all pairs of differences, each with itself included; None without differences.

    differences: a - b, float [pairs]. The interval resamples pairs. resamples=0: no interval.

    >>> hodges_lehmann([1.0, 2.0, 6.0], resamples=0).estimate
    2.75
    """
    values = np.asarray(differences, dtype=np.float64)
    if not len(values):
        return None
    estimate = float(_median_of_means(values))
    if len(values) < 2 or not resamples:
        return Shift(estimate, None, None, level, resamples, seed)
    interval = scipy.stats.bootstrap(
        (values,),
        _median_of_means,
        n_resamples=resamples,
        # About 16 MB at a time, however many pairs there are.
        batch=max(1, 4_000_000 // (len(values) * (len(values) + 1))),
        vectorized=True,
        confidence_level=level,
        method="percentile",
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return Shift(estimate, float(interval.low), float(interval.high), level, resamples, seed)


def _median_of_means(values: np.ndarray, axis: int = -1) -> np.ndarray:
    rows = np.moveaxis(values, axis, -1)
    first, second = _with_itself(rows.shape[-1])
    return np.median((rows[..., first] + rows[..., second]) / 2, axis=-1)


@lru_cache(maxsize=64)
def _with_itself(count: int) -> tuple[np.ndarray, ...]:
    """The places of all pairs, each place with itself included."""
    return np.triu_indices(count)


# --- one comparison, and families -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Comparison:
    """a against b: pairs, test, effect sizes, wins, and what was missing.

    a, b: the methods' names. metric: what the values are. over: what a pair is ("datasets" or "seeds"). where: the dataset
    whose seeds are paired. missing: the missing cells on whose account pairs, or seeds of a mean, were left out. note: how the
    values came about. p_holm: the test's p after Holm over ``family`` tests; None before, and where there is no p.
    """

    a: str
    b: str
    metric: str
    over: str
    where: str
    pairs: Pairs
    test: SignedRankTest
    shift: Shift | None
    missing: tuple[str, ...] = ()
    note: str = ""
    p_holm: float | None = None
    family: int = 0

    @property
    def wins(self) -> int:
        """Pairs in which a is greater."""
        return int((differences_of(self.pairs.a, self.pairs.b) > 0).sum())

    @property
    def ties(self) -> int:
        """Pairs that are equal (to 12 decimals)."""
        return int((differences_of(self.pairs.a, self.pairs.b) == 0).sum())

    @property
    def losses(self) -> int:
        """Pairs in which a is less."""
        return int((differences_of(self.pairs.a, self.pairs.b) < 0).sum())

    @property
    def p(self) -> float | None:
        """The p-value to judge by: Holm's where the comparison is one of a family of several, else the test's."""
        return self.p_holm if self.family > 1 else self.test.p

    def sentence(self) -> str:
        """Everything about this comparison in one sentence."""
        where = f" on {self.where}" if self.where else ""
        unit = self.over if len(self.pairs.keys) != 1 else self.over.removesuffix("s")
        note = f", {self.note}" if self.note else ""
        parts = [f"{self.metric}{where}: a = {self.a} against b = {self.b}, {len(self.pairs.keys)} {unit}{note}"]
        if self.pairs.keys:
            parts.append(f"a greater in {self.wins}, equal in {self.ties}, less in {self.losses}")
        parts.append(self.test.sentence() + self._holm())
        if self.test.rank_biserial is not None:
            parts.append(f"matched-pairs rank-biserial {self.test.rank_biserial:+.3g}")
        if self.shift is not None:
            parts.append(self.shift.sentence())
        if self.missing:
            parts.append(f"missing: {listed(self.missing)}")
        return "; ".join(parts) + "."

    def _holm(self) -> str:
        if self.family < 2 or self.p_holm is None:
            return ""
        return f", after Holm over {self.family} tests p = {number(self.p_holm)}"


def compare_pairs(
    a: Mapping[Any, float | None],
    b: Mapping[Any, float | None],
    *,
    names: tuple[str, str] = ("a", "b"),
    metric: str = "value",
    over: str = "datasets",
    where: str = "",
    choices: Choices = DEFAULT,
    missing: Sequence[str] | None = None,
    note: str = "",
) -> Comparison:
    """Compare two mappings from key (dataset or seed) to value.

    missing: words on missing cells; by default one entry for each key that only one of the two has.

    Raises ComparisonError for infinite values.

    >>> pair = compare_pairs({"x": 0.5, "y": 0.75}, {"x": 0.25, "y": 0.75}, names=("new", "old"), metric="macro_f1")
    >>> pair.wins, pair.ties, pair.losses, pair.shift.estimate
    (1, 1, 0, 0.125)
    """
    pairs = pair_up(a, b)
    if missing is None:
        unit = over.removesuffix("s")
        missing = [f"{names[0]}, {unit} {key}" for key in pairs.missing_a]
        missing += [f"{names[1]}, {unit} {key}" for key in pairs.missing_b]
    differences = differences_of(pairs.a, pairs.b)
    return Comparison(
        a=names[0],
        b=names[1],
        metric=metric,
        over=over,
        where=where,
        pairs=pairs,
        test=_signed_rank(differences, choices),
        shift=hodges_lehmann(differences, level=choices.level, resamples=choices.resamples, seed=choices.seed),
        missing=tuple(missing),
        note=note,
    )


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Holm's step-down adjusted p-values, in the order given. None (not tested) stays None and does not count.

    >>> holm([0.04, None, 0.01])
    [0.04, None, 0.02]
    """
    places = sorted((place for place, p in enumerate(p_values) if p is not None), key=lambda place: p_values[place] or 0.0)
    adjusted: list[float | None] = [None] * len(p_values)
    highest = 0.0
    for rank, place in enumerate(places):
        highest = max(highest, min(1.0, (len(places) - rank) * (p_values[place] or 0.0)))
        adjusted[place] = highest
    return adjusted


@dataclass(frozen=True)
class Family:
    """Comparisons that are judged together, their p-values adjusted by Holm. Build one with :func:`family`."""

    comparisons: tuple[Comparison, ...]
    tested: int = 0

    def __iter__(self) -> Iterator[Comparison]:
        return iter(self.comparisons)

    def __len__(self) -> int:
        return len(self.comparisons)

    def sentence(self) -> str:
        """One sentence a comparison, each on its own line, then what the family is."""
        lines = [comparison.sentence() for comparison in self.comparisons]
        if len(self) != 1:
            untested = len(self) - self.tested
            lines.append(
                f"Family of {len(self)} comparisons: Holm over the {self.tested} with a p-value"
                + (f", {untested} without one are left out." if untested else ".")
            )
        return "\n".join(lines)


def family(comparisons: Iterable[Comparison]) -> Family:
    """The comparisons with Holm's adjusted p-values over all of them that have a p-value."""
    members = tuple(comparisons)
    adjusted = holm([member.test.p for member in members])
    tested = sum(p is not None for p in adjusted)
    return Family(
        tuple(dataclasses.replace(member, p_holm=p, family=tested) for member, p in zip(members, adjusted, strict=True)), tested
    )


# --- words ----------------------------------------------------------------------------------------------------------


def number(p: float) -> str:
    """A p-value with three significant digits."""
    return f"{p:.3g}"


def listed(entries: Sequence[str], most: int = 6) -> str:
    """The first entries, and how many more there are."""
    shown = "; ".join(entries[:most])
    return f"{shown}; and {len(entries) - most} more" if len(entries) > most else shown
