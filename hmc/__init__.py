"""Hierarchical multi-label classification: methods, metrics and decision rules under one protocol."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hmc.classifier import HierarchicalClassifier

__version__ = "0.2.0"
__all__ = ["HierarchicalClassifier", "__version__"]


def __getattr__(name: str) -> Any:
    """The classifier, imported when it is first asked for, since it takes scikit-learn a second to load."""
    if name == "HierarchicalClassifier":
        return importlib.import_module("hmc.classifier").HierarchicalClassifier
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
