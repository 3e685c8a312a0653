"""Several methods on the same datasets: Friedman's test, average ranks, and which methods differ afterwards.

After Demšar, Statistical Comparisons of Classifiers over Multiple Data Sets, JMLR 7 (2006).
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy

from hmc.stats.cliques import maximal_cliques
from hmc.stats.pairwise import DECIMALS, DEFAULT, Choices, ComparisonError, Family, compare_pairs, family, listed, number, present

FEWEST_METHODS = 3
FEWEST_DATASETS = 5
"""With fewer there is no test (ours, as for signed ranks): Friedman's chi-square is rough, and no pair could differ."""

SHOWN_GROUPS = 12
"""Groups of methods that a sentence names."""

BETTER = ("higher", "lower")


@dataclass(frozen=True)
class Ranking:
    """Methods by average rank over datasets, best first.

    methods: names, best first. ranks: their average ranks; 1 is best, and equal values share the mean of their ranks.
    datasets: those ranked, on which every method has a value. better: whether high or low values are. missing: the missing
    cells on whose account datasets, or seeds of a mean, were left out. note: how the values came about.
    statistic, p: Friedman's chi-square, ties corrected; None where nothing was tested, and then ``reason`` says why.
    critical_difference: Nemenyi's at ``alpha``; None where nothing was tested. nemenyi: p of each pair of methods, the better
    one first. pairwise: Wilcoxon signed-rank tests of the same pairs with Holm.
    """

    methods: tuple[str, ...]
    ranks: tuple[float, ...]
    datasets: tuple[str, ...]
    better: str
    alpha: float
    missing: tuple[str, ...] = ()
    note: str = ""
    statistic: float | None = None
    p: float | None = None
    reason: str = ""
    critical_difference: float | None = None
    nemenyi: Mapping[tuple[str, str], float] = dataclasses.field(default_factory=dict)
    pairwise: Family = dataclasses.field(default_factory=lambda: family([]))

    @property
    def wilcoxon(self) -> dict[tuple[str, str], float | None]:
        """Holm's p of each pair of methods, the better one first; None where a pair could not be tested."""
        return {(comparison.a, comparison.b): comparison.p_holm for comparison in self.pairwise}

    @property
    def nemenyi_groups(self) -> tuple[tuple[str, ...], ...]:
        """Largest runs of methods, best first, of which no two are a critical difference apart: the bars of the diagram."""
        return runs(self.methods, self.nemenyi, self.alpha)

    @property
    def wilcoxon_groups(self) -> tuple[tuple[str, ...], ...]:
        """Largest sets of methods of which no two differ by the Wilcoxon tests with Holm.

        Not runs: a method may differ from a neighbour in rank and not from one further off.
        """
        p_values = self.wilcoxon
        if not p_values:
            return ()
        return maximal_cliques(self.methods, lambda first, second: not differ(p_values[first, second], self.alpha))

    def sentence(self) -> str:
        """The test, its choices, the ranks and the groups."""
        note = f" ({self.note})" if self.note else ""
        if self.p is None:
            parts = [f"Friedman{note}: no p-value, {self.reason}"]
        else:
            parts = [
                f"Friedman over {len(self.datasets)} datasets{note} and {len(self.methods)} methods, ties corrected, chi-square "
                f"approximation: {self.statistic:.4g} with {len(self.methods) - 1} degrees of freedom, p = {number(self.p)}"
            ]
        if self.datasets:
            order = ", ".join(f"{method} {place:.2f}" for method, place in zip(self.methods, self.ranks, strict=True))
            parts.append(f"average ranks (1 is best, {self.better} values are better): {order}")
        if self.critical_difference is not None:
            parts.append(
                f"Nemenyi critical difference at {self.alpha:g}: {self.critical_difference:.3f}, not apart: "
                f"{_braced(self.nemenyi_groups)}"
            )
            parts.append(
                f"Wilcoxon signed-rank, {self.pairwise.comparisons[0].test.alternative}, Holm over {self.pairwise.tested} pairs "
                f"at {self.alpha:g}, not apart: {_braced(self.wilcoxon_groups)}"
            )
        if self.missing:
            parts.append(f"missing: {listed(self.missing)}")
        return "; ".join(parts) + "."


def rank(
    scores: Mapping[str, Mapping[str, float | None]],
    *,
    better: str = "higher",
    alpha: float = 0.05,
    metric: str = "value",
    choices: Choices = DEFAULT,
    missing: Iterable[str] | None = None,
    note: str = "",
) -> Ranking:
    """Rank methods and test whether they differ.

    scores: value by method, then by dataset; None and NaN are missing, and a dataset without a value for every method is left
    out. choices: of the pairwise tests, whose intervals are not computed. missing: words on missing cells; by default one
    entry for each method and dataset without a value where another method has one.

    Raises ComparisonError for an unknown ``better``, an alpha outside (0, 1) or an infinite value.

    >>> scores = {"a": 0.3, "b": 0.2, "c": 0.1}
    >>> found = rank({name: {f"set {place}": value for place in range(6)} for name, value in scores.items()})
    >>> found.methods, found.ranks
    (('a', 'b', 'c'), (1.0, 2.0, 3.0))
    """
    if better not in BETTER:
        raise ComparisonError(f"better must be one of {', '.join(BETTER)}, got {better!r}")
    if not 0 < alpha < 1:
        raise ComparisonError(f"alpha must be above 0 and below 1, got {alpha!r}")
    known = {name: present(values, name) for name, values in scores.items()}
    every = sorted({dataset for values in scores.values() for dataset in values})
    datasets = tuple(dataset for dataset in every if all(dataset in values for values in known.values()))
    if missing is None:
        missing = [f"{name} on {dataset}" for dataset in every for name, values in known.items() if dataset not in values]

    table = np.array([[known[name][dataset] for name in known] for dataset in datasets]).reshape(len(datasets), len(known))
    table = np.round(table, DECIMALS)
    places = scipy.stats.rankdata(-table if better == "higher" else table, axis=1).sum(axis=0) / max(1, len(datasets))
    order = np.argsort(places, kind="stable")
    methods = tuple(list(known)[place] for place in order)
    ranks = tuple(float(places[place]) for place in order)
    ranking = Ranking(methods, ranks, datasets, better, alpha, tuple(missing), note, reason=_untestable(table))
    if ranking.reason:
        return ranking

    friedman = scipy.stats.friedmanchisquare(*table.T)
    tests = dataclasses.replace(choices, resamples=0)
    return dataclasses.replace(
        ranking,
        statistic=float(friedman.statistic),
        p=float(friedman.pvalue),
        critical_difference=critical_difference(len(methods), len(datasets), alpha),
        nemenyi=_nemenyi(methods, ranks, len(datasets)),
        pairwise=family(
            compare_pairs(
                {dataset: known[first][dataset] for dataset in datasets},
                {dataset: known[second][dataset] for dataset in datasets},
                names=(first, second),
                metric=metric,
                choices=tests,
                note=note,
            )
            for first, second in itertools.combinations(methods, 2)
        ),
    )


def critical_difference(methods: int, datasets: int, alpha: float = 0.05) -> float:
    """How far apart two average ranks must be for Nemenyi's test to tell them apart.

    >>> round(critical_difference(methods=4, datasets=10), 3)
    1.483
    """
    quantile = float(scipy.stats.studentized_range.ppf(1 - alpha, methods, np.inf))
    return quantile / math.sqrt(2) * _standard_error(methods, datasets)


def differ(p: float | None, alpha: float) -> bool:
    """Whether a p-value tells two methods apart; None, an untested pair, does not."""
    return p is not None and p < alpha


def runs(methods: Sequence[str], p_values: Mapping[tuple[str, str], float | None], alpha: float) -> tuple[tuple[str, ...], ...]:
    """Largest runs of two or more consecutive methods of which no pair differs, best first.

    methods: best first. p_values: of each pair, the better one first, see :func:`differ`. Empty without p-values. These are all
    groups only where p falls as ranks move apart, as with Nemenyi's test.
    """
    if not p_values:
        return ()
    found: list[tuple[str, ...]] = []
    reached = 0
    for start in range(len(methods)):
        end = start + 1
        while end < len(methods) and not any(differ(p_values[earlier, methods[end]], alpha) for earlier in methods[start:end]):
            end += 1
        # A run that ends where an earlier one did lies within it.
        if end - start > 1 and end > reached:
            found.append(tuple(methods[start:end]))
        reached = max(reached, end)
    return tuple(found)


def matrix(methods: Sequence[str], p_values: Mapping[tuple[str, str], float | None]) -> pd.DataFrame:
    """p-values as a symmetric table, methods by methods, with 1 on the diagonal and for pairs that could not be tested.

    This is what ``scikit_posthocs`` returns and its plots take. p_values: of each pair, in either order.
    """
    table = pd.DataFrame(1.0, index=list(methods), columns=list(methods))
    for (first, second), p in p_values.items():
        table.loc[first, second] = table.loc[second, first] = 1.0 if p is None else p
    return table


def _nemenyi(methods: Sequence[str], ranks: Sequence[float], datasets: int) -> dict[tuple[str, str], float]:
    """p of each pair of methods, in their order."""
    pairs = list(itertools.combinations(range(len(methods)), 2))
    distances = np.array([abs(ranks[first] - ranks[second]) for first, second in pairs])
    quantiles = distances * math.sqrt(2) / _standard_error(len(methods), datasets)
    p_values = np.clip(scipy.stats.studentized_range.sf(quantiles, len(methods), np.inf), 0, 1)
    return {(methods[first], methods[second]): float(p) for (first, second), p in zip(pairs, p_values, strict=True)}


def _standard_error(methods: int, datasets: int) -> float:
    return math.sqrt(methods * (methods + 1) / (6 * datasets))


def _untestable(table: np.ndarray) -> str:
    """Why a table [datasets, methods] gives no test, or nothing."""
    datasets, methods = table.shape
    if methods < FEWEST_METHODS:
        return f"{methods} {'method' if methods == 1 else 'methods'} where at least {FEWEST_METHODS} are needed"
    if datasets < FEWEST_DATASETS:
        shared = f"{datasets} {'dataset has' if datasets == 1 else 'datasets have'} a value for every method"
        return f"{shared} where at least {FEWEST_DATASETS} are needed"
    if (table == table[:, :1]).all():
        return f"all methods are equal on all {datasets} datasets"
    return ""


def _braced(groups: Sequence[Sequence[str]]) -> str:
    shown = ["{" + ", ".join(group) + "}" for group in groups[:SHOWN_GROUPS]]
    more = len(groups) - len(shown)
    return ", ".join([*shown, *([f"and {more} more"] if more else [])]) or "none, all pairs differ"
