from hmc.report import profile_tables
from hmc.report.table import DASH
from tests.report.examples import grid_of, record_of, text_of
from tests.results.examples import make_cell


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


def profiles_of(grid, group):
    """Of recall by frequency and depth."""
    return profile_tables.profiles(grid, group)[:2]


def test_recall_profiles_are_ratios_to_the_baseline_in_order_of_the_ranges():
    cells, records = recall_records()
    frequency, depth = profiles_of(grid_of(cells, records), "non_genomic")
    assert frequency.header == ("method", "0", "1 to 3")
    assert frequency.text() == [["chmcnn (percent)", "0.00", "20.00"], ["weighted", DASH, "1.50"]]
    assert depth.header == ("method", "depth 2", "depth 10")
    assert depth.text() == [["chmcnn (percent)", "20.00", "10.00"], ["weighted", "1.50", "5.00"]]


def test_recall_profiles_wait_for_every_dataset():
    cells, records = recall_records()
    frequency, _ = profiles_of(grid_of(cells, records[:-1]), "non_genomic")
    assert frequency.text() == [["chmcnn (percent)", "0.00", "20.00"], ["weighted", DASH, DASH]]


def test_recall_profiles_are_of_the_datasets_on_which_most_is_compared():
    cells, records = recall_records()
    once = make_cell("imclef07a", "chmcnn")
    whole, more = (
        [table.text() for table in profiles_of(grid_of(some, records), "non_genomic")] for some in (cells, [*cells, once])
    )
    assert more == whole
    frequency, _ = profiles_of(grid_of([cells[0], once], records), "non_genomic")
    assert "enron, imclef07a" in " ".join(frequency.notes)


def test_recall_by_dataset():
    cells = [make_cell(name, method) for name in ("enron", "diatoms") for method in ("chmcnn", "weighted")]
    values = (0.1, 0.5, 0.0, 0.2)
    records = [record_of(cell, value) for cell, value in zip(cells, values, strict=True)]
    table = profile_tables.recall_by_dataset(grid_of(cells, records), "non_genomic")
    assert text_of(table) == {"enron": ["1.00", "5.00"], "diatoms": [DASH, DASH]}


def test_average_precision_has_a_profile_of_its_own_and_no_rule_changes_it():
    cells = [make_cell(method=method) for method in ("chmcnn", "weighted")]
    records = [
        record_of(
            cell, metrics={"macro_ap_frequency_1_3": 0.1 if cell.method == "chmcnn" else 0.15, "recall_frequency_1_3@prior": 0.5}
        )
        for cell in cells
    ]
    grid = grid_of(cells, records)
    recall, _, precision = profile_tables.profiles(grid, "non_genomic", "prior")
    assert precision.name == "non_genomic_macro_ap_frequency"
    assert precision.text() == [["chmcnn (percent)", "10.00"], ["weighted", "1.50"]]
    assert recall.name == "non_genomic_recall_frequency_prior"
    assert "with rule prior" in recall.title
    assert recall.text() == [["chmcnn (percent)", "50.00"], ["weighted", "1.00"]]
    assert profile_tables.profiles(grid, "non_genomic")[0].rows == ()


def test_reference_predictors_stand_in_the_profiles_and_do_not_choose_the_datasets():
    cells, records = recall_records()
    beside = record_of(make_cell(method="predict_all"), metrics={"recall_frequency_1_3": 1.0})
    whole = profiles_of(grid_of(cells, records), "non_genomic")[0]
    more = profiles_of(grid_of(cells, [*records, beside]), "non_genomic")[0]
    assert more.text()[:-1] == whole.text()
    assert more.text()[-1] == ["predict_all", DASH, DASH]  # not on all of these datasets


def test_cells_trained_on_train_alone_stand_beside_the_baseline_trained_alike():
    held_out = (("training.holdout", "valid"),)
    cells = [make_cell(method=method) for method in ("chmcnn", "weighted")]
    cells += [make_cell(method=method, epochs=3, departed=held_out) for method in ("chmcnn", "weighted")]
    values = dict(zip((cell.identity for cell in cells), (0.1, 0.2, 0.2, 0.6), strict=True))
    records = [record_of(cell, metrics={"recall_frequency_1_3": values[cell.identity]}) for cell in cells]
    made = {table.name: text_of(table) for table in profile_tables.rare_nodes(grid_of(cells, records), "non_genomic")}
    assert made["non_genomic_recall_frequency"] == {"chmcnn (percent)": ["10.00"], "weighted": ["2.00"]}
    assert made["non_genomic_recall_frequency_holdout"] == {
        "chmcnn (training.holdout=valid) (percent)": ["20.00"],
        "weighted (training.holdout=valid)": ["3.00"],
    }
