"""Text from bytes, with the line of what is none."""

from __future__ import annotations

import re


class NotUtf8Error(ValueError):
    """Bytes that are not UTF-8 text. line: where, from 1. The message names the byte, for a reader's own message."""

    def __init__(self, line: int, byte: int) -> None:
        super().__init__(f"byte 0x{byte:02x} is not UTF-8 text")
        self.line = line


def printable(text: str) -> str:
    """A text on one line that a terminal shows as it is: other characters are written as Python writes them.

    >>> printable("a\\x00b")
    'a\\\\x00b'
    """
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)


def warning_line(message: object, *_: object, **__: object) -> str:
    """A warning as one line, in place of ``warnings.formatwarning``.

    >>> warning_line("two\\nlines")
    'warning: two lines\\n'
    """
    return f"warning: {' '.join(str(message).split())}\n"


def decoded(content: bytes) -> str:
    """UTF-8 text without the byte order mark that some programs write.

    Lines end as a text editor's do (\\n, \\r\\n or \\r). Raises NotUtf8Error.
    """
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # Not of content: the error counts without the byte order mark.
        line = len(re.split(rb"\r\n|\r|\n", error.object[: error.start]))
        raise NotUtf8Error(line, error.object[error.start]) from None
