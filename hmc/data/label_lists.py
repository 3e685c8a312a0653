"""Several labels in one cell of a table: a list in brackets, or names joined by a separator."""

from __future__ import annotations

import re

_QUOTED = r"'[^'\\]*+(?:\\.[^'\\]*+)*+'|\"[^\"\\]*+(?:\\.[^\"\\]*+)*+\""
_ENTRY = re.compile(rf"\s*+(?:({_QUOTED})|([^,'\"\[\]]++))\s*+(,|$|(?=['\"]))", re.DOTALL)


class LabelListError(ValueError):
    """A list of labels cannot be read with certainty. The message says why, for a reader's own message."""


def in_brackets(text: str) -> bool:
    """Whether a cell holds a list in brackets."""
    stripped = text.strip()
    return stripped.startswith("[") and stripped.endswith("]")


def of_list(text: str) -> list[str]:
    """The entries of a list in brackets, as Python and numpy write them: ['Canis lupus', "it's"], ['a' 'b'], [0 5 6], [a, b].

    Raises LabelListError where the entries cannot be told apart.
    """
    inner = text.strip()[1:-1].strip()
    # numpy writes numbers with blanks between them.
    if re.fullmatch(r"[+-]?\d+(?:\s+[+-]?\d+)*", inner):
        return inner.split()
    entries, position = [], 0
    while position < len(inner):
        found = _ENTRY.match(inner, position)
        if not found:
            raise LabelListError("is a list whose entries cannot be told apart; put each in quotes, with commas between them")
        entries.append(re.sub(r"\\(.)", r"\1", found[1][1:-1]) if found[1] else found[2].strip())
        position = found.end()
    bare = len(entries) == 1 and inner[:1] not in ("'", '"')
    if bare and len(entries[0].split()) > 1:
        raise LabelListError("is a list of one name with blanks, or of several; put each name in quotes")
    return [entry for entry in entries if entry]


def joined(text: str, separator: str) -> list[str]:
    """Names joined by a separator, without the blanks around them."""
    return [entry for part in text.split(separator) if (entry := part.strip())]
