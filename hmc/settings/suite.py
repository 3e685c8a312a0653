"""A suite: which cells belong together, how they are selected from the command line, and what their tables show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hmc.settings.build import setting
from hmc.settings.schema import RuntimeSettings


@dataclass(frozen=True)
class BlockSettings:
    """A product of datasets, methods, protocols and seeds, with settings that depart from the methods' files."""

    datasets: tuple[str, ...] = setting()
    methods: tuple[str, ...] = setting()
    protocols: tuple[str, ...] = setting(("released",))
    seeds: tuple[int, ...] = setting((0,), minimum=0, maximum=2**31 - 1)
    overrides: tuple[str, ...] = setting(())
    """As on the command line: "method.members=5". Cells with overrides have columns of their own."""
    sweep: Mapping[str, tuple[Any, ...]] = setting({})
    """Levels of settings, such as {encoder.noise: [0, 0.5, 1]}: the block is repeated for each, or for each combination."""
    training: str = setting("paper")
    """The file of configs/training."""
    required: bool = setting(True)
    """False: a dataset of this block whose files are not to be had is left out, with a notice, and counts as no failure."""


@dataclass(frozen=True)
class SuiteSettings:
    """Cells that belong together, and how they are selected from the command line."""

    name: str = setting(name=True)
    title: str = setting("")
    blocks: tuple[BlockSettings, ...] = field(default=())
    include: tuple[str, ...] = setting(())
    """Other suites, by name, whose cells are this one's too."""
    datasets: tuple[str, ...] = setting(())
    """Selection: only these datasets, methods, protocols; empty: all that the blocks name."""
    methods: tuple[str, ...] = setting(())
    protocols: tuple[str, ...] = setting(())
    seeds: tuple[int, ...] = setting((), minimum=0, maximum=2**31 - 1)
    """These seeds in place of the blocks' own; empty: the blocks' own."""
    required: bool = setting(True)
    """False: no block is required, whatever it says itself."""


@dataclass(frozen=True)
class TableSettings:
    """The decision rules that a suite's tables and page show."""

    rule: str = setting("half", choices=RuntimeSettings.rules, allow_custom=True)
    """The rule whose metrics fill the tables (half: a threshold of 0.5, as in the papers)."""
    tuned: str = setting("scaled_rate", choices=RuntimeSettings.rules, allow_custom=True)
    """The rule that stands beside ``half`` in the summary and in the figure of tuned thresholds."""


@dataclass(frozen=True)
class OverlapSettings:
    """Two methods of a suite and the rules that their scores are cut by.

    The defaults ask whether node weights are a shift of thresholds.
    """

    a: str = setting("ensemble")
    rule_a: str = setting("weight_equivalent", choices=RuntimeSettings.rules, allow_custom=True)
    b: str = setting("weighted")
    rule_b: str = setting("half", choices=RuntimeSettings.rules, allow_custom=True)
