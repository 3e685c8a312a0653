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
from hmc.report.render import Estimate, Table

TABLE = Table(
    name="small_table",
    title="AU(PRC) (fraction), 2 datasets: mean ± sd, n = 3",
    header=("dataset", "chmcnn", "weighted_focal_bbma (training.epochs=5)", "verdict"),
    rows=(
        ("enron", Estimate(0.7561, 0.0012, 3, 3), Estimate(0.7, None, 1, 1), "match"),
        ("expr_fun †", Estimate(None, None, 2, 3), "–", "–"),
    ),
    notes=("±: spread over 100 % of a_b & <c>", "* one | two"),
    strong=frozenset({(0, 1)}),
)

words = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=12)
estimates = st.builds(
    Estimate, st.none() | st.floats(-1e6, 1e6), st.none() | st.floats(0, 1e6), st.integers(0, 20), st.integers(0, 20)
)


@st.composite
def random_tables(draw):
    columns = draw(st.integers(1, 12))
    rows = draw(st.lists(st.tuples(*[words | estimates] * columns), max_size=4))
    header = draw(st.tuples(*[words] * columns))
    strong = draw(st.frozensets(st.tuples(st.integers(0, 3), st.integers(0, 11)), max_size=3))
    close = draw(st.frozensets(st.tuples(st.integers(0, 3), st.integers(0, 11)), max_size=3))
    notes = tuple(draw(st.lists(words, max_size=2)))
    return Table("t", draw(words), header, tuple(rows), notes, strong, draw(st.booleans()), close)


def test_an_estimate_shows_what_is_known():
    assert Estimate(0.7561, 0.0012, 3, 3).text() == "0.756 ± 0.001"
    assert Estimate(0.7561, 0.0012, 3, 3).text(with_seeds=True) == "0.756 ± 0.001 (3)"
    assert Estimate(12.5, None, 1, 1, digits=2).text() == "12.50"
    assert Estimate(None, None, 2, 3).text() == "– (2/3)"
    assert Estimate(None, None, 0, 3).text() == "–"


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


def test_comma_separated_splits_estimates_and_leaves_dashes_empty():
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


def test_close_entries_have_a_mark_of_their_own_and_a_strong_one_stays_strong():
    row = ("enron", Estimate(0.7, 0.1, 6, 6), Estimate(0.6, 0.1, 6, 6), Estimate(0.5, 0.1, 6, 6))
    plain = Table("t", "T", ("dataset", "a", "b", "c"), (row,), strong=frozenset({(0, 1)}))
    table = dataclasses.replace(plain, close=frozenset({(0, 1), (0, 2)}))
    assert "| enron | **0.700 ± 0.100** | *0.600 ± 0.100* | 0.500 ± 0.100 |\n" in render.markdown(table)
    latex = "enron & \\textbf{0.700 $\\pm$ 0.100} & \\textit{0.600 $\\pm$ 0.100} & 0.500 $\\pm$ 0.100 \\\\\n"
    assert latex in render.latex(table)
    assert render.terminal(table).splitlines()[-1] == "enron    0.700 ± 0.100*  0.600 ± 0.100~  0.500 ± 0.100"
    assert render.comma_separated(table) == render.comma_separated(plain)


def test_digits_stay_under_digits_where_only_some_entries_carry_a_sign():
    rows = tuple((name, Estimate(0.7, None, 6, 6)) for name in "abc")
    table = Table("t", "T", ("dataset", "m"), rows, strong=frozenset({(0, 1)}), close=frozenset({(1, 1)}))
    assert render.terminal(table).splitlines()[-3:] == ["a        0.700*", "b        0.700~", "c        0.700"]


@given(random_tables())
def test_every_format_keeps_every_row_and_repeats_its_bytes(table):
    for write in (render.markdown, render.comma_separated, render.latex, render.terminal):
        assert write(table) == write(table)
    rows = list(csv.reader(io.StringIO(render.comma_separated(table))))
    assert len(rows) == len(table.rows) + 1
    assert len({len(row) for row in rows}) == 1
    body = [line for line in render.markdown(table).splitlines() if line.startswith("| ")]
    unescaped = [len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) for line in body]
    assert unescaped == [len(table.header) + 1] * (len(table.rows) + 2)


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
    special = Table("special", "a & b", ("x", "y"), tuple((f"{one}x", f"{one}") for one in "\\{}&%$#_~^<>|\"±–†×[]*'`-@"))
    wide = Table(
        "wide", "Wide", ("dataset", *["a_very_long_method_name"] * 15), (("enron", *["12.34 ± 0.56"] * 15),), ("A note.",)
    )
    tables = "".join(render.latex(table) for table in (TABLE, special, wide))
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
    with pytest.raises(ValueError, match="table t has 2 columns, but a row of 1"):
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
    (tmp_path / "stale.md").touch()
    listed = [tmp_path / "gone.md", *tmp_path.iterdir()]
    with monkeypatch.context() as patch:
        patch.setattr(Path, "iterdir", lambda folder: iter(listed))
        render.write_tables([TABLE], tmp_path, alone=True)
    assert {path.stem for path in tmp_path.iterdir()} == {"small_table"}
