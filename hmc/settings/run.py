"""From the groups of settings to those of one run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hmc.settings.build import build
from hmc.settings.schema import (
    DatasetSettings,
    EncoderSettings,
    MethodSettings,
    ProtocolSettings,
    RunSettings,
    TrainingFile,
)

RUN_KEYS = ("dataset", "method", "training", "protocol", "encoder", "seed")


def run_settings(groups: Mapping[str, Any]) -> RunSettings:
    """The settings of one run, with what ``training`` leaves to the dataset filled in.

    groups: dataset, method, training, protocol, and optionally encoder and seed; each group a mapping or its settings already.

    Raises SettingsError for an unknown key, a wrong type, a value out of range, or two settings that contradict each other.
    """

    def part(name: str, kind: Any) -> Any:
        given = groups.get(name, {})
        return given if isinstance(given, kind) else build(kind, given, at=name)

    dataset = part("dataset", DatasetSettings)
    values = {
        "dataset": dataset,
        "method": part("method", MethodSettings),
        "training": part("training", TrainingFile).resolved(dataset.name),
        "protocol": part("protocol", ProtocolSettings),
        "encoder": part("encoder", EncoderSettings),
    }
    return build(RunSettings, values | {key: groups[key] for key in groups if key not in values})
