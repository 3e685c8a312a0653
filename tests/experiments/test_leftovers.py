"""A finished cell's folder holds its record and its scores, unless someone works there."""

from __future__ import annotations

from pathlib import Path

from hmc.experiments.leftovers import remove_leftovers
from hmc.experiments.lock import NAME, locked
from hmc.experiments.outcome import run_stack
from hmc.results.store import COMPLETE, FAILED, Store
from hmc.scores import SCORES
from tests.experiments.examples import make_cell, runtime_in

LEFT = ("checkpoint.pt", ".checkpoint.pt.tmp", ".record.json.abc.tmp", FAILED)


def finished(folder: Path) -> Path:
    """A finished cell's folder, as a kill between the record and the rest leaves it."""
    run_stack([make_cell()], runtime_in(folder))
    place = Store(folder).path(make_cell())
    for name in (*LEFT, NAME):
        (place / name).touch()
    return place


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    place = finished(tmp_path)
    remove_leftovers(place)
    assert {path.name for path in place.iterdir()} == {COMPLETE, SCORES}
    assert Store(tmp_path).state(make_cell()).name == "done"


def test_a_cell_found_done_is_tidied(tmp_path: Path) -> None:
    place = finished(tmp_path)
    run_stack([make_cell()], runtime_in(tmp_path))
    assert {path.name for path in place.iterdir()} == {COMPLETE, SCORES}


def test_nothing_is_removed_where_another_process_works(tmp_path: Path) -> None:
    place = finished(tmp_path)
    with locked(place):
        remove_leftovers(place)
        assert {path.name for path in place.iterdir()} == {*LEFT, COMPLETE, SCORES, NAME}
