import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from hmc.report import figures, significance
from hmc.report.grid import build_grid, collect
from hmc.report.metric import MACRO_F1
from tests.report.examples import cells_of, place_of, plan_of, results_of
from tests.results.examples import make_cell, make_record

METHODS = ("chmcnn", "ensemble", "weighted")
ROOT = Path(__file__).resolve().parents[2]


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
    """The SVG of a drawing."""
    rendered = figures.render(drawing, ["svg"])
    assert rendered, drawing.note
    return rendered["svg"].decode()


def test_recall_by_frequency_has_a_line_a_method_and_names_its_axes_with_units(plan):
    words = texts(drawn(figures.recall_by_frequency(plan, "fun", "released")))
    assert {*METHODS, "positive rows in training", "mean node recall (percent)", "0", "1 to 3", "over 100"} <= set(words)
    assert "4 to 10" not in words  # no node of the plan is that frequent


def test_many_methods_get_a_panel_each_with_the_baseline_in_it():
    methods = ["chmcnn", *(f"method_{place}" for place in range(9))]
    drawing = figures.recall_by_frequency(plan_of(cells_of(methods, datasets=1), lambda cell: 0.2), "fun", "released")
    assert "Dashed in every panel: chmcnn." in drawing.note
    assert set(methods[1:]) <= set(texts(drawn(drawing)))


def test_a_method_that_is_not_complete_is_left_out_of_the_curves_and_named():
    cells = cells_of(METHODS, datasets=2)
    drawing = figures.recall_by_frequency(plan_of(cells, value, done=cells[:-1]), "fun", "released")
    assert "Not complete on these datasets and left out: weighted." in drawing.note
    assert "weighted" not in texts(drawn(drawing))


def test_recall_is_of_the_datasets_on_which_most_can_be_compared():
    cells = [*cells_of(METHODS, datasets=2), *cells_of(["chmcnn"], datasets=3), *cells_of(["lpros"], datasets=1)]
    drawing = figures.recall_by_frequency(plan_of(cells, lambda cell: 0.5), "fun", "released")
    assert "over 2 datasets" in drawing.note
    assert "left out: lpros." in drawing.note
    assert {*METHODS, "lpros"} - set(texts(drawn(drawing))) == {"lpros"}


def test_learning_curves_have_a_panel_a_method_and_a_line_a_dataset():
    cells = cells_of(METHODS, datasets=3)
    results = results_of(cells, value)
    drawing = figures.learning_curves(build_grid(cells, results.frame), results.curves, "fun", "released")
    assert {*METHODS, "data_0", "data_1", "data_2", "epoch", "loss / loss of the first epoch"} <= set(texts(drawn(drawing)))


def test_ranks_and_significance_name_every_method_and_the_critical_difference(plan):
    found = significance.analysis(plan, MACRO_F1, "released")
    words = texts(drawn(figures.critical_difference(found)))
    assert "critical difference 0.83" in words
    assert [word for word in words if "(1.00)" in word] == ["weighted (1.00)"]
    matrix = drawn(figures.significance_matrix(found))
    assert {"chmcnn 1", "ensemble 2", "weighted 3"} <= set(texts(matrix))
    assert matrix.count(figures.BETTER) == matrix.count(figures.WORSE) == 3


def test_what_all_columns_share_is_said_once_also_where_it_is_a_list():
    own = (("method.objective", "mine:Own"), ("method.options.parts", [1, 2]))
    more = (*own, ("training.epochs", 3))
    cells = [make_cell("data_0", "weighted", group="fun", epochs=len(departed), departed=departed) for departed in (own, more)]
    drawing = figures.recall_by_frequency(plan_of(cells, lambda cell: 0.5), "fun", "released")
    assert "All with method.objective=mine:Own, method.options.parts=[1,2]." in drawing.note
    assert {"weighted", "weighted (training.epochs=3)"} <= set(texts(drawn(drawing)))


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
        assert figures.render(drawing) == {}
    assert "2 datasets have a value for every method where at least 5 are needed" in figures.critical_difference(few).note


def test_the_same_data_give_the_same_bytes_in_every_format(plan):
    drawing = figures.recall_by_frequency(plan, "fun", "released")
    first, second = figures.render(drawing), figures.render(drawing)
    assert first == second
    assert list(first) == list(figures.FORMATS)
    assert first["png"].startswith(b"\x89PNG")
    assert first["pdf"].startswith(b"%PDF")


def test_an_inlined_figure_has_no_address_takes_the_pages_colour_and_owns_its_ids(plan):
    drawing = figures.recall_by_frequency(plan, "fun", "released")
    inline = figures.inlined(drawn(drawing), drawing)
    assert inline.startswith("<svg ")
    assert "://" not in inline
    assert "currentColor" in inline
    assert figures.INK not in inline
    assert all(name.startswith(drawing.name) for name in re.findall(r'\bid="([^"]*)"', inline))
    assert all(name.startswith(drawing.name) for name in re.findall(r'(?:href="|url\()#([^")]*)', inline))


def test_names_are_text_not_markup_nor_formulas():
    nasty = "<script>alert('$x$ & \"y\"')<"
    drawing = figures.recall_by_frequency(plan_of(cells_of(["chmcnn", nasty], datasets=1), lambda cell: 0.1), "fun", "released")
    svg = drawn(drawing)
    assert "<script" not in svg
    assert nasty in texts(svg)


EVERY = figures.FORMATS


def test_files_are_kept_while_data_and_drawing_are_the_same_and_mended_when_damaged(plan, tmp_path):
    drawing = figures.recall_by_frequency(plan, "fun", "released")
    svg = figures.made(drawing, tmp_path, EVERY)
    paths = sorted(tmp_path.iterdir())
    assert [path.name for path in paths] == [f"recall_frequency_fun_released.{suffix}" for suffix in ("pdf", "png", "svg")]
    before = [path.stat().st_mtime_ns for path in paths]
    assert figures.made(drawing, tmp_path, EVERY) == svg
    assert [path.stat().st_mtime_ns for path in paths] == before
    content = paths[2].read_text()
    paths[2].write_text(content.replace("positive rows", "negative rows"))
    assert figures.made(drawing, tmp_path, EVERY) == svg
    assert paths[2].read_text() == content


def test_only_the_formats_asked_for_are_written_and_none_is_left_that_shows_older_data(plan, tmp_path):
    def names():
        return sorted(path.suffix for path in tmp_path.iterdir())

    drawing = figures.recall_by_frequency(plan, "fun", "released")
    svg = figures.made(drawing, tmp_path)
    assert names() == [".svg"]
    written = (tmp_path / f"{drawing.name}.svg").stat().st_mtime_ns
    assert figures.made(drawing, tmp_path, EVERY) == svg
    assert names() == [".pdf", ".png", ".svg"]
    assert (tmp_path / f"{drawing.name}.svg").stat().st_mtime_ns == written
    assert figures.made(drawing, tmp_path) == svg
    assert names() == [".pdf", ".png", ".svg"]  # still of these data
    other = figures.recall_by_frequency(plan_of(cells_of(METHODS), lambda cell: 0.3), "fun", "released")
    assert other.name == drawing.name
    assert figures.made(other, tmp_path) != svg
    assert names() == [".svg"]


RANKS = """
import sys
from hmc.report import figures, significance
from hmc.report.metric import MACRO_F1
from tests.report.examples import cells_of, place_of, plan_of

methods = [f"method_{place}" for place in range(9)]
cells = cells_of(methods, datasets=7, seeds=1)
plan = plan_of(cells, lambda cell: 0.1 + 0.01 * ((methods.index(cell.method) * 5 + place_of(cell) * 3) % 11))
drawing = figures.critical_difference(significance.analysis(plan, MACRO_F1, "released"))
sys.stdout.buffer.write(figures.render(drawing, ["svg"])["svg"])
"""


def test_the_diagram_of_ranks_has_the_same_bytes_whatever_order_sets_have():
    shown = {
        subprocess.run(
            [sys.executable, "-c", RANKS], capture_output=True, check=True, cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(shown) == 1
    assert next(iter(shown)).startswith(b"<?xml")


def test_titles_of_several_lines_have_room_above_their_panels():
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    from hmc.report.figures.drawing import panel_grid, title_lines

    names = [f"weighted_focal_bbma (protocol.reduction=sum, training.dropout=0.3, method.members={place})" for place in range(9)]
    lines = title_lines(names)
    assert lines >= 3
    figure, shown = panel_grid(len(names), width=2.3, height=1.9, title_lines=lines)
    for axes in shown:
        axes.set_title("\n".join(["title"] * lines), fontsize=8)
        axes.tick_params(axis="x", labelsize=6.5, rotation=30)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    renderer = canvas.get_renderer()
    for above, below in zip(shown[:4], shown[4:8], strict=True):
        assert below.title.get_window_extent(renderer).y1 < above.get_window_extent(renderer).y0
    assert shown[0].title.get_window_extent(renderer).y1 <= figure.bbox.y1


def test_the_matrix_leaves_out_methods_without_any_tested_pair():
    cells = [*cells_of(METHODS, datasets=8), *cells_of(["lpros"], datasets=2)]
    found = significance.analysis(
        plan_of(cells, lambda cell: 0.1 if cell.method == "lpros" else value(cell)), MACRO_F1, "released"
    )
    assert "lpros" in found.columns
    drawing = figures.significance_matrix(found)
    assert "Left out, without any tested pair: 1 method." in drawing.note
    assert not [word for word in texts(drawn(drawing)) if "lpros" in word]


# --- the figure of tuned thresholds -----------------------------------------------------------------------------------

TUNED = "scaled_rate"


def tuned_grid(cells, done=None, beside=()):
    """Macro F1 of a method at 0.5, twice that tuned, thrice that as macro AP."""
    records = [
        make_record(cell, {"macro_f1": value(cell), f"macro_f1@{TUNED}": 2 * value(cell), "macro_ap": 3 * value(cell)})
        for cell in (cells if done is None else done)
    ]
    floors = [make_record(cell, {"au_prc": 0.1, "macro_f1": 0.04}) for cell in beside]
    return build_grid(cells, collect([*records, *floors]).frame)


def test_tuned_thresholds_show_both_numbers_and_the_ranking_of_every_method_and_dataset():
    cells = cells_of(METHODS, datasets=3)
    floors = [make_cell(f"data_{place}", "predict_all", group="fun") for place in range(3)]
    drawing = figures.tuned_thresholds(tuned_grid(cells, beside=floors), TUNED)
    words = texts(drawn(drawing))
    assert {*METHODS, "predict_all", "data_0", "data_1", "data_2", "macro F1 (percent)", "macro AP (percent)"} <= set(words)
    assert "Trained on train and valid" in drawing.note
    assert "Point(half=10.0, tuned=20.0, ranking=30.0" in drawing.data
    assert "'data_0': 4.0" in drawing.data


def test_tuned_thresholds_are_of_complete_places_and_else_of_cells_trained_on_train_alone():
    cells = cells_of(METHODS, datasets=2)
    held_out = [
        make_cell(cell.dataset, cell.method, cell.seed, group="fun", epochs=3, departed=(("training.holdout", "valid"),))
        for cell in cells
    ]
    drawing = figures.tuned_thresholds(tuned_grid([*cells, *held_out], done=[*held_out[:-1]]), TUNED)
    assert "Trained on train alone (training.holdout=valid)" in drawing.note
    assert drawing.data.count("Point(") == 5
    both = figures.tuned_thresholds(tuned_grid([*cells, *held_out]), TUNED)
    assert "Trained on train and valid" in both.note
    assert both.data.count("Point(") == 6


def test_tuned_thresholds_mark_reconstructed_data_and_need_both_numbers():
    cells = cells_of(METHODS[:2], datasets=1)
    records = [make_record(cell, {"macro_f1": 0.1, f"macro_f1@{TUNED}": 0.2}, reconstructed="stand-in") for cell in cells]
    drawing = figures.tuned_thresholds(build_grid(cells, collect(records).frame), TUNED)
    assert "data_0 †" in texts(drawn(drawing))
    assert "† Reconstructed data." in drawing.note
    assert "macro AP (percent)" not in texts(drawn(drawing))
    only_half = build_grid(cells, collect(make_record(cell, {"macro_f1": 0.1}) for cell in cells).frame)
    for grid, rule in ((only_half, TUNED), (build_grid([], collect([]).frame), TUNED), (only_half, "half")):
        none = figures.tuned_thresholds(grid, rule)
        assert none.draw is None
        assert none.note.startswith("No figure: ")


def test_average_precision_by_frequency_is_drawn_like_recall():
    cells = cells_of(METHODS, datasets=1, seeds=1)
    names = ("macro_ap_frequency_1_3", "macro_ap_frequency_over_100")
    grid = build_grid(cells, collect(make_record(cell, dict.fromkeys(names, value(cell))) for cell in cells).frame)
    drawing = figures.precision_by_frequency(grid, "fun", "released", "scaled_rate")
    assert drawing.name == "macro_ap_frequency_fun_released"  # no rule changes it
    assert {*METHODS, "mean average precision of nodes (percent)", "1 to 3", "over 100"} <= set(texts(drawn(drawing)))


def test_a_rule_is_in_title_and_name_of_the_recall_by_frequency():
    cells = cells_of(METHODS, datasets=1, seeds=1)
    grid = build_grid(cells, collect(make_record(cell, {"recall_frequency_0@prior": value(cell)}) for cell in cells).frame)
    drawing = figures.recall_by_frequency(grid, "fun", "released", "prior")
    assert drawing.name == "recall_frequency_fun_released_prior"
    assert "with rule prior" in drawing.title
    assert drawing.draw is not None
    assert figures.recall_by_frequency(grid, "fun", "released").draw is None


def test_matplotlib_is_loaded_only_when_something_is_drawn():
    code = "import sys, hmc.report.page; print(sorted({'matplotlib', 'jinja2', 'torch', 'scikit_posthocs'} & set(sys.modules)))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown.strip() == "[]"
