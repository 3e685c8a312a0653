"""Disks that are full or read-only, files that vanish, change or rot: clear errors, nothing half-written or silently wrong."""

from __future__ import annotations

import contextlib
import random
import shutil
import subprocess
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hmc.experiments import run
from hmc.experiments.checkpoint import NAME as CHECKPOINT
from hmc.experiments.execute import execute
from hmc.files import UnwritableError, require_writable
from hmc.results.record import Record, RecordError
from hmc.results.store import COMPLETE, FAILED, Store
from hmc.settings import Cell, ExecutorSettings, RuntimeSettings
from tests.doors.conftest import Door, door
from tests.doors.suites import block, left
from tests.experiments.examples import contents, make_cell, runtime_in
from tests.torture.racing import of_dataset, own_dataset, reported

INLINE, PROCESSES = ExecutorSettings(), ExecutorSettings(name="processes", workers=2)
__all__ = ["door"]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 KiB; the test is skipped where none may be mounted."""
    folder = tmp_path / "results"
    folder.mkdir()
    if not mount("-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)):
        pytest.skip("no tmpfs may be mounted here; it takes root and CAP_SYS_ADMIN")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def mount(*arguments: str) -> bool:
    if shutil.which("mount") is None:
        return False
    return subprocess.run(["mount", *arguments], capture_output=True).returncode == 0


def undisturbed(cells: list[Cell], folder: Path) -> RuntimeSettings:
    runtime = runtime_in(folder)
    assert not [outcome for outcome in execute(cells, runtime, INLINE) if outcome.error]
    return runtime


@pytest.mark.filterwarnings("ignore:no checkpoint:RuntimeWarning")
@pytest.mark.parametrize("executor", [INLINE, pytest.param(PROCESSES, marks=pytest.mark.torture)], ids=["inline", "processes"])
def test_a_full_disk_costs_cells_and_no_records(small_disk: Path, tmp_path: Path, executor: ExecutorSettings) -> None:
    """Records of 4 KiB and checkpoints after every epoch: some cells fit, the others say why they do not."""
    cells = [make_cell(seed) for seed in range(14)]
    runtime = runtime_in(small_disk, checkpoint_seconds=0)
    outcomes = execute(cells, runtime, executor)
    failed = [outcome for outcome in outcomes if outcome.error]
    assert 0 < len(failed) < len(cells)
    for outcome in failed:
        assert "cannot be written: No space left on device; free some space" in outcome.error, outcome.error
        assert "\n" not in outcome.error
    records = list(Store(small_disk).records())
    assert len([record for record in records if record.status == "complete"]) == len(cells) - len(failed)
    assert not list(small_disk.rglob("*.tmp"))
    fill(small_disk)
    with pytest.raises(UnwritableError, match="No space left on device; free some space there, or choose another folder"):
        require_writable(small_disk)
    (small_disk / "rest").unlink()
    assert mount("-o", "remount,size=16m", str(small_disk))
    assert not [outcome for outcome in execute(cells, runtime, executor) if outcome.error]
    assert contents(cells, runtime) == contents(cells, undisturbed(cells, tmp_path / "whole"))
    assert left(small_disk) == [COMPLETE] * len(cells)
    assert reported(cells, Store(small_disk)) == reported(cells, Store(tmp_path / "whole"))


def fill(folder: Path) -> None:
    with contextlib.suppress(OSError), (folder / "rest").open("wb", buffering=0) as file:
        while file.write(bytes(1024)):
            pass


def test_no_work_begins_where_nothing_can_be_written(small_disk: Path, door: Door) -> None:
    some = f"suite.blocks=[{block('chmcnn', 2)}]"
    assert mount("-o", "remount,ro", str(small_disk))
    assert "2 cells (0 done, 2 missing)" in door("reproduce", some, "plan=true").stdout
    shown = door("reproduce", some, status=2)
    line = f"error: {small_disk / 'runs'} cannot be written: Read-only file system; choose a folder that can be written\n"
    assert shown.stderr == line
    assert "done: " not in shown.stdout


def test_a_disk_that_becomes_read_only_costs_cells_and_no_records(small_disk: Path, tmp_path: Path) -> None:
    cells, runtime = [make_cell(seed) for seed in range(4)], runtime_in(small_disk)
    execute(cells[:2], runtime, INLINE)
    assert mount("-o", "remount,ro", str(small_disk))
    errors = [outcome.error for outcome in execute(cells[2:], runtime, INLINE)]
    assert all("Read-only file system; choose a folder that can be written" in error for error in errors)
    assert mount("-o", "remount,rw", str(small_disk))
    execute(cells, runtime, INLINE)
    assert contents(cells, runtime) == contents(cells, undisturbed(cells, tmp_path / "whole"))


# --- files that vanish or change ------------------------------------------------------------------------------------

CHANGED = "its files changed since the run was planned"


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (Path.unlink, "the file {test} is not there"),
        (
            lambda path: path.write_text(path.read_text().replace("blue,02", "blue,01")),
            CHANGED,
        ),
        (lambda path: path.write_text(path.read_text()[:-7]), CHANGED),
    ],
    ids=["removed", "changed", "truncated"],
)
def test_a_dataset_that_is_harmed_in_mid_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, harm: Callable[[Path], object], words: str
) -> None:
    dataset = own_dataset(tmp_path / "data")
    cells = [of_dataset(make_cell(seed), dataset) for seed in range(4)]
    runtime = runtime_in(tmp_path / "results", cache_dir=str(tmp_path / "cache"))
    test, load, calls = Path(dataset.test), run.load, []
    intact = test.read_bytes()

    def loaded(*arguments: object, **options: object) -> object:
        calls.append(arguments)
        if len(calls) == 3:
            harm(test)
        return load(*arguments, **options)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(run, "load", loaded)
        outcomes = execute(cells, runtime, INLINE)
    assert [bool(outcome.error) for outcome in outcomes] == [False, False, True, True]
    assert words.format(test=test) in outcomes[2].error
    assert "\n" not in outcomes[2].error
    assert left(tmp_path / "results") == [FAILED] * 2 + [COMPLETE] * 2
    test.write_bytes(intact)
    assert not [outcome for outcome in execute(cells, runtime, INLINE) if outcome.error]
    assert contents(cells, runtime) == contents(cells, undisturbed(cells, tmp_path / "whole"))
    assert left(tmp_path / "results") == [COMPLETE] * 4


# --- files that rot -------------------------------------------------------------------------------------------------


def flipped(content: bytes, chance: random.Random) -> bytes:
    damaged = bytearray(content)
    damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
    return bytes(damaged)


def truncated(content: bytes, chance: random.Random) -> bytes:
    return content[: chance.randrange(len(content))]


@pytest.mark.parametrize("damage", [flipped, truncated])
@pytest.mark.parametrize("times", [50, pytest.param(5000, marks=pytest.mark.torture)])
def test_a_damaged_record_is_never_a_result(tmp_path: Path, damage: Callable[..., bytes], times: int) -> None:
    cell = make_cell()
    undisturbed([cell], tmp_path)
    path = Store(tmp_path).path(cell) / COMPLETE
    intact, chance = path.read_bytes(), random.Random(0)
    for _ in range(times):
        with pytest.raises(RecordError, match="run the cell again"):
            Record.from_json(damage(intact, chance), str(path))
    path.write_bytes(damage(intact, chance))
    assert Store(tmp_path).state(cell).name == "failed"
    undisturbed([cell], tmp_path)
    undisturbed([cell], tmp_path / "whole")
    assert contents([cell], runtime_in(tmp_path)) == contents([cell], runtime_in(tmp_path / "whole"))


@pytest.mark.filterwarnings("ignore:the checkpoint:RuntimeWarning")
@pytest.mark.parametrize("damage", [flipped, truncated])
@pytest.mark.parametrize("times", [2, pytest.param(100, marks=pytest.mark.torture)])
def test_a_damaged_checkpoint_changes_no_number(tmp_path: Path, damage: Callable[..., bytes], times: int) -> None:
    """Either it is not used, or what was damaged is not what is read."""
    cell, chance = make_cell(method="weighted_focal_bbma"), random.Random(1)
    whole = contents([cell], undisturbed([cell], tmp_path / "whole"))
    runtime = runtime_in(tmp_path / "damaged", checkpoint_seconds=0)
    path = Store(runtime.results_dir).path(cell) / CHECKPOINT

    def interrupt(epoch: int, steps: int) -> None:
        if epoch == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run.run_cells([cell], runtime, on_epoch=interrupt)
    intact = path.read_bytes()
    for _ in range(times):
        path.write_bytes(damage(intact, chance))
        run.run_cells([cell], runtime)
        assert contents([cell], runtime) == whole
        (path.parent / COMPLETE).unlink()


@pytest.mark.parametrize("damage", [flipped, truncated])
@pytest.mark.parametrize("times", [40, pytest.param(1000, marks=pytest.mark.torture)])
def test_a_damaged_cache_changes_no_number(tmp_path: Path, damage: Callable[..., bytes], times: int) -> None:
    from hmc.data.load import load
    from hmc.settings import ProtocolSettings

    dataset, chance = own_dataset(tmp_path), random.Random(2)
    runtime = RuntimeSettings(cache_dir=str(tmp_path / "cache"))
    parsed = load(dataset, ProtocolSettings(), runtime)
    (path,) = (tmp_path / "cache").iterdir()
    intact = path.read_bytes()
    for _ in range(times):
        path.write_bytes(damage(intact, chance))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            loaded = load(dataset, ProtocolSettings(), runtime)
        for split in ("train", "valid", "test"):
            assert (getattr(loaded, split).features == getattr(parsed, split).features).all()
            assert (getattr(loaded, split).labels == getattr(parsed, split).labels).all()
        assert loaded.hierarchy.names == parsed.hierarchy.names


def test_a_truncated_aggregate_names_its_line(tmp_path: Path, door: Door) -> None:
    undisturbed([make_cell()], tmp_path / "results")
    path = Store(tmp_path / "results").export_csv()
    path.write_text(path.read_text()[:-40])
    shown = door("tables", f"suite.blocks=[{block('chmcnn', 1)}]", status=2).stderr
    assert shown.startswith(f"error: {path}:2 has ")
    assert shown.count("\n") == 1
