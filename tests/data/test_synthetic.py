from __future__ import annotations

import dataclasses
import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hmc.data.catalog import card
from hmc.data.load import load
from hmc.data.synthetic import generate
from hmc.hierarchy import Hierarchy
from hmc.settings import ProtocolSettings, RuntimeSettings, SettingsError, SyntheticSettings

SHAPES = ("tree", "dag")


def hierarchy_of(settings: SyntheticSettings) -> Hierarchy:
    encoded = generate(settings)
    return Hierarchy(encoded.names, encoded.parents, np.array([name != "root" for name in encoded.names]))


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ("tree", "5930f5a8ab176faed46de0e79fc93292a3a10bd8623581d7b2ae8a48a58c4fe1"),
        ("dag", "56970a03467ba440e0619a7d3347f2eb1bfe552ae9b8abda9ccc93c7c9029e58"),
    ],
)
def test_the_same_bits_on_every_machine(shape: str, expected: str) -> None:
    encoded = generate(SyntheticSettings(shape=shape))
    digest = hashlib.sha256("\n".join(encoded.names).encode())
    for split in ("train", "valid", "test"):
        digest.update(encoded.features[split].astype("<f8").tobytes())
        digest.update(encoded.labels[split].tobytes())
    assert digest.hexdigest() == expected, "raise GENERATOR_VERSION when the generated numbers change, and then this hash"


def test_shapes() -> None:
    tree, dag = (hierarchy_of(SyntheticSettings(shape=shape)) for shape in SHAPES)
    assert tree.is_tree
    assert not dag.is_tree
    assert tree.names[0] == "01"
    assert dag.names[:2] == ("root", "GO0000001")


@pytest.mark.parametrize("shape", SHAPES)
def test_the_embedded_datasets_have_rare_deep_nodes_and_a_signal(shape: str) -> None:
    dataset = load(card(f"synthetic_{shape}"), ProtocolSettings(), RuntimeSettings())
    evaluated = dataset.hierarchy.evaluated
    counts = dataset.training.labels.sum(axis=0)
    assert (counts[evaluated] == 0).sum() >= 1
    assert ((counts[evaluated] >= 1) & (counts[evaluated] <= 3)).sum() >= 5
    assert dataset.hierarchy.depth[counts <= 10].mean() > dataset.hierarchy.depth[counts > 100].mean() + 1
    # A linear guess by least squares explains a good part of the most frequent node's labels in test.
    node = np.argmax(np.where(evaluated, counts, 0))
    weights, *_ = np.linalg.lstsq(dataset.training.features, dataset.training.labels[:, node] - 0.5, rcond=None)
    guessed = dataset.test.features @ weights
    assert np.corrcoef(guessed, dataset.test.labels[:, node])[0, 1] > 0.4


@given(
    st.sampled_from(SHAPES),
    st.integers(3, 30),
    st.integers(1, 3),
    st.integers(0, 5),
    st.integers(0, 3),
)
def test_any_settings_give_a_closed_dataset_of_the_sizes_asked_for(
    shape: str, nodes: int, depth: int, seed: int, valid: int
) -> None:
    settings = SyntheticSettings(
        shape=shape, nodes=nodes, depth=depth, features=2, rows_train=4, rows_valid=valid, rows_test=3, seed=seed
    )
    encoded, hierarchy = generate(settings), hierarchy_of(settings)
    assert len(hierarchy) == nodes + 1
    assert hierarchy.depth.max() == depth
    assert [len(encoded.features[split]) for split in ("train", "valid", "test")] == [4, valid, 3]
    for split, labels in encoded.labels.items():
        assert labels.shape == (len(encoded.features[split]), nodes + 1)
        assert hierarchy.is_closed(labels)
        assert labels.sum(axis=1).min(initial=2) >= 2


def test_another_seed_gives_other_data() -> None:
    one, two = (generate(SyntheticSettings(seed=seed)) for seed in (0, 1))
    assert not np.array_equal(one.features["train"], two.features["train"])


def test_too_few_nodes_for_the_depth() -> None:
    with pytest.raises(SettingsError, match=r"nodes=3 is less than dataset\.synthetic\.depth=4"):
        generate(dataclasses.replace(SyntheticSettings(), nodes=3))
