"""Every number of FINDINGS is in a table that it links, and that a command has made from the checked-in records."""

import re
from pathlib import Path

import pytest

REFERENCE = Path(__file__).resolve().parents[2] / "results" / "reference"
TEXT = (REFERENCE / "FINDINGS.md").read_text(encoding="utf-8")
NUMBER = re.compile(r"(?<![\w.])[-+−]?(\d+\.\d+)(?![\w]|\.\d)")
NOT_NUMBERS = re.compile(r"`[^`]*`|\]\([^)]*\)|<[^>]*>")
"""Code, where links lead, and tags: what looks like a number there is none."""
ALLOWED = {"0.5", "0.05", "0.3", "0.7"}
"""The papers' threshold, the level of tests, and the two rates of dropout."""


def sections(text: str) -> list[str]:
    """The parts of a page below its headings, with the headings."""
    return [part for part in re.split(r"(?m)^(?=## )", text) if part.strip()]


def linked(text: str) -> list[Path]:
    """The files of tables that a text links."""
    return [REFERENCE / path for path in re.findall(r"\]\(((?:tables|comparisons)/[^)#]+\.md)\)", text)]


def numbers(text: str) -> list[str]:
    return NUMBER.findall(NOT_NUMBERS.sub(" ", text))


def is_among(number: str, known: set[str]) -> bool:
    """Whether a number, as it is written, is one of these, rounded to its decimals."""
    digits = len(number.partition(".")[2])
    return any(len(one.partition(".")[2]) >= digits and f"{float(one):.{digits}f}" == number for one in known)


@pytest.mark.parametrize("section", sections(TEXT), ids=lambda section: section.splitlines()[0].lstrip("# ")[:40])
def test_every_number_is_in_a_table_that_its_section_links(section: str) -> None:
    known = {number for path in linked(section) for number in numbers(path.read_text(encoding="utf-8"))}
    missing = [number for number in numbers(section) if number not in ALLOWED and not is_among(number, known)]
    assert missing == []


def test_a_number_that_no_table_has_would_be_found() -> None:
    assert numbers("up by 3.25 points (p = 0.012), `rate=1.5`, [a](b/2.5.md), v1.2.3") == ["3.25", "0.012"]
    assert is_among("3.3", {"3.25", "3.251"})
    assert not is_among("3.25", {"3.3", "3.24"})


def test_every_link_leads_somewhere() -> None:
    links = [path for path in re.findall(r"\]\(([^)#]+)\)", TEXT) if "://" not in path]
    assert links
    assert [path for path in links if not (REFERENCE / path).exists()] == []
