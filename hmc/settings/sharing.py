"""Which protocols a cell serves: one whose switches do not touch it gives the same scores under another name."""

from __future__ import annotations

import dataclasses

from hmc.settings.schema import MethodSettings, ProtocolSettings, RunSettings

_OF_WEIGHTS = ("frequency", "unseen_node_weight", "negative_weights", "weights_apply_to", "weights_from")


def same_scores(one: RunSettings, other: RunSettings) -> bool:
    """Whether two runs that differ at most in their protocols give the same scores."""
    return effective(one) == effective(other)


def effective(settings: RunSettings) -> RunSettings:
    """The same run with switches that do not touch it at their defaults, and no name of a protocol."""
    return dataclasses.replace(settings, protocol=_effective_protocol(settings.method, settings.protocol))


def _effective_protocol(method: MethodSettings, protocol: ProtocolSettings) -> ProtocolSettings:
    if method.kind != "network":
        return ProtocolSettings(name="", imputation=protocol.imputation)
    custom = method.objective != MethodSettings.objective or ":" in method.loss
    if custom:
        # Custom code may look at every switch.
        return dataclasses.replace(protocol, name="")
    touched = {}
    if method.node_weights.scheme != "none":
        touched = {key: getattr(protocol, key) for key in _OF_WEIGHTS}
    reduction = protocol.reduction if method.reduction == "protocol" else method.reduction
    if reduction == "as_released":
        reduction = "mean" if method.focal.uncertainty == "none" else "sum"
    return ProtocolSettings(name="", imputation=protocol.imputation, reduction=reduction, **touched)
