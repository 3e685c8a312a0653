import dataclasses
import re

import pytest

from hmc.report import claims, figures, page, sweeps
from hmc.report.criteria import NOT_SUPPORTED, NOT_TESTED, SUPPORTED
from hmc.report.grid import build_grid, collect
from hmc.settings import Cell, EncoderSettings, variant
from tests.report.examples import from_outside, record_of, results_of
from tests.results.examples import make_cell, make_record

METHODS = ("ensemble", "weighted", "weighted_focal_bbma")
NOISE = (0, 0.25, 0.5, 0.75, 1)
FRACTIONS = (0.05, 0.1, 0.25, 0.5)
ENCODER = ("encoder.name", "small_convolution")
OTHERS = (ENCODER, ("method.members", 5))


def cell_at(method, seed, *, noise=0.0, fraction=1.0, protocol="released", others=OTHERS):
    """A cell of images with the settings and the departures that a suite gives it."""
    plain = make_cell("digits", method, seed, group="images", protocol=protocol)
    dataset = dataclasses.replace(plain.settings.dataset, kind="digits", fraction=fraction)
    settings = dataclasses.replace(plain.settings, dataset=dataset, encoder=EncoderSettings("small_convolution", noise=noise))
    levels = [("dataset.fraction", fraction)] * (fraction < 1) + [("encoder.noise", noise)] * (noise > 0)
    return Cell(settings, "ab" * 32, tuple(sorted([*levels, *others])))


def cells_of(methods=METHODS, seeds=3, protocol="released", noise=NOISE, fractions=FRACTIONS):
    conditions = [*({"noise": level} for level in noise), *({"fraction": level} for level in fractions)]
    return [
        cell_at(method, seed, protocol=protocol, **condition)
        for condition in conditions
        for method in methods
        for seed in range(seeds)
    ]


def better(cell):
    """The more noise and the fewer data the less, and of the methods the later the more."""
    level = (1 - cell.settings.encoder.noise) * (0.5 + 0.5 * cell.settings.dataset.fraction)
    return 0.1 + 0.5 * level + 0.05 * METHODS.index(cell.method) * (1 + level) + 0.01 * cell.seed


def plan_of(cells, value=better, done=None):
    return build_grid(cells, results_of(cells if done is None else done, value).frame)


def test_both_settings_are_swept_and_what_the_cells_share_is_told():
    noise, fraction = sweeps.sweeps(plan_of(cells_of()))
    assert (noise.swept.key, noise.levels, noise.labels) == ("encoder.noise", list(NOISE), list(METHODS))
    assert (fraction.swept.key, fraction.levels) == ("dataset.fraction", [*FRACTIONS, 1.0])
    assert noise.where == f"digits ({variant(OTHERS)}), protocol released"
    assert len(noise.at("weighted", 0.5)) == 3


def test_two_levels_are_no_sweep():
    assert not sweeps.sweeps(plan_of(cells_of(noise=(0, 0.5), fractions=())))
    assert sweeps.tables(plan_of([make_cell()], lambda cell: 0.5)) == []


def test_a_cell_with_other_settings_is_not_in_the_sweep():
    others = [cell_at("chmcnn", 0, others=(ENCODER,))]
    (noise,) = sweeps.sweeps(plan_of([*cells_of(fractions=()), *others], lambda cell: 0.5))
    assert noise.labels == list(METHODS)


def test_the_table_of_a_sweep_has_a_row_a_metric_and_level_and_marks_the_best():
    table = sweeps.tables(plan_of(cells_of(fractions=())))[0]
    assert table.header == ("metric", "noise", *METHODS)
    assert [tuple(row[:2]) for row in table.text()[:6]] == [
        *(("Macro recall (percent)", f"{level:g}") for level in NOISE),
        ("Macro F1 (percent)", "0"),
    ]
    assert table.text()[0][2:4] == ["61.00 ± 1.00", "71.00 ± 1.00"]
    assert table.keys == 2
    assert {column for _, column in table.strong} == {4}


def test_methods_are_tested_over_conditions_each_once():
    part = sweeps.conditions(plan_of(cells_of()))
    assert len(set(part["dataset"])) == len(NOISE) + len(FRACTIONS)
    assert {"digits", "digits, noise 0.25", "digits, fraction 0.05"} < set(part["dataset"])
    pairs = sweeps.over_conditions(part, sweeps.MACRO_F1)
    assert [(pair.a, pair.b, pair.test.n) for pair in pairs] == [
        ("ensemble", "weighted", 9),
        ("ensemble", "weighted_focal_bbma", 9),
        ("weighted", "weighted_focal_bbma", 9),
    ]
    assert pairs[0].p_holm == pytest.approx(3 * 2 / 2**9)
    assert pairs[0].losses == 9


def test_methods_are_compared_over_conditions_by_the_seeds_that_both_have():
    def value(cell):
        return 0.3 + 0.1 * cell.seed + 0.01 * (cell.method == "weighted")

    cells = [*cells_of(["ensemble"], seeds=2), *cells_of(["weighted"], seeds=1)]
    (pair,) = sweeps.over_conditions(sweeps.conditions(plan_of(cells, value)), sweeps.MACRO_F1)
    assert pair.pairs.a == pytest.approx([0.3] * 9)
    assert (pair.wins, pair.losses) == (0, 9)


def test_a_rule_is_in_tables_and_figures_of_sweeps_and_macro_ap_where_a_record_has_it():
    cells = cells_of(fractions=(), seeds=1)
    names = ("macro_f1@prior", "macro_recall@prior", "macro_ap")
    records = [make_record(cell, dict.fromkeys(names, better(cell))) for cell in cells]
    grid = build_grid(cells, collect(records).frame)
    numbers, tests = sweeps.tables(grid, "prior")
    assert numbers.name == "sweep_noise_digits_released_prior"
    assert tests.name == "conditions_released_prior"
    titles = ["Macro recall with rule prior", "Macro F1 with rule prior", "Macro AP"]
    assert list(dict.fromkeys(row[0] for row in numbers.rows)) == [f"{title} (percent)" for title in titles]
    assert list(dict.fromkeys(row[0] for row in tests.rows)) == titles
    drawing = figures.sweep_curves(sweeps.sweeps(grid)[0], "prior")
    assert drawing.name == numbers.name
    assert drawing.title.startswith("Macro recall with rule prior, macro F1 with rule prior and macro AP (percent)")


def test_reference_predictors_and_scores_from_outside_are_in_no_sweep():
    cells = cells_of(seeds=1, fractions=())
    plain = [make_cell("digits", method, group="images") for method in ("predict_all", "mine")]
    beside = [record_of(plain[0]), from_outside(plain[1], {"macro_f1": 0.5})]
    grid = build_grid(cells, collect([*(record_of(cell, better(cell)) for cell in cells), *beside]).frame)
    assert len(grid) == len(cells) + 2
    (noise,) = sweeps.sweeps(grid)
    assert noise.labels == list(METHODS)
    assert set(sweeps.conditions(grid)["column"]) == set(METHODS)


def test_sweeps_that_differ_in_other_settings_have_names_of_their_own():
    other = [cell_at("ensemble", 0, noise=level, others=(("method.members", 2),)) for level in NOISE]
    found = sweeps.sweeps(plan_of([*cells_of(fractions=()), *other], lambda cell: 0.5))
    assert {one.name for one in found} == {
        "sweep_noise_digits_released_encoder.name_small_convolution__method.members_5",
        "sweep_noise_digits_released_method.members_2",
    }


def test_an_incomplete_level_is_left_out_and_named():
    cells = cells_of(fractions=())
    plan = plan_of(cells, done=cells[:-1])
    (noise,) = sweeps.sweeps(plan)
    assert sweeps.shown_levels(noise, "weighted_focal_bbma", sweeps.MACRO_F1) == [0, 0.25, 0.5, 0.75]
    drawing = figures.sweep_curves(noise)
    assert "Not complete and left out: weighted_focal_bbma at 1." in drawing.note
    assert sweeps.over_conditions(sweeps.conditions(plan), sweeps.MACRO_F1)[1].test.n == 4


def test_the_curves_name_metrics_methods_and_levels():
    noise, fraction = sweeps.sweeps(plan_of(cells_of()))
    for sweep, ticks in ((noise, ["0", "0.25", "0.5", "0.75", "1"]), (fraction, ["0.05", "0.1", "0.25", "0.5", "1"])):
        rendered = figures.render(figures.sweep_curves(sweep))
        words = re.findall(r">([^<>]+)</text>", rendered["svg"].decode())
        assert {*METHODS, "Macro recall", "Macro F1", "AU(PRC)", "percent", sweep.swept.title, *ticks} <= set(words)
        assert rendered["png"].startswith(b"\x89PNG")
        assert rendered["pdf"].startswith(b"%PDF")


def page_of(cells, results, folder, suite):
    grid = build_grid(cells, results.frame)
    return page.write_page(grid, results, [], claims.judge(claims.load(), grid), folder, suite=suite).read_text()


def test_the_page_shows_the_sweeps_and_is_the_same_without_any(tmp_path):
    cells = cells_of(seeds=2)
    results = results_of(cells, better)
    text = page_of(cells, results, tmp_path, suite="trial")
    assert '<h2 id="sweeps">' in text
    assert (tmp_path / "trial" / "sweep_noise_digits_released.svg").is_file()
    assert (tmp_path / "trial" / "sweep_fraction_digits_released.svg").is_file()
    plain = [make_cell()]
    assert 'id="sweeps"' not in page_of(plain, results_of(plain, lambda cell: 0.5), tmp_path, suite="b")


def judged(plan, protocol="released"):
    (one,) = [one for one in claims.judge(claims.load(), plan) if one.claim.id == "images" and one.protocol == protocol]
    return one


def test_the_claim_on_images_is_decided_over_conditions_and_says_on_which_images():
    one = judged(plan_of(cells_of()))
    assert one.verdict == SUPPORTED
    assert [finding.n for finding in one.findings] == [9, 9]
    assert "Judged by embedded images" in one.sentence
    assert "9 conditions" in one.sentence
    worse = judged(plan_of(cells_of(), lambda cell: 1 - better(cell)))
    assert worse.verdict == NOT_SUPPORTED
    assert "differs the other way" in worse.sentence


def test_conditions_of_images_decide_no_other_claim():
    plan = plan_of(cells_of(("chmcnn", *METHODS)), lambda cell: 0.1 if cell.method == "chmcnn" else better(cell))
    verdicts = {one.claim.id: one.verdict for one in claims.judge(claims.load(), plan)}
    assert {name: verdict for name, verdict in verdicts.items() if verdict != NOT_TESTED} == {"images": SUPPORTED}


def test_too_few_conditions_decide_nothing():
    one = judged(plan_of(cells_of(fractions=())))
    assert one.verdict == NOT_TESTED
    assert "5 conditions are complete where at least 6 are needed" in one.sentence


def test_other_figures_leave_out_what_all_columns_share():
    cells = cells_of(("weighted",), seeds=1, noise=(0, 0.5), fractions=(), protocol="corrected")
    results = results_of(cells, better)
    plan = build_grid(cells, results.frame)
    for drawing in (
        figures.recall_by_frequency(plan, "images", "corrected"),
        figures.learning_curves(plan, results.curves, "images", "corrected"),
    ):
        assert f"All with {variant(OTHERS)}." in drawing.note
        assert "'weighted (corrected)'" in drawing.data
        assert "'weighted (corrected, encoder.noise=0.5)'" in drawing.data
