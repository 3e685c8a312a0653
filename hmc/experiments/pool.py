"""The loop of all that runs stacks elsewhere. One whose process or task is killed is started once more, and then has failed."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from hmc.experiments.outcome import Outcome, lost
from hmc.results.store import Store
from hmc.settings import Cell

Stack = Sequence[Cell]


@dataclass(frozen=True)
class Ended:
    """A stack that is no longer run. killed: what to report where it left no outcomes; environment: for the record of that."""

    stack: Stack
    outcomes: Sequence[Outcome] = ()
    killed: str = ""
    environment: dict[str, Any] = field(default_factory=dict)


class Pool(Protocol):
    """What runs stacks: processes on this machine, or a cluster's tasks."""

    def start(self, left: deque[Stack]) -> None:
        """Take as many stacks as it has room for."""

    def busy(self) -> bool:
        """Whether it runs any."""

    def ended(self) -> Iterable[Ended]:
        """Those that ended; may wait for one, or return none."""


def run(waiting: Sequence[Stack], pool: Pool, store: Store) -> Generator[Outcome, None, None]:
    """Run stacks; outcomes come as they are."""
    left = deque(waiting)
    again: set[str] = set()
    while left or pool.busy():
        pool.start(left)
        for one in pool.ended():
            if not one.killed:
                yield from one.outcomes
            elif one.stack[0].identity in again:
                yield from [lost(cell, store, one.killed, one.environment) for cell in one.stack]
            else:
                again.add(one.stack[0].identity)
                left.append(one.stack)
