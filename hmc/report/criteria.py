"""What decides a claim: criteria as data, and how each kind is tested on the cells of one protocol."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy

from hmc.report.metric import HALF, metric
from hmc.report.pair_table import effect_words
from hmc.report.testing import QUICK, fewest_pairs
from hmc.settings import column_name, setting
from hmc.stats.equivalence import equivalence
from hmc.stats.pairwise import DEFAULT, Comparison, compare_pairs, family, listed, number
from hmc.stats.ranks import rank

SUPPORTED, NOT_SUPPORTED, NOT_TESTED = "supported", "not supported", "not tested here"
FEWEST_SIZES = 3
"""Sizes of ensembles that make a trend."""
_MEANS = "means over the seeds planned for all compared methods"


@dataclass(frozen=True)
class Criterion:
    """One thing that must hold for a claim; claims.yaml explains the kinds."""

    kind: str = setting(choices=("difference", "equivalence", "ratio", "best", "trend"))
    methods: tuple[str, ...] = setting()
    metric: str = setting()
    rule: str = setting(HALF)
    """The decision rule under which the methods' metric is taken, where the metric depends on one."""
    variant: str = setting("")
    """What the methods' settings differ in, as the name of their column has it (training.holdout=valid)."""
    against: str = setting("")
    against_rule: str = setting("")
    """The baseline's decision rule; empty: the methods' rule."""
    against_variant: str = setting("")
    """What the baseline's settings differ in."""
    margin: float = setting(0.1, above=0, below=1)
    """Of an equivalence: the share by which the metric may differ (0.1: 10 %)."""
    best: tuple[str, ...] = setting(())
    direction: str = setting("greater", choices=("greater", "less"))
    needed: str = setting("all", choices=("all", "any"))
    threshold: float = setting(1.0, above=0)
    alpha: float = setting(0.05, above=0, below=1)
    datasets: int = setting(6, minimum=1)
    """Fewest datasets, or conditions, that decide (ours: with fewer, no two-sided signed-rank test can reach 0.05)."""
    over: str = setting("datasets", choices=("datasets", "conditions"))
    """What is compared over: benchmark datasets, or the conditions (noise, limited data) of datasets of images."""
    why: str = setting("")
    """What a criterion beside the claim is for."""


@dataclass(frozen=True)
class Finding:
    """What a criterion came to.

    sentence: names the test, n, effect and p, or what is missing. n: datasets of the pair that decided. effect, p: "" and None
    where there is none. used: the datasets of all pairs. test: what p is of, in a few words.
    """

    verdict: str
    sentence: str
    n: int = 0
    effect: str = ""
    p: float | None = None
    used: tuple[str, ...] = ()
    test: str = ""

    def numbers(self) -> str:
        """Such as "n = 17, Macro F1 of weighted +2.84 points, p = 0.003 (Wilcoxon)"."""
        p = "" if self.p is None else f"p = {number(self.p)} ({self.test})"
        return ", ".join(filter(None, [f"n = {self.n}", self.effect, p]))


def finding(criterion: Criterion, evidence: Evidence, protocol: str) -> Finding:
    """What the cells of one protocol say of a criterion."""
    return _KINDS[criterion.kind](criterion, evidence, protocol)


def all_hold(verdicts: Iterable[str]) -> str:
    """The verdict on what must hold together."""
    found = set(verdicts)
    return NOT_SUPPORTED if NOT_SUPPORTED in found else NOT_TESTED if NOT_TESTED in found else SUPPORTED


def any_holds(verdicts: Iterable[str]) -> str:
    """The verdict on what need hold only once."""
    found = set(verdicts)
    return SUPPORTED if SUPPORTED in found else NOT_TESTED if NOT_TESTED in found else NOT_SUPPORTED


# --- the evidence ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Side:
    """One side of a comparison: a column of the grid and the metric that is taken of it. name: how sentences call it."""

    column: str
    metric: str
    name: str


class Evidence:
    """The cells of one protocol, looked up by column and metric, and each looked up once."""

    def __init__(self, cells: pd.DataFrame) -> None:
        """cells: rows of the grid."""
        self._cells = cells
        self._columns = {str(column): part for column, part in cells.groupby("column", sort=False)}
        self._rebuilt = set(cells.loc[cells["reconstructed"] != "", "dataset"])
        self._known: dict[tuple[str, str], dict[str, dict[int, float]]] = {}

    def without(self, datasets: Iterable[str]) -> Evidence:
        return Evidence(self._cells[~self._cells["dataset"].isin(list(datasets))])

    def reconstructed(self, datasets: Iterable[str]) -> tuple[str, ...]:
        """Those of these datasets that are reconstructed, sorted."""
        return tuple(sorted(self._rebuilt & set(datasets)))

    def values(self, sides: Sequence[Side]) -> tuple[dict[str, dict[str, float]], tuple[str, ...]]:
        """Mean by side and dataset, of datasets where every planned seed of all sides has its metric; and words on the others.

        A mean is over the seeds that all sides have on the dataset.
        """
        by_side = {side.name: self._places(side.column, side.metric) for side in sides}
        left_out = [f"no cell of {side.name} is planned" for side in sides if side.column not in self._columns]
        for name, datasets in by_side.items():
            for dataset, seeds in datasets.items():
                done = sum(not math.isnan(value) for value in seeds.values())
                if done < len(seeds):
                    left_out.append(f"{name} on {dataset} ({done} of {len(seeds)} seeds)")
        complete = [
            {dataset for dataset, seeds in datasets.items() if not any(map(math.isnan, seeds.values()))}
            for datasets in by_side.values()
        ]
        means: dict[str, dict[str, float]] = {name: {} for name in by_side}
        for dataset in sorted(set.intersection(*complete)) if complete else ():
            shared = sorted(set.intersection(*(set(datasets[dataset]) for datasets in by_side.values())))
            for name, datasets in by_side.items() if shared else ():
                means[name][dataset] = math.fsum(datasets[dataset][seed] for seed in shared) / len(shared)
        return means, tuple(left_out)

    def complete(self, column: str) -> set[str]:
        """The datasets on which every planned seed of a column is done."""
        done = self._columns[column].groupby("dataset")["done"].all()
        return set(done.index[done])

    def sizes(self, method: str) -> dict[int, str]:
        """The columns of a method that differ in the number of members alone, by that number."""
        part = self._cells[self._cells["method"] == method].drop_duplicates("column")[["column", "members", "departed"]]
        found = {
            int(members): str(column)
            for column, members, departed in part.itertuples(index=False, name=None)
            if departed in ((), (("method.members", members),))
        }
        return dict(sorted(found.items()))

    def _places(self, column: str, name: str) -> dict[str, dict[int, float]]:
        """The metric by dataset and planned seed, NaN where it is missing."""
        if (column, name) not in self._known:
            found: dict[str, dict[int, float]] = {}
            part = self._columns.get(column)
            if part is not None:
                values = part[name].where(part["done"]) if name in part else [math.nan] * len(part)
                for dataset, seed, value in zip(part["dataset"], part["seed"], values, strict=True):
                    found.setdefault(str(dataset), {})[int(seed)] = float(value)
            self._known[column, name] = found
        return self._known[column, name]


# --- the kinds ------------------------------------------------------------------------------------------------------


def _difference(criterion: Criterion, evidence: Evidence, protocol: str) -> Finding:
    pairs: list[Comparison] = []
    against = _against(criterion, protocol)
    for method in criterion.methods:
        side = _side(criterion, method, protocol)
        values, left_out = evidence.values([side, against])
        pairs.append(
            compare_pairs(
                values[side.name],
                values[against.name],
                names=(side.name, against.name),
                metric=criterion.metric,
                over=criterion.over,
                missing=left_out,
                note=_MEANS,
            )
        )
    judged = family(pairs)
    fewest = max(criterion.datasets, fewest_pairs(len(criterion.methods), criterion.alpha))
    verdicts, sentences = [], []
    for pair in judged:
        if pair.test.n < fewest:
            verdicts.append(NOT_TESTED)
            sentences.append(_lacking(f"{pair.a} against {pair.b}", pair.test.n, fewest, pair.missing, criterion.over))
            continue
        effect = pair.test.rank_biserial or 0.0
        towards = effect > 0 if criterion.direction == "greater" else effect < 0
        small = pair.p_holm is not None and pair.p_holm < criterion.alpha
        verdicts.append(SUPPORTED if small and towards else NOT_SUPPORTED)
        if small and not towards:
            sentences.append(f"{pair.a} differs the other way.")
        sentences.append(pair.sentence())
    verdict = (any_holds if criterion.needed == "any" else all_hold)(verdicts)
    names = ", ".join(pair.a for pair in judged)
    whose = f"{criterion.needed} of {names}" if len(judged) > 1 else names
    title = metric(criterion.metric).title
    start = f"{title} of {whose} {criterion.direction} than {against.name}'s: {verdict}."
    chosen = _decisive(list(zip(judged, verdicts, strict=True)), verdict, criterion)
    return Finding(
        verdict,
        " ".join([start, *sentences]),
        n=chosen.test.n if chosen else min((pair.test.n for pair in judged), default=0),
        effect="" if chosen is None else f"{title} of {chosen.a} {effect_words(chosen)}",
        p=None if chosen is None else chosen.p_holm,
        used=tuple(sorted({str(key) for pair in judged for key in pair.pairs.keys})),
        test=f"Wilcoxon, Holm over {judged.tested}" if judged.tested > 1 else "Wilcoxon",
    )


def _decisive(pairs: Sequence[tuple[Comparison, str]], verdict: str, criterion: Criterion) -> Comparison | None:
    """The pair that a verdict hangs on: the clearest where one is enough, the least clear where all must hold."""
    candidates = [pair for pair, own in pairs if own == verdict and pair.p_holm is not None]
    if not candidates or verdict == NOT_TESTED:
        return None
    by_p = sorted(candidates, key=lambda pair: pair.p_holm or 0.0)
    return by_p[0] if criterion.needed == "any" else by_p[-1]


def _equivalence(criterion: Criterion, evidence: Evidence, protocol: str) -> Finding:
    against = _against(criterion, protocol)
    title, share = metric(criterion.metric).title, f"{100 * criterion.margin:g} %"
    findings = []
    for method in criterion.methods:
        side = _side(criterion, method, protocol)
        values, left_out = evidence.values([side, against])
        found = equivalence(values[side.name], values[against.name], margin=criterion.margin)
        start = f"{title} of {side.name} within {share} of {against.name}'s"
        used = tuple(str(key) for key in found.keys)
        if found.n < criterion.datasets:
            lacking = _lacking(f"{side.name} against {against.name}", found.n, criterion.datasets, (*left_out, *found.left_out))
            findings.append(Finding(NOT_TESTED, f"{start}: {NOT_TESTED}. {lacking}", n=found.n, used=used))
            continue
        verdict = SUPPORTED if found.p is not None and found.p < criterion.alpha else NOT_SUPPORTED
        zero = f" Left out, a value of 0: {listed(found.left_out)}." if found.left_out else ""
        findings.append(
            Finding(
                verdict,
                f"{start}: {verdict}. {found.sentence()} ({_MEANS}).{zero}",
                n=found.n,
                effect=f"{title} of {side.name} {found.ratio:.3f} times",
                p=found.p,
                used=used,
                test="two one-sided Wilcoxon",
            )
        )
    decide = all_hold if criterion.needed == "all" else any_holds
    verdict = decide(finding.verdict for finding in findings)
    chosen = next(finding for finding in findings if finding.verdict == verdict)
    return Finding(
        verdict,
        " ".join(finding.sentence for finding in findings),
        chosen.n,
        chosen.effect,
        chosen.p,
        tuple(sorted({name for finding in findings for name in finding.used})),
        chosen.test,
    )


def _ratio(criterion: Criterion, evidence: Evidence, protocol: str) -> Finding:
    against = _against(criterion, protocol)
    ratios: dict[tuple[str, str], float] = {}
    missing: list[str] = []
    known: set[str] = set()
    for method in criterion.methods:
        side = _side(criterion, method, protocol)
        values, left_out = evidence.values([side, against])
        ours, theirs = values[side.name], values[against.name]
        shared = sorted(ours.keys() & theirs.keys())
        known.update(shared)
        ratios |= {(side.name, name): ours[name] / theirs[name] for name in shared if theirs[name] > 0}
        missing += left_out
    start = f"Largest ratio of {metric(criterion.metric).in_sentence} to {against.name}'s at least {criterion.threshold:g}"
    used = tuple(sorted({dataset for _, dataset in ratios}))
    zero = sorted(known - set(used))
    if zero:
        missing.append(f"no ratio over a zero of {against.name} on {', '.join(zero)}")
    if len(used) < criterion.datasets:
        lacking = _lacking("the ratio", len(used), criterion.datasets, missing)
        return Finding(NOT_TESTED, f"{start}: {NOT_TESTED}. {lacking}", n=len(used), used=used)
    column, dataset = max(ratios, key=lambda place: ratios[place])
    largest = ratios[column, dataset]
    verdict = SUPPORTED if largest >= criterion.threshold else NOT_SUPPORTED
    middle = float(np.median(list(ratios.values())))
    sentence = (
        f"{start}: {verdict}. The largest is {largest:.2f} ({column} on {dataset}), the median {middle:.2f}, over {len(used)} "
        f"datasets ({_MEANS}; no test)."
    )
    return Finding(verdict, sentence, n=len(used), effect=f"largest ratio {largest:.2f}", used=used)


def _best(criterion: Criterion, evidence: Evidence, protocol: str) -> Finding:
    sides = [_side(criterion, method, protocol) for method in criterion.methods]
    values, left_out = evidence.values(sides)
    scores: dict[str, dict[str, float | None]] = {side.name: dict(values[side.name]) for side in sides}
    ranking = rank(scores, alpha=criterion.alpha, metric=criterion.metric, choices=DEFAULT, missing=left_out, note=_MEANS)
    expected = [_side(criterion, method, protocol).name for method in criterion.best]
    start = f"{' and '.join(expected)} best of {len(sides)} by {metric(criterion.metric).in_sentence}"
    n = len(ranking.datasets)
    if n < criterion.datasets:
        lacking = _lacking("the ranking", n, criterion.datasets, left_out)
        return Finding(NOT_TESTED, f"{start}: {NOT_TESTED}. {lacking}", n=n, used=ranking.datasets)
    first = set(ranking.methods[: len(expected)]) == set(expected)
    significant = ranking.p is not None and ranking.p < criterion.alpha
    verdict = SUPPORTED if first and significant else NOT_SUPPORTED
    best = list(zip(ranking.methods, ranking.ranks, strict=True))[: len(expected)]
    effect = "best ranks: " + ", ".join(f"{name} {mean_rank:.2f}" for name, mean_rank in best)
    sentence = f"{start}: {verdict}. {ranking.sentence()}"
    return Finding(verdict, sentence, n=n, effect=effect, p=ranking.p, used=ranking.datasets, test="Friedman")


def _trend(criterion: Criterion, evidence: Evidence, protocol: str) -> Finding:
    method = criterion.methods[0]
    planned = evidence.sizes(method)
    start = f"{metric(criterion.metric).title} of {column_name(method, protocol, '')} rises with the number of members"
    if len(planned) < FEWEST_SIZES:
        have = ", ".join(map(str, planned)) or "none"
        return Finding(
            NOT_TESTED,
            f"{start}: {NOT_TESTED}. Sizes planned: {have}, where at least {FEWEST_SIZES} are needed (method.members).",
        )
    # A size tried on a few datasets only must not hide what the others say.
    wide = {size: column for size, column in planned.items() if len(evidence.complete(column)) >= criterion.datasets}
    sizes = wide if len(wide) >= FEWEST_SIZES else planned
    values, left_out = evidence.values([Side(column, criterion.metric, column) for column in sizes.values()])
    used = tuple(sorted(set.intersection(*(set(one) for one in values.values()))))
    if len(used) < criterion.datasets:
        lacking = _lacking("the trend", len(used), criterion.datasets, left_out)
        return Finding(NOT_TESTED, f"{start}: {NOT_TESTED}. {lacking}", n=len(used), used=used)
    data = np.array([[values[column][dataset] for column in sizes.values()] for dataset in used])
    page = scipy.stats.page_trend_test(data, method="auto")
    verdict = SUPPORTED if page.pvalue < criterion.alpha else NOT_SUPPORTED
    smallest, largest = min(sizes), max(sizes)
    ends = sizes[largest], sizes[smallest]
    gain = effect_words(compare_pairs(values[ends[0]], values[ends[1]], names=ends, metric=criterion.metric, choices=QUICK))
    sentence = (
        f"{start}: {verdict}. Page's trend test, one-sided, {page.method}, over {len(used)} datasets and sizes "
        f"{', '.join(map(str, sizes))} ({_MEANS}): L = {page.statistic:g}, p = {number(page.pvalue)}; "
        f"Hodges-Lehmann difference between {largest} and {smallest} members {gain}."
    )
    if few := sorted(planned.keys() - sizes.keys()):
        sentence += f" On fewer than {criterion.datasets} datasets, and left out: {', '.join(map(str, few))} members."
    effect = f"{gain} from {smallest} to {largest} members"
    return Finding(verdict, sentence, n=len(used), effect=effect, p=float(page.pvalue), used=used, test="Page's trend")


_KINDS: Mapping[str, Callable[[Criterion, Evidence, str], Finding]] = {
    "difference": _difference,
    "equivalence": _equivalence,
    "ratio": _ratio,
    "best": _best,
    "trend": _trend,
}


# --- parts ----------------------------------------------------------------------------------------------------------


def _side(criterion: Criterion, method: str, protocol: str) -> Side:
    return _named_side(criterion, method, protocol, criterion.variant, criterion.rule)


def _against(criterion: Criterion, protocol: str) -> Side:
    rule = criterion.against_rule or criterion.rule
    return _named_side(criterion, criterion.against, protocol, criterion.against_variant, rule)


def _named_side(criterion: Criterion, method: str, protocol: str, variant: str, rule: str) -> Side:
    column = column_name(method, protocol, variant)
    both_half = {criterion.rule, criterion.against_rule or criterion.rule} == {HALF}
    return Side(column, metric(criterion.metric, rule).name, column if both_half else f"{column} with rule {rule}")


def _lacking(what: str, n: int, needed: int, missing: Sequence[str], over: str = "datasets") -> str:
    """What is missing for a verdict, in words."""
    units = "benchmark datasets" if over == "datasets" else over
    datasets = f"{units.removesuffix('s')} is" if n == 1 else f"{units} are"
    shown = f" Missing: {listed(missing, 4)}." if missing else ""
    return f"For {what} {n} {datasets} complete where at least {needed} are needed.{shown}"
