"""A training that is interrupted and gone on from ends with the same bits; a checkpoint that is not its own is not used."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from hmc.experiments.checkpoint import NAME, CheckpointFile
from hmc.experiments.run import run_cells
from hmc.results.store import Store
from hmc.settings import Cell, RuntimeSettings
from hmc.training.trainer import TrainingState
from tests.experiments.examples import contents, make_cell, runtime_in

STATE = TrainingState(
    epochs=2,
    steps=40,
    seconds=1.5,
    layers=(torch.rand(1, 3, 4), torch.rand(1, 5, 2)),
    first=(torch.rand(1, 3, 4), torch.rand(1, 5, 2)),
    second=(torch.rand(1, 3, 4), torch.rand(1, 5, 2)),
    losses=torch.rand(1, 2, dtype=torch.float64),
    order=(torch.Generator().get_state(),),
    dropout=(torch.Generator().get_state(),),
)


def interrupt_at(epoch: int) -> Callable[[int, int], None]:
    def on_epoch(done: int, steps: int) -> None:
        if done == epoch:
            raise KeyboardInterrupt

    return on_epoch


def run_interrupted(cells: list[Cell], runtime: RuntimeSettings, *epochs: int) -> list[int]:
    """Run to the end with interruptions after these epochs; the first epochs that were told after each."""
    begun = []
    for epoch in epochs:
        with pytest.raises(KeyboardInterrupt):
            run_cells(cells, runtime, on_epoch=interrupt_at(epoch))
        assert (Store(runtime.results_dir).path(cells[0]) / NAME).exists()
    run_cells(cells, runtime, on_epoch=lambda epoch, steps: begun.append(epoch))
    return begun


@pytest.mark.parametrize("seeds", [[3], [0, 1, 2]], ids=["alone", "stack"])
@pytest.mark.parametrize(
    ("method", "overrides"),
    [
        ("chmcnn", []),
        ("weighted_focal_bbma", ["method.members=2", "method.schedule.shape=linear"]),
        ("focal_gmu", ["method.members=2", "method.ensemble=own_batches"]),
        ("dropout_focal_bbma", ["method.members=3"]),
    ],
)
def test_a_resumed_cell_has_the_same_record(tmp_path: Path, seeds: list[int], method: str, overrides: list[str]) -> None:
    cells = [make_cell(seed, *overrides, method=method) for seed in seeds]
    whole, resumed = runtime_in(tmp_path / "whole"), runtime_in(tmp_path / "resumed", checkpoint_seconds=0)
    run_cells(cells, whole)
    # Interrupted in epoch 3's on_epoch, before its state is offered, the checkpoint is epoch 2's.
    assert run_interrupted(cells, resumed, 3, 5) == [4, 5, 6]
    assert contents(cells, resumed) == contents(cells, whole)
    assert not list(tmp_path.rglob(f"*{NAME}*"))


def test_a_resampling_method_resumes_on_the_same_rows(tmp_path: Path) -> None:
    cells = [make_cell(1, method="lpros")]
    run_cells(cells, runtime_in(tmp_path / "whole"))
    run_interrupted(cells, runtime_in(tmp_path / "resumed", checkpoint_seconds=0), 4)
    assert contents(cells, runtime_in(tmp_path / "resumed")) == contents(cells, runtime_in(tmp_path / "whole"))


def test_the_training_time_before_the_interruption_counts(tmp_path: Path) -> None:
    cell, runtime = make_cell(), runtime_in(tmp_path, checkpoint_seconds=0)
    path = Store(tmp_path).path(cell) / NAME
    with pytest.raises(KeyboardInterrupt):
        run_cells([cell], runtime, on_epoch=interrupt_at(3))
    document = torch.load(path, weights_only=True)
    document["state"]["seconds"] += 1000
    torch.save(document, path)
    assert run_cells([cell], runtime)[0].times["train_seconds"] > 1000


def test_no_checkpoint_before_its_time(tmp_path: Path) -> None:
    cell, runtime = make_cell(), runtime_in(tmp_path, checkpoint_seconds=3600)
    with pytest.raises(KeyboardInterrupt):
        run_cells([cell], runtime, on_epoch=interrupt_at(5))
    assert not list(tmp_path.rglob(NAME))


def checkpoint_in(folder: Path, *cells: Cell, device: str = "cpu") -> CheckpointFile:
    return CheckpointFile([folder], cells or [make_cell()], device, 0)


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    checkpoint_in(tmp_path).save(STATE)
    loaded = checkpoint_in(tmp_path).load()
    assert loaded is not None
    for entry in dataclasses.fields(TrainingState):
        torch.testing.assert_close(getattr(loaded, entry.name), getattr(STATE, entry.name), rtol=0, atol=0)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def fill_with_text(path: Path) -> None:
    path.write_text("no checkpoint")


def empty(path: Path) -> None:
    path.write_bytes(b"")


def flip_a_bit(path: Path) -> None:
    """Of a parameter, where the file's layout stays good."""
    content = bytearray(path.read_bytes())
    content[content.find(STATE.layers[0].numpy().tobytes())] ^= 1
    path.write_bytes(bytes(content))


def save_something_else(path: Path) -> None:
    torch.save([1, 2, 3], path)


def save_an_object(path: Path) -> None:
    torch.save({"state": make_cell()}, path)


def forget_the_moments(path: Path) -> None:
    document = torch.load(path, weights_only=True)
    del document["state"]["second"]
    torch.save(document, path)


@pytest.mark.parametrize(
    "damage", [truncate, fill_with_text, empty, flip_a_bit, save_something_else, save_an_object, forget_the_moments]
)
def test_a_damaged_checkpoint_is_ignored_with_a_warning(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    checkpoint_in(tmp_path).save(STATE)
    damage(tmp_path / NAME)
    with pytest.warns(RuntimeWarning, match="begins anew"):
        assert checkpoint_in(tmp_path).load() is None


def test_a_checkpoint_of_other_cells_or_another_device_is_ignored(tmp_path: Path) -> None:
    checkpoint_in(tmp_path, make_cell(0), make_cell(1)).save(STATE)
    with pytest.warns(RuntimeWarning, match="other identities"):
        assert checkpoint_in(tmp_path, make_cell(0)).load() is None
    with pytest.warns(RuntimeWarning, match="other device"):
        assert checkpoint_in(tmp_path, make_cell(0), make_cell(1), device="cuda").load() is None


def test_a_full_disk_costs_the_checkpoint_and_not_the_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    with pytest.warns(RuntimeWarning, match="No space left"):
        records = run_cells([make_cell()], runtime_in(tmp_path, checkpoint_seconds=0))
    assert records[0].status == "complete"
    assert not list(tmp_path.rglob(f"*{NAME}*"))


def test_links_in_a_checkpoints_place_are_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    folder = tmp_path / "cell"
    folder.mkdir()
    for name in (NAME, f".{NAME}.tmp", f".{NAME}.abc.tmp"):
        (folder / name).symlink_to(victim)
    checkpoint_in(folder).save(STATE)
    assert victim.read_text() == "precious"
    assert [path.name for path in folder.iterdir()] == [NAME]
    assert checkpoint_in(folder).load() is not None


def test_what_a_killed_process_wrote_of_a_checkpoint_is_removed(tmp_path: Path) -> None:
    (tmp_path / f".{NAME}.abc.tmp").write_bytes(b"half")
    checkpoint_in(tmp_path).save(STATE)
    assert [path.name for path in tmp_path.iterdir()] == [NAME]
