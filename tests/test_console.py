"""Overrides before Hydra sees them, and the cells that they make."""

import hydra
import pytest
from omegaconf import OmegaConf

from hmc.configs import CONFIGS
from hmc.console import CHOICES, INTERRUPTED, cell, guarded, runtime_settings
from hmc.experiments.plan import composed
from hmc.overrides import checked
from hmc.settings import Cell, RuntimeSettings, SettingsError


def checked_arguments(door: str, arguments: list[str]) -> list[str]:
    """What Hydra is given."""
    line = checked(door, arguments)
    return [*line.flags, *line.overrides]


def cell_of(*arguments: str) -> Cell:
    """What the door train makes of a command line."""
    with hydra.initialize_config_dir(str(CONFIGS), version_base="1.3"):
        composed = hydra.compose("train", checked_arguments("train", list(arguments)), return_hydra_config=True)
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
        raise SettingsError("training.epochs must be at least 0, got -1")

    assert guarded(fail) == 2
    assert capsys.readouterr().err == "error: training.epochs must be at least 0, got -1\n"


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


@pytest.mark.parametrize("protocol", ["released", "described", "corrected"])
@pytest.mark.parametrize(
    ("method", "overrides"),
    [
        ("chmcnn", ()),
        ("weighted_focal_bbma", ("training.epochs=2", "method.members=3")),
        ("ensemble_summed", ("protocol.frequency=node",)),
        ("chmcnn", ("protocol.weights_apply_to=negatives",)),
        ("chmcnn", ("protocol.imputation=train_mean", "training.holdout=valid")),
        ("extra_trees", ("training.epochs=2",)),
        ("mixture_chmcnn_trees", ("training.epochs=2",)),
        ("mixture_weighted_trees", ()),
    ],
)
def test_a_command_line_and_a_suite_have_the_same_cell(protocol: str, method: str, overrides: tuple[str, ...]) -> None:
    typed = cell_of("dataset=synthetic_tree", f"method={method}", f"protocol={protocol}", *overrides)
    planned = composed("synthetic_tree", method, RuntimeSettings(), protocol=protocol, overrides=overrides)
    assert (typed.identity, typed.column, typed.departed) == (planned.identity, planned.column, planned.departed)
    assert [part.identity for part in typed.parts] == [part.identity for part in planned.parts]
    assert typed == planned


def test_a_mixture_of_mixtures_is_a_mistake() -> None:
    with pytest.raises(SettingsError, match=r"method\.mixture names 'mixture_chmcnn_trees', which is a mixture itself"):
        cell_of("method=mixture_chmcnn_trees", "method.mixture=[chmcnn,mixture_chmcnn_trees]")
