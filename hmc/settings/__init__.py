"""The settings of one run, their checks, and the cell that they make, whose canonical hash identifies a result.

Nothing here knows Hydra, YAML or files: :func:`build` turns a plain mapping (from any of them) into settings, and reports an
unknown key with the nearest known one, a wrong type, and a value out of range, each in one line.
"""

from hmc.settings.cell import RECORD_SCHEMA, Cell, canonical_hash, column_name, identifying, identity
from hmc.settings.checks import SettingsError, build, did_you_mean, named_object, setting, to_mapping
from hmc.settings.kinds import (
    OWN_ENCODER,
    DatasetSettings,
    EncoderSettings,
    FocalSettings,
    ImageSettings,
    MethodSettings,
    NodeWeightSettings,
    PaperValues,
    ProtocolSettings,
    ResamplingSettings,
    RunSettings,
    RuntimeSettings,
    ScheduleSettings,
    SyntheticSettings,
    TrainingSettings,
)

__all__ = [
    "OWN_ENCODER",
    "RECORD_SCHEMA",
    "Cell",
    "DatasetSettings",
    "EncoderSettings",
    "FocalSettings",
    "ImageSettings",
    "MethodSettings",
    "NodeWeightSettings",
    "PaperValues",
    "ProtocolSettings",
    "ResamplingSettings",
    "RunSettings",
    "RuntimeSettings",
    "ScheduleSettings",
    "SettingsError",
    "SyntheticSettings",
    "TrainingSettings",
    "build",
    "canonical_hash",
    "column_name",
    "did_you_mean",
    "identifying",
    "identity",
    "named_object",
    "setting",
    "to_mapping",
]
