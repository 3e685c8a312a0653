"""Overrides before Hydra sees them, and the cells that they make."""

import hydra
import pytest
from omegaconf import OmegaConf

from hmc.configs import CONFIGS
from hmc.console import CHOICES, INTERRUPTED, cell, checked_arguments, guarded, runtime_settings
from hmc.settings import Cell, SettingsError


def cell_of(*arguments: str) -> Cell:
    """What the door train makes of a command line."""
    with hydra.initialize_config_dir(str(CONFIGS), version_base="1.3"):
        composed = hydra.compose("train", checked_arguments("train", arguments), return_hydra_config=True)
    chosen = dict(composed.hydra.runtime.choices)
    config = {str(key): value for key, value in composed.items() if key != "hydra"}
    config = {**OmegaConf.to_container(OmegaConf.create(config), resolve=True), CHOICES: chosen}
    return cell(config, runtime_settings(config))


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
    found = cell_of("dataset=enron", "seed=3", "training.epochs=5", "method.members=2", "threads=2")
    assert found.departed == (("method.members", 2), ("training.epochs", 5))
    assert found.variant == "method.members=2, training.epochs=5"
    assert (found.dataset, found.seed) == ("enron", 3)


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
    assert cell_of(*given, "dataset.fraction=0.1").variant == (
        "dataset.fraction=0.1, encoder.name=small_convolution, encoder.noise=0.5"
    )
    for argument, words in (
        ("encoder=resnet18", "write encoder.name=resnet18"),
        ("encoder.nois=1", "unknown setting 'encoder.nois'; did you mean 'encoder.noise'"),
    ):
        with pytest.raises(SettingsError) as raised:
            checked_arguments("train", [argument])
        assert words in str(raised.value)
