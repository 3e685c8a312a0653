"""A suite: which cells belong together, and how they are selected from the command line."""

from __future__ import annotations

from dataclasses import dataclass, field

from hmc.settings.build import setting


@dataclass(frozen=True)
class BlockSettings:
    """A product of datasets, methods, protocols and seeds, with settings that depart from the methods' files."""

    datasets: tuple[str, ...] = setting()
    methods: tuple[str, ...] = setting()
    protocols: tuple[str, ...] = setting(("released",))
    seeds: tuple[int, ...] = setting((0,), minimum=0, maximum=2**31 - 1)
    overrides: tuple[str, ...] = setting(())
    """As on the command line: "method.members=5". Cells with overrides have columns of their own."""
    training: str = setting("paper")
    """The file of configs/training."""
    required: bool = setting(True)
    """False: a dataset of this block whose files are not to be had is left out, with a notice, and counts as no failure."""


@dataclass(frozen=True)
class SuiteSettings:
    """Cells that belong together, and how they are selected from the command line."""

    name: str = setting()
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
