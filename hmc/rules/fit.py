"""The nine rules, each a small function from what it may look at to a threshold a node.

=====================  ================================================================  ===========================
rule                   threshold                                                         source
=====================  ================================================================  ===========================
``half``               0.5                                                               both papers
``global``             one for all nodes, best macro F1 on held-out rows                 RCut/SCut literature, Yang 2001
``rate``               the held-out score above which the node's training rate lies      PCut, Yang 2001
``scaled_rate``        ``rate`` at c times the training rate, one c by macro F1          ours
``node``               best F1 of each node; ``scaled_rate`` where it has no positive    SCut, Yang 2001
``node_supported``     ``node`` where at least m held-out positives, else                after FBR, Lin and Lin 2023
                       ``scaled_rate``; m by two-fold cross-validation
``expected_f1``        the best expected F1, were scores true probabilities              Lipton et al. 2014
``prior``              the training rate itself: logit adjustment applied afterwards     Menon et al. 2021
``weight_equivalent``  b / (a + b) of a weighted method's weights a of positive and      Elkan 2001
                       b of negative labels
=====================  ================================================================  ===========================

A threshold lies midway between neighbouring scores; of equally good ones the lowest c and the highest threshold are taken. Macro
F1 that chooses is computed on label sets closed under ancestors, but for ``node``, which looks at one node at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from hmc.rules.evidence import Evidence, HeldOut, RuleError
from hmc.settings import SettingsError, did_you_mean, named_object

Rule = Callable[[Evidence], np.ndarray]
"""From what a rule may look at to thresholds, float64 [nodes]."""

GRID = np.linspace(0.01, 0.60, 60)
QUANTILES = 1 - np.geomspace(0.001, 0.3, 20)
"""Of all scores of evaluated nodes: further candidates of ``global``, since many scores are far below 0.01."""
SCALES = (0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0)
LARGEST_SHARE = 0.999
SUPPORTS = (1, 3, 5, 10, 20, np.inf)
"""Fewest held-out positives with which a node has a threshold of its own; infinite: none has."""
TAU = 1.0
"""Strength of the prior's correction (Menon et al. 2021)."""


def half(evidence: Evidence) -> np.ndarray:
    """0.5 for every node, as both papers cut."""
    return np.full(len(evidence.hierarchy), 0.5)


def global_threshold(evidence: Evidence) -> np.ndarray:
    """One threshold for all nodes, the best by macro F1 on held-out rows."""
    held_out = evidence.held_out
    candidates = np.unique(np.concatenate([GRID, np.quantile(held_out.scores[held_out.evaluated], QUANTILES)]))
    # Coherent scores under one threshold are closed already.
    values = [held_out.macro_f1(held_out.scores > threshold) for threshold in candidates]
    best = len(values) - 1 - int(np.argmax(values[::-1]))
    return np.full(len(evidence.hierarchy), candidates[best])


def rate(evidence: Evidence) -> np.ndarray:
    """The score above which as large a share of held-out rows lies as the share of training rows that has the node."""
    return _at_rate(evidence.held_out, evidence.rate, 1.0)


def scaled_rate(evidence: Evidence) -> np.ndarray:
    """``rate`` at min(c r, 0.999), with the one c of SCALES that has the best macro F1 on held-out rows."""
    return _scaled_rate(evidence.held_out, evidence.rate)


def node(evidence: Evidence) -> np.ndarray:
    """The best F1 of each node on held-out rows; ``scaled_rate`` where it has no positive there."""
    held_out = evidence.held_out
    return np.where(held_out.positives > 0, _best_of_node(held_out), _scaled_rate(held_out, evidence.rate))


def node_supported(evidence: Evidence) -> np.ndarray:
    """``node`` where a node has at least m held-out positives, ``scaled_rate`` elsewhere.

    Single thresholds overfit where positives are few. m is the one of SUPPORTS with the best macro F1 in two-fold
    cross-validation on the held-out rows (folds by a fixed seed); of equally good ones the largest.
    """
    held_out = evidence.held_out
    if held_out.rows < 2:
        return _scaled_rate(held_out, evidence.rate)
    order = np.random.Generator(np.random.PCG64(0)).permutation(held_out.rows)
    folds = [np.sort(order[::2]), np.sort(order[1::2])]
    predicted = {support: np.zeros(held_out.scores.shape, dtype=bool) for support in SUPPORTS}
    for fitted, tested in (folds, folds[::-1]):
        part, rest = held_out.part(fitted), held_out.part(tested)
        single, shared = _best_of_node(part), _scaled_rate(part, evidence.rate)
        for support in SUPPORTS:
            predicted[support][:, tested] = rest.decided(np.where(part.positives >= support, single, shared))
    values = {support: held_out.macro_f1(labels) for support, labels in predicted.items()}
    chosen = max(SUPPORTS, key=lambda support: (values[support], support))
    return np.where(held_out.positives >= chosen, _best_of_node(held_out), _scaled_rate(held_out, evidence.rate))


def expected_f1(evidence: Evidence) -> np.ndarray:
    """The k highest held-out scores of each node, with the k that maximises 2 sum(top k) / (k + sum of all scores).

    That is the best expected F1 if scores were true probabilities; no label is looked at.
    """
    held_out = evidence.held_out
    top = np.cumsum(held_out.descending, axis=1, dtype=np.float64)
    expected = 2 * top / (np.arange(1, held_out.rows + 1) + top[:, -1:])
    return held_out.midway(expected.argmax(axis=1) + 1)


def prior(evidence: Evidence) -> np.ndarray:
    """r^tau / (r^tau + (1 - r)^tau) with tau = 1: logit adjustment for the node's training rate r, applied afterwards."""
    rates = evidence.clipped_rate
    return rates**TAU / (rates**TAU + (1 - rates) ** TAU)


def weight_equivalent(evidence: Evidence) -> np.ndarray:
    """b / (a + b) of the weights a of positive and b of negative labels: where weighting would have moved 0.5 to."""
    if evidence.weights is None:
        raise RuleError("it needs label weights; give those of a weighted method")
    positive, negative = evidence.weights
    total = positive + negative
    return np.divide(negative, total, out=np.full(len(total), 0.5), where=total > 0)


RULES: Mapping[str, Rule] = {
    "half": half,
    "global": global_threshold,
    "rate": rate,
    "scaled_rate": scaled_rate,
    "node": node,
    "node_supported": node_supported,
    "expected_f1": expected_f1,
    "prior": prior,
    "weight_equivalent": weight_equivalent,
}


OF_TRAINING = ("half", "prior", "weight_equivalent")
"""Rules that look at no held-out row."""


def needs_held_out_rows(name: str) -> bool:
    """Whether the rule is fitted on held-out rows; of a custom one it is not known, so it gets them.

    >>> needs_held_out_rows("scaled_rate"), needs_held_out_rows("prior")
    (True, False)
    """
    return name not in OF_TRAINING


def rule(name: str) -> Rule:
    """The rule of this name, or a custom function as module:name. Raises SettingsError for a name that is not known.

    >>> rule("half").__name__
    'half'
    """
    if name in RULES:
        return RULES[name]
    if ":" in name:
        custom: Rule = named_object("rules", name)
        return custom
    raise SettingsError(f"rules={name!r} is not known{did_you_mean(name, RULES)}")


def require_known(names: Sequence[str]) -> None:
    """Raises SettingsError for a rule that is not known; worth knowing before hours of training."""
    for name in names:
        rule(name)


def fit(name: str, evidence: Evidence) -> np.ndarray:
    """The thresholds of a rule, float64 [nodes].

    Raises SettingsError for a rule that is not known, RuleError where it lacks what it needs, or where a custom one fails or
    returns thresholds that cannot be used.
    """
    chosen = rule(name)
    try:
        thresholds = np.asarray(chosen(evidence), dtype=np.float64)
    except RuleError as error:
        raise RuleError(f"rule {name}: {error}") from None
    # A custom rule may fail in any way, and must not cost what was trained.
    except Exception as error:
        if name in RULES:
            raise
        reason = " ".join(str(error).split())[:200]
        raise RuleError(f"rule {name}: it failed with {type(error).__name__}{f' ({reason})' if reason else ''}") from error
    if thresholds.shape != (len(evidence.hierarchy),) or np.isnan(thresholds).any():
        raise RuleError(
            f"rule {name} must return {len(evidence.hierarchy)} thresholds without NaN, got shape {thresholds.shape}"
            + (" with NaN" if np.isnan(thresholds).any() else "")
        )
    return thresholds


def fit_all(names: Sequence[str], evidence: Evidence) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """The thresholds of each rule that can be fitted, and for each other one why it cannot."""
    fitted: dict[str, np.ndarray] = {}
    lacking: dict[str, str] = {}
    for name in names:
        try:
            fitted[name] = fit(name, evidence)
        except RuleError as error:
            lacking[name] = str(error)
    return fitted, lacking


# --- parts ------------------------------------------------------------------------------------------------------------------


def _at_rate(held_out: HeldOut, rates: np.ndarray, scale: float) -> np.ndarray:
    shares = np.minimum(scale * rates, LARGEST_SHARE)
    return held_out.midway(np.floor(shares * held_out.rows + 0.5).astype(np.int64))


def _scaled_rate(held_out: HeldOut, rates: np.ndarray) -> np.ndarray:
    candidates = [_at_rate(held_out, rates, scale) for scale in SCALES]
    values = [held_out.macro_f1(held_out.decided(thresholds)) for thresholds in candidates]
    return candidates[int(np.argmax(values))]


def _best_of_node(held_out: HeldOut) -> np.ndarray:
    """The threshold with the best F1 of each node by itself; infinite where it has no positive."""
    order = np.argsort(-held_out.scores, axis=1, kind="stable")
    hits = np.cumsum(np.take_along_axis(held_out.labels, order, axis=1), axis=1)
    f1 = 2 * hits / (np.arange(1, held_out.rows + 1) + held_out.positives[:, None])
    # Equal scores stay together: only where the next one is lower can a threshold lie.
    scores = held_out.descending
    f1[:, :-1][scores[:, :-1] == scores[:, 1:]] = -1.0
    counts = f1.argmax(axis=1) + 1
    return np.where(held_out.positives > 0, held_out.midway(counts), np.inf)
