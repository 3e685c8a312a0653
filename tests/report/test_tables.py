import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hmc.report import render, tables
from hmc.report.grid import AU_PRC, MACRO_F1, build_grid, compared_datasets
from hmc.report.render import DASH, Estimate
from hmc.results import Record, published, runs_csv, store
from tests.results.examples import make_cell, make_record

PAPERS = published.load()


def frame_of(records):
    return runs_csv.frame([store.row(record) for record in records])


def text_of(table):
    return {row[0]: row[1:] for row in table.text()}


def record_of(cell, value=0.5, **parts):
    metrics = {"au_prc": value, "macro_f1": value, "macro_precision": value, "macro_recall": value}
    return make_record(cell, {**metrics, **parts.pop("metrics", {})}, **parts)


def test_no_cells_no_tables_and_no_records_only_dashes():
    assert tables.tables(build_grid([], frame_of([])), PAPERS) == []
    made = tables.tables(build_grid([make_cell(), make_cell(method="other")], frame_of([])), PAPERS)
    assert {table.name for table in made} >= {"published_au_prc", "published_macro_f1", "non_genomic_results"}
    assert text_of(next(table for table in made if table.name == "non_genomic_results")) == {
        "chmcnn": [DASH] * 4,
        "other": [DASH] * 4,
    }
    assert ["(0 of 1 cells done)" in made[0].title, "(0 of 2 cells done)" in made[1].title] == [True, True]


# --- ours against published -----------------------------------------------------------------------------------------


def test_published_au_prc_compares_the_baseline_and_lists_generated_data_with_a_dash():
    cells = [
        *(make_cell(seed=seed) for seed in range(3)),
        make_cell(method="weighted"),
        make_cell("synthetic_tree", group="synthetic"),
        make_cell("cellcycle_fun", group="fun"),
    ]
    records = [record_of(cell, 0.755 + 0.001 * cell.seed) for cell in cells[:3]] + [record_of(cell, 0.5) for cell in cells[3:]]
    table = tables.published_au_prc(build_grid(cells, frame_of(records)), PAPERS)
    assert table.text() == [
        ["enron", "chmcnn", "0.756 ± 0.001", "3", "0.756 (n=10)", "+0.0000", "match"],
        ["synthetic_tree", "chmcnn", "0.500", "1", DASH, DASH, DASH],
        ["cellcycle_fun", "chmcnn", "0.500", "1", "0.2554 ± 0.0008 (n=10)", "+0.2446", "differs"],
    ]


def test_notes_speak_only_of_what_the_table_shows():
    cells = [make_cell(), make_cell("expr_fun", group="fun"), make_cell("synthetic_tree", group="synthetic")]
    records = [record_of(cell, reconstructed="stand-in" if cell.dataset == "expr_fun" else "") for cell in cells]
    made = {table.name: table for table in tables.tables(build_grid(cells, frame_of(records)), PAPERS)}
    assert {name for name, table in made.items() if any("†" in note for note in table.notes)} >= {
        "published_au_prc",
        "fun_results",
    }
    assert not any("†" in note or "Synthetic" in note for note in made["published_macro_f1"].notes)
    assert made["non_genomic_results"].notes == ()


def test_one_dataset_alone_has_methods_in_rows_and_metrics_in_columns():
    cells = [make_cell(method=method, seed=seed) for method in ("chmcnn", "weighted") for seed in range(2)]
    records = [
        record_of(cell, (0.3 if cell.method == "weighted" else 0.2) + 0.01 * cell.seed, metrics={"macro_precision": 0.5})
        for cell in cells
    ]
    made = {table.name: table for table in tables.tables(build_grid(cells, frame_of(records)), PAPERS)}
    table = made["non_genomic_results"]
    assert table.header == (
        "method",
        "Macro F1 (percent)",
        "Macro precision (percent)",
        "Macro recall (percent)",
        "AU(PRC) (fraction)",
    )
    assert table.text() == [
        ["chmcnn", "20.50 ± 0.71", "50.00 ± 0.00", "20.50 ± 0.71", "0.205 ± 0.007"],
        ["weighted", "30.50 ± 0.71", "50.00 ± 0.00", "30.50 ± 0.71", "0.305 ± 0.007"],
    ]
    assert table.strong == {(1, 1), (0, 2), (1, 2), (1, 3), (1, 4)}
    assert "non_genomic_macro_f1" not in made


def test_generated_or_own_data_are_never_compared_whatever_their_name():
    for group in ("synthetic", "own"):
        cells = [make_cell("enron", group=group)]
        plan = build_grid(cells, frame_of([record_of(cells[0], 0.756)]))
        assert tables.published_au_prc(plan, PAPERS).text() == [["enron", "chmcnn", "0.756", "1", DASH, DASH, DASH]]
        assert tables.published_macro_f1(plan, PAPERS).rows == ()


def test_published_macro_f1_compares_every_method_in_percent_and_says_that_none_is_named():
    cells = [make_cell(), make_cell(method="weighted")]
    table = tables.published_macro_f1(
        build_grid(cells, frame_of([record_of(cells[0], 0.127), record_of(cells[1], 0.155)])), PAPERS
    )
    assert table.text("{}!".format) == [
        ["enron", "chmcnn", "12.70", "1", "15.4", "-2.700", "differs"],
        ["enron", "weighted!", "15.50", "1", "15.4", "+0.100", "match"],
    ]
    assert any("does not name its method" in note for note in table.notes)
    assert "not named" in table.title


def test_a_mean_over_some_of_the_planned_seeds_is_not_given_nor_judged():
    cells = [make_cell(seed=seed) for seed in range(3)]
    table = tables.published_au_prc(build_grid(cells, frame_of([record_of(cell, 0.756) for cell in cells[:2]])), PAPERS)
    assert table.text() == [["enron", "chmcnn", "– (2/3)", "2", "0.756 (n=10)", DASH, "missing"]]


def test_reconstructed_data_are_marked_in_every_table_that_shows_their_numbers():
    cells = [make_cell("expr_fun", method, group="fun") for method in ("chmcnn", "weighted")]
    cells += [make_cell("spo_fun", method, group="fun") for method in ("chmcnn", "weighted")]
    depth = {"recall_depth_1": 0.5, "recall_frequency_0": 0.5}
    records = [
        record_of(cell, 0.302, metrics=depth, reconstructed="stand-in" if cell.dataset == "expr_fun" else "") for cell in cells
    ]
    made = {table.name: table for table in tables.tables(build_grid(cells, frame_of(records)), PAPERS)}
    assert made["published_au_prc"].text()[0] == ["expr_fun †", "chmcnn", "0.302", "1", "0.302 (n=10)", "+0.0000", "match †"]
    assert list(text_of(made["fun_macro_f1"])) == ["expr_fun †", "spo_fun", "mean of 2 datasets †"]
    assert list(text_of(made["fun_recall_ratio"])) == ["expr_fun †", "spo_fun"]
    assert list(text_of(made["fun_recall_depth"])) == ["chmcnn † (percent)", "weighted †"]
    for table in made.values():
        assert any("† wholly or partly on reconstructed data (stand-in)" in note for note in table.notes)


# --- results of a group ---------------------------------------------------------------------------------------------


def test_results_show_mean_and_spread_and_mark_the_best():
    cells = [
        make_cell(name, method, seed) for name in ("enron", "diatoms") for method in ("chmcnn", "weighted") for seed in (0, 1)
    ]
    records = [record_of(cell, (0.1 if cell.method == "chmcnn" else 0.2) + 0.01 * cell.seed) for cell in cells]
    table = tables.results(build_grid(cells, frame_of(records)), "non_genomic", MACRO_F1)
    assert table.title == "Macro F1 (percent), other datasets: mean ± standard deviation over seeds, n = 2"
    assert table.text("{}!".format) == [
        ["enron", "10.50 ± 0.71", "20.50 ± 0.71!"],
        ["diatoms", "10.50 ± 0.71", "20.50 ± 0.71!"],
        ["mean of 2 datasets", "10.50", "20.50!"],
    ]


def test_no_mean_over_datasets_and_no_best_where_a_cell_is_missing():
    cells = [make_cell(name, method) for name in ("enron", "diatoms") for method in ("chmcnn", "weighted")]
    records = [record_of(cell) for cell in cells[:3]]
    table = tables.results(build_grid(cells, frame_of(records)), "non_genomic", AU_PRC)
    assert text_of(table) == {"enron": ["0.500", "0.500"], "diatoms": ["0.500", DASH], "mean of 2 datasets": ["0.500", DASH]}
    assert table.strong == {(0, 1), (0, 2)}
    assert any("No mean is taken over the cells that happen to exist" in note for note in table.notes)


def test_a_method_that_is_not_planned_for_a_dataset_has_no_mean_over_datasets():
    cells = [make_cell("enron"), make_cell("diatoms"), make_cell("enron", "weighted")]
    table = tables.results(build_grid(cells, frame_of([record_of(cell) for cell in cells])), "non_genomic", AU_PRC)
    assert text_of(table)["mean of 2 datasets"] == ["0.500", DASH]


def test_unequal_seeds_are_shown_with_each_value():
    cells = [make_cell(), make_cell(method="weighted"), make_cell(method="weighted", seed=1)]
    table = tables.results(build_grid(cells, frame_of([record_of(cell) for cell in cells])), "non_genomic", AU_PRC)
    assert "n in brackets" in table.title
    assert text_of(table)["enron"] == ["0.500 (1)", "0.500 ± 0.000 (2)"]


def test_a_record_of_other_settings_or_a_failure_fills_no_cell():
    cells = [make_cell(epochs=3), make_cell("diatoms")]
    records = [record_of(make_cell(epochs=2)), Record.failed(cells[1], "no memory")]
    table = tables.results(build_grid(cells, frame_of(records)), "non_genomic", AU_PRC)
    assert text_of(table) == {"enron": [DASH], "diatoms": [DASH], "mean of 2 datasets": [DASH]}


def test_variants_and_protocols_are_columns_of_their_own():
    cells = [make_cell(), make_cell(epochs=5, departed=(("training.epochs", 5),)), make_cell(protocol="corrected")]
    table = tables.results(build_grid(cells, frame_of([record_of(cell) for cell in cells])), "non_genomic", AU_PRC)
    assert table.header == ("dataset", "chmcnn", "chmcnn (training.epochs=5)", "chmcnn (corrected)")


def test_two_cells_in_one_place_are_refused_and_one_named_twice_counts_once():
    with pytest.raises(ValueError, match="both called enron, chmcnn, seed 0"):
        build_grid([make_cell(epochs=2), make_cell(epochs=3)], frame_of([]))
    assert len(build_grid([make_cell(), make_cell()], frame_of([]))) == 1


@given(st.data())
def test_a_mean_over_datasets_exists_exactly_where_all_its_cells_do(data):
    cells = [make_cell(name, method, seed) for name in ("enron", "diatoms") for method in ("a", "b") for seed in (0, 1)]
    done = data.draw(st.sets(st.sampled_from(range(len(cells)))))
    values = {place: data.draw(st.floats(0, 1)) for place in done}
    records = [record_of(cells[place], value) for place, value in values.items()]
    table = tables.results(build_grid(cells, frame_of(records)), "non_genomic", AU_PRC)
    for column, method in ((1, "a"), (2, "b")):
        wanted = [place for place, cell in enumerate(cells) if cell.method == method]
        entry = table.rows[-1][column]
        if done.issuperset(wanted):
            assert isinstance(entry, Estimate)
            assert entry.mean == pytest.approx(sum(values[place] for place in wanted) / 4)
        else:
            assert entry == DASH


def closeness_table(values, seeds, names=("enron",)):
    """Macro F1 of each method, a value by seed."""
    cells = [make_cell(name, method, seed) for name in names for method in values for seed in range(seeds)]
    records = [record_of(cell, values[cell.method](cell.seed)) for cell in cells]
    return tables.results(build_grid(cells, frame_of(records)), "non_genomic", MACRO_F1)


def near(seed):
    """On average a little less than 0.5, above it for some seeds."""
    return 0.5 + (0.02 if seed % 2 else -0.03)


def test_what_is_not_significantly_different_from_the_best_is_close():
    values = {"worse": lambda seed: 0.4 + 0.001 * seed, "best": lambda seed: 0.5 + 0.001 * seed, "near": near}
    table = closeness_table(values, 8, names=("enron", "diatoms"))
    assert table.strong == {(0, 2), (1, 2), (2, 2)}
    assert table.close == {(0, 3), (1, 3)}  # not in the mean over datasets, where no seeds are paired
    assert sum("not significantly different" in note for note in table.notes) == 1
    assert not any("cannot tell" in note for note in table.notes)


def test_too_few_seeds_mark_nothing_and_say_how_many_are_needed():
    values = {"best": lambda seed: 0.5, "near": near}
    made = {seeds: closeness_table(values, seeds) for seeds in (1, 5, 6)}
    assert [sorted(table.close) for table in made.values()] == [[], [], [(0, 2)]]
    assert ["cannot tell" in " ".join(table.notes) for table in made.values()] == [True, True, False]
    assert any("too few: 1 seed cannot tell: at least 6 are needed." in note for note in made[1].notes)
    assert any("too few: 5 seeds cannot tell: at least 6 are needed." in note for note in made[5].notes)
    assert not any("Italic" in note for note in made[5].notes)


def test_more_methods_need_more_seeds_because_of_holm():
    values = {"best": lambda seed: 0.5, **{f"worse_{place}": lambda seed: 0.1 + 0.01 * seed for place in range(2)}}
    six, seven = closeness_table(values, 6), closeness_table(values, 7)
    assert six.close == seven.close == frozenset()
    assert any("6 seeds cannot tell: at least 7 are needed" in note for note in six.notes)
    assert not any("cannot tell" in note for note in seven.notes)


def test_an_incomplete_row_has_nothing_close():
    cells = [make_cell("enron", method, seed) for method in ("chmcnn", "weighted") for seed in range(8)]
    frame = frame_of([record_of(cell, near(cell.seed)) for cell in cells[:-1]])
    table = tables.results(build_grid(cells, frame), "non_genomic", MACRO_F1)
    assert table.close == frozenset()
    assert not any("significantly" in note for note in table.notes)


# --- recall of rare nodes -------------------------------------------------------------------------------------------


def recall_records():
    cells = [make_cell(name, method) for name in ("enron", "diatoms") for method in ("chmcnn", "weighted")]
    recalls = {
        ("enron", "chmcnn"): {
            "recall_frequency_0": 0.0,
            "recall_frequency_1_3": 0.1,
            "recall_depth_2": 0.2,
            "recall_depth_10": 0.1,
        },
        ("enron", "weighted"): {
            "recall_frequency_0": 0.1,
            "recall_frequency_1_3": 0.2,
            "recall_depth_2": 0.3,
            "recall_depth_10": 0.5,
        },
        ("diatoms", "chmcnn"): {"recall_frequency_1_3": 0.3, "recall_depth_2": 0.2},
        ("diatoms", "weighted"): {"recall_frequency_1_3": 0.4, "recall_depth_2": 0.3},
    }
    return cells, [record_of(cell, metrics=recalls[cell.dataset, cell.method]) for cell in cells]


def test_recall_profiles_are_ratios_to_the_baseline_in_order_of_the_ranges():
    cells, records = recall_records()
    frequency, depth = tables.recall_profiles(build_grid(cells, frame_of(records)), "non_genomic")
    assert frequency.header == ("method", "0", "1 to 3")
    assert frequency.text() == [["chmcnn (percent)", "0.00", "20.00"], ["weighted", DASH, "1.50"]]
    assert depth.header == ("method", "depth 2", "depth 10")
    assert depth.text() == [["chmcnn (percent)", "20.00", "10.00"], ["weighted", "1.50", "5.00"]]


def test_recall_profiles_wait_for_every_dataset():
    cells, records = recall_records()
    frequency, _ = tables.recall_profiles(build_grid(cells, frame_of(records[:-1])), "non_genomic")
    assert frequency.text() == [["chmcnn (percent)", "0.00", "20.00"], ["weighted", DASH, DASH]]


def test_recall_profiles_are_of_the_datasets_on_which_most_is_compared():
    cells, records = recall_records()
    once = make_cell("imclef07a", "chmcnn")
    whole, more = (
        [table.text() for table in tables.recall_profiles(build_grid(some, frame_of(records)), "non_genomic")]
        for some in (cells, [*cells, once])
    )
    assert more == whole
    frequency, _ = tables.recall_profiles(build_grid([cells[0], once], frame_of(records)), "non_genomic")
    assert "enron, imclef07a" in " ".join(frequency.notes)


@pytest.mark.parametrize(
    ("planned", "compared"),
    [
        ({"chmcnn": "abcd", "weighted": "abc", "focal_bbma": "ab", "lpros": "a"}, "ab"),
        ({"chmcnn": "abcd", "weighted": "abc", "focal_bbma": "abc", "lpros": "a"}, "abc"),
        ({"chmcnn": "abcd"}, "abcd"),
        ({"chmcnn": "ab", "weighted": "cd"}, "ab"),
        ({"chmcnn": "ab", "weighted": "bcd", "lpros": "bcd"}, "b"),
        ({"chmcnn": "abcd", "weighted": "abcd", "lpros": "bc"}, "bc"),
        ({"weighted": "abc", "lpros": "ab", "hros_pd": "ab"}, "ab"),
    ],
)
def test_compared_datasets(planned: dict[str, str], compared: str):
    plan = pd.DataFrame([(column, name) for column, names in planned.items() for name in names], columns=["column", "dataset"])
    assert compared_datasets(plan, "chmcnn") == set(compared)


def test_recall_by_dataset():
    cells = [make_cell(name, method) for name in ("enron", "diatoms") for method in ("chmcnn", "weighted")]
    values = (0.1, 0.5, 0.0, 0.2)
    records = [record_of(cell, value) for cell, value in zip(cells, values, strict=True)]
    table = tables.recall_by_dataset(build_grid(cells, frame_of(records)), "non_genomic")
    assert text_of(table) == {"enron": ["1.00", "5.00"], "diatoms": [DASH, DASH]}


def test_without_the_baseline_there_is_no_ratio():
    names = {table.name for table in tables.tables(build_grid([make_cell(method="weighted")], frame_of([])), PAPERS)}
    assert not any("recall_ratio" in name or "recall_depth" in name for name in names)


# --- all together ---------------------------------------------------------------------------------------------------


def test_tables_do_not_depend_on_the_order_of_the_records_and_fit_a_terminal(tmp_path):
    cells, records = recall_records()
    forward = tables.tables(build_grid(cells, frame_of(records)), PAPERS)
    backward = tables.tables(build_grid(cells, frame_of(reversed(records))), PAPERS)
    assert forward == backward
    names = [table.name for table in forward]
    assert len(set(names)) == len(names) == 9
    for table in forward:
        assert max(len(line) for line in render.terminal(table, 120).splitlines()) <= 120
