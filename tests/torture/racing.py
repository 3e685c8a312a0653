"""What racing processes do, importable by them."""

from __future__ import annotations

import dataclasses
import multiprocessing
import random
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from hmc.data.identity import data_sha256
from hmc.experiments import execute as executing
from hmc.experiments.execute import execute
from hmc.losses.objective import Objective, ObjectiveContext
from hmc.report.grid import build_grid, collect
from hmc.report.render import write_tables
from hmc.report.tables import tables
from hmc.results import published
from hmc.results.store import Store
from hmc.settings import Cell, DatasetSettings, ExecutorSettings, RuntimeSettings
from tests.data.conftest import HEADER, ROWS
from tests.experiments.examples import make_cell


class Counted(Objective):
    """Leaves a file in ``method.options["folder"]`` for every training that begins."""

    def __init__(self, context: ObjectiveContext) -> None:
        super().__init__(context)
        Path(context.method.options["folder"], uuid.uuid4().hex).touch()


def counted_cells(count: int, folder: Path) -> list[Cell]:
    """Cells of a generated dataset and of one of ARFF files, which are written below the folder; trainings are counted there."""
    (folder / "trainings").mkdir(parents=True)
    own = own_dataset(folder)
    overrides = ("method.objective=tests.torture.racing:Counted", f"method.options={{folder: {folder / 'trainings'}}}")
    cells = [make_cell(seed, *overrides) for seed in range(count)]
    for place in range(1, count, 2):
        cells[place] = of_dataset(cells[place], own)
    return cells


def own_dataset(folder: Path) -> DatasetSettings:
    """A person's own dataset of three small files."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = {}
    for split, rows in ROWS.items():
        path = folder / f"{split}.arff"
        path.write_text(HEADER + rows)
        paths[split] = str(path)
    return DatasetSettings(name="small", **paths)


def of_dataset(cell: Cell, dataset: DatasetSettings) -> Cell:
    settings = dataclasses.replace(cell.settings, dataset=dataset)
    return dataclasses.replace(cell, settings=settings, data_sha256=data_sha256(dataset, RuntimeSettings()))


def race(racers: int, run: Callable[..., None], *arguments: Any) -> None:
    """Call ``run(number, ready, *arguments)`` in so many processes; ``ready()`` lets them start together."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["__main__", "hmc.experiments.run", __name__])
    barrier = context.Barrier(racers)
    started = [context.Process(target=run, args=(number, barrier, *arguments)) for number in range(racers)]
    for one in started:
        one.start()
    for one in started:
        one.join(600)
    assert [one.exitcode for one in started] == [0] * racers


def reproduce_and_report(number: int, barrier: Any, cells: Sequence[Cell], runtime: RuntimeSettings) -> None:
    """Run the cells in an order of this process's own, then write runs.csv and the tables as all others do."""
    executing.POLL_SECONDS = 0.02
    shuffled = random.Random(number).sample(cells, len(cells))
    barrier.wait(120)
    outcomes = execute(shuffled, runtime, ExecutorSettings())
    assert not [outcome for outcome in outcomes if outcome.error or outcome.holder], outcomes
    assert sorted(outcome.cell.seed for outcome in outcomes) == sorted(cell.seed for cell in cells)
    report(cells, Store(runtime.results_dir))


def report(cells: Sequence[Cell], store: Store) -> None:
    """Write runs.csv and the tables."""
    store.export_csv()
    grid = build_grid(cells, collect(store.records()).frame)
    write_tables(tables(grid, published.load()), store.folder / "tables")


def reported(cells: Sequence[Cell], store: Store) -> dict[str, bytes]:
    """What :func:`report` writes, now that nobody else does."""
    report(cells, store)
    folder = store.folder / "tables"
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
