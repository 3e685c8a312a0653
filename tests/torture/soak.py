"""Hours of short cells in one process, watched for growth: ``python -m tests.torture.soak --hours 2``.

Cells go through :func:`hmc.experiments.outcome.run_stack`, which all executors call: two generated datasets and one of ARFF files
with its cache, every kind of ensemble and objective, alone and in stacks, checkpoints after every epoch, and cells that fail.
After each round tables, runs.csv and now and then the page are made and the store is thrown away; some rounds use worker
processes. Resident memory, open file handles, threads and child processes go to a CSV file. At the end a robust line is fitted
to each, after a warm-up, and growth beyond the limits gives status 1.
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import gc
import itertools
import shutil
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.stats import theilslopes

from hmc.data.identity import data_sha256
from hmc.data.load import cache_folder
from hmc.experiments import processes
from hmc.experiments.outcome import Outcome, run_stack
from hmc.report import claims
from hmc.report.grid import build_grid, collect
from hmc.report.page import write_page
from hmc.report.render import write_tables
from hmc.report.tables import tables
from hmc.results import published
from hmc.results.store import Store
from hmc.settings import Cell, DatasetSettings, ExecutorSettings, RuntimeSettings
from tests.data.conftest import HEADER, ROWS
from tests.experiments.examples import make_cell, misbehaving, runtime_in

WARM_UP = 0.2
"""Share of the samples that is left out: libraries are loaded, kernels compiled and memory pools filled there."""
MOST_BYTES_A_CELL = 1024
"""Of growth of the resident memory. A record of these cells has 4 KiB; keeping a single tensor or record a cell is noticed."""

METHODS = (
    ("chmcnn", ()),
    ("weighted_focal_bbma", ("method.members=2",)),
    ("focal_gmu", ("method.members=3", "method.ensemble=own_batches")),
    ("dropout_focal_gmu", ("method.members=2",)),
    ("lpros_weighted_focal_bbma", ()),
    ("weighted_alternating", ()),
    ("hros_pd", ()),
    ("mixed", ()),
)


@dataclass(frozen=True)
class Sample:
    """What a process holds at one moment. memory: resident, in bytes."""

    seconds: float
    cells: int
    memory: int
    handles: int
    threads: int
    children: int


def sample(seconds: float, cells: int) -> Sample:
    """Of this process, now."""
    gc.collect()
    tasks = list(Path("/proc/self/task").iterdir())
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return Sample(
        round(seconds, 1),
        cells,
        pages * 4096,
        len(list(Path("/proc/self/fd").iterdir())),
        len(tasks),
        sum(len((task / "children").read_text().split()) for task in tasks),
    )


def faults(samples: Sequence[Sample]) -> list[str]:
    """What grew beyond its limit, in words; [] for nothing.

    Memory by the slope of a robust line (Theil-Sen: the median of all pairs' slopes), in bytes a cell. Handles, threads and
    children by the medians of the first and the last third: they are whole numbers and must not grow at all.
    """
    steady = list(samples[int(len(samples) * WARM_UP) :])
    if len(steady) < 6:
        return [f"only {len(steady)} samples after the warm-up; run longer"]
    found = []
    if growth(steady) > MOST_BYTES_A_CELL:
        found.append(f"memory grew by {growth(steady):.0f} bytes a cell, more than {MOST_BYTES_A_CELL}")
    third = len(steady) // 3
    for name in ("handles", "threads", "children"):
        counts = [getattr(one, name) for one in steady]
        before, after = np.median(counts[:third]), np.median(counts[-third:])
        if after > before:
            found.append(f"{name} grew from {before:g} to {after:g}")
    return found


def growth(steady: Sequence[Sample]) -> float:
    """Of the resident memory, in bytes a cell."""
    chosen = steady[:: len(steady) // 1000 + 1]
    return float(theilslopes([one.memory for one in chosen], [one.cells for one in chosen]).slope)


def soak(hours: float, folder: Path, *, cells_a_sample: int = 8) -> list[Sample]:
    """Run for so long, sampling to ``<folder>/samples.csv``. Everything else goes to a temporary folder below it.

    Raises RuntimeError where a cell ends otherwise than it should.
    """
    folder.mkdir(parents=True, exist_ok=True)
    began, samples, count = time.monotonic(), [], 0
    with (
        (folder / "samples.csv").open("w", newline="") as file,
        tempfile.TemporaryDirectory(dir=folder) as temporary,
    ):
        writer = csv.DictWriter(file, [entry.name for entry in dataclasses.fields(Sample)])
        writer.writeheader()
        for ended in _rounds(Path(temporary)):
            count += ended
            seconds = time.monotonic() - began
            if not samples or count - samples[-1].cells >= cells_a_sample:
                samples.append(sample(seconds, count))
                writer.writerow(dataclasses.asdict(samples[-1]))
                file.flush()
            if seconds > 3600 * hours:
                break
    return samples


def _rounds(folder: Path) -> Iterator[int]:
    """Work without end; after each piece the number of cells in it."""
    own = _own_dataset(folder)
    for place in itertools.count():
        runtime = runtime_in(folder / "results", cache_dir=str(folder / "cache"), checkpoint_seconds=0)
        cells = _cells(place, own, runtime)
        if place % 10 == 0:
            stacks = [[cell] for cell in cells]
            outcomes = list(processes.run(stacks, runtime, ExecutorSettings(name="processes", workers=2)))
            _require([outcome.error for outcome in outcomes], [""] * len(cells))
            yield len(cells)
        for cell in cells:
            yield _ended(run_stack([cell], dataclasses.replace(runtime, force=place % 10 == 0)))
        yield _ended(run_stack([make_cell(seed, method="ensemble") for seed in range(3 * place, 3 * place + 3)], runtime))
        (failed,) = run_stack([misbehaving("division", place)], runtime)
        _require([failed.error], ["ZeroDivisionError: on purpose"])
        _report(cells, runtime, page=place % 20 == 0)
        shutil.rmtree(folder / "results")
        if place % 5 == 0:
            shutil.rmtree(cache_folder(runtime))
        yield 1


def _cells(place: int, own: DatasetSettings, runtime: RuntimeSettings) -> list[Cell]:
    made = []
    for number, (method, overrides) in enumerate(METHODS):
        dataset = ("synthetic_tree", "synthetic_dag")[(place + number) % 2]
        made.append(make_cell(place, *overrides, method=method, dataset=dataset))
    settings = dataclasses.replace(make_cell(place).settings, dataset=own)
    return [*made, Cell(settings, data_sha256(own, runtime))]


def _own_dataset(folder: Path) -> DatasetSettings:
    paths = {}
    for split, rows in ROWS.items():
        paths[split] = str(folder / f"{split}.arff")
        Path(paths[split]).write_text(HEADER + rows)
    return DatasetSettings(name="small", **paths)


def _report(cells: Sequence[Cell], runtime: RuntimeSettings, *, page: bool) -> None:
    store = Store(runtime.results_dir)
    store.export_csv()
    results = collect(store.records())
    grid = build_grid(cells, results.frame)
    made = tables(grid, published.load())
    write_tables(made, store.folder / "tables")
    if page:
        judged = claims.judge(claims.load(), grid)
        write_page(grid, results, made, judged, store.folder / "report", suite="soak")


def _ended(outcomes: Sequence[Outcome]) -> int:
    _require([outcome.error or outcome.holder for outcome in outcomes], [""] * len(outcomes))
    return len(outcomes)


def _require(errors: Sequence[str], expected: Sequence[str]) -> None:
    if list(errors) != list(expected):
        raise RuntimeError(f"cells ended with {[error for error in errors if error not in expected]}")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--hours", type=float, default=2.0)
    parser.add_argument("--folder", type=Path, default=Path("build/soak"), help="for samples.csv; default: build/soak")
    chosen = parser.parse_args(arguments)
    warnings.simplefilter("ignore", RuntimeWarning)
    samples = soak(chosen.hours, chosen.folder)
    first, last = samples[int(len(samples) * WARM_UP)], samples[-1]
    found = faults(samples)
    for one in (first, last):
        print(
            f"{one.seconds / 60:6.1f} minutes, {one.cells} cells: {one.memory / 2**20:.1f} MiB, {one.handles} handles, "
            f"{one.threads} threads, {one.children} children"
        )
    if len(samples) > 10:
        print(f"memory: {growth(samples[int(len(samples) * WARM_UP) :]):+.1f} bytes a cell")
    for fault in found:
        print(f"fault: {fault}")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
