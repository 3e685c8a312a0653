import csv
import dataclasses
import io
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hmc.report import render
from hmc.report.table import DASH, MeanStd, Number, Table

TABLE = Table(
    name="small_table",
    title="AU(PRC) (fraction), 2 datasets: mean ± sd, n = 3",
    header=("dataset", "chmcnn", "weighted_focal_bbma (training.epochs=5)", "verdict"),
    rows=(
        ("enron", MeanStd(0.7561, 0.0012, 3, 3), MeanStd(0.7, None, 1, 1), "match"),
        ("expr_fun †", MeanStd(None, None, 2, 3), "–", "–"),
    ),
    notes=("±: spread over 100 % of a_b & <c>", "* one | two"),
    strong=frozenset({(0, 1)}),
)

words = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=12)
means = st.builds(
    MeanStd, st.none() | st.floats(-1e6, 1e6), st.none() | st.floats(0, 1e6), st.integers(0, 20), st.integers(0, 20)
)


numbers = st.builds(Number, st.floats(-1e6, 1e6) | st.integers(-99, 99), st.sampled_from(["g", "+.2f", ".3g"]))


@st.composite
def random_tables(draw):
    columns = draw(st.integers(1, 16))
    rows = draw(st.lists(st.tuples(words, *[words | means | numbers] * (columns - 1)), max_size=4))
    header = draw(st.tuples(*[words] * columns))
    strong = draw(st.frozensets(st.tuples(st.integers(0, 3), st.integers(0, 11)), max_size=3))
    notes = tuple(draw(st.lists(words, max_size=2)))
    keys, turn_to = draw(st.integers(1, 3)), draw(st.sampled_from(["", "method"]))
    return Table("t", draw(words), header, tuple(rows), notes, strong, draw(st.booleans()), keys, turn_to)


def test_a_mean_shows_what_is_known():
    assert MeanStd(0.7561, 0.0012, 3, 3).text() == "0.756 ± 0.001"
    assert MeanStd(0.7561, 0.0012, 3, 3).text(with_seeds=True) == "0.756 ± 0.001 (3)"
    assert MeanStd(12.5, None, 1, 1, digits=2).text() == "12.50"
    assert MeanStd(None, None, 2, 3).text() == "– (2/3)"
    assert MeanStd(None, None, 0, 3).text() == "–"


def test_markdown():
    assert render.markdown(TABLE) == (
        "## AU(PRC) (fraction), 2 datasets: mean ± sd, n = 3\n"
        "\n"
        "| dataset | chmcnn | weighted_focal_bbma (training.epochs=5) | verdict |\n"
        "| --- | ---: | ---: | --- |\n"
        "| enron | **0.756 ± 0.001** | 0.700 | match |\n"
        "| expr_fun † | – (2/3) | – | – |\n"
        "\n"
        "- ±: spread over 100 % of a_b & \\<c\\>\n"
        "- \\* one \\| two\n"
    )


def test_comma_separated_splits_means_and_leaves_dashes_empty():
    wide = "weighted_focal_bbma (training.epochs=5)"
    assert render.comma_separated(TABLE) == (
        f"dataset,chmcnn,chmcnn sd,chmcnn n,{wide},{wide} sd,{wide} n,verdict\n"
        "enron,0.7561,0.0012,3,0.7,,1,match\n"
        "expr_fun †,,,2,,,,\n"
    )


def test_terminal():
    assert render.terminal(TABLE, 60) == (
        "AU(PRC) (fraction), 2 datasets: mean ± sd, n = 3\n"
        "\n"
        "                                      weighted_\n"
        "                                     focal_bbma\n"
        "dataset             chmcnn  (training.epochs=5)  verdict\n"
        "----------  --------------  -------------------  -------\n"
        "enron       0.756 ± 0.001*                0.700  match\n"
        "expr_fun †        – (2/3)                     –  –\n"
        "\n"
        "- ±: spread over 100 % of a_b & <c>\n"
        "- * one | two\n"
    )


def test_digits_stay_under_digits_where_only_some_entries_carry_a_sign():
    rows = tuple((name, MeanStd(0.7, None, 6, 6)) for name in "abc")
    table = Table("t", "T", ("dataset", "m"), rows, strong=frozenset({(0, 1)}))
    assert render.terminal(table).splitlines()[-3:] == ["a        0.700*", "b        0.700", "c        0.700"]


@given(random_tables())
def test_every_format_keeps_every_row_and_repeats_its_bytes(table):
    for write in (render.markdown, render.comma_separated, render.latex, render.terminal):
        assert write(table) == write(table)
    rows = list(csv.reader(io.StringIO(render.comma_separated(table))))
    assert len(rows) == len(table.rows) + 1
    assert len({len(row) for row in rows}) == 1
    shown = render.readable(table)
    body = [line for line in render.markdown(table).splitlines() if line.startswith("| ")]
    unescaped = [len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) for line in body]
    assert unescaped == [len(shown.header) + 1] * (len(shown.rows) + 2)


@given(random_tables(), st.integers(60, 120))
def test_the_terminal_form_fits_the_width(table, width):
    assert all(len(line) <= width for line in render.terminal(table, width).splitlines())


def test_a_wide_table_continues_below_with_its_first_column():
    table = Table("wide", "Wide", ("dataset", *(f"method_{place}" for place in range(20))), (("enron", *["12.34 ± 0.56"] * 20),))
    text = render.terminal(table, 100)
    assert text.count("enron") == text.count("dataset") > 1
    assert text.count("12.34 ± 0.56") == 20
    for place in range(20):
        assert re.search(rf"\bmethod_{place}\b", text)


def test_a_table_that_continues_below_repeats_all_its_keys():
    header = ("dataset", "method", *(f"value {place}" for place in range(9)))
    rows = (("enron", "chmcnn", *["12.34 ± 0.56"] * 9), ("enron", "weighted", *["23.45 ± 0.67"] * 9))
    text = render.terminal(Table("t", "T", header, rows, keys=2), 80)
    blocks = text.split("\n\n")[1:]
    assert len(blocks) > 1
    for block in blocks:
        assert [line.split()[:2] for line in block.splitlines()[-2:]] == [["enron", "chmcnn"], ["enron", "weighted"]]


def test_keys_that_would_fill_the_line_are_broken():
    long = "weighted_focal_bbma (protocol.reduction=sum, training.holdout=valid)"
    header = ("metric", "a", "b", *(f"value {place}" for place in range(6)))
    text = render.terminal(Table("t", "T", header, (("Macro F1", long, long, *["12.34"] * 6),), keys=3), 100)
    assert max(map(len, text.splitlines())) <= 100
    assert text.count("bbma") == 2 * text.count("Macro F1")


# --- wide tables ----------------------------------------------------------------------------------------------------

METHODS = tuple(f"method_{place}" for place in range(30))
WIDE = Table(
    "wide",
    "Wide",
    ("dataset", *METHODS),
    (
        ("enron", *(MeanStd(0.1 * place, 0.01, 3, 3) for place in range(30))),
        ("diatoms", *(MeanStd(0.2 * place, 0.02, 3, 3) for place in range(30))),
    ),
    strong=frozenset({(0, 30), (1, 29)}),
    turn_to="method",
)


def test_turned_has_rows_and_columns_changed_places_and_twice_is_the_same():
    turned = WIDE.turned()
    assert turned.header == ("method", "enron", "diatoms")
    assert turned.rows[3] == ("method_3", WIDE.rows[0][4], WIDE.rows[1][4])
    assert turned.strong == {(29, 1), (28, 2)}
    assert turned.turned() == WIDE
    with pytest.raises(ValueError, match="must have turn_to"):
        TABLE.turned()


def test_readers_see_a_table_of_many_columns_turned_and_programs_do_not():
    assert render.markdown(WIDE) == render.markdown(WIDE.turned())
    assert "method_29  2.900 ± 0.010*" in render.terminal(WIDE)
    assert render.comma_separated(WIDE).startswith("dataset,method_0,method_0 sd,method_0 n,method_1,")
    columns = re.findall(r"\\begin\{tabular\}\{([lr]+)\}", render.latex(WIDE))
    assert columns == ["lrr"]


def test_latex_splits_what_cannot_be_turned_and_repeats_its_keys():
    text = render.latex(dataclasses.replace(WIDE, turn_to=""))
    parts = re.findall(r"\\begin\{tabular\}\{([lr]+)\}", text)
    assert len(parts) == 3
    assert max(map(len, parts)) <= render.MOST_COLUMNS
    assert sum(len(part) - 1 for part in parts) == 30
    assert text.count("enron & ") == 3
    assert text.count("\\begin{table}") == 1


def test_latex_continues_what_has_too_many_rows_for_a_page():
    rows = tuple((f"row {place}", Number(place)) for place in range(100))
    text = render.latex(Table("long", "Long", ("a", "b"), rows, ("A note.",)))
    assert text.count("\\begin{table}") == text.count("\\end{table}") == 3
    assert text.count("(continued)") == 2
    assert text.count("A note.") == text.count("\\label{") == 1
    assert all(f"row {place} & {place} \\\\" in text for place in range(100))


# --- CSV ------------------------------------------------------------------------------------------------------------


def test_numbers_are_numbers_in_a_csv_file_whatever_they_look_like_elsewhere():
    rows = (
        ("enron", Number(-0.0012345678901, "+.2f"), Number(8), MeanStd(0.756, None, 10)),
        ("b", DASH, Number(1e-9, ".3g"), DASH),
    )
    table = Table("t", "T", ("dataset", "difference", "n", "published"), rows, with_seeds=True)
    assert "| enron | -0.00 | 8 | 0.756 (10) |" in render.markdown(table)
    assert list(csv.reader(io.StringIO(render.comma_separated(table)))) == [
        ["dataset", "difference", "n", "published", "published sd", "published n"],
        ["enron", "-0.00123456789", "8", "0.756", "", "10"],
        ["b", "", "1e-09", "", "", ""],
    ]


@given(st.sampled_from(["", " ", "\t", "\r\n"]), st.sampled_from("=+-@"), words)
def test_text_that_a_spreadsheet_would_run_is_text_there(blank, sign, rest):
    name = f"{blank}{sign}{rest}"
    table = Table("t", "T", (name, "n"), ((name, Number(-1)),))
    header, row = csv.reader(io.StringIO(render.comma_separated(table)))
    assert header[0] == row[0] == f"'{sign}{rest}"
    assert row[1] == "-1"


def test_latex_escapes_what_latex_would_read():
    text = render.latex(Table("t", "50 % & more", ("a_b",), (("[x]",), ("*",), ("{~^\\$#}",), ("0.5 ± 0.1 †",), ("–",))))
    assert "\\caption{50 \\% \\& more}" in text
    assert "\na\\_b \\\\\n" in text
    assert "\n{[}x] \\\\\n{*} \\\\\n" in text
    assert "\\{\\textasciitilde{}\\textasciicircum{}\\textbackslash{}\\$\\#\\}" in text
    assert "0.5 $\\pm$ 0.1 \\textdagger{} \\\\\n-- \\\\\n" in text


def test_latex_compiles(tmp_path):
    if shutil.which("pdflatex") is None:
        pytest.skip("pdflatex is not installed")
    special = Table("special", "a & b", ("x", "y"), tuple((f"{one}x", f"{one}") for one in "\\{}&%$#_~^<>|\"±–†‡×[]*'`-@"))
    wide = Table(
        "wide", "Wide", ("dataset", *["a_very_long_method_name"] * 15), (("enron", *["12.34 ± 0.56"] * 15),), ("A note.",)
    )
    split, long = dataclasses.replace(WIDE, turn_to=""), Table("l", "L", ("a",), tuple((f"row {place}",) for place in range(60)))
    tables = "".join(render.latex(table) for table in (TABLE, special, wide, WIDE, split, long))
    document = f"\\documentclass{{article}}\\usepackage{{booktabs,graphicx}}\\begin{{document}}\n{tables}\\end{{document}}\n"
    (tmp_path / "t.tex").write_text(document, encoding="utf-8")
    answer = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "t.tex"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stdout[-2000:]
    assert "Overfull" not in answer.stdout


def test_a_table_of_uneven_rows_is_refused():
    with pytest.raises(ValueError, match="table t must have 2 entries a row, got 1"):
        Table("t", "T", ("a", "b"), (("1",),))


def test_tables_are_written_in_three_formats(tmp_path):
    paths = render.write_tables([TABLE], tmp_path / "tables")
    assert sorted(path.name for path in (tmp_path / "tables").iterdir()) == [
        "small_table.csv",
        "small_table.md",
        "small_table.tex",
    ]
    before = [path.read_bytes() for path in paths]
    assert [path.read_bytes() for path in render.write_tables([TABLE], tmp_path / "tables")] == before
    assert before[0].decode() == render.markdown(TABLE)


def test_a_stale_table_that_another_run_removes_at_the_same_time_is_no_error(tmp_path, monkeypatch):
    for kind in render.KINDS:
        (tmp_path / f"stale{kind}").touch()
    (tmp_path / "notes.md").touch()
    listed = [*(tmp_path / f"gone{kind}" for kind in render.KINDS), *tmp_path.iterdir()]
    with monkeypatch.context() as patch:
        patch.setattr(Path, "iterdir", lambda folder: iter(listed))
        render.write_tables([TABLE], tmp_path, alone=True)
    # A page of the user's own is no table.
    assert {path.stem for path in tmp_path.iterdir()} == {"small_table", "notes"}
