"""What is kept of a parsed dataset comes back, and costs about what it holds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hmc.data import cache
from hmc.data.dataset import SPLITS, Encoded
from hmc.hierarchy import from_edges

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


def encoded(names: list[str], features: list[str], ids: list[str], notes: tuple[str, ...] = ()) -> Encoded:
    hierarchy = from_edges(["root", *names], [("root", name) for name in names])
    rows = len(ids)
    return Encoded(
        hierarchy.names,
        hierarchy.parents,
        tuple(features),
        {split: np.full((rows, len(features)), place, dtype=float) for place, split in enumerate(SPLITS)},
        {split: np.ones((rows, len(hierarchy)), dtype=bool) for split in SPLITS},
        {"train": tuple(ids), "valid": (), "test": tuple(ids)},
        "paths",
        notes,
    )


@given(
    st.lists(TEXTS.filter(lambda name: name != "root"), unique=True, max_size=5),
    st.lists(TEXTS, max_size=5),
    st.lists(TEXTS, min_size=1, max_size=4),
    st.lists(TEXTS, max_size=2),
)
def test_all_texts_come_back(
    tmp_path_factory: pytest.TempPathFactory, names: list[str], features: list[str], ids: list[str], notes: list[str]
) -> None:
    path = tmp_path_factory.mktemp("cache") / "parsed.npz"
    saved = encoded(names, features, ids, tuple(notes))
    cache.save(path, "key", saved)
    read = cache.restore(path, "key")
    assert (read.names, read.feature_names, read.ids) == (saved.names, saved.feature_names, saved.ids)
    assert (read.written, read.notes) == ("paths", tuple(notes))
    for split in SPLITS:
        np.testing.assert_array_equal(read.features[split], saved.features[split])
        np.testing.assert_array_equal(read.labels[split], saved.labels[split])


def test_one_long_name_does_not_make_the_others_long(tmp_path: Path) -> None:
    path = tmp_path / "parsed.npz"
    long = "n" * 100_000
    cache.save(path, "key", encoded(["a"], [long, *(f"f{place}" for place in range(2000))], ["row"]))
    assert path.stat().st_size < 300_000
    assert cache.restore(path, "key").feature_names[0] == long


@pytest.mark.parametrize("ends", [[4, 2], [-1, 6], [2, 5], []])
def test_texts_that_do_not_fit_their_ends_are_refused(tmp_path: Path, ends: list[int]) -> None:
    path = tmp_path / "parsed.npz"
    cache.save(path, "key", encoded(["ab"], ["x"], ["row"]))
    with np.load(path) as arrays:
        parts = dict(arrays)
    assert parts["names_ends"].tolist() == [4, 6]
    parts["names_ends"] = np.array(ends, dtype=np.int64)
    np.savez(path, **parts)
    with pytest.raises(cache.CacheError, match="its names do not belong together"):
        cache.restore(path, "key")
