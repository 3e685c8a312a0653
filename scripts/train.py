"""Train and evaluate one cell, or several with -m. ``python scripts/train.py --help`` teaches."""

from typing import Any

from hydra.core.hydra_config import HydraConfig

from hmc import console
from hmc.data.identity import data_sha256
from hmc.results.store import Store
from hmc.settings import Cell


def main(config: dict[str, Any]) -> int:
    settings, runtime = console.run_settings(config), console.runtime_settings(config)
    variant = console.variant(HydraConfig.get().overrides.task)
    cell = Cell(settings, data_sha256(settings.dataset, runtime, settings.encoder), variant)
    store = Store(runtime.results_dir)
    if store.state(cell).name == "done" and not runtime.force:
        print(f"already done: {cell} (force=true runs it again)")
    else:
        store.require_writable()
        # torch takes seconds to import, and a cell that is done does not need it.
        from hmc.experiments.execute import epoch_bar
        from hmc.experiments.run import run_cells

        run_cells([cell], runtime, on_epoch=epoch_bar(cell, runtime))
    console.show_record(store.load(cell), store.path(cell))
    return 0


if __name__ == "__main__":
    console.open_door("train", main)
