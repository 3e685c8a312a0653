"""The settings of one run, their checks, and the cell that they make, whose canonical hash identifies a result.

Nothing here knows Hydra, YAML or files: :func:`build` turns a plain mapping (from any of them) into settings, and reports an
unknown key with the nearest known one, a wrong type, and a value out of range, each in one line.
"""

from hmc.settings.build import SettingsError, build, did_you_mean, named_object, setting, to_mapping
from hmc.settings.cell import Cell, Departures, canonical_hash, column_name, departures, identifying, identity_of, variant
from hmc.settings.executor import ExecutorSettings, SlurmSettings
from hmc.settings.schema import (
    BUILT_IN_ENCODER,
    REFERENCE_PREDICTORS,
    DatasetSettings,
    EncoderSettings,
    EstimatorSettings,
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
    TrainingFile,
    TrainingSettings,
)
from hmc.settings.suite import BlockSettings, SuiteSettings

__all__ = [
    "BUILT_IN_ENCODER",
    "REFERENCE_PREDICTORS",
    "BlockSettings",
    "Cell",
    "DatasetSettings",
    "Departures",
    "EncoderSettings",
    "EstimatorSettings",
    "ExecutorSettings",
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
    "SlurmSettings",
    "SuiteSettings",
    "SyntheticSettings",
    "TrainingFile",
    "TrainingSettings",
    "build",
    "canonical_hash",
    "column_name",
    "departures",
    "did_you_mean",
    "identifying",
    "identity_of",
    "named_object",
    "setting",
    "to_mapping",
    "variant",
]
