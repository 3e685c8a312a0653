"""The embedded images: scikit-learn's handwritten digits under a hierarchy of shapes, some leaves made rare.

1797 grey images of 8 x 8 pixels (Alpaydin and Kaynak 1998, the test part of the UCI set), shipped with scikit-learn, cut in the
file's order, in which each writer's digits mostly lie together: 600 to pretrain an encoder on, 700 to train from, 497 to test on.

::

    root                          training rows
    |- loop                       108
    |  |- loop.0                   64
    |  |- loop.8                    8   rare
    |  '- loop.tailed              36       a loop with a tail below or above
    |     |- loop.tailed.6         32
    |     '- loop.tailed.9          4   rare
    |- bow                         88       open curves
    |  |- bow.3                    16
    |  '- bow.bent                 72       bowed one way above and the other way below
    |     |- bow.bent.2            64
    |     '- bow.bent.5             8   rare
    '- stroke                     144       mostly straight
       |- stroke.1                 64
       '- stroke.angled            80       strokes that meet at an angle
          |- stroke.angled.4       64
          '- stroke.angled.7       16

The hierarchy and how rare the leaves are is ours. Only training rows are thinned out: test keeps about fifty rows of every leaf,
so that a rare leaf's recall is a fraction of fifty and not of two.
"""

from __future__ import annotations

import hashlib

import numpy as np

from hmc.data.catalog import DataError
from hmc.data.class_attribute import hierarchy_of
from hmc.data.dataset import Encoded

VERSION = 1
"""To be raised with every change here that changes a number; part of every identity."""
SHA256 = "87ff0c9e40dc7e2c0e34e7257799c2e3f3aec1a016363bb11cad869ec428a826"
"""Of the images as bytes, then the digits as bytes."""

PATHS = {
    0: "loop/0",
    1: "stroke/1",
    2: "bow/bent/2",
    3: "bow/3",
    4: "stroke/angled/4",
    5: "bow/bent/5",
    6: "loop/tailed/6",
    7: "stroke/angled/7",
    8: "loop/8",
    9: "loop/tailed/9",
}
KEPT = {0: 64, 1: 64, 2: 64, 3: 16, 4: 64, 5: 8, 6: 32, 7: 16, 8: 8, 9: 4}
"""Training rows of each digit."""
SET_ASIDE, POOL = slice(0, 600), slice(600, 1300)
TEST = slice(1300, 1797)
_SEED = 0
"""Of the choice of training rows."""


def set_aside() -> tuple[np.ndarray, np.ndarray]:
    """The images for pretraining, uint8 [600, 1, 8, 8], and their digits, int64 [600]; in none of the splits."""
    images, digits = _all()
    return images[SET_ASIDE], digits[SET_ASIDE]


def read() -> Encoded:
    """The dataset, pixels as uint8 [rows, 1, 8, 8]; there is no valid split.

    Raises DataError where scikit-learn ships other digits than those that this was made for.
    """
    images, digits = _all()
    generator = np.random.Generator(np.random.PCG64(_SEED))
    pool = np.arange(POOL.start, POOL.stop)
    kept = np.sort(
        np.concatenate([generator.choice(pool[digits[pool] == digit], size, replace=False) for digit, size in KEPT.items()])
    )
    hierarchy = hierarchy_of(list(PATHS.values()), "paths")
    leaves = np.array([hierarchy.index[PATHS[digit].replace("/", ".")] for digit in range(10)])
    rows = {"train": kept, "valid": kept[:0], "test": np.arange(TEST.start, TEST.stop)}
    labels = {split: hierarchy.close(np.eye(len(hierarchy), dtype=bool)[leaves[digits[own]]]) for split, own in rows.items()}
    features = {split: images[own] for split, own in rows.items()}
    return Encoded(hierarchy.names, hierarchy.parents, (), features, labels, written="paths")


def _all() -> tuple[np.ndarray, np.ndarray]:
    from sklearn.datasets import load_digits

    shipped = load_digits()
    values, digits = shipped.images.astype(np.uint8), shipped.target.astype(np.int64)
    found = hashlib.sha256(values.tobytes() + digits.astype(np.uint8).tobytes()).hexdigest()
    if found != SHA256:
        raise DataError(
            f"digits: scikit-learn ships other images ({found}) than those that this dataset was made of ({SHA256}); install a "
            "version of scikit-learn that constraints.txt names"
        )
    # 0 to 16 as 0 to 255.
    return np.round(values[:, None] * (255 / 16)).astype(np.uint8), digits
