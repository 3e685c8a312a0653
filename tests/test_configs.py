"""Every shipped configuration file is read, and every method runs: configurations that nobody runs rot."""

from __future__ import annotations

from pathlib import Path

import pytest

from hmc import configs
from hmc.data import catalog
from hmc.data.download import fetch_file
from hmc.experiments.plan import composed
from hmc.experiments.run import run_cells
from hmc.settings import ExecutorSettings, RuntimeSettings, build
from tests.suites import cells_of_suite, suite_of

CARDS = {name: configs.read("dataset", name) for name in configs.names("dataset")}
BENCHMARK = [
    name for name, card in CARDS.items() if card.get("group") in ("fun", "go", "non_genomic") and "train_stand_in" not in card
]
LEFT_OUT = ["church_fun", "pheno_fun", "pheno_go"]
"""Sets of the same benchmark that C-HMCNN and the paper leave out."""


def test_all_benchmark_datasets_have_a_card_and_the_papers_training() -> None:
    assert set(LEFT_OUT) < set(BENCHMARK)
    assert len(BENCHMARK) == 20 + len(LEFT_OUT)
    table = configs.read("training", "paper")["per_dataset"]
    assert set(BENCHMARK) <= set(table)


@pytest.mark.parametrize("original", ["expr_fun", "expr_go"])
def test_a_reconstructed_dataset_is_its_original_but_for_the_training_file(original: str, tmp_path: Path) -> None:
    card, first = configs.read("dataset", f"{original}_reconstructed"), configs.read("dataset", original)
    stand_in = card.pop("train_stand_in")
    assert card["sha256"].pop(stand_in)
    del first["train"], first["git_blob"]
    assert card == first
    settings = configs.run_settings(f"{original}_reconstructed", "chmcnn", 0).dataset
    # Nobody publishes it, so no address is asked for it.
    with pytest.raises(catalog.MissingDataError, match=f"{stand_in} is not there"):
        fetch_file(settings, stand_in, RuntimeSettings(data_dir=str(tmp_path)))


@pytest.mark.parametrize("dataset", configs.names("dataset"))
@pytest.mark.parametrize("protocol", configs.names("protocol"))
def test_every_dataset_composes(dataset: str, protocol: str) -> None:
    settings = configs.run_settings(dataset, "chmcnn", 0, protocol=protocol)
    assert settings.training.hidden
    assert settings.training.epochs
    assert settings.dataset.title


@pytest.mark.parametrize("method", configs.names("method"))
@pytest.mark.parametrize("dataset", ["synthetic_tree", "synthetic_dag"])
def test_every_method_runs(method: str, dataset: str, tmp_path: Path) -> None:
    runtime = RuntimeSettings(results_dir=str(tmp_path), progress=False)
    short = ["training.epochs=1", "training.hidden=8", "dataset.synthetic.rows_train=40"]
    cell = composed(dataset, method, runtime, protocol="corrected", overrides=short)
    for one in (*cell.parts, cell):
        (record,) = run_cells([one], runtime)
        assert record.status == "complete"
        assert record.metrics["incoherent_share"] == 0
        assert 0 <= record.metrics["au_prc"] <= 1
        assert 0 <= record.rules["half"]["macro_f1"] <= 1
        assert len(record.learning_curve) == (one.settings.method.kind == "network")
    assert record.identity == cell.identity


@pytest.mark.parametrize("name", configs.names("suite"))
def test_every_suite_expands_to_cells_of_distinct_identity(name: str) -> None:
    assert suite_of(name).name == name
    cells = cells_of_suite(name)
    assert cells
    assert len({(cell.dataset, cell.column, cell.seed) for cell in cells}) == len(cells)
    # One identity stands under several protocols where no switch touches it, and nowhere else twice.
    assert len({(cell.identity, cell.shown_protocol) for cell in cells}) == len(cells)
    shown: dict[str, set[tuple[str, str, str, int]]] = {}
    for cell in cells:
        shown.setdefault(cell.identity, set()).add((cell.dataset, cell.method, cell.variant, cell.seed))
    assert all(len(names) == 1 for names in shown.values())


@pytest.mark.parametrize("name", configs.names("executor"))
def test_every_executor_is_known(name: str) -> None:
    assert build(ExecutorSettings, configs.read("executor", name), at="executor").name == name
