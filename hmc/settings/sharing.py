"""Which protocols a cell serves: one whose switches do not touch it gives the same scores under another name."""

from __future__ import annotations

import dataclasses

from hmc.settings.cell import Cell
from hmc.settings.schema import MethodSettings, ProtocolSettings, RunSettings

RELEASED = "released"
"""The protocol whose cells serve the others."""

_OF_WEIGHTS = ("frequency", "unseen_node_weight", "negative_weights", "weights_apply_to", "weights_from")


def shared(cell: Cell, released: RunSettings) -> Cell:
    """The cell itself; or the released protocol's, shown under this one, where no switch touches it or what it mixes.

    released: the settings of the same run under the released protocol as its file has it. A cell that departs from its own
    protocol's file is shown under no other: its record would say the departure of a protocol that has none.
    """
    own = cell.settings.protocol.name
    if own == RELEASED or not same_scores(cell.settings, released):
        return cell
    if any(key.startswith("protocol.") for key, _ in cell.departed):
        return cell
    if any(part.settings.protocol.name != RELEASED for part in cell.parts):
        return cell
    return dataclasses.replace(cell, settings=released, shown_protocol=own)


def same_scores(one: RunSettings, other: RunSettings) -> bool:
    """Whether two runs that differ at most in their protocols give the same scores; for mixtures, of the same parts."""
    return effective(one) == effective(other)


def effective(settings: RunSettings) -> RunSettings:
    """The same run with switches that do not touch it at their defaults, and no name of a protocol."""
    return dataclasses.replace(settings, protocol=_effective_protocol(settings.method, settings.protocol))


def _effective_protocol(method: MethodSettings, protocol: ProtocolSettings) -> ProtocolSettings:
    if method.kind != "network":
        return ProtocolSettings(name="", imputation=protocol.imputation)
    if method.objective != MethodSettings.objective or ":" in method.loss or ":" in method.node_weights.scheme:
        # Custom code may look at every switch.
        return dataclasses.replace(protocol, name="")
    touched = {}
    if method.node_weights.scheme != "none":
        touched = {key: getattr(protocol, key) for key in _OF_WEIGHTS}
    reduction = protocol.reduction if method.reduction == "protocol" else method.reduction
    if reduction == "as_released":
        reduction = "mean" if method.focal.uncertainty == "none" else "sum"
    return ProtocolSettings(name="", imputation=protocol.imputation, reduction=reduction, **touched)
