"""The cells of a suite and what is known of them."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from hmc import configs
from hmc.data.catalog import MissingDataError
from hmc.experiments import plan
from hmc.experiments.reproduce import reproduce
from hmc.results.record import Record
from hmc.results.store import Store
from hmc.settings import BlockSettings, Cell, ExecutorSettings, SettingsError, SuiteSettings, build
from tests.experiments.examples import SMALL, runtime_in
from tests.suites import cells_of_suite

BLOCK = BlockSettings(("synthetic_tree", "synthetic_dag"), ("chmcnn", "weighted"), seeds=(0, 1))


def cells_of(*blocks: BlockSettings, **selection: tuple[object, ...]) -> list[tuple[str, str, int]]:
    suite = SuiteSettings("some", blocks=blocks, **selection)  # type: ignore[arg-type]
    return [(cell.dataset, cell.column, cell.seed) for cell, _ in plan.suite_cells(suite, runtime_in(Path()))]


def test_a_block_is_a_product() -> None:
    assert len(cells_of(BLOCK)) == 8
    assert len(cells_of(BLOCK, BLOCK)) == 8


def test_a_suite_can_ask_for_nothing_that_is_not_at_hand() -> None:
    blocks = (BLOCK, BlockSettings(("enron",), ("chmcnn",), required=False))
    for required in (True, False):
        cells = plan.suite_cells(SuiteSettings("some", blocks=blocks, required=required), runtime_in(Path()))
        assert {cell.dataset for cell, needed in cells if needed} == ({"synthetic_tree", "synthetic_dag"} if required else set())


NOT_AT_HAND = ("dataset.images.table=nowhere.csv",)


def test_a_dataset_of_unknown_files_is_left_out_where_it_is_not_required() -> None:
    images = BlockSettings(("benthicnet_e",), ("chmcnn",), training="images", overrides=NOT_AT_HAND, required=False)
    with pytest.warns(RuntimeWarning, match=r"left out: benthicnet_e: the file nowhere\.csv is not there .*; check the path"):
        assert cells_of(BLOCK, images) == cells_of(BLOCK)
    with pytest.raises(MissingDataError, match=r"benthicnet_e: the file nowhere\.csv is not there"):
        cells_of(BLOCK, images, dataclasses.replace(images, required=True))
    with pytest.raises(SettingsError, match=r"the suite some has no cells; benthicnet_e: the file nowhere\.csv is not there"):
        cells_of(images)


def test_a_reproduction_runs_what_is_at_hand_and_names_the_rest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trees = BlockSettings(("synthetic_tree",), ("chmcnn",), overrides=SMALL)
    images = BlockSettings(("benthicnet_e",), ("chmcnn",), training="images", overrides=NOT_AT_HAND, required=False)
    outcome = reproduce(SuiteSettings("some", blocks=(trees, images)), runtime_in(tmp_path), ExecutorSettings())
    assert [cell.dataset for cell in outcome.cells] == ["synthetic_tree"]
    assert list(outcome.left_out) == ["benthicnet_e"]
    assert not outcome.unfinished
    shown = capsys.readouterr().out
    assert "left out: benthicnet_e.\n  benthicnet_e: the file nowhere.csv is not there" in shown
    assert "To include the paper's" not in shown


def test_a_suite_has_the_cells_of_those_that_it_includes() -> None:
    cells = {name: {cell.identity for cell in cells_of_suite(name)} for name in ("images", "encoder_noise", "limited_data")}
    assert cells["images"] == cells["encoder_noise"] | cells["limited_data"]
    assert cells["encoder_noise"] & cells["limited_data"]
    with_own = cells_of(BLOCK, include=("images",), datasets=("synthetic_dag", "digits"), protocols=("released",), seeds=(7,))
    assert {(dataset, seed) for dataset, _, seed in with_own} == {("synthetic_dag", 7), ("digits", 7)}


def test_a_suite_that_includes_itself_is_a_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    circle = {"a": {"name": "a", "include": ["b"]}, "b": {"name": "b", "include": ["a"]}}
    monkeypatch.setattr(plan, "read", lambda group, name: circle[name])
    with pytest.raises(SettingsError, match=r"the suite a includes itself \(a > b > a\); take it out of include"):
        plan.suite_cells(build(SuiteSettings, circle["a"]), runtime_in(Path()))


def test_selection() -> None:
    assert cells_of(BLOCK, datasets=("synthetic_dag",), methods=("weighted",), seeds=(7,)) == [("synthetic_dag", "weighted", 7)]


@pytest.mark.parametrize(
    ("selection", "words"),
    [
        ({"datasets": ("synthetic_tre",)}, "did you mean 'synthetic_tree'"),
        ({"methods": ("ensemble",)}, "suite.methods selects 'ensemble'"),
        ({"seeds": (1, 1)}, "name a seed twice"),
        ({"include": ("imagse",)}, "unknown suite 'imagse'; did you mean 'images'"),
    ],
)
def test_a_selection_of_nothing_is_a_mistake(selection: dict[str, tuple[object, ...]], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        cells_of(BLOCK, **selection)


def test_states_are_counted(tmp_path: Path) -> None:
    pairs = plan.suite_cells(SuiteSettings("some", blocks=(BLOCK,)), runtime_in(tmp_path))
    cells, store = [cell for cell, _ in pairs], Store(tmp_path)
    store.save(Record.failed(cells[0], "an error"))
    assert plan.counts(plan.with_states(cells, store)) == {"done": 0, "stale": 0, "failed": 1, "missing": 7}


def test_cells_of_other_seeds_have_the_identities_that_they_have_alone() -> None:
    settings = configs.run_settings("enron", "weighted", 0)
    departed = (("method.members", 5),)
    together = list(Cell(settings, "ab", departed).of_seeds([0, 5, 3]))
    alone = [Cell(configs.run_settings("enron", "weighted", seed), "ab", departed) for seed in (0, 5, 3)]
    assert together == alone
    assert [cell.identity for cell in together] == [cell.identity for cell in alone]
