"""The paper's claims as data, and a verdict on each from the records: supported, not supported, or not tested here.

Only complete benchmark datasets count, and for the claim on images the conditions of the embedded ones: generated data and a
person's own never decide a claim. Each protocol is judged by
itself. The criteria, and why they are what they are, stand in ``results/published/claims.yaml``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import scipy

from hmc.files import yaml_file
from hmc.report.grid import BENCHMARK, complete_places, protocols
from hmc.report.near_best import QUICK, fewest_pairs
from hmc.report.pair_table import difference, p_value
from hmc.report.render import DASH, RECONSTRUCTED, Table
from hmc.report.sweeps import conditions
from hmc.results import published
from hmc.results.published import PublishedError
from hmc.settings import SettingsError, build, column_name, setting
from hmc.stats.equivalence import equivalence
from hmc.stats.frames import cells_of
from hmc.stats.pairwise import DEFAULT, Comparison, compare_pairs, family, listed, number
from hmc.stats.ranks import rank

SUPPORTED, NOT_SUPPORTED, NOT_TESTED = "supported", "not supported", "not tested here"
IMAGES = "images"
"""The group of datasets whose conditions can decide a claim on images."""
FEWEST_SIZES = 3
"""Of ensembles for a trend."""
HALF = "half"
"""The papers' decision rule, a threshold of 0.5. Its metrics have plain names; those of another rule end in ``@rule``."""


@dataclass(frozen=True)
class Side:
    """One side of a comparison: a column of results and the metric that is taken of it. name: how the sentences call it."""

    column: str
    metric: str
    name: str


@dataclass(frozen=True)
class Criterion:
    """One thing that must hold for a claim; the kinds are told in claims.yaml."""

    kind: str = setting(choices=("difference", "equivalence", "ratio", "best", "trend"))
    methods: tuple[str, ...] = setting()
    metric: str = setting()
    rule: str = setting(HALF)
    """The decision rule under which the methods' metric is taken, where the metric depends on one."""
    variant: str = setting("")
    """What the methods' settings differ in, as a suite's block writes it (training.holdout=valid)."""
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
class Claim:
    """A claim, why its criteria are what they are, and the criteria; or why nothing here can decide it.

    caution: what a verdict must not be read without. beside: criteria that decide nothing; where they are tested, their findings
    are told with the verdict, for it must not be read without them either.
    """

    id: str = setting()
    text: str = setting()
    why: str = setting("")
    criteria: tuple[Criterion, ...] = setting(())
    outside: str = setting("")
    caution: str = setting("")
    beside: tuple[Criterion, ...] = setting(())
    origin: str = setting("paper", choices=("paper", "ours"))
    """Whose claim it is: the paper's, or a question of ours about it, put as a claim."""


@dataclass(frozen=True)
class Finding:
    """What a criterion came to.

    sentence: names the test, n, effect and p, or what is missing. n: datasets of the pair that decided. effect, p: "" and None
    where there is none. used: the datasets of all pairs.
    """

    verdict: str
    sentence: str
    n: int = 0
    effect: str = ""
    p: float | None = None
    used: tuple[str, ...] = ()


@dataclass(frozen=True)
class Judgement:
    """The verdict on a claim under one protocol. notes: what it must not be read without."""

    claim: Claim
    protocol: str
    verdict: str
    findings: tuple[Finding, ...]
    notes: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """All findings, then the notes."""
        return " ".join([*(finding.sentence for finding in self.findings), *self.notes])


def load(path: Path | None = None) -> tuple[Claim, ...]:
    """The claims; ``path`` defaults to the checkout's ``results/published/claims.yaml``.

    Raises PublishedError naming the file and the entry.
    """
    path = path or published.FOLDER / "claims.yaml"
    try:
        entries = yaml_file.read(path)
    except FileNotFoundError:
        raise PublishedError(f"{path} does not exist; restore it from git, or run from a checkout") from None
    except SettingsError as error:
        raise PublishedError(f"{error}, or restore it from git") from None
    if not isinstance(entries, list) or not entries:
        raise PublishedError(f"{path} is no list of claims; restore it from git")
    try:
        claims = tuple(build(Claim, entry, at=f"claims[{place}]") for place, entry in enumerate(entries))
    except SettingsError as error:
        raise PublishedError(f"{path}: {error}; correct it, or restore the file from git") from None
    for claim in claims:
        if bool(claim.criteria) == bool(claim.outside):
            found = "both" if claim.criteria else "neither"
            raise PublishedError(f"{path}: the claim {claim.id!r} has {found} of criteria and outside; give it one")
    return claims


def judge(claims: Iterable[Claim], grid: pd.DataFrame) -> list[Judgement]:
    """A verdict per claim and protocol of the grid, the released one first.

    grid: as :func:`hmc.report.build_grid` makes it.
    """
    benchmark, images = grid[grid["group"].isin(BENCHMARK)], conditions(grid[grid["group"] == IMAGES])
    names = protocols(pd.concat([benchmark, images])) or ["released"]
    return [_judgement(claim, benchmark, images, name) for claim in claims for name in names]


def table(judgements: Sequence[Judgement]) -> Table:
    """One row a claim and protocol."""
    return Table(
        name="claims",
        title="The paper's claims and what the records here say",
        header=("claim", "protocol", "verdict", "n", "effect", "p", "test"),
        rows=tuple(
            (
                one.claim.text,
                one.protocol,
                one.verdict,
                "; ".join(str(finding.n) for finding in one.findings) or DASH,
                "; ".join(finding.effect or DASH for finding in one.findings) or DASH,
                "; ".join(p_value(finding.p) for finding in one.findings) or DASH,
                one.sentence,
            )
            for one in judgements
        ),
        notes=(
            "n: datasets, or conditions of images; several entries belong to several criteria, all of which must hold. Not "
            "supported: not shown by these records, which is not the same as refuted. Generated datasets decide nothing.",
        ),
    )


# --- verdicts -------------------------------------------------------------------------------------------------------


def _judgement(claim: Claim, benchmark: pd.DataFrame, images: pd.DataFrame, protocol: str) -> Judgement:
    if claim.outside:
        finding = Finding(NOT_TESTED, f"Not tested here: {claim.outside}.")
        return Judgement(claim, protocol, NOT_TESTED, (finding,))
    plans = {"datasets": benchmark, "conditions": images}
    plans = {over: grid[grid["protocol"] == protocol] for over, grid in plans.items()}
    findings = _findings(claim.criteria, plans, protocol)
    verdict = _all([finding.verdict for finding in findings])
    notes = [claim.caution] if claim.caution else []
    for criterion, finding in zip(claim.beside, _findings(claim.beside, plans, protocol), strict=True):
        if finding.verdict != NOT_TESTED:
            rebuilt = _reconstructed(plans["datasets"], [finding])
            marks = f" {RECONSTRUCTED} Reconstructed data are among these ({', '.join(rebuilt)})." if rebuilt else ""
            notes.append(f"{criterion.why} {_short(finding)}.{marks}")
    rebuilt = _reconstructed(plans["datasets"], findings)
    if rebuilt and verdict != NOT_TESTED:
        without = {**plans, "datasets": plans["datasets"][~plans["datasets"]["dataset"].isin(rebuilt)]}
        other = _all(finding.verdict for finding in _findings(claim.criteria, without, protocol))
        same = "the same" if other == verdict else other
        notes.append(f"{RECONSTRUCTED} Reconstructed data are among these ({', '.join(rebuilt)}); without them: {same}.")
    return Judgement(claim, protocol, verdict, findings, tuple(notes))


def _findings(criteria: Iterable[Criterion], plans: Mapping[str, pd.DataFrame], protocol: str) -> tuple[Finding, ...]:
    """plans: by what a criterion compares over."""
    return tuple(_KINDS[criterion.kind](criterion, plans[criterion.over], protocol) for criterion in criteria)


def _short(finding: Finding) -> str:
    """The verdict with its numbers, without the test's choices."""
    p = "" if finding.p is None else f", p = {number(finding.p)}"
    return f"{finding.verdict} (n = {finding.n}, {finding.effect}{p})"


def _reconstructed(grid: pd.DataFrame, findings: Iterable[Finding]) -> list[str]:
    """The reconstructed datasets among those that were used."""
    return sorted(set(grid.loc[grid["reconstructed"] != "", "dataset"]) & {name for one in findings for name in one.used})


def _all(verdicts: Iterable[str]) -> str:
    """Of what must hold together."""
    found = set(verdicts)
    return NOT_SUPPORTED if NOT_SUPPORTED in found else NOT_TESTED if NOT_TESTED in found else SUPPORTED


def _any(verdicts: Iterable[str]) -> str:
    """Of what need hold only once."""
    found = set(verdicts)
    return SUPPORTED if SUPPORTED in found else NOT_TESTED if NOT_TESTED in found else NOT_SUPPORTED


def _difference(criterion: Criterion, grid: pd.DataFrame, protocol: str) -> Finding:
    pairs: list[Comparison] = []
    against = _against(criterion, protocol)
    for method in criterion.methods:
        side = _side(criterion, method, protocol)
        values, left_out = _values(grid, [side, against])
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
    verdicts, words = [], []
    for pair in judged:
        if pair.test.n < fewest:
            verdicts.append(NOT_TESTED)
            words.append(_lacking(f"{pair.a} against {pair.b}", pair.test.n, fewest, pair.missing, criterion.over))
            continue
        effect = pair.test.rank_biserial or 0.0
        towards = effect > 0 if criterion.direction == "greater" else effect < 0
        small = pair.p_holm is not None and pair.p_holm < criterion.alpha
        verdicts.append(SUPPORTED if small and towards else NOT_SUPPORTED)
        if small and not towards:
            words.append(f"{pair.a} differs the other way.")
        words.append(pair.sentence())
    verdict = (_any if criterion.needed == "any" else _all)(verdicts)
    names = ", ".join(pair.a for pair in judged)
    whose = f"{criterion.needed} of {names}" if len(judged) > 1 else names
    start = f"{_title(criterion.metric)} of {whose} {criterion.direction} than {against.name}'s: {verdict}."
    chosen = _decisive(list(zip(judged, verdicts, strict=True)), verdict, criterion)
    gain = "" if chosen is None else f"{_title(criterion.metric)} of {chosen.a} {difference(chosen)} points"
    return Finding(
        verdict,
        " ".join([start, *words]),
        n=chosen.test.n if chosen else min((pair.test.n for pair in judged), default=0),
        effect=gain,
        p=None if chosen is None else chosen.p_holm,
        used=tuple(sorted({str(key) for pair in judged for key in pair.pairs.keys})),
    )


def _decisive(pairs: Sequence[tuple[Comparison, str]], verdict: str, criterion: Criterion) -> Comparison | None:
    """The pair that a verdict hangs on: the clearest where one is enough, the least clear where all must hold."""
    candidates = [pair for pair, own in pairs if own == verdict and pair.p_holm is not None]
    if not candidates or verdict == NOT_TESTED:
        return None
    clearest, *_, least_clear = sorted([*candidates, *candidates], key=lambda pair: pair.p_holm or 0.0)
    return clearest if criterion.needed == "any" else least_clear


def _equivalence(criterion: Criterion, grid: pd.DataFrame, protocol: str) -> Finding:
    against = _against(criterion, protocol)
    title, share = _title(criterion.metric), f"{100 * criterion.margin:g} %"
    findings = []
    for method in criterion.methods:
        side = _side(criterion, method, protocol)
        values, left_out = _values(grid, [side, against])
        found = equivalence(values[side.name], values[against.name], margin=criterion.margin)
        start = f"{title} of {side.name} within {share} of {against.name}'s"
        used = found.keys
        if found.n < criterion.datasets:
            lacking = _lacking(f"{side.name} against {against.name}", found.n, criterion.datasets, (*left_out, *found.left_out))
            findings.append(Finding(NOT_TESTED, f"{start}: {NOT_TESTED}. {lacking}", n=found.n, used=used))
            continue
        verdict = SUPPORTED if found.p is not None and found.p < criterion.alpha else NOT_SUPPORTED
        effect = f"{title} of {side.name} {found.ratio:.3f} times"
        zero = f" Left out, a value of 0: {listed(found.left_out)}." if found.left_out else ""
        findings.append(
            Finding(verdict, f"{start}: {verdict}. {found.sentence()} ({_MEANS}).{zero}", found.n, effect, found.p, used)
        )
    decisive = _all if criterion.needed == "all" else _any
    verdict = decisive(finding.verdict for finding in findings)
    chosen = next(finding for finding in findings if finding.verdict == verdict)
    return Finding(
        verdict,
        " ".join(finding.sentence for finding in findings),
        chosen.n,
        chosen.effect,
        chosen.p,
        tuple(sorted({name for finding in findings for name in finding.used})),
    )


def _ratio(criterion: Criterion, grid: pd.DataFrame, protocol: str) -> Finding:
    against = _against(criterion, protocol)
    ratios: dict[tuple[str, str], float] = {}
    words: list[str] = []
    known: set[str] = set()
    for method in criterion.methods:
        side = _side(criterion, method, protocol)
        values, left_out = _values(grid, [side, against])
        ours, theirs = values[side.name], values[against.name]
        shared = sorted(ours.keys() & theirs.keys())
        known.update(shared)
        ratios |= {(side.name, name): ours[name] / theirs[name] for name in shared if theirs[name] > 0}
        words += left_out
    start = f"Largest ratio of {_title(criterion.metric).lower()} to {against.name}'s at least {criterion.threshold:g}"
    used = tuple(sorted({dataset for _, dataset in ratios}))
    zero = sorted(known - set(used))
    if zero:
        words.append(f"no ratio over a zero of {against.name} on {', '.join(zero)}")
    if len(used) < criterion.datasets:
        lacking = _lacking("the ratio", len(used), criterion.datasets, words)
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


def _best(criterion: Criterion, grid: pd.DataFrame, protocol: str) -> Finding:
    sides = [_side(criterion, method, protocol) for method in criterion.methods]
    values, left_out = _values(grid, sides)
    scores: dict[str, dict[str, float | None]] = {side.name: dict(values[side.name]) for side in sides}
    ranking = rank(scores, alpha=criterion.alpha, metric=criterion.metric, choices=DEFAULT, missing=left_out, note=_MEANS)
    expected = [_side(criterion, method, protocol).name for method in criterion.best]
    start = f"{' and '.join(expected)} best of {len(sides)} by {_title(criterion.metric).lower()}"
    n = len(ranking.datasets)
    if n < criterion.datasets:
        lacking = _lacking("the ranking", n, criterion.datasets, left_out)
        return Finding(NOT_TESTED, f"{start}: {NOT_TESTED}. {lacking}", n=n, used=ranking.datasets)
    first = set(ranking.methods[: len(expected)]) == set(expected)
    significant = ranking.p is not None and ranking.p < criterion.alpha
    verdict = SUPPORTED if first and significant else NOT_SUPPORTED
    effect = "best ranks: " + ", ".join(
        f"{name} {place:.2f}" for name, place in list(zip(ranking.methods, ranking.ranks, strict=True))[: len(expected)]
    )
    return Finding(verdict, f"{start}: {verdict}. {ranking.sentence()}", n=n, effect=effect, p=ranking.p, used=ranking.datasets)


def _trend(criterion: Criterion, grid: pd.DataFrame, protocol: str) -> Finding:
    method = criterion.methods[0]
    planned = _sizes(grid, method, protocol)
    start = f"{_title(criterion.metric)} of {_column(method, protocol)} rises with the number of members"
    if len(planned) < FEWEST_SIZES:
        have = ", ".join(map(str, planned)) or "none"
        return Finding(
            NOT_TESTED,
            f"{start}: {NOT_TESTED}. Sizes planned: {have}, where at least {FEWEST_SIZES} are needed (method.members).",
        )
    # A size tried on a few datasets only must not hide what the others say.
    wide = {size: column for size, column in planned.items() if len(_done(grid, column)) >= criterion.datasets}
    sizes = wide if len(wide) >= FEWEST_SIZES else planned
    values, left_out = _values(grid, [Side(column, criterion.metric, column) for column in sizes.values()])
    used = tuple(sorted(set.intersection(*(set(one) for one in values.values()))))
    if len(used) < criterion.datasets:
        lacking = _lacking("the trend", len(used), criterion.datasets, left_out)
        return Finding(NOT_TESTED, f"{start}: {NOT_TESTED}. {lacking}", n=len(used), used=used)
    data = np.array([[values[column][dataset] for column in sizes.values()] for dataset in used])
    test = scipy.stats.page_trend_test(data, method="auto")
    verdict = SUPPORTED if test.pvalue < criterion.alpha else NOT_SUPPORTED
    smallest, largest = min(sizes), max(sizes)
    ends = sizes[largest], sizes[smallest]
    pair = compare_pairs(values[ends[0]], values[ends[1]], names=ends, metric=criterion.metric, choices=QUICK)
    gain = f"{difference(pair)} points"
    sentence = (
        f"{start}: {verdict}. Page's trend test, one-sided, {test.method}, over {len(used)} datasets and sizes "
        f"{', '.join(map(str, sizes))} ({_MEANS}): L = {test.statistic:g}, p = {number(test.pvalue)}; "
        f"Hodges-Lehmann difference between {largest} and {smallest} members {gain}."
    )
    if few := sorted(planned.keys() - sizes.keys()):
        sentence += f" On fewer than {criterion.datasets} datasets, and left out: {', '.join(map(str, few))} members."
    return Finding(
        verdict,
        sentence,
        n=len(used),
        effect=f"{gain} from {smallest} to {largest} members",
        p=float(test.pvalue),
        used=used,
    )


_KINDS: Mapping[str, Callable[[Criterion, pd.DataFrame, str], Finding]] = {
    "difference": _difference,
    "equivalence": _equivalence,
    "ratio": _ratio,
    "best": _best,
    "trend": _trend,
}


# --- parts ----------------------------------------------------------------------------------------------------------

_MEANS = "means over the seeds planned for all compared methods"


def _values(grid: pd.DataFrame, sides: Sequence[Side]) -> tuple[dict[str, dict[str, float]], tuple[str, ...]]:
    """Mean by side and dataset, of datasets where every planned seed of these sides has its metric; and words on what lacks."""
    parts = []
    for side in sides:
        part = grid.loc[grid["column"] == side.column, ["dataset", "seed", "done"]].assign(column=side.name)
        part["value"] = grid.loc[part.index, side.metric] if side.metric in grid else np.nan
        parts.append(part.assign(done=part["done"] & part["value"].notna()))
    absent = [side.name for side, part in zip(sides, parts, strict=True) if part.empty]
    names = [side.name for side in sides]
    done, left_out = complete_places(pd.concat(parts))
    whole = {name: set(done.loc[done["column"] == name, "dataset"]) for name in names}
    shared = set.intersection(*whole.values()) if whole else set()
    words = (*(f"no cell of {name} is planned" for name in absent), *left_out)
    if not shared:
        return {name: {} for name in names}, words
    cells = cells_of(done[done["dataset"].isin(shared)], names, "value")
    return {name: dict(values) for name, values in cells.means(names)[0].items()}, words


def _done(grid: pd.DataFrame, column: str) -> set[str]:
    """The datasets on which every planned seed of a column is done."""
    return set(complete_places(grid[grid["column"] == column])[0]["dataset"])


def _sizes(grid: pd.DataFrame, method: str, protocol: str) -> dict[int, str]:
    """The columns of a method that differ in the number of members alone, by that number."""
    part = grid[(grid["method"] == method) & (grid["protocol"] == protocol)]
    columns = part.drop_duplicates("column")[["column", "members", "departed"]]
    found = {
        int(members): str(column)
        for column, members, departed in columns.itertuples(index=False, name=None)
        if departed in ((), (("method.members", members),))
    }
    return dict(sorted(found.items()))


def _column(method: str, protocol: str) -> str:
    return column_name(method, protocol, "")


def _side(criterion: Criterion, method: str, protocol: str) -> Side:
    return _named_side(criterion, method, protocol, criterion.variant, criterion.rule)


def _against(criterion: Criterion, protocol: str) -> Side:
    rule = criterion.against_rule or criterion.rule
    return _named_side(criterion, criterion.against, protocol, criterion.against_variant, rule)


def _named_side(criterion: Criterion, method: str, protocol: str, variant: str, rule: str) -> Side:
    column = column_name(method, protocol, variant)
    both_half = {criterion.rule, criterion.against_rule or criterion.rule} == {HALF}
    metric = criterion.metric if rule == HALF else f"{criterion.metric}@{rule}"
    return Side(column, metric, column if both_half else f"{column} with rule {rule}")


def _title(metric: str) -> str:
    return metric.replace("_", " ").capitalize().replace(" f1", " F1")


def _lacking(what: str, n: int, needed: int, missing: Sequence[str], over: str = "datasets") -> str:
    """What is missing for a verdict, in words."""
    units = "benchmark datasets" if over == "datasets" else over
    datasets = f"{units.removesuffix('s')} is" if n == 1 else f"{units} are"
    shown = (
        f" Missing: {'; '.join(missing[:4])}{f'; and {len(missing) - 4} more' if len(missing) > 4 else ''}." if missing else ""
    )
    return f"For {what} {n} {datasets} complete where at least {needed} are needed.{shown}"
