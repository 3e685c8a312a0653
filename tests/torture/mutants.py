"""Damaged files, each made again from its number alone.

A base is a small dataset as bytes: one header that its splits share, and each split's rows. A mutant is a base after one to three
changes, drawn by a generator that is seeded with the number.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

SEED = 20260
HUGE = 60_000
"""Characters that a huge line has at least."""


@dataclass(frozen=True)
class Files:
    """A dataset's bytes. whole: a split's file as it is written, where it is no longer header + rows."""

    header: bytes
    rows: Mapping[str, bytes]
    whole: Mapping[str, bytes]

    def contents(self) -> dict[str, bytes]:
        return {split: self.whole.get(split, self.header + rows) for split, rows in self.rows.items()}


def _files(header: str, **rows: str) -> Files:
    return Files(header.encode(), {split: text.encode() for split, text in rows.items()}, {})


BASES: dict[str, Files] = {
    "tree": _files(
        "@RELATION 'small set'\n\n@ATTRIBUTE length numeric\n@ATTRIBUTE width REAL\n"
        "@ATTRIBUTE class hierarchical 01,01/01,01/01/03,01/02,02,02/01,99\n\n@DATA\n",
        train="1.5,?,01/01/03@02\n-2e-1,3,02/01\n4,0.25,01@99\n?,?,01/02\n",
        valid="7,8,99\n",
        test="1,2,02/01@01/01\n3,?,01/02\n",
    ),
    "graph": _files(
        "@relation go\n@attribute a numeric\n@attribute b integer\n"
        "@attribute class hierarchical root/A,root/B,A/C,B/C,C/D,B/E,root/F\n@data\n",
        train="1,2,C\n3,4,D@E\n5,?,F\n",
        valid="0,0,B\n2,1,A@F\n",
        test="1,1,E\n2,2,D@F\n",
    ),
    "named": _files(
        "@relation named\n@attribute id string\n@attribute a numeric\n"
        "@attribute class hierarchical 'top thing/Cell growth',\"top thing/it's\",'Cell growth/x y','Cell growth/z' % notes\n"
        "@data\n",
        train="r1,1,'x y'\n'r 2',2,z\n?,?,\"it's\"\n",
        test="r4,3,z\nr5,4,'Cell growth'\n",
    ),
    "nominal": _files(
        "% a comment\n@RELATION mixed\n@ATTRIBUTE 'two words' numeric\n@ATTRIBUTE colour {red,green,'dark blue'}\n"
        "@ATTRIBUTE class hierarchical 1,1/1,1/2,2\n@ATTRIBUTE state {0,1} % on or off\n@DATA\n",
        train="1,red,1/1,0\n2,'dark blue',2,1\n% between\n?,?,1/2@2,?\n",
        test="4,green,'1/1',1\n5,red,2,0\n",
    ),
    "sparse": _files(
        "@relation words\n@attribute w0 numeric\n@attribute w1 numeric\n@attribute kind {x,y,0}\n@attribute w3 numeric\n"
        "@attribute class hierarchical 1,1/1,2\n@data\n",
        train="{0 1, 3 2.5, 4 1/1}\n{2 y, 4 2}\n{1 ?, 4 1@2}\n",
        test="{0 4,1 2,4 1}\n0,0,x,1,2\n{4 1/1}\n",
    ),
}

WORDS = (
    *("@", "/", ",", "?", "%", "{", "}", "'", '"', "\\", "\t", " ", "\n", "\r", "\r\n", "\x0b", "\x0c", "\x1c", "\x85", "\u2028"),
    *("\x00", "\ufeff", "\u00e9", "\U0001f600", "root", "root/", "/root", "01", "1", "A", "C/A", "D/root", "0", "-", "e9", "."),
    *("@data", "@attribute", "@attribute x numeric\n", "@relation", "hierarchical", "numeric", "string", "date", "{a,b}", "''"),
    *(
        "nan",
        "inf",
        "-inf",
        "1e400",
        "1e308",
        "-1e308",
        "1e200",
        "5e-324",
        "1_0",
        "0x10",
        "\uff11",
        "\u0663",
        "1,5",
        "\\n",
        "\\u00e9",
    ),
    *(
        "1.1",
        "01.01",
        "1.5/2",
        ",,",
        "@@",
        "//",
        "{0 1}",
        "{}",
        "0 1,",
        ", 2 y",
        "1 ?",
        "'?'",
        "\\777",
        "\\9",
        "% note",
        "\ud7ff",
    ),
)

Change = Callable[[random.Random, bytes], bytes]

# --- changes of any bytes -------------------------------------------------------------------------------------------


def cut(random: random.Random, text: bytes) -> bytes:
    return text[: random.randrange(len(text) + 1)]


def cut_front(random: random.Random, text: bytes) -> bytes:
    return text[random.randrange(len(text) + 1) :]


def flip(random: random.Random, text: bytes) -> bytes:
    made = bytearray(text)
    for _ in range(random.randint(1, 4)):
        if made:
            made[random.randrange(len(made))] ^= 1 << random.randrange(8)
    return bytes(made)


def binary(random: random.Random, text: bytes) -> bytes:
    at = random.randrange(len(text) + 1)
    return text[:at] + random.randbytes(random.randint(1, 12)) + text[at + random.randint(0, 6) :]


def remove(random: random.Random, text: bytes) -> bytes:
    at = random.randrange(len(text) + 1)
    return text[:at] + text[at + random.randint(1, 8) :]


def repeat(random: random.Random, text: bytes) -> bytes:
    at = random.randrange(len(text) + 1)
    end = at + random.randint(1, 20)
    return text[:end] + text[at:end] + text[end:]


def insert(random: random.Random, text: bytes) -> bytes:
    at = random.randrange(len(text) + 1)
    return text[:at] + random.choice(WORDS).encode("utf-8", "surrogatepass") + text[at:]


def overwrite(random: random.Random, text: bytes) -> bytes:
    at = random.randrange(len(text) + 1)
    word = random.choice(WORDS).encode("utf-8", "surrogatepass")
    return text[:at] + word + text[at + len(word) :]


def lines(random: random.Random, text: bytes) -> bytes:
    """A line away, doubled, or in another place."""
    parts = text.splitlines(keepends=True)
    if not parts:
        return text
    line = parts.pop(random.randrange(len(parts)))
    for _ in range(random.randrange(3)):
        parts.insert(random.randrange(len(parts) + 1), line)
    return b"".join(parts)


def fields(random: random.Random, text: bytes) -> bytes:
    """A field more or less, so that a row or a list has another number of them."""
    parts = text.split(b",")
    at = random.randrange(len(parts))
    if random.random() < 0.5:
        del parts[at]
    else:
        parts.insert(at, random.choice([b"0", b"?", b"x", b"", parts[at]]))
    return b",".join(parts)


def word(random: random.Random, text: bytes) -> bytes:
    """One word in place of another: wrong types, unknown labels, repeated names, cycles."""
    separators = b" ,/@\n{}"
    starts = [0, *(place + 1 for place, letter in enumerate(text) if letter in separators)]
    begin = random.choice(starts)
    end = next((place for place in range(begin, len(text)) if text[place] in separators), len(text))
    if random.random() < 0.5:
        other = random.choice(starts)
        stop = next((place for place in range(other, len(text)) if text[place] in separators), len(text))
        new = text[other:stop]
    else:
        new = random.choice(WORDS).encode("utf-8", "surrogatepass")
    return text[:begin] + new + text[end:]


def encoding(random: random.Random, text: bytes) -> bytes:
    written = text.decode("utf-8", "replace")
    kind = random.randrange(8)
    if kind == 0:
        return written.encode("utf-16")
    if kind == 1:
        return written.encode("utf-32-le")
    if kind == 2:
        return written.replace("a", "\u00e4").encode("latin-1", "replace")
    if kind == 3:
        return b"\xef\xbb\xbf" + text
    if kind == 4:
        return text.replace(b"\n", b"\r\n")
    if kind == 5:
        return text.replace(b"\n", b"\r")
    if kind == 6:
        return written.replace("a", "\u0430").encode()
    return written.encode("cp037", "replace")


def huge(random: random.Random, text: bytes) -> bytes:
    """One line of many thousand characters."""
    at = random.randrange(len(text) + 1)
    if random.random() < 0.3:
        unit = text[at : at + random.randint(1, 12)] or b"x"
    else:
        unit = random.choice(
            [b" ", b"\\", b"'", b'"', b",", b"1,", b"0", b"/1", b"@1", b"a", b"{", b"\t", b" ,", b"x y ", b"%", b"\\\\'"]
        )
    count = HUGE // len(unit) + random.randrange(1000)
    return text[:at] + unit * count + random.choice([b"", b"'", b"\x00", b"}"]) + text[at:]


# --- changes of what a file says ------------------------------------------------------------------------------------


def nothing(random: random.Random, text: bytes) -> bytes:
    """No rows at all, or none but comments."""
    return random.choice([b"", b"\n\n", b"% no rows\n"])


def missing_column(random: random.Random, text: bytes) -> bytes:
    """One column without any value."""
    rows = [row.split(b",") for row in text.splitlines()]
    at = random.randrange(max((len(row) for row in rows), default=1))
    return b"".join(b",".join(b"?" if place == at else part for place, part in enumerate(row)) + b"\n" for row in rows)


def one_label(random: random.Random, text: bytes) -> bytes:
    """Every row has the same label, so that most nodes (or all but the root) have no positive."""
    label = random.choice([b"root", b"01", b"1", b"A", b"2", b"unknown", b"?", b"@", b""])
    rows = [row for row in text.splitlines() if row]
    last = [row.rpartition(b" " if row.startswith(b"{") else b",") for row in rows]
    return b"".join(b"".join(parts[:2]) + label + (b"}" if parts[0].startswith(b"{") else b"") + b"\n" for parts in last)


def edge(random: random.Random, text: bytes) -> bytes:
    """The list of classes with one more, which often closes a cycle or repeats a class."""
    found = text.find(b"hierarchical ")
    if found < 0:
        return text
    end = text.find(b"\n", found)
    names = text[found + len(b"hierarchical ") : end].replace(b"/", b",").split(b",")
    new = random.choice(names) + b"/" + random.choice(names)
    return text[:end] + b"," + new + text[end:]


ANYWHERE: tuple[Change, ...] = (
    *(cut, cut_front, flip, binary, remove, repeat, insert, insert, overwrite, lines, fields, fields, word, word, word, encoding),
)
OF_HEADER: tuple[Change, ...] = (*ANYWHERE, edge, edge)
OF_ROWS: tuple[Change, ...] = (*ANYWHERE, nothing, missing_column, one_label)
SHARE_HUGE = 0.01


def mutant(number: int, base: str) -> Files:
    """The mutant of this number."""
    generator = random.Random(f"{SEED} {base} {number}")
    files = BASES[base]
    if generator.random() < SHARE_HUGE:
        return _changed(generator, files, (huge,))
    for _ in range(generator.choice([1, 1, 1, 2, 3])):
        files = _changed(generator, files, None)
    return files


def _changed(generator: random.Random, files: Files, changes: tuple[Change, ...] | None) -> Files:
    split = generator.choice(list(files.rows))
    kind = generator.random()
    if kind < 0.4 and not files.whole:
        return replace(files, header=generator.choice(changes or OF_HEADER)(generator, files.header))
    if kind < 0.8 and split not in files.whole:
        rows = generator.choice(changes or OF_ROWS)(generator, files.rows[split])
        return replace(files, rows={**files.rows, split: rows})
    changed = generator.choice(changes or ANYWHERE)(generator, files.contents()[split])
    return replace(files, whole={**files.whole, split: changed})
