"""Train and evaluate one cell, or several with -m. ``python scripts/train.py --help`` teaches."""

import hmc.interrupts  # noqa: F401 - first, for Ctrl-C during the imports below

# isort: split
from typing import Any

from hmc import console
from hmc.experiments.made import is_finished, require_savable
from hmc.experiments.reevaluate import evaluate_again
from hmc.experiments.sweep import sweep_table
from hmc.results.record import Record
from hmc.results.store import Store

records: list[Record] = []


def main(config: dict[str, Any]) -> int:
    runtime = console.runtime_settings(config)
    cell, store = console.cell(config, runtime), Store(runtime.results_dir)
    require_savable(cell, runtime)
    if is_finished(cell, store, runtime) and not runtime.force:
        print(f"already done: {cell} (force=true runs it again)")
        # Rules may be others than then, and held-out scores may have come since.
        if failed := evaluate_again([cell], runtime).failed:
            print(f"not evaluated again: {failed[str(cell)]}")
    else:
        store.require_writable()
        # torch takes seconds to import, and a cell that is done does not need it.
        from hmc.experiments.execute import epoch_bar
        from hmc.experiments.run import run_cells

        run_cells([cell], runtime, on_epoch=epoch_bar(cell, runtime))
    records.append(store.load(cell))
    print(records[-1].text())
    print(f"  record: {store.path(cell)}")
    if runtime.save_model:
        print(f"  model: {store.model_path(cell)}")
    return 0


if __name__ == "__main__":
    console.open_door("train", main, after_sweep=lambda: sweep_table(records))
