"""Scores from outside: every way in, and every mistake in one line."""

import numpy as np
import pytest

from hmc.hierarchy import from_edges
from hmc.scores import ScoresError
from hmc.scores.outside import has_held_out, read_outside

TREE = from_edges(["root", "a", "b", "a/1"], [("root", "a"), ("root", "b"), ("a", "a/1")])
SCORES = np.array([[1, 0.9, 0.2, 0.5], [1, 0.6, 0.7, 0.6], [1, 0.1, 0.4, 0.1]])
ROWS = {"test": 3, "held_out": 2}
IDS = {"test": ["x", "y", "z"], "held_out": ["v", "w"]}


def npz(folder, name="scores.npz", **arrays):
    path = folder / name
    np.savez(path, **arrays)
    return path


def csv(folder, *lines, name="scores.csv"):
    path = folder / name
    path.write_text("\n".join([*lines, ""]))
    return path


def read(path, **options):
    return read_outside(path, TREE, ROWS, IDS, **options)


def problem(path, **options):
    with pytest.raises(ScoresError) as raised:
        read(path, **options)
    text = str(raised.value)
    assert "\n" not in text
    return text.replace(str(path.parent), "")


# --- what is read ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_an_npz_is_read_as_float32(tmp_path, dtype):
    found = read(npz(tmp_path, test=SCORES.astype(dtype)))
    assert list(found) == ["test"]
    assert found["test"].dtype == np.float32
    assert (found["test"] == SCORES.astype(dtype).astype(np.float32)).all()


def test_whole_numbers_are_scores_too(tmp_path):
    assert read(npz(tmp_path, test=np.ones((3, 4), dtype=int)))["test"].tolist() == np.ones((3, 4)).tolist()


def test_held_out_rows_come_with_an_npz(tmp_path):
    path = npz(tmp_path, test=SCORES, held_out=SCORES[:2])
    assert (read(path)["held_out"] == SCORES[:2].astype(np.float32)).all()
    assert has_held_out(path)
    assert not has_held_out(npz(tmp_path, "other.npz", test=SCORES))
    assert not has_held_out(tmp_path / "scores.csv")


def test_named_columns_come_in_any_order(tmp_path):
    order = [3, 0, 2, 1]
    found = read(npz(tmp_path, test=SCORES[:, order], nodes=np.array([TREE.names[place] for place in order])))
    assert (found["test"] == SCORES.astype(np.float32)).all()


def test_an_unevaluated_node_that_is_not_given_has_the_maximum_below_it(tmp_path):
    found = read(npz(tmp_path, test=SCORES[:, 1:], nodes=np.array(TREE.names[1:])))["test"]
    assert found[:, 0].tolist() == pytest.approx([0.9, 0.7, 0.4])
    assert (found[:, 1:] == SCORES[:, 1:].astype(np.float32)).all()


def test_a_csv_is_read_by_the_names_of_its_columns(tmp_path):
    path = csv(tmp_path, "b,a/1,a", "0.2,0.5,0.9", "0.7,0.6,0.6", "0.4,0.1,1e-1")
    assert (read(path)["test"][:, 1:] == SCORES[:, 1:].astype(np.float32)).all()


def test_rows_of_a_csv_are_put_in_order_by_their_ids(tmp_path):
    path = csv(tmp_path, "id,a,b,a/1", "z,0.1,0.4,0.1", "x,0.9,0.2,0.5", "y,0.6,0.7,0.6")
    assert (read(path)["test"][:, 1:] == SCORES[:, 1:].astype(np.float32)).all()


def test_held_out_rows_of_a_csv_are_a_second_file_with_ids_of_their_own(tmp_path):
    path = csv(tmp_path, "a,b,a/1", "0.9,0.2,0.5", "0.6,0.7,0.6", "0.1,0.4,0.1")
    second = csv(tmp_path, "id,a,b,a/1", "w,0.3,0.2,0.1", "v,0.6,0.5,0.4", name="held.csv")
    found = read(path, held_out_path=second)
    assert found["held_out"][:, 1:].tolist() == [pytest.approx([0.6, 0.5, 0.4]), pytest.approx([0.3, 0.2, 0.1])]


def test_incoherent_scores_are_refused_or_made_coherent(tmp_path):
    wrong = SCORES.copy()
    wrong[1, 3] = 0.8
    path = npz(tmp_path, test=wrong)
    assert problem(path) == (
        "/scores.npz: test: in row 1 the node 'a' has 0.6, less than one below it (0.8); correct it, or set coherent=maximum to "
        "take the maximum over descendants"
    )
    assert read(path, incoherent="maximum")["test"][1].tolist() == [1, np.float32(0.8), np.float32(0.7), np.float32(0.8)]
    assert read(path, incoherent="maximum")["test"][0].tolist() == SCORES[0].astype(np.float32).tolist()


def test_a_difference_that_float32_cannot_hold_is_not_incoherent(tmp_path):
    close = SCORES.copy()
    close[0, 3] = close[0, 1] + 1e-12
    assert read(npz(tmp_path, test=close))["test"][0, 3] == read(npz(tmp_path, test=close))["test"][0, 1]


# --- what is refused ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["scores.txt", "scores", "scores.npy"])
def test_another_ending_is_refused(tmp_path, name):
    assert f"scores={'/' + name} must be an .npz or a .csv file, got " in problem(tmp_path / name)


def test_a_file_that_is_not_there_is_an_os_error(tmp_path):
    for name in ("scores.npz", "scores.csv"):
        with pytest.raises(FileNotFoundError):
            read(tmp_path / name)


@pytest.mark.parametrize("content", [b"", b"not an archive", b"PK\x03\x04"])
def test_what_is_no_npz_is_refused(tmp_path, content):
    path = tmp_path / "scores.npz"
    path.write_bytes(content)
    assert "/scores.npz cannot be read as .npz (" in problem(path)
    assert "write it with numpy.savez, without objects" in problem(path)


def test_objects_are_not_loaded(tmp_path):
    assert "cannot be read as .npz (ValueError)" in problem(npz(tmp_path, test=np.array([[print] * 4] * 3, dtype=object)))


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"scores": SCORES}, "/scores.npz must have an array 'test' [test rows, nodes]"),
        ({"test": SCORES[0]}, "test must have two axes, [rows, nodes], got shape (4,)"),
        ({"test": SCORES[:, :3]}, "test must have 4 columns, all nodes in the dataset's order, roots included, got 3; or name"),
        ({"test": SCORES[:2]}, "test must have 3 rows, one for each row of the dataset's split, got 2"),
        ({"test": SCORES, "held_out": SCORES}, "held_out must have 2 rows, one for each row of the dataset's split, got 3"),
        ({"test": SCORES.astype(str)}, "test must hold numbers, got <U32"),
        ({"test": SCORES[:, 1:].astype(str), "nodes": np.array(TREE.names[1:])}, "test must hold numbers, got <U32"),
        ({"test": SCORES > 0.5}, "test must hold numbers, got bool"),
        ({"test": SCORES + 0j}, "test must hold numbers, got complex128"),
        ({"test": SCORES - 0.5}, "row 0, node 'b' has the score -0.30000001192092896; scores must lie in [0, 1]"),
        ({"test": SCORES * 2}, "row 0, node 'root' has the score 2.0; scores must lie in [0, 1]"),
        ({"test": SCORES * np.nan}, "row 0, node 'root' has the score nan; scores must lie in [0, 1]"),
        ({"test": SCORES[:, 1:] * np.inf, "nodes": np.array(TREE.names[1:])}, "node 'root' has the score inf"),
        ({"test": SCORES, "nodes": np.array(TREE.names[:3])}, "test has 4 columns and 3 names; give each column one name"),
        ({"test": SCORES, "nodes": np.array(["root", "a", "b", "b"])}, "the node 'b' stands twice; keep one column"),
        (
            {"test": SCORES, "nodes": np.array(["root", "a", "b", "a.1"])},
            "'a.1' is not a node of the dataset; did you mean 'a/1'?",
        ),
        (
            {"test": SCORES[:, :3], "nodes": np.array(TREE.names[:3])},
            "test lacks 1 nodes, first 'a/1'; every evaluated node needs",
        ),
    ],
)
def test_arrays_that_do_not_fit_are_one_line(tmp_path, arrays, words):
    assert words in problem(npz(tmp_path, **arrays))


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["a,b,a/1", "0.9,0.2,0.5"], "/scores.csv must have 3 rows, one for each row of the dataset's split, got 1"),
        (["a,b,a/1", "0.9,many,0.5"], "/scores.csv:2: the score of 'b' must be a number, got 'many'"),
        (["a,b,a/1", "0.9,,0.5"], "/scores.csv:2: the score of 'b' must be a number, got ''"),
        (["a,b,a/1", "0.9,nan,0.5"], "/scores.csv:2: the score of 'b' must be a number, got 'nan'"),
        (["a,b,a/1", "0.9,0.2"], "/scores.csv:2 has 2 fields, but the header has 3; correct it there"),
        (["a,b,b", "0.9,0.2,0.5"], "/scores.csv:1 has the column 'b' twice; rename one"),
        (["a,b", "0.9,0.2"], "/scores.csv lacks 1 nodes, first 'a/1'; every evaluated node needs a column"),
        (["a,b,a/1,c", "0.9,0.2,0.5,0.1"], "/scores.csv: 'c' is not a node of the dataset"),
        (["a,b,a/1", "0.9,0.2,1.5", "1,0,0", "1,0,0"], "row 0, node 'root' has the score 1.5; scores must lie in [0, 1]"),
        (["id,a,b,a/1", "x,1,0,0", "x,1,0,0", "z,1,0,0"], "/scores.csv: the id 'x' stands twice; every row must have its own"),
        (["id,a,b,a/1", "x,1,0,0", "y,1,0,0"], "/scores.csv has no row with id 'z'; ids must be those of the split's rows"),
        (
            ["id,a,b,a/1", "x,1,0,0", "y,1,0,0", "z,1,0,0", "u,1,0,0"],
            "/scores.csv has a row with id 'u', which the dataset's split has not; ids must be those of the split's rows",
        ),
        ([], "/scores.csv must have 4 columns"),
    ],
)
def test_lines_that_do_not_fit_are_one_line(tmp_path, lines, words):
    assert words in problem(csv(tmp_path, *lines))


def test_a_problem_of_the_second_file_names_the_second_file(tmp_path):
    path = csv(tmp_path, "a,b,a/1", "0.9,0.2,0.5", "0.6,0.7,0.6", "0.1,0.4,0.1")
    second = csv(tmp_path, "a,b,a/1", "0.9,0.2,0.5", name="held.csv")
    assert problem(path, held_out_path=second).startswith("/held.csv must have 2 rows")


def test_a_second_file_goes_with_a_csv_only(tmp_path):
    second = csv(tmp_path, "a,b,a/1", name="held.csv")
    assert "held_out_scores=/held.csv goes with test scores in a .csv" in problem(
        npz(tmp_path, test=SCORES), held_out_path=second
    )


def test_a_csv_that_is_not_utf_8_is_named_with_its_line(tmp_path):
    path = tmp_path / "scores.csv"
    path.write_bytes(b"a,b,a/1\n0.9,\xff,0.5\n")
    assert problem(path).startswith("/scores.csv:2: ")
