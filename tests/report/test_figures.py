import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import pytest

from hmc.report import figures, significance
from hmc.report.grid import MACRO_F1, build_grid
from tests.report.examples import cells_of, place_of, plan_of, results_of
from tests.results.examples import make_cell

METHODS = ("chmcnn", "ensemble", "weighted")


def value(cell):
    return 0.1 + 0.02 * METHODS.index(cell.method) * (1 + 0.1 * place_of(cell))


@pytest.fixture(scope="module")
def plan():
    return plan_of(cells_of(METHODS, datasets=16, seeds=1), value)


def texts(svg):
    return [
        " ".join("".join(node.itertext()).split())
        for node in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")
    ]


def drawn(drawing):
    rendered = figures.render(drawing)
    assert rendered is not None, drawing.note
    return rendered


def test_recall_by_frequency_has_a_line_a_method_and_names_its_axes_with_units(plan):
    words = texts(drawn(figures.recall_by_frequency(plan, "fun", "released")).svg)
    assert {*METHODS, "positive rows in training", "mean node recall (percent)", "0", "1 to 3", "over 100"} <= set(words)
    assert "4 to 10" not in words  # no node of the plan is that frequent


def test_many_methods_get_a_panel_each_with_the_baseline_in_it():
    methods = ["chmcnn", *(f"method_{place}" for place in range(9))]
    drawing = figures.recall_by_frequency(plan_of(cells_of(methods, datasets=1), lambda cell: 0.2), "fun", "released")
    assert "Dashed in every panel: chmcnn." in drawing.note
    assert set(methods[1:]) <= set(texts(drawn(drawing).svg))


def test_a_method_that_is_not_complete_is_left_out_of_the_curves_and_named():
    cells = cells_of(METHODS, datasets=2)
    drawing = figures.recall_by_frequency(plan_of(cells, value, done=cells[:-1]), "fun", "released")
    assert "Not complete on these datasets and left out: weighted." in drawing.note
    assert "weighted" not in texts(drawn(drawing).svg)


def test_recall_is_of_the_datasets_on_which_most_can_be_compared():
    cells = [*cells_of(METHODS, datasets=2), *cells_of(["chmcnn"], datasets=3), *cells_of(["lpros"], datasets=1)]
    drawing = figures.recall_by_frequency(plan_of(cells, lambda cell: 0.5), "fun", "released")
    assert "over 2 datasets" in drawing.note
    assert "left out: lpros." in drawing.note
    assert {*METHODS, "lpros"} - set(texts(drawn(drawing).svg)) == {"lpros"}


def test_learning_curves_have_a_panel_a_method_and_a_line_a_dataset():
    cells = cells_of(METHODS, datasets=3)
    results = results_of(cells, value)
    drawing = figures.learning_curves(build_grid(cells, results.frame), results.curves, "fun", "released")
    assert {*METHODS, "data_0", "data_1", "data_2", "epoch", "loss / loss of the first epoch"} <= set(texts(drawn(drawing).svg))


def test_ranks_and_significance_name_every_method_and_the_critical_difference(plan):
    found = significance.analysis(plan, MACRO_F1, "released")
    words = texts(drawn(figures.critical_difference(found)).svg)
    assert "critical difference 0.83" in words
    assert [word for word in words if "(1.00)" in word] == ["weighted (1.00)"]
    matrix = drawn(figures.significance_matrix(found)).svg
    assert {"chmcnn 1", "ensemble 2", "weighted 3"} <= set(texts(matrix))
    assert matrix.count(figures.BETTER) == matrix.count(figures.WORSE) == 3


def test_what_all_columns_share_is_said_once_also_where_it_is_a_list():
    own = (("method.objective", "mine:Own"), ("method.options.parts", [1, 2]))
    more = (*own, ("training.epochs", 3))
    cells = [make_cell("data_0", "weighted", group="fun", epochs=len(departed), departed=departed) for departed in (own, more)]
    drawing = figures.recall_by_frequency(plan_of(cells, lambda cell: 0.5), "fun", "released")
    assert "All with method.objective=mine:Own, method.options.parts=[1,2]." in drawing.note
    assert {"weighted", "weighted (training.epochs=3)"} <= set(texts(drawn(drawing).svg))


def test_without_data_there_is_a_sentence_and_no_figure():
    plan = plan_of(cells_of(METHODS, datasets=2), value, done=[])
    found = significance.analysis(plan, MACRO_F1, "released")
    few = significance.analysis(plan_of(cells_of(METHODS, datasets=2), value), MACRO_F1, "released")
    for drawing in (
        figures.recall_by_frequency(plan, "fun", "released"),
        figures.learning_curves(plan, {}, "fun", "released"),
        figures.critical_difference(found),
        figures.significance_matrix(found),
        figures.critical_difference(few),
        figures.significance_matrix(few),
    ):
        assert drawing.draw is None
        assert drawing.note.startswith("No figure: ")
        assert figures.render(drawing) is None
    assert "2 datasets have a value for every method where at least 5 are needed" in figures.critical_difference(few).note


def test_the_same_data_give_the_same_bytes_in_every_format(plan):
    drawing = figures.recall_by_frequency(plan, "fun", "released")
    first, second = drawn(drawing), drawn(drawing)
    assert first == second
    assert first.png.startswith(b"\x89PNG")
    assert first.pdf.startswith(b"%PDF")


def test_an_inlined_figure_has_no_address_takes_the_pages_colour_and_owns_its_ids(plan):
    drawing = figures.recall_by_frequency(plan, "fun", "released")
    inline = figures.inlined(drawn(drawing).svg, drawing)
    assert inline.startswith("<svg ")
    assert "://" not in inline
    assert "currentColor" in inline
    assert figures.INK not in inline
    assert all(name.startswith(drawing.name) for name in re.findall(r'\bid="([^"]*)"', inline))
    assert all(name.startswith(drawing.name) for name in re.findall(r'(?:href="|url\()#([^")]*)', inline))


def test_names_are_text_not_markup_nor_formulas():
    nasty = "<script>alert('$x$ & \"y\"')</script>"
    drawing = figures.recall_by_frequency(plan_of(cells_of(["chmcnn", nasty], datasets=1), lambda cell: 0.1), "fun", "released")
    svg = drawn(drawing).svg
    assert "<script" not in svg
    assert nasty in texts(svg)


def test_files_are_kept_while_data_and_drawing_are_the_same_and_mended_when_damaged(plan, tmp_path):
    drawing = figures.recall_by_frequency(plan, "fun", "released")
    svg = figures.made(drawing, tmp_path)
    paths = sorted(tmp_path.iterdir())
    assert [path.name for path in paths] == [f"recall_frequency_fun_released.{suffix}" for suffix in ("pdf", "png", "svg")]
    before = [path.stat().st_mtime_ns for path in paths]
    assert figures.made(drawing, tmp_path) == svg
    assert [path.stat().st_mtime_ns for path in paths] == before
    content = paths[2].read_text()
    paths[2].write_text(content.replace("positive rows", "negative rows"))
    assert figures.made(drawing, tmp_path) == svg
    assert paths[2].read_text() == content


def test_matplotlib_is_loaded_only_when_something_is_drawn():
    code = "import sys, hmc.report.page; print(sorted({'matplotlib', 'jinja2', 'torch', 'scikit_posthocs'} & set(sys.modules)))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown.strip() == "[]"
