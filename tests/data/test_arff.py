from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hmc.data import arff
from hmc.data.arff import ArffError

Write = Callable[..., Path]


def table(header: str, rows: str) -> str:
    return f"@RELATION r\n{header}\n@ATTRIBUTE class hierarchical 01,01/02,03\n@DATA\n{rows}\n"


def test_reads_numbers_nominal_values_labels_and_lines(write: Write) -> None:
    path = write(table("@ATTRIBUTE a numeric\n@ATTRIBUTE b {x,y}", "1.5,y,01/02\n?,?,01@03"))
    read = arff.read(path)
    assert [(attribute.name, attribute.values) for attribute in read.attributes] == [("a", None), ("b", ("x", "y"))]
    np.testing.assert_array_equal(read.columns[0], [1.5, np.nan])
    np.testing.assert_array_equal(read.columns[1], [1, -1])
    assert read.class_entries == ("01", "01/02", "03")
    assert read.labels == (("01/02",), ("01", "03"))
    assert read.lines.tolist() == [6, 7]
    assert read.class_line == 4


def test_labels_stay_strings_with_leading_zeros(write: Write) -> None:
    read = arff.read(
        write("@relation r\n@attribute a numeric\n@attribute class hierarchical 000,001,1\n@data\n1,000\n2,001\n3,1\n")
    )
    assert read.labels == (("000",), ("001",), ("1",))


@pytest.mark.parametrize("kind", ["numeric", "NUMERIC", "Numeric", "real", "INTEGER", "numeric % in centimetres"])
def test_spellings_of_numeric(write: Write, kind: str) -> None:
    read = arff.read(write(table(f"@attribute a {kind}", "-1e-3,03")))
    assert read.columns[0].tolist() == [-1e-3]


@pytest.mark.parametrize("break_", ["\n", "\r\n", "\r"])
def test_line_breaks(write: Write, break_: str) -> None:
    text = table("@ATTRIBUTE a numeric", "1,01\n2,03").replace("\n", break_)
    read = arff.read(write(text.encode()))
    assert read.labels == (("01",), ("03",))
    assert read.lines.tolist() == [5, 6]


def test_byte_order_mark_comments_blank_lines_tabs_and_no_final_line_break(write: Write) -> None:
    header = "\ufeff% about\n\n@relation\tr\n@attribute\ta\tnumeric\n% more\n@attribute class hierarchical 1,2\n"
    text = header + "\n@data\n\n% first\n 1 , 1 \n\n2,2"
    read = arff.read(write(text))
    assert read.columns[0].tolist() == [1, 2]
    assert read.labels == (("1",), ("2",))
    assert read.lines.tolist() == [11, 13]


def test_repeated_attribute_names_become_unique(write: Write) -> None:
    header = "\n".join(f"@ATTRIBUTE {name} numeric" for name in ("a", "a", "a_2", "a"))
    read = arff.read(write(table(header, "1,2,3,4,01")))
    assert [attribute.name for attribute in read.attributes] == ["a", "a_3", "a_2", "a_4"]
    assert [column.tolist() for column in read.columns] == [[1], [2], [3], [4]]


def test_repeated_labels_count_once(write: Write) -> None:
    read = arff.read(
        write("@relation r\n@attribute a numeric\n@attribute class hierarchical 1,1/1,1,1/2,1/1\n@data\n1,1/1@1/1@1\n")
    )
    assert read.class_entries == ("1", "1/1", "1/2")
    assert read.labels == (("1/1", "1"),)


def test_quotes(write: Write) -> None:
    header = "@ATTRIBUTE 'two words' numeric\n@ATTRIBUTE \"per%cent\" {'a b',\"c,d\", e ,'it\\'s'}"
    read = arff.read(write(table(header, "1,'a b','01/02'\n2,\"c,d\",03\n3,e,03\n4,'it\\'s',03")))
    assert [attribute.name for attribute in read.attributes] == ["two words", "per%cent"]
    assert read.attributes[1].values == ("a b", "c,d", "e", "it's")
    assert read.columns[1].tolist() == [0, 1, 2, 3]
    assert read.labels[0] == ("01/02",)


def test_class_anywhere_and_under_any_name(write: Write) -> None:
    read = arff.read(write("@relation r\n@attribute functions hierarchical 1, 2\n@attribute a numeric\n@data\n1@2,7\n"))
    assert read.labels == (("1", "2"),)
    assert read.class_entries == ("1", "2")
    assert read.columns[0].tolist() == [7]


def test_sparse_rows(write: Write) -> None:
    read = arff.read(write(table("@ATTRIBUTE a numeric\n@ATTRIBUTE b {x,y}", "{0 5, 2 01/02}\n{1 y, 2 03}")))
    assert read.columns[0].tolist() == [5, 0]
    assert read.columns[1].tolist() == [0, 1]
    assert read.labels == (("01/02",), ("03",))


def test_what_a_sparse_row_leaves_out_is_the_first_value_even_where_0_is_another(write: Write) -> None:
    read = arff.read(write(table("@ATTRIBUTE b {x,0}", "{1 01}\n{0 0, 1 01}\n{0 ?, 1 01}\n{0 x, 1 '01'}")))
    assert read.columns[0].tolist() == [0, 1, -1, 0]


def test_a_nominal_value_is_unquoted_in_the_header_as_in_a_row(write: Write) -> None:
    read = arff.read(write(table(r"@ATTRIBUTE b {'a\tb','\u00e9',atb} % {braces}", r"'a\tb',01" + "\natb,01\n'\u00e9',01")))
    assert read.attributes[0].values == ("a\tb", "\u00e9", "atb")
    assert read.columns[0].tolist() == [0, 2, 1]


def test_a_comment_behind_the_classes_is_no_class(write: Write) -> None:
    text = table("@ATTRIBUTE a numeric", "1,03").replace("01/02,03", "01/02,03 % as in 1998")
    assert arff.read(write(text)).class_entries == ("01", "01/02", "03")


def test_a_class_in_quotes_is_unquoted_and_may_hold_commas(write: Write) -> None:
    classes = "'metabolism, energy' ,\"it's\",'a\\tb',bare name, 'last' % as in 1998"
    read = arff.read(write(table("@ATTRIBUTE a numeric", "1,'metabolism, energy@bare name'").replace("01,01/02,03", classes)))
    assert read.class_entries == ("metabolism, energy", "it's", "a\tb", "bare name", "last")
    assert read.labels == (("metabolism, energy", "bare name"),)


def test_a_key_before_a_string_names_the_rows_and_neither_is_a_feature(write: Write) -> None:
    header = "@attribute note string\n@attribute a numeric\n@attribute gene KEY\n@attribute b {x,y}"
    read = arff.read(write(table(header, "'two words',1,g1,x,01\n?,2,g2,y,03")))
    assert [attribute.name for attribute in read.attributes] == ["a", "b"]
    assert read.ids == ("g1", "g2")
    assert read.left_out == ("gene", "note")
    assert [column.tolist() for column in read.columns] == [[1, 2], [0, 1]]
    only_string = arff.read(write(table("@attribute note string\n@attribute a numeric", "?,1,01\nx,2,01")))
    assert only_string.ids == ("", "x")


def test_rows_to_be_scored_need_no_labels_and_no_class(write: Write) -> None:
    read = arff.read(write(table("@ATTRIBUTE a numeric", "1,?\n2,03\n{0 3}")), labelled=False)
    assert read.labels == ((), ("03",), ())
    assert read.columns[0].tolist() == [1, 2, 3]
    without = arff.read(write("@relation r\n@attribute a numeric\n@data\n1\n2\n"), labelled=False)
    assert without.labels == ((), ())
    assert without.class_entries == ()


HEADER = "@ATTRIBUTE a numeric\n@ATTRIBUTE b {x,y}"


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (table(HEADER, "1,x,01\n2,x").replace("\n", "\r\n"), 7, "2 values; the header declares 3 attributes"),
        (table(HEADER, "1,x,01\n2,x,01,9"), 7, "4 values; the header declares 3 attributes"),
        (table(HEADER, "1,'x'"), 6, "does not have 3 values"),
        (table(HEADER, "1,x,01\n\none,x,01"), 8, "'a' has the value 'one'"),
        (table(HEADER, "1e999,x,01"), 6, "'1e999'"),
        (table(HEADER, "nan,x,01"), 6, "'nan'"),
        (table(HEADER, "1_000,x,01"), 6, "'1_000'"),
        (table(HEADER, "1,z,01"), 6, "'b' has the value 'z', but declares {'x', 'y'}"),
        (table(HEADER, "1,x,?"), 6, "no label"),
        (table(HEADER, "1,x,@"), 6, "no label"),
        (table(HEADER, "1,x,'01"), 6, "cannot be split"),
        (table(HEADER, "1,x y,01"), 6, "cannot be split"),
        (table(HEADER, "1,'\\q',01"), 6, "an escape that ARFF does not know"),
        (table(HEADER, "{0 1, 1 x}"), 6, "leaves out the class"),
        (
            table(HEADER, "{0 1, 2 01, 3 8}"),
            6,
            "names attribute 3, but they count from 0 and the last is 2; if the file counts from 1",
        ),
        (table(HEADER, "{0 1, 0 2, 2 01}"), 6, "names attribute 0 twice"),
        (table(HEADER, "{0 1, 1 0, 2 01}"), 6, "'b' has the value '0'"),
        (table(HEADER, "{0 1, 1 x, 2 01} 3"), 6, "cannot be split"),
        (table(HEADER, "1,,01"), 6, "write ? for a missing value"),
        (table(HEADER, "1, ,'01'"), 6, "write ? for a missing value"),
        (table(HEADER, "1,x,01,'"), 6, "cannot be split"),
        (table(HEADER, "\uff11,x,01"), 6, "has the value '\uff11'"),
        (table(HEADER, "1e151,x,01"), 6, "at most 1e+150"),
        (table(HEADER, "1,x,01").replace("@DATA", "@DATA 1,x,03"), 5, "stands behind @data"),
        (table(HEADER, ""), 5, "no rows"),
        (table(HEADER, "% nothing\n"), 5, "no rows"),
        ("@relation r\n@attribute a numeric\n@attribute class hierarchical 1\n", 3, "no @data line"),
        ("@relation r\n@attribute a numeric\n@attribute class hierarchical {1,2}\n@data\n1,1\n", 3, "in braces"),
        ("", 1, "no @data line"),
        ("@relation r\n@attribute a numeric\n@data\n1\n", 3, "'hierarchical'"),
        ("@relation r\n@attribute class hierarchical 1\n@data\n1\n", 3, "there is no feature"),
        (table("@attribute other hierarchical 1,2", "1,1"), 3, "second hierarchical attribute"),
        ("@relation r\n@attribute a numeric\n@attribute class hierarchical\n@data\n1,1\n", 3, "lists no classes"),
        (table("@attribute gene string", "YAL001C,01"), 4, "there is no feature, only the class or names of the rows"),
        (table("@attribute day date yyyy-MM-dd", "x,01"), 2, "'date yyyy-MM-dd', but the type must be"),
        (table("@attribute day date", "x,01"), 2, "write the dates as numbers"),
        (table("@attribute on binary", "1,01"), 2, "declare it as {0,1}"),
        (table(HEADER, "1,x,01 % YAL001C"), 6, "a comment stands behind the row, '% YAL001C'; put it on a line of its own"),
        (table(HEADER, "1,x,01,{5}"), 6, "the row ends in '{5}', an instance weight"),
        (table(HEADER, "{0 1, 1 x, 2 01}, {5}"), 6, "the row ends in '{5}', an instance weight"),
        (table(HEADER, "1,x,01 @ 03"), 6, "blanks around an @ in '01 @ 03'"),
        (table(HEADER, "1,x,01@ 03"), 6, "blanks around an @ in '01@ 03'"),
        (table(HEADER, "1,x,''"), 6, "the row has no label, but '' as its class; give it one"),
        (table(HEADER, "1,x,01").replace("01,01/02,03", "'01,01/02,03"), 4, "the classes cannot be read from"),
        (table(HEADER, "1,x,01").replace("01/02", "'01'/02"), 4, "the classes cannot be read from \"'01'/02"),
        (table(HEADER, "1,x,01").replace("01/02", "'01\\q'"), 4, "an escape that ARFF does not know"),
        (table("@attribute a", "1,01"), 2, "@attribute NAME TYPE"),
        (table("@attribute two words numeric", "1,01"), 2, "'words numeric'"),
        (table("@attribute b {x,y", "x,01"), 2, "cannot be read from 'y' on"),
        (table("@attribute b {}", "x,01"), 2, "cannot be read from '}' on"),
        (table("@attribute b {x,}", "x,01"), 2, "cannot be read from '}' on"),
        (table("@attribute b {x} y", "x,01"), 2, "stands behind the values"),
        (table("@attribute b {'\\ud800'}", "x,01"), 2, "an escape that ARFF does not know"),
        (table("@attribute b {x,,y}", "x,01"), 2, "cannot be read from ',y}' on"),
        (table("a,b,c", "x,01"), 2, "expected @relation, @attribute or @data"),
        (b"@relation r\n@attribute gr\xf6\xdfe numeric\n", 2, "not UTF-8"),
        (table(HEADER, "1,x,01").encode("utf-16"), 1, "not UTF-8"),
        (b"\xef\xbb\xbf@relation r\n\xe4", 2, "byte 0xe4 is not UTF-8"),
        (b"@relation r\r@attribute gr\xf6\xdfe numeric\r", 2, "byte 0xf6 is not UTF-8"),
    ],
)
def test_errors_name_file_line_and_cause(write: Write, text: str | bytes, line: int, words: str) -> None:
    path = write(text)
    with pytest.raises(ArffError, match=re.escape(words)) as caught:
        arff.read(path)
    message = str(caught.value)
    assert message.startswith(f"{path}:{line}: ")
    assert "\n" not in message
    assert caught.value.__cause__ is None


def test_a_declaration_that_never_closes_is_refused_at_once(write: Write) -> None:
    values = ",".join(f"value {place}" for place in range(60))
    with pytest.raises(ArffError, match="cannot be read"):
        arff.read(write(table(f"@attribute b {{{values}", "x,01")))


def test_a_missing_file_is_an_oserror(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"nothing\.arff"):
        arff.read(tmp_path / "nothing.arff")


@given(
    st.lists(
        st.lists(st.one_of(st.none(), st.floats(-arff.LARGEST, arff.LARGEST)), min_size=2, max_size=2),
        min_size=1,
        max_size=5,
    )
)
def test_every_number_survives(tmp_path_factory: pytest.TempPathFactory, rows: list[list[float | None]]) -> None:
    path = tmp_path_factory.mktemp("numbers") / "file.arff"
    lines = [",".join("?" if value is None else repr(value) for value in row) + ",01" for row in rows]
    path.write_text(table("@attribute a numeric\n@attribute b real", "\n".join(lines)))
    expected = np.array([[np.nan if value is None else value for value in row] for row in rows])
    np.testing.assert_array_equal(np.column_stack(arff.read(path).columns), expected)


@pytest.mark.parametrize("run", [" ", "\\", "'", "{", ", "])
def test_a_mistake_after_a_long_run_is_refused_at_once(write: Write, run: str) -> None:
    # Without possessive patterns each of these takes minutes: the square of the run's length.
    for text in (table(f"@attribute b {{x,{run * 200_000}'y", "x,01"), table(HEADER, f"1,'x'{run * 200_000}\"y")):
        with pytest.raises(ArffError):
            arff.read(write(text))


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused_in_one_line(tmp_path_factory: pytest.TempPathFactory, rows: str) -> None:
    path = tmp_path_factory.mktemp("text") / "file.arff"
    path.write_bytes(table(HEADER, rows).encode(errors="replace"))
    refusal = ""
    rows_read = 0
    try:
        rows_read = arff.read(path).rows
    except ArffError as error:
        refusal = str(error)
    assert rows_read >= 1 or refusal.startswith(f"{path}:")
