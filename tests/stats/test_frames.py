import numpy as np
import pandas as pd
import pytest
from scipy import stats

from hmc.stats.frames import compare
from hmc.stats.pairwise import Choices, ComparisonError

DATASETS = [f"d{place}" for place in range(7)]


def results(seeds=range(3)):
    """Three methods, seven datasets: new is above old everywhere but on d6, and third lies below both."""
    rows = []
    for (place, dataset), seed in ((pair, seed) for pair in enumerate(DATASETS) for seed in seeds):
        gain = 0.01 * (place + 1) * (-1 if dataset == "d6" else 1)
        rows += [
            {"dataset": dataset, "column": "old", "seed": seed, "macro_f1": 0.3 + 0.001 * seed, "status": "complete"},
            {"dataset": dataset, "column": "new", "seed": seed, "macro_f1": 0.3 + gain + 0.002 * seed, "status": "complete"},
            {"dataset": dataset, "column": "third", "seed": seed, "macro_f1": 0.1 + 0.001 * seed, "status": "complete"},
        ]
    return pd.DataFrame(rows)


def without(frame, **cell):
    hit = np.logical_and.reduce([frame[key] == value for key, value in cell.items()])
    return frame[~hit]


def test_over_datasets_pairs_means_of_seeds():
    (comparison,) = compare(results(), "new", "old", "macro_f1")
    frame = results().groupby(["column", "dataset"])["macro_f1"].mean()
    expected = stats.wilcoxon(np.round(frame["new"] - frame["old"], 12), method="exact")
    assert comparison.pairs.keys == tuple(DATASETS)
    assert comparison.pairs.a == pytest.approx(tuple(frame["new"]))
    assert comparison.p == pytest.approx(expected.pvalue)
    assert (comparison.wins, comparison.ties, comparison.losses) == (6, 0, 1)
    assert "7 datasets, means of 3 seeds each" in comparison.sentence()
    assert comparison.missing == ()


def test_over_seeds_is_a_family_over_datasets():
    judged = compare(results(range(8)), "new", "old", "macro_f1", "seeds", Choices("greater", resamples=100))
    assert [comparison.where for comparison in judged] == DATASETS
    assert [len(comparison.pairs.keys) for comparison in judged] == [8] * 7
    assert judged.comparisons[0].test.p == pytest.approx(2**-8)
    assert judged.comparisons[0].p == pytest.approx(7 * 2**-8)
    assert judged.comparisons[6].p == 1
    assert "Holm over the 7 with a p-value" in judged.sentence()


def test_means_are_over_shared_seeds_and_missing_cells_are_listed():
    frame = without(without(results(), dataset="d1", column="new", seed=2), dataset="d2", column="old")
    frame.loc[(frame["dataset"] == "d3") & (frame["column"] == "old") & (frame["seed"] == 0), "macro_f1"] = np.nan
    (comparison,) = compare(frame, "new", "old", "macro_f1")
    assert comparison.missing == ("new on d1, seed 2", "old on d2, seeds 0, 1, 2", "old on d3, seed 0")
    assert comparison.pairs.keys == ("d0", "d1", "d3", "d4", "d5", "d6")
    assert dict(zip(comparison.pairs.keys, comparison.pairs.b, strict=True))["d1"] == pytest.approx(0.3005)
    assert "6 datasets, means of 2 to 3 shared seeds each" in comparison.sentence()
    assert "missing: new on d1, seed 2; old on d2, seeds 0, 1, 2; old on d3, seed 0." in comparison.sentence()


def test_cells_planned_but_run_for_neither_method_are_listed_too():
    frame = results()
    frame.loc[(frame["dataset"] == "d0") & (frame["seed"] == 1), "macro_f1"] = np.nan
    (comparison,) = compare(frame, "new", "old", "macro_f1")
    assert comparison.missing == ("new on d0, seed 1", "old on d0, seed 1")
    assert len(comparison.pairs.keys) == 7


def test_over_seeds_a_dataset_of_one_method_is_a_sentence():
    judged = compare(without(results(), dataset="d2", column="old"), "new", "old", "macro_f1", "seeds")
    sentence = judged.comparisons[2].sentence()
    assert "no pairs where at least 5 are needed" in sentence
    assert "missing: old on d2, seeds 0, 1, 2" in sentence
    assert judged.tested == 0


def test_the_order_of_rows_does_not_matter():
    shuffled = results().sample(frac=1, random_state=0)
    for over in ("datasets", "seeds"):
        assert compare(shuffled, "new", "old", "macro_f1", over) == compare(results(), "new", "old", "macro_f1", over)


def test_a_failed_attempt_beside_a_result_is_no_second_result():
    failed = pd.DataFrame([{"dataset": "d0", "column": "old", "seed": 0, "macro_f1": np.nan, "status": "failed"}])
    frame = pd.concat([failed, results()], ignore_index=True)
    assert compare(frame, "new", "old", "macro_f1") == compare(results(), "new", "old", "macro_f1")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nwe", "old", "macro_f1", "datasets"), "no results of 'nwe'; did you mean 'new'"),
        (("new", "old", "macro_f", "datasets"), "metric='macro_f' is not in the results; did you mean 'macro_f1'"),
        (("new", "old", "seed", "datasets"), "metric='seed' is not in the results"),
        (("new", "old", "macro_f1", "dataset"), "over must be one of datasets, seeds, got 'dataset'; did you mean 'datasets'"),
        (("new", "new", "macro_f1", "datasets"), "must be two different methods, got 'new' twice"),
    ],
)
def test_unknown_names_are_refused_with_the_nearest_known_one(arguments, words):
    with pytest.raises(ComparisonError, match=words):
        compare(results(), *arguments)


def test_two_results_of_one_cell_are_refused():
    frame = pd.concat([results(), results()[:1]])
    with pytest.raises(ComparisonError, match="several results of d0, old, seed 0"):
        compare(frame, "new", "old", "macro_f1")


def test_a_table_without_its_keys_is_refused():
    with pytest.raises(ComparisonError, match="must have the column 'seed'"):
        compare(results().drop(columns="seed"), "new", "old", "macro_f1")
