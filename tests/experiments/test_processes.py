"""Worker processes: a killed one costs only its own cell, none survives its parent."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hmc.experiments import processes
from hmc.experiments.outcome import Outcome
from hmc.results.provenance import cores
from hmc.results.store import Store
from hmc.settings import ExecutorSettings
from tests.experiments.examples import contents, make_cell, misbehaving, runtime_in
from tests.processes import alive, children, command_line, descendants, wait_for

EXECUTOR = ExecutorSettings(name="processes", workers=2)


def test_kills_and_errors_cost_only_their_cells(tmp_path: Path) -> None:
    """One cell always kills its process, one once, one raises; four are well."""
    cells = [misbehaving("kill", 0), misbehaving("kill", 1, tmp_path / "once"), misbehaving("division", 2)]
    cells += [make_cell(seed) for seed in range(4)]
    runtime = runtime_in(tmp_path, checkpoint_seconds=0)
    outcomes = {o.cell.identity: o for o in processes.run([[cell] for cell in cells], runtime, EXECUTOR)}
    errors = [outcomes[cell.identity].error for cell in cells]
    assert errors[0].startswith("its process was killed by SIGKILL, twice; if memory ran out")
    assert errors[1:] == ["", "ZeroDivisionError: on purpose", "", "", "", ""]
    states = [Store(tmp_path).state(cell) for cell in cells]
    assert [state.name for state in states] == ["failed", "done", "failed", "done", "done", "done", "done"]
    assert states[0].reason == errors[0]


def test_processes_and_stacks_give_what_one_process_gives(tmp_path: Path) -> None:
    cells = [make_cell(seed) for seed in range(4)]
    alone, stacked = runtime_in(tmp_path / "alone"), runtime_in(tmp_path / "stacked")
    for waiting, runtime in (([[cell] for cell in cells], alone), ([cells[:2], cells[2:]], stacked)):
        outcomes = sorted(processes.run(waiting, runtime, EXECUTOR), key=lambda outcome: outcome.cell.seed)
        assert outcomes == [Outcome(cell) for cell in cells]
    for one, other in zip(contents(cells, alone), contents(cells, stacked), strict=True):
        assert one["metrics"] == pytest.approx(other["metrics"], abs=1e-6)
        assert one["learning_curve"] == pytest.approx(other["learning_curve"], rel=1e-5)


def test_never_more_processes_than_cores() -> None:
    assert processes.count(runtime_in(Path()), ExecutorSettings(name="processes", workers=1000)) == cores()
    assert processes.count(runtime_in(Path()), ExecutorSettings(name="processes", workers=0)) == cores()
    assert processes.count(runtime_in(Path()), ExecutorSettings(name="processes", workers=1)) == 1
    assert processes.count(runtime_in(Path(), threads=1024), ExecutorSettings(name="processes", workers=0)) == 1


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGINT])
def test_workers_do_not_survive_their_parent(tmp_path: Path, ending: signal.Signals) -> None:
    # A test run started in the background ignores SIGINT, and so would what it starts.
    code = f"""
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from tests.experiments.examples import make_cell, runtime_in
from hmc.experiments import processes
from hmc.settings import ExecutorSettings
from pathlib import Path
cells = [make_cell(seed, "training.epochs=100000") for seed in range(2)]
executor = ExecutorSettings(name="processes", workers=2)
list(processes.run([[cell] for cell in cells], runtime_in(Path({str(tmp_path)!r})), executor))
"""
    parent = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL, start_new_session=True)
    started: list[int] = []
    try:
        wait_for(lambda: len(list(tmp_path.rglob("lock"))) == min(2, cores()))
        started = descendants(parent.pid)
        parent.send_signal(ending)
        parent.wait(20)
        wait_for(lambda: not [child for child in started if alive(child)])
        assert len(started) > min(2, cores())
    finally:
        for process in [parent.pid, *started]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)


def test_the_server_of_the_processes_may_be_killed(tmp_path: Path) -> None:
    """While it loads the libraries, before it has started the first process."""
    code = f"""
from tests.experiments.examples import make_cell, runtime_in
from hmc.experiments import processes
from hmc.settings import ExecutorSettings
from pathlib import Path
cells = [make_cell(seed) for seed in range(2)]
executor = ExecutorSettings(name="processes", workers=2)
outcomes = list(processes.run([[cell] for cell in cells], runtime_in(Path({str(tmp_path)!r})), executor))
assert not [outcome for outcome in outcomes if outcome.error], outcomes
"""
    parent = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True, start_new_session=True)
    server = wait_for(lambda: [child for child in children(parent.pid) if "multiprocessing.forkserver" in command_line(child)])
    os.kill(server[0], signal.SIGKILL)
    _, errors = parent.communicate(timeout=120)
    assert parent.returncode == 0, errors
    assert len(list(Store(tmp_path).records())) == 2
