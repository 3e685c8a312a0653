"""New rows from ARFF files; those from tables are in test_table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from hmc.data.arff import ArffError
from hmc.data.catalog import DataError
from hmc.data.load import load_encoded, read_rows
from hmc.settings import DatasetSettings, RuntimeSettings
from tests.data.conftest import HEADER

Write = Callable[..., Path]
LIKE = ("length", "colour=red", "colour=green", "colour=blue")


def test_a_datasets_own_files_give_its_own_features(own: DatasetSettings, runtime: RuntimeSettings) -> None:
    found = load_encoded(own, runtime)
    assert found.feature_names == LIKE
    for split in ("train", "valid", "test"):
        np.testing.assert_array_equal(read_rows(getattr(own, split), own, LIKE).features, found.features[split])


def test_labels_and_the_class_may_be_missing_and_columns_stand_in_any_order(own: DatasetSettings, write: Write) -> None:
    unlabelled = read_rows(write(HEADER + "1,red,?\n2,blue,01\n"), own, LIKE)
    np.testing.assert_array_equal(unlabelled.features, [[1, 1, 0, 0], [2, 0, 0, 1]])
    header = "@relation r\n@attribute gene string\n@attribute colour {pink,green}\n@attribute length numeric\n@data\n"
    rows = read_rows(write(header + "n1,green,3\nn2,pink,?\n"), own, LIKE)
    np.testing.assert_array_equal(rows.features, [[3, 0, 1, 0], [np.nan, 0, 0, 0]])
    assert rows.ids == ("n1", "n2")
    assert "1 rows have a value of 'colour' that training did not declare" in rows.notes[0]


@pytest.mark.parametrize(
    ("header", "error", "words"),
    [
        ("@attribute length numeric\n", DataError, r"file\.arff: it lacks the column 'colour', which was trained on"),
        ("@attribute length {1,2}\n@attribute colour {red}\n", DataError, r"length"),
        (
            "@attribute length numeric\n@attribute colour numeric\n",
            DataError,
            r"it lacks the column 'colour'|'colour' is numeric, but was nominal in training",
        ),
        (
            "@attribute length numeric\n@attribute colour {red}\n@attribute width numeric\n",
            ArffError,
            r"file\.arff:4: the attribute 'width' is not among the features that were trained on",
        ),
    ],
)
def test_rows_that_do_not_fit_are_refused(
    header: str, error: type[Exception], words: str, own: DatasetSettings, write: Write
) -> None:
    values = ",".join("1" if "numeric" in line or "{1" in line else "red" for line in header.splitlines())
    with pytest.raises((error, ArffError), match=words):
        read_rows(write(f"@relation r\n{header}@data\n{values}\n"), own, LIKE)


def test_rows_of_generated_datasets_cannot_be_read(write: Write) -> None:
    with pytest.raises(DataError, match="for datasets of ARFF files and tables, not of kind synthetic"):
        read_rows(write(HEADER + "1,red,01\n"), DatasetSettings(name="s", kind="synthetic"), LIKE)
