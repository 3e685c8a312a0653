"""How many cells run at a time, and where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hmc.settings.build import setting


@dataclass(frozen=True)
class SlurmSettings:
    """What each Slurm job asks for. Empty or 0: the cluster's own default."""

    partition: str = setting("")
    account: str = setting("")
    hours: float = setting(24.0, above=0)
    """A job that takes longer is queued again and goes on from its checkpoint."""
    memory_gb: float = setting(4.0, above=0)
    gpus: int = setting(0, minimum=0)
    requeues: int = setting(20, minimum=0)
    """How often one job may reach its time limit."""
    lost_seconds: float = setting(60.0, minimum=0)
    """A job that is in no queue for so long and left no result is taken to be killed."""
    setup: tuple[str, ...] = setting(())
    """Shell lines run first on the node, such as "module load cuda"."""
    options: Mapping[str, Any] = setting({})
    """Further options of sbatch, by their long names."""


@dataclass(frozen=True)
class ExecutorSettings:
    """How many cells run at a time, and where."""

    name: str = setting("inline", choices=("inline", "processes", "slurm"))
    workers: int = setting(1, minimum=0, maximum=1024)
    """Processes, or Slurm jobs at a time; 0: one per core, or as many jobs as Slurm lets run."""
    stack: int = setting(1, minimum=0, maximum=1000)
    """Seeds of one dataset and method that are trained together as one batched network; 0: on a GPU as many as fit into its free
    memory, on a CPU as many as are fastest. Together a seed's numbers are those that it has alone but for rounding, since sums of
    other sizes are rounded otherwise; so it is 1 unless it is set.
    """
    slurm: SlurmSettings = field(default_factory=SlurmSettings)
