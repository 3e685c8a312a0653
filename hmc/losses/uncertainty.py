"""Six measures of how unsure an ensemble is of each node.

All take probabilities [..., members, rows, nodes] and return [..., rows, nodes] of the same dtype. No gradient flows through
them. They are finite for probabilities of 0 and 1 and for equal members, and lie in [0, 1] except ``epistemic_kl``, which has no
upper limit. m is the mean over members, s the standard deviation (ddof 1), H the binary entropy in bits. None of them needs
more than a few times the memory of its input, however many members there are.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from hmc.settings import SettingsError, did_you_mean, named_object

Uncertainty = Callable[[Tensor], Tensor]

MEMBERS = -3
"""The axis of the members."""


@torch.no_grad()
def bbma(probabilities: Tensor) -> Tensor:
    """Binary Bayesian model average margin: 1 - |2m - 1|. Released mode ``mean``.

    Raises ValueError for fewer than one member, as all measures do where they lack members.
    """
    _require_members(probabilities, "bbma", 1)
    return 1 - _margin(probabilities.mean(MEMBERS))


@torch.no_grad()
def gmu(probabilities: Tensor) -> Tensor:
    """Gated margin uncertainty: 1 - (1 - exp(-margin / 2s)) margin, with margin = |2m - 1|. Released mode ``pcs``.

    Equal members (s = 0) leave 1 - margin. Raises ValueError for fewer than two members.
    """
    _require_members(probabilities, "gmu", 2)
    mean = probabilities.mean(MEMBERS)
    variance = (probabilities - mean.unsqueeze(MEMBERS)).square_().sum(MEMBERS).div_(probabilities.shape[MEMBERS] - 1)
    margin = _margin(mean)
    spread = variance.sqrt_().clamp_min_(torch.finfo(variance.dtype).tiny)
    return spread.mul_(-2).reciprocal_().mul_(margin).expm1_().mul_(margin).add_(1)


@torch.no_grad()
def total(probabilities: Tensor) -> Tensor:
    """Total (predictive) entropy H(m). Released mode ``predictive``."""
    _require_members(probabilities, "total", 1)
    return _entropy(probabilities.mean(MEMBERS)).clamp_(max=1)


@torch.no_grad()
def aleatoric(probabilities: Tensor) -> Tensor:
    """Mean over members of H(p). Released mode ``aleatoric``."""
    _require_members(probabilities, "aleatoric", 1)
    return _entropy(probabilities).mean(MEMBERS).clamp_(max=1)


@torch.no_grad()
def epistemic_js(probabilities: Tensor) -> Tensor:
    """Mean over ordered pairs of different members of their Jensen-Shannon divergence, in bits. Released mode ``epistemic``.

    A pair's divergence is H of the pair's mean less the mean of its two H. Summed over pairs, the second part needs single
    members only; for the first, members are paired with themselves shifted by 1, 2, ... places, each shift a ring of pairs.
    Raises ValueError for fewer than two members.
    """
    _require_members(probabilities, "epistemic_js", 2)
    members = probabilities.shape[MEMBERS]
    of_means = torch.zeros_like(probabilities.select(MEMBERS, 0))
    for shift in range(1, members // 2 + 1):
        pair_means = (probabilities + probabilities.roll(shift, MEMBERS)).div_(2)
        # Half way round, every pair of an even number of members is met twice.
        share = 0.5 if 2 * shift == members else 1.0
        of_means.add_(_entropy(pair_means).sum(MEMBERS), alpha=share)
    of_means.div_(members * (members - 1) / 2)
    return of_means.sub_(_entropy(probabilities).mean(MEMBERS)).clamp_(0, 1)


@torch.no_grad()
def epistemic_kl(probabilities: Tensor) -> Tensor:
    """Mean over ordered pairs of different members of their Kullback-Leibler divergence, in bits. Released mode ``epistemic_kl``.

    The two directions of a pair sum to (p_g - p_h)(z_g - z_h) with z the logits, so the mean over ordered pairs is the sample
    covariance of p and z (ddof 1): exact, without pairs. Probabilities are kept one float step from 0 and 1 in z.
    Raises ValueError for fewer than two members.
    """
    _require_members(probabilities, "epistemic_kl", 2)
    logits = torch.logit(probabilities, torch.finfo(probabilities.dtype).eps)
    deviations = probabilities - probabilities.mean(MEMBERS, keepdim=True)
    logits.sub_(logits.mean(MEMBERS, keepdim=True)).mul_(deviations)
    return logits.sum(MEMBERS).div_((probabilities.shape[MEMBERS] - 1) * math.log(2)).clamp_(min=0)


MEASURES: dict[str, Uncertainty] = {
    "bbma": bbma,
    "gmu": gmu,
    "total": total,
    "aleatoric": aleatoric,
    "epistemic_js": epistemic_js,
    "epistemic_kl": epistemic_kl,
}


def uncertainty(name: str) -> Uncertainty:
    """The measure of this name, or a custom function as module:name.

    Raises SettingsError (a ValueError) for a name that is not known.
    """
    if name in MEASURES:
        return MEASURES[name]
    if ":" in name:
        own: Uncertainty = named_object("method.focal.uncertainty", name)
        return own
    raise SettingsError(f"method.focal.uncertainty={name!r} is not known{did_you_mean(name, MEASURES)}")


def _margin(mean: Tensor) -> Tensor:
    return (2 * mean).sub_(1).abs_()


def _entropy(probabilities: Tensor) -> Tensor:
    """Binary entropy in bits; 0 at 0 and 1."""
    return torch.special.entr(probabilities).add_(torch.special.entr(1 - probabilities)).div_(math.log(2))


def _require_members(probabilities: Tensor, name: str, least: int) -> None:
    if probabilities.dim() < 3:
        raise ValueError(f"probabilities have shape {list(probabilities.shape)}; {name} takes [..., members, rows, nodes]")
    members = probabilities.shape[MEMBERS]
    if members < least:
        words = "it compares members, so give it two or more" if least == 2 else "give it one or more"
        raise ValueError(f"{name} was given {members} member{'' if members == 1 else 's'}; {words}")
