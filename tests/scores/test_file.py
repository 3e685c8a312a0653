"""The file of scores: what goes in comes out, and damage is noticed."""

import io
import os
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hmc.files import UnwritableError
from hmc.scores import SCORES, Scores, ScoresError, digest_of, load_scores, save_scores

IDENTITY = "ab" * 32
SHAPES = hnp.array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=5)
ARRAYS = SHAPES.flatmap(lambda shape: hnp.arrays(np.float32, shape, elements=st.floats(0, 1, width=32)))


def example(held_out=True):
    random = np.random.default_rng(0)
    return Scores(
        IDENTITY, random.random((4, 3), dtype=np.float32), random.random((2, 3), dtype=np.float32) if held_out else None
    )


def same(one, other):
    assert (one.identity, one.test.dtype, one.test.shape) == (other.identity, other.test.dtype, other.test.shape)
    assert one.test.tobytes() == other.test.tobytes()
    assert (one.held_out is None) == (other.held_out is None)
    if one.held_out is not None:
        assert one.held_out.shape == other.held_out.shape
        assert one.held_out.tobytes() == other.held_out.tobytes()


@given(ARRAYS, st.none() | ARRAYS, st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=70))
def test_scores_come_back_bit_by_bit(tmp_path_factory, test, held_out, identity):
    path = tmp_path_factory.mktemp("scores") / SCORES
    scores = Scores(identity, test, held_out)
    save_scores(path, scores)
    same(load_scores(path, identity), scores)
    assert digest_of(load_scores(path)) == digest_of(scores)


def test_a_file_holds_no_pickle(tmp_path):
    path = tmp_path / SCORES
    save_scores(path, example())
    with np.load(path, allow_pickle=False) as arrays:
        assert {name: arrays[name].dtype.kind for name in arrays.files} == {
            **{"test": "f", "held_out": "f"},
            **{"version": "i", "identity": "U", "sha256": "U"},
        }


def test_folders_are_made_and_an_old_file_is_replaced_whole(tmp_path):
    path = tmp_path / "a" / "b" / SCORES
    save_scores(path, example())
    save_scores(path, example(held_out=False))
    assert load_scores(path, IDENTITY).held_out is None
    assert [entry.name for entry in path.parent.iterdir()] == [SCORES]


def test_a_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / SCORES
    save_scores(path, example())
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(UnwritableError, match="disk full"):
        save_scores(path, example(held_out=False))
    same(load_scores(path, IDENTITY), example())
    assert [entry.name for entry in tmp_path.iterdir()] == [SCORES]


def test_no_file_is_no_damage(tmp_path):
    with pytest.raises(FileNotFoundError):
        load_scores(tmp_path / SCORES)


def problem(path):
    """What is said of the file where it cannot be loaded."""
    try:
        load_scores(path, IDENTITY)
    except ScoresError as error:
        return str(error)
    return None


def test_a_change_of_any_byte_is_noticed_or_changes_nothing(tmp_path):
    """A few bytes of an archive mean nothing, such as its dates; all others are caught by the archive or by the checksum."""
    path = tmp_path / SCORES
    save_scores(path, example())
    content = path.read_bytes()
    noticed = 0
    for place in range(len(content)):
        damaged = bytearray(content)
        damaged[place] ^= 0x15
        path.write_bytes(damaged)
        message = problem(path)
        if message is None:
            same(load_scores(path, IDENTITY), example())
        else:
            noticed += 1
            assert str(path) in message
            assert "delete it and run the cell again" in message
            assert "\n" not in message
    assert noticed > 0.6 * len(content)


def test_a_file_cut_anywhere_is_refused(tmp_path):
    path = tmp_path / SCORES
    save_scores(path, example())
    content = path.read_bytes()
    for length in range(0, len(content), 7):
        path.write_bytes(content[:length])
        with pytest.raises(ScoresError, match=r"scores\.npz cannot be read"):
            load_scores(path)


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY", b"PK\x03\x04", b"\xff" * 100, b"{}"])
def test_what_holds_no_scores_is_refused(tmp_path, content):
    path = tmp_path / SCORES
    path.write_bytes(content)
    with pytest.raises(ScoresError, match=r"scores\.npz cannot be read"):
        load_scores(path)


def rewritten(path, **changes):
    """The same archive with other arrays, as numpy writes it."""
    with np.load(path) as arrays:
        content = {**{name: arrays[name] for name in arrays.files}, **changes}
    np.savez_compressed(path, **{name: array for name, array in content.items() if array is not None})


@pytest.mark.parametrize(
    "changes",
    [
        {"test": np.zeros((4, 3), dtype=np.float32)},
        {"test": example().test.reshape(3, 4)},
        {"test": example().test.astype(np.float64)},
        {"held_out": None},
        {"held_out": np.zeros((2, 3), dtype=np.float32)},
        {"identity": np.array("cd" * 32)},
        {"sha256": np.array("0" * 64)},
    ],
)
def test_scores_that_were_edited_are_refused(tmp_path, changes):
    path = tmp_path / SCORES
    save_scores(path, example())
    rewritten(path, **changes)
    with pytest.raises(ScoresError, match=r"was changed after it was written \(its checksum does not fit\)"):
        load_scores(path)


def test_a_part_that_is_missing_is_damage(tmp_path):
    for name in ("test", "identity", "sha256", "version"):
        path = tmp_path / SCORES
        save_scores(path, example())
        rewritten(path, **{name: None})
        with pytest.raises(ScoresError, match=r"cannot be read \(KeyError\)"):
            load_scores(path)


def test_an_object_array_is_not_loaded(tmp_path):
    path = tmp_path / SCORES
    save_scores(path, example())
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.array([print], dtype=object), allow_pickle=True)
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("test.npy", buffer.getvalue())
    with pytest.raises(ScoresError, match=r"cannot be read \(ValueError\)"):
        load_scores(path)


def test_another_cells_scores_are_refused(tmp_path):
    path = tmp_path / SCORES
    save_scores(path, example())
    with pytest.raises(ScoresError, match=r"holds the scores of another cell \('abababababab', not 'cdcdcdcdcdcd'\)"):
        load_scores(path, "cd" * 32)


def test_another_layout_is_named(tmp_path):
    path = tmp_path / SCORES
    save_scores(path, example())
    rewritten(path, version=np.array(2))
    with pytest.raises(ScoresError, match="has the layout 2, but this program reads 1"):
        load_scores(path)


def test_the_digest_is_of_contents_shapes_and_owner():
    one = example()
    others = [
        Scores("other", one.test, one.held_out),
        Scores(IDENTITY, one.test),
        Scores(IDENTITY, one.test.T, one.held_out),
        Scores(IDENTITY, one.test.reshape(3, 4), one.held_out),
        Scores(IDENTITY, np.nextafter(one.test, np.float32(2)), one.held_out),
        Scores(IDENTITY, one.test, np.vstack([one.held_out, one.held_out])),
    ]
    assert len({digest_of(scores) for scores in (one, *others)}) == 7
    assert digest_of(Scores(IDENTITY, np.asfortranarray(one.test), one.held_out)) == digest_of(one)
