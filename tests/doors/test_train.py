"""scripts/train.py: one cell, sweeps, what is already done, and mistakes."""

from pathlib import Path

import pytest

from tests.doors.conftest import Door

SHORT = ("training.epochs=1", "progress=false")


def records(folder: Path) -> list[Path]:
    return sorted(folder.glob("results/runs/*/*/*/seed-*/*/record.json"))


def test_a_cell_is_run_once_and_with_force_again(door: Door, tmp_path: Path) -> None:
    first = door("train", *SHORT)
    assert "au_prc" in first.stdout
    (record,) = records(tmp_path)
    before = record.stat().st_mtime_ns
    again = door("train", *SHORT)
    assert "already done" in again.stdout
    assert record.stat().st_mtime_ns == before
    door("train", *SHORT, "force=true")
    assert records(tmp_path) == [record]
    assert record.stat().st_mtime_ns > before


def test_the_example_of_the_help_works_as_typed(door: Door, tmp_path: Path) -> None:
    door("train", "method=weighted_focal_gmu", "method.members=5", "method.node_weights.omega=0.5", *SHORT)
    text = records(tmp_path)[0].read_text()
    assert '"members": 5' in text
    assert '"omega": 0.5' in text
    assert '"variant": "method.members=5, method.node_weights.omega=0.5, training.epochs=1"' in text


def test_a_sweep_runs_every_combination(door: Door, tmp_path: Path) -> None:
    door("train", "-m", "method=chmcnn,weighted", "seed=range(3)", *SHORT)
    names = {(path.parents[3].name, path.parents[1].name) for path in records(tmp_path)}
    assert names == {(method, f"seed-{seed}") for method in ("chmcnn", "weighted") for seed in range(3)}
    assert [path.name for path in tmp_path.iterdir()] == ["results"]


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("method=chmcn", "did you mean 'chmcnn'"),
        ("dataset=enrom", "did you mean 'enron'"),
        ("protocol=correct", "did you mean 'corrected'"),
        ("training.epoch=3", "did you mean 'training.epochs'"),
        ("method.focal.uncertanty=gmu", "did you mean 'method.focal.uncertainty'"),
        ("sed=1", "did you mean 'seed'"),
        ("training.epochs=many", "training.epochs must be a whole number, got 'many'"),
        ("training.epochs=-1", "at least 0"),
        ("training.dropout=1", "below 1"),
        ("method.focal.uncertainty=gmu", "method.members=2 or more"),
        ("method.schedule.shape=linear", "method.node_weights.scheme=none"),
        ("device=gpu", "device must be auto, cpu, cuda or cuda:N, got 'gpu'"),
        ("threads=0", "at least 1"),
        ("~seed", "deletes a setting"),
        ("seed", "'seed' must be an override key=value"),
        ("method.objective=nowhere:Nothing", "cannot be imported"),
    ],
)
def test_a_mistake_is_one_line_that_says_what_to_do(door: Door, override: str, words: str) -> None:
    shown = door("train", override, *(SHORT if not override.startswith("training") else ()), status=2)
    assert words in shown.stderr
    assert shown.stderr.startswith("error: ")
    assert shown.stderr.count("\n") == 1
    assert "Traceback" not in shown.stdout + shown.stderr


def test_help_teaches(door: Door) -> None:
    shown = door("train", "--help").stdout
    assert "weighted_focal_gmu" in shown
    assert "learning_rate" in shown
    assert "Powered by Hydra" not in shown


def test_a_persons_own_method_class_is_found_where_one_runs(door: Door, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_methods.py").write_text(
        "from hmc.losses.mcloss import mcloss\n"
        "class Plain:\n"
        "    def __init__(self, context):\n"
        "        self.constraint, self.scale = context.constraint, context.method.options['scale']\n"
        "    def __call__(self, logits, labels, progress, peer_logits=None):\n"
        "        return self.scale * mcloss(logits, labels, self.constraint).mean((2, 3)).sum(1)\n"
    )
    monkeypatch.delenv("PYTHONPATH", raising=False)
    door("train", "method.objective=my_methods:Plain", "+method.options={scale: 2.0}", *SHORT)
    assert '"objective": "my_methods:Plain"' in records(tmp_path)[0].read_text()


def test_what_was_read_of_the_hierarchy_is_said_with_the_result(door: Door) -> None:
    assert "\n  hierarchy: 61 nodes, 4 levels below 'root'" in door("train", "training.epochs=1").stdout


def test_a_cell_that_is_done_is_evaluated_again_where_rules_or_held_out_scores_are_new(door: Door) -> None:
    short = ("training.epochs=1", "training.hidden=8")
    assert "it needs held-out scores" in door("train", *short).stdout
    door("train", *short, "training.holdout=valid")
    again = door("train", *short).stdout
    assert again.startswith("already done")
    assert "it needs held-out scores" not in again
    fewer = door("train", *short, "rules=[half,prior]").stdout
    assert "scaled_rate" not in fewer
    assert "prior" in fewer
    refused = door("train", *short, "rules=[haf]", status=2)
    assert "did you mean 'half'" in refused.stderr


def test_own_data_may_not_take_the_name_of_a_dataset_that_is_shipped(door: Door, tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text("a,terms\n1,cat\n")
    shown = door("train", "dataset=table", "dataset.name=enron", "dataset.train=train.csv", status=2)
    assert "dataset.name=enron must be a name of your own" in shown.stderr
