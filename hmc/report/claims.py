"""Claims as data, and a verdict on each from the records: supported, not supported, or not tested here.

Only complete benchmark datasets count, and for the claim on images the conditions of the embedded ones: generated data and a
user's own never decide a claim. Each protocol is judged by itself. The criteria, and why they are what they are, stand in
``results/published/claims.yaml``; how each kind is tested, in :mod:`hmc.report.criteria`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from hmc.files import yaml_file
from hmc.report.criteria import NOT_TESTED, SUPPORTED, Criterion, Evidence, Finding, all_hold, finding
from hmc.report.grid import BENCHMARK, protocols
from hmc.report.pair_table import p_value
from hmc.report.sweeps import conditions
from hmc.report.table import DASH, RECONSTRUCTED, Entry, Number, Table
from hmc.results import published
from hmc.results.published import PublishedError
from hmc.settings import SettingsError, build, setting

IMAGES = "images"
"""The group of datasets whose conditions can decide a claim on images."""


@dataclass(frozen=True)
class Claim:
    """A claim, why its criteria are what they are, and the criteria; or why nothing here can decide it.

    caution: what a verdict must not be read without. beside: criteria that decide nothing; where they are tested, their findings
    are shown with the verdict, for it must not be read without them either.
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

    @property
    def name(self) -> str:
        """The id as words."""
        return self.id.replace("_", " ")


@dataclass(frozen=True)
class Beside:
    """The finding of a criterion that decides nothing. why: what it is for. rebuilt: the reconstructed datasets it used."""

    why: str
    finding: Finding
    rebuilt: tuple[str, ...] = ()

    def sentence(self) -> str:
        """The finding with its numbers, without the test's choices."""
        marks = f" {RECONSTRUCTED} Reconstructed data are among these ({', '.join(self.rebuilt)})." if self.rebuilt else ""
        return f"{self.why} {self.finding.verdict} ({self.finding.numbers()}).{marks}"


@dataclass(frozen=True)
class Judgement:
    """The verdict on a claim under one protocol.

    notes: what it must not be read without. beside: findings that decide nothing.
    """

    claim: Claim
    protocol: str
    verdict: str
    findings: tuple[Finding, ...]
    notes: tuple[str, ...] = ()
    beside: tuple[Beside, ...] = ()

    @property
    def tested(self) -> bool:
        """Whether there is a verdict, for or against."""
        return self.verdict != NOT_TESTED

    @property
    def sentence(self) -> str:
        """All findings, what stands beside them, then the notes."""
        findings = (one.sentence for one in self.findings)
        return " ".join([*findings, *(one.sentence() for one in self.beside), *self.notes])

    @property
    def decisive(self) -> Finding:
        """The finding that the verdict hangs on: the weakest where all hold, else the first that does not."""
        own = [one for one in self.findings if one.verdict == self.verdict]
        return max(own, key=lambda one: one.p or 0.0) if self.verdict == SUPPORTED else own[0]


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
        raise PublishedError(f"{path} must be a list of claims; restore it from git")
    try:
        claims = tuple(build(Claim, entry, at=f"claims[{place}]") for place, entry in enumerate(entries))
    except SettingsError as error:
        raise PublishedError(f"{path}: {error}; correct it, or restore the file from git") from None
    for claim in claims:
        if bool(claim.criteria) == bool(claim.outside):
            found = "both" if claim.criteria else "neither"
            raise PublishedError(f"{path}: the claim {claim.id!r} must have either criteria or outside, got {found}; correct it")
    return claims


def judge(claims: Iterable[Claim], grid: pd.DataFrame) -> list[Judgement]:
    """A verdict per claim and protocol of the grid, the released one first.

    grid: as :func:`hmc.report.grid.build_grid` makes it.
    """
    benchmark, images = grid[grid["group"].isin(BENCHMARK)], conditions(grid[grid["group"] == IMAGES])
    cells = pd.concat([benchmark, images])
    names = protocols(cells[cells["planned"]]) or ["released"]
    evidence = {
        name: {over: Evidence(part[part["protocol"] == name]) for over, part in (("datasets", benchmark), ("conditions", images))}
        for name in names
    }
    return [_judgement(claim, evidence[name], name) for claim in claims for name in names]


def _judgement(claim: Claim, evidence: Mapping[str, Evidence], protocol: str) -> Judgement:
    """evidence: by what a criterion compares over."""
    if claim.outside:
        untested = Finding(NOT_TESTED, f"Not tested here: {claim.outside}.")
        return Judgement(claim, protocol, NOT_TESTED, (untested,))
    findings = _findings(claim.criteria, evidence, protocol)
    verdict = all_hold(one.verdict for one in findings)
    datasets = evidence["datasets"]
    beside = [
        Beside(criterion.why, one, datasets.reconstructed(one.used))
        for criterion, one in zip(claim.beside, _findings(claim.beside, evidence, protocol), strict=True)
        if one.verdict != NOT_TESTED
    ]
    notes = [claim.caution] if claim.caution else []
    rebuilt = datasets.reconstructed(name for one in findings for name in one.used)
    if rebuilt and verdict != NOT_TESTED:
        without = {**evidence, "datasets": datasets.without(rebuilt)}
        other = all_hold(one.verdict for one in _findings(claim.criteria, without, protocol))
        same = "the same" if other == verdict else other
        notes.append(f"{RECONSTRUCTED} Reconstructed data are among these ({', '.join(rebuilt)}); without them: {same}.")
    return Judgement(claim, protocol, verdict, findings, tuple(notes), tuple(beside))


def _findings(criteria: Iterable[Criterion], evidence: Mapping[str, Evidence], protocol: str) -> tuple[Finding, ...]:
    return tuple(finding(criterion, evidence[criterion.over], protocol) for criterion in criteria)


# --- the table --------------------------------------------------------------------------------------------------------


def table(judgements: Sequence[Judgement]) -> Table:
    """One row a claim and tested protocol: the verdict, and the numbers that it hangs on."""
    tested = [one for one in judgements if one.tested]
    untested = _words({one.claim.name for one in judgements} - {one.claim.name for one in tested}, judgements)
    texts = dict.fromkeys((one.claim.name, one.claim.text) for one in tested)
    return Table(
        name="claims",
        title="The paper's claims, and questions of ours, and what the records here say",
        header=("claim", "whose", "protocol", "verdict", "criteria met", "decided by", "n", "p", "test"),
        rows=tuple(_row(one) for one in tested),
        notes=(
            *(f"{name}: {' '.join(text.split())}" for name, text in texts),
            "Decided by: the criterion that the verdict hangs on; all must hold. n: datasets, or conditions of images. Not "
            "supported: not shown by these records, which is not the same as refuted. Generated datasets decide nothing. The "
            "report page has every test in full.",
            *([f"Not tested here under any protocol: {untested}."] if untested else []),
        ),
        keys=3,
    )


def tests_table(judgements: Sequence[Judgement]) -> Table:
    """One row a tested criterion, those that decide nothing too: what was asked, what came out, and how it was tested."""
    rows = [
        row
        for one in judgements
        for row in (
            *(_test_row(one, "decides", finding) for finding in one.findings if finding.verdict != NOT_TESTED),
            *(_test_row(one, "beside", part.finding, part.rebuilt) for part in one.beside),
        )
    ]
    return Table(
        name="claims_tests",
        title="Every criterion of the claims that could be tested here",
        header=("claim", "protocol", "part", "what", "verdict", "effect", "n", "p", "test"),
        rows=tuple(rows),
        notes=(
            "Part: all criteria that decide must hold for the claim; those beside decide nothing. n: datasets, or conditions of "
            "images.",
        ),
        keys=3,
    )


def _test_row(judged: Judgement, part: str, found: Finding, rebuilt: Sequence[str] = ()) -> tuple[Entry, ...]:
    what = found.sentence.partition(f": {found.verdict}.")[0]
    marked = rebuilt or any(note.startswith(RECONSTRUCTED) for note in judged.notes)
    return (
        *(judged.claim.name, judged.protocol, part, what, f"{found.verdict} {RECONSTRUCTED}" if marked else found.verdict),
        *(found.effect or DASH, Number(found.n), p_value(found.p), found.test or DASH),
    )


def _words(names: Iterable[str], judgements: Sequence[Judgement]) -> str:
    chosen = set(names)
    return ", ".join(dict.fromkeys(one.claim.name for one in judgements if one.claim.name in chosen))


def _row(one: Judgement) -> tuple[Entry, ...]:
    met = sum(part.verdict == SUPPORTED for part in one.findings)
    chosen = one.decisive
    rebuilt = any(note.startswith(RECONSTRUCTED) for note in one.notes)
    return (
        *(one.claim.name, one.claim.origin, one.protocol, f"{one.verdict} {RECONSTRUCTED}" if rebuilt else one.verdict),
        *(f"{met} of {len(one.findings)}", chosen.effect or DASH, Number(chosen.n), p_value(chosen.p), chosen.test or DASH),
    )
