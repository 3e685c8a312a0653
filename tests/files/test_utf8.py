"""Bytes that are no text are told with their line, however lines end."""

from __future__ import annotations

import pytest

from hmc.files.utf8 import NotUtf8Error, decoded


def test_text_is_taken_without_its_byte_order_mark() -> None:
    assert decoded(b"\xef\xbb\xbfnode\r\n\xc3\xa4") == decoded(b"node\r\n\xc3\xa4") == "node\r\nä"


@pytest.mark.parametrize(
    ("content", "line", "byte"),
    [
        (b"\xe4", 1, 0xE4),
        (b"a\nb\n\xff", 3, 0xFF),
        (b"a\r\n\xff", 2, 0xFF),
        (b"a\rb\rc\xff", 3, 0xFF),
        (b"\xef\xbb\xbfa\n\xc3", 2, 0xC3),
    ],
)
def test_the_line_of_what_is_no_text(content: bytes, line: int, byte: int) -> None:
    with pytest.raises(NotUtf8Error, match=f"^byte 0x{byte:02x} is not UTF-8 text$") as raised:
        decoded(content)
    assert raised.value.line == line
