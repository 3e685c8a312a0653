"""Every table of pairs has the same columns."""

from __future__ import annotations

from hmc.report import significance, sweeps
from hmc.report.metric import MACRO_F1
from hmc.report.pair_table import COLUMNS, pair_table
from hmc.report.table import DASH
from hmc.stats.pairwise import compare_pairs, family
from tests.report.examples import cells_of, place_of, plan_of
from tests.report.test_sweeps import better
from tests.report.test_sweeps import cells_of as swept_cells
from tests.report.test_sweeps import plan_of as swept_plan

VALUES = {f"d{place}": 0.5 + 0.01 * place for place in range(6)}
LESS = {name: value - 0.001 for name, value in VALUES.items()}


def test_wins_ties_and_losses_are_numbers_in_columns_of_their_own() -> None:
    pair = compare_pairs(VALUES, LESS | {"d0": VALUES["d0"], "d1": 0.9}, metric="macro_f1")
    table = pair_table("t", "T", [pair])
    row = dict(zip(table.header, table.rows[0], strict=True))
    assert [row[name].text() for name in ("n", "wins", "ties", "losses")] == ["6", "4", "1", "1"]
    assert all(table.numeric(table.header.index(name)) for name in ("n", "wins", "ties", "losses", "raw p"))
    assert row["metric"] == "Macro F1"


def test_columns_that_no_row_fills_are_left_out_and_raw_p_and_holms_bear_their_names() -> None:
    alone = pair_table("t", "T", [compare_pairs(VALUES, LESS, metric="macro_f1")])
    assert not {"dataset", "values", "Holm p"} & set(alone.header)
    assert "raw p" in alone.header
    together = pair_table("t", "T", family([compare_pairs(VALUES, LESS, metric="au_prc")] * 2))
    assert together.header[-2:] == ("raw p", "Holm p")
    assert [row[-2:] for row in together.text()] == [["0.0312", "0.0625"]] * 2
    assert any("Holm's correction" in note for note in together.notes)
    assert pair_table("t", "T", []).rows == ()


def test_values_that_came_about_alike_are_a_note_and_different_ones_a_column() -> None:
    one, other = (compare_pairs(VALUES, LESS, note=words) for words in ("one seed each", "means of 2 seeds each"))
    same = pair_table("t", "T", [one, one])
    assert "values" not in same.header
    assert "Values: one seed each." in same.notes
    table = pair_table("t", "T", [one, other])
    assert [row[table.header.index("values")] for row in table.rows] == ["one seed each", "means of 2 seeds each"]


def test_what_could_not_be_tested_is_a_dash() -> None:
    table = pair_table("t", "T", family([compare_pairs({}, {}), compare_pairs(VALUES, LESS)]))
    row = dict(zip(table.header, table.rows[0], strict=True))
    assert row["raw p"] == row["Holm p"] == row["difference a - b"] == DASH


def test_tables_over_datasets_seeds_and_conditions_have_these_columns_in_this_order() -> None:
    cells = cells_of(["chmcnn", "weighted"], seeds=6)
    plan = plan_of(cells, lambda cell: 0.1 + 0.01 * place_of(cell) + 0.001 * cell.seed + 0.1 * (cell.method == "weighted"))
    made = significance.tables(plan, significance.analyses(plan, [MACRO_F1]))
    conditions = [table for table in sweeps.tables(swept_plan(swept_cells(), better)) if table.name.startswith("conditions")]
    assert len(made) == 2
    assert len(conditions) == 1
    for table in (*made, *conditions):
        assert [column for column in COLUMNS if column in table.header] == list(table.header)
        assert table.keys == 3 + ("dataset" in table.header)
