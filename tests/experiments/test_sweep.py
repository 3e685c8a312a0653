"""What a sweep ends with."""

from __future__ import annotations

from hmc.experiments.sweep import ADVICE, sweep_table
from tests.results.examples import make_cell, make_record


def record(method: str, seed: int, macro_ap: float):
    return make_record(make_cell(method=method, seed=seed), validation={"macro_ap": macro_ap, "au_prc": 0.5, "macro_f1": 0.1})


def test_settings_are_sorted_by_held_out_rows_with_means_over_seeds() -> None:
    records = [record("weighted", 0, 0.2), record("chmcnn", 0, 0.3), record("chmcnn", 1, 0.5)]
    head, first, second = sweep_table(records).splitlines()
    assert head.split() == ["held-out", "rows,", "best", "first", "macro_ap", "au_prc", "macro_f1", "seeds"]
    assert first.split()[1:] == ["chmcnn", "0.4000", "0.5000", "0.1000", "2"]
    assert second.split()[1:] == ["weighted", "0.2000", "0.5000", "0.1000", "1"]


def test_without_held_out_rows_it_says_how_to_get_them_and_shows_no_test_metric() -> None:
    records = [make_record(make_cell(method=method)) for method in ("chmcnn", "weighted")]
    assert sweep_table(records) == ADVICE
    assert sweep_table(records[:1]) == ""
    assert sweep_table([]) == ""
