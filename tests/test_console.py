"""Overrides before Hydra sees them."""

import pytest

from hmc.console import INTERRUPTED, checked_arguments, guarded, variant
from hmc.settings import SettingsError


def test_known_overrides_are_marked_and_flags_come_first() -> None:
    given = ["dataset=enron", "training.epochs=3", "-m", "seed=1,2", "hydra.verbose=true"]
    assert checked_arguments("train", given) == [
        "-m",
        "dataset=enron",
        "++training.epochs=3",
        "++seed=1,2",
        "hydra.verbose=true",
    ]


def test_a_range_of_a_list_is_written_out_and_one_of_a_number_sweeps() -> None:
    assert checked_arguments("reproduce", ["suite.seeds=range(3)"]) == ["++suite.seeds=[0,1,2]"]
    assert checked_arguments("reproduce", ["suite.seeds=range(2,8,3)"]) == ["++suite.seeds=[2,5]"]
    assert checked_arguments("train", ["seed=range(3)"]) == ["++seed=range(3)"]


def test_keys_below_a_mapping_are_free() -> None:
    assert checked_arguments("train", ["+method.options.scale=2"]) == ["++method.options.scale=2"]


@pytest.mark.parametrize(
    ("door", "argument", "words"),
    [
        ("train", "datset=enron", "did you mean 'dataset'"),
        ("train", "method=wieghted", "did you mean 'weighted'"),
        ("train", "method=chmcnn,wieghted", "did you mean 'weighted'"),
        ("train", "suite=fun", "unknown setting 'suite'"),
        ("reproduce", "suite.dataset=[enron]", "did you mean 'suite.datasets'"),
        ("reproduce", "executor=process", "did you mean 'processes'"),
        ("tables", "expert=true", "did you mean 'export'"),
        ("train", "training.hidden.size=3", "unknown setting 'training.hidden.size'"),
    ],
)
def test_unknown_words_are_answered_with_the_nearest(door: str, argument: str, words: str) -> None:
    with pytest.raises(SettingsError) as raised:
        checked_arguments(door, [argument])
    assert words in str(raised.value)


def test_the_variant_is_what_departs_from_the_files() -> None:
    overrides = ["dataset=enron", "++seed=3", "++training.epochs=5", "++method.members=2", "++threads=2"]
    assert variant(overrides) == "method.members=2, training.epochs=5"


def test_errors_that_a_person_can_mend_are_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> int:
        raise SettingsError("training.epochs=-1 is out of range")

    assert guarded(fail) == 2
    assert capsys.readouterr().err == "error: training.epochs=-1 is out of range\n"


def test_an_interruption_says_how_to_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    def stop() -> int:
        raise KeyboardInterrupt

    assert guarded(stop) == INTERRUPTED
    assert "the same command goes on" in capsys.readouterr().err


def test_our_own_mistakes_keep_their_traceback() -> None:
    def broken() -> int:
        raise TypeError("a bug")

    with pytest.raises(TypeError):
        guarded(broken)


def test_an_encoder_is_set_key_by_key_and_belongs_to_the_variant() -> None:
    given = ["encoder.name=small_convolution", "encoder.noise=0.5", "dataset=digits"]
    assert checked_arguments("train", given) == [f"++{argument}" for argument in given[:2]] + given[2:]
    assert (
        variant(["++encoder.noise=0.5", "dataset=digits", "++dataset.fraction=0.1"]) == "dataset.fraction=0.1, encoder.noise=0.5"
    )
    for argument, words in (
        ("encoder=resnet18", "write encoder.name=resnet18"),
        ("encoder.nois=1", "unknown setting 'encoder.nois'; did you mean 'encoder.noise'"),
    ):
        with pytest.raises(SettingsError) as raised:
            checked_arguments("train", [argument])
        assert words in str(raised.value)
