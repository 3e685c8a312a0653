"""One rule for the names of datasets, methods, protocols and suites, which become folders and files."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hmc.settings import (
    DatasetSettings,
    MethodSettings,
    ProtocolSettings,
    SettingsError,
    SuiteSettings,
    build,
    checked_name,
    folder_name,
)

KINDS = {"dataset": DatasetSettings, "method": MethodSettings, "protocol": ProtocolSettings, "suite": SuiteSettings}


@pytest.mark.parametrize("group", KINDS)
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "must not be empty; give it a name"),
        ("  ", "must not be empty"),
        ("a\nb", "must not hold line breaks or other control characters"),
        ("a\x1b[2J", "must not hold line breaks or other control characters"),
        ("../../escaped", "must be a name, not a path"),
        ("/absolute", "must be a name, not a path"),
        ("..", "must be a name, not a path"),
        (".", "must be a name, not a path"),
        ("a\\b", "must be a name, not a path"),
        ("n" * 201, "must have at most 200 characters, got 201; shorten it"),
        ("\u00e9" * 40, r"must have at most 200 characters, got 40 \(240 as a folder's name"),
    ],
)
def test_a_name_that_no_folder_should_have_is_refused(group: str, name: str, words: str) -> None:
    with pytest.raises(SettingsError, match=rf"^{group}\.name=.*{words}") as raised:
        build(KINDS[group], {"name": name}, at=group)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("name", ["mine", "my data (2)", "a.b", "...x", "n" * 200, "\u00e9" * 33, "100%"])
def test_other_names_are_fine(name: str) -> None:
    assert build(DatasetSettings, {"name": name}, at="dataset").name == name


@given(st.text(max_size=210))
def test_a_name_that_is_taken_is_one_folder(name: str) -> None:
    try:
        checked_name("dataset.name", name)
    except SettingsError:
        return
    folder = folder_name(name)
    assert "/" not in folder
    assert folder not in ("", ".", "..")
    assert len(folder.encode()) <= 200
