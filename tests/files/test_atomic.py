"""Files are whole or not there, and an error says which file, why, and what to do."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hmc.files import ABANDONED_SECONDS, UnwritableError, replacing, require_writable, write_atomically


def test_a_text_is_written_with_its_folder_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "new" / "text"
    write_atomically(path, "één\n")
    assert path.read_bytes() == "één\n".encode()
    write_atomically(path, "two")
    assert path.read_text() == "two"
    assert list(path.parent.iterdir()) == [path]
    mask = os.umask(0)
    os.umask(mask)
    assert path.stat().st_mode & 0o777 == 0o666 & ~mask


def test_an_error_in_between_keeps_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_text("old")
    with pytest.raises(TypeError), replacing(path) as file:
        file.write("no bytes")  # type: ignore[arg-type]
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_cannot_be_written_says_so_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UnwritableError) as caught:
        write_atomically(tmp_path / "file" / "below", "text")
    assert str(caught.value).startswith(f"{tmp_path / 'file' / 'below'} cannot be written: ")
    with pytest.raises(UnwritableError, match=r"cannot be written: .*; see that its folder is there"):
        require_writable(tmp_path / "file")
    with pytest.raises(UnwritableError, match="No space left on device; free some space"), replacing(tmp_path / "full"):
        raise OSError(28, "No space left on device")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_what_killed_writers_left_is_removed_when_it_is_old(tmp_path: Path) -> None:
    old, new, other = (tmp_path / name for name in (".table.md.abc.tmp", ".table.md.def.tmp", ".table.tex.abc.tmp"))
    for path in (old, new, other):
        path.touch()
    for path in (old, other):
        moment = path.stat().st_mtime - ABANDONED_SECONDS - 1
        os.utime(path, (moment, moment))
    write_atomically(tmp_path / "table.md", "text")
    assert sorted(path.name for path in tmp_path.iterdir()) == [new.name, other.name, "table.md"]


def test_half_of_a_foreign_file_name_is_written_as_pythons_escape(tmp_path):
    write_atomically(tmp_path / "page.html", "cannot read caf\udce9.npy")
    assert (tmp_path / "page.html").read_text() == "cannot read caf\\udce9.npy"
