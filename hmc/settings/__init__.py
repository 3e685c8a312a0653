"""The settings of one run, their checks, and the cell that they make, whose canonical hash identifies a result.

Nothing here knows Hydra, YAML or files: :func:`build` turns a plain mapping (from any of them) into settings, and reports an
unknown key with the nearest known one, a wrong type, and a value out of range, each in one line.
"""

from hmc.settings.build import SettingsError, build, checked_name, did_you_mean, folder_name, named_object, setting, to_mapping
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
    TabularSettings,
    TrainingFile,
    TrainingSettings,
)
from hmc.settings.suite import BlockSettings, OverlapSettings, SuiteSettings, TableSettings

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
    "OverlapSettings",
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
    "TableSettings",
    "TabularSettings",
    "TrainingFile",
    "TrainingSettings",
    "build",
    "canonical_hash",
    "checked_name",
    "column_name",
    "departures",
    "did_you_mean",
    "folder_name",
    "identifying",
    "identity_of",
    "named_object",
    "setting",
    "to_mapping",
    "variant",
]
