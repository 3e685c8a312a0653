import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hmc.settings import (
    Cell,
    DatasetSettings,
    EncoderSettings,
    FocalSettings,
    MethodSettings,
    NodeWeightSettings,
    PaperValues,
    ProtocolSettings,
    RunSettings,
    ScheduleSettings,
    SettingsError,
    TrainingFile,
    TrainingSettings,
    build,
    canonical_hash,
    identifying,
    identity_of,
    to_mapping,
)
from hmc.settings.run import run_settings

TABLE = {"enron": PaperValues(10, 3, 1e-3), "default": PaperValues(20, 4, 1e-2)}


def identity(settings: RunSettings, data_sha256: str) -> str:
    return identity_of(identifying(settings), data_sha256)


def run(**changes: object) -> RunSettings:
    groups = {
        "dataset": DatasetSettings("enron"),
        "method": MethodSettings("some"),
        "training": TrainingFile(per_dataset=TABLE),
        "protocol": ProtocolSettings(),
    }
    return run_settings({**groups, **changes})


def test_what_is_not_set_comes_from_the_table() -> None:
    training = run().training
    assert (training.hidden, training.epochs, training.learning_rate) == (10, 3, 1e-3)
    own = run(dataset=DatasetSettings("mine"), training=TrainingFile(epochs=7, per_dataset=TABLE)).training
    assert (own.hidden, own.epochs) == (20, 7)
    with pytest.raises(SettingsError, match=r"training\.hidden must be set"):
        run(training=TrainingFile())


def test_identity_is_what_can_change_a_number() -> None:
    same = identity(run(), "data")
    assert identity(run(), "data") == same
    assert identity(run(dataset=DatasetSettings("enron", title="E-mails", url="https://example.org")), "data") == same
    explicit = {"hidden": 10, "epochs": 3, "learning_rate": 1e-3}
    assert identity(run(training=TrainingFile(**explicit)), "data") == same
    assert identity(dataclasses.replace(run(), training=TrainingSettings(**explicit)), "data") == same
    others = [
        identity(run(), "other data"),
        identity(run(seed=1), "data"),
        identity(run(method=MethodSettings("some", members=2)), "data"),
        identity(run(protocol=ProtocolSettings(negative_weights="balanced")), "data"),
        identity(run(training=TrainingFile(epochs=4, per_dataset=TABLE)), "data"),
    ]
    assert len({same, *others}) == 6


def test_identity_does_not_move() -> None:
    """Records made earlier are found by it; with a change here every record would be stale, and need conversion."""
    assert identity(run(), "data") == "b50e2af65a0e14b66474e077835d54bdac2bfb65016261848f4534486ca72e1b"


@given(st.dictionaries(st.text(), st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text())))
def test_the_hash_does_not_depend_on_order(document: dict[str, object]) -> None:
    assert canonical_hash(document) == canonical_hash(dict(reversed(document.items())))


def test_built_settings_survive_a_round_trip() -> None:
    method = MethodSettings("some", members=3, focal=FocalSettings("gmu"), objective="mine:Own", options={"a": [1, 2]})
    settings = run(method=method)
    assert build(RunSettings, to_mapping(settings)) == settings
    assert run_settings(to_mapping(settings)) == settings


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"name": "x", "membrs": 2}, "unknown setting 'method.membrs'; did you mean 'members'"),
        ({"members": 2}, "'method.name' is missing"),
        ({"name": "x", "members": 0}, "method.members must be at least 1, got 0"),
        ({"name": "x", "members": 1.5}, "must be a whole number"),
        ({"name": "x", "members": True}, "must be a whole number"),
        ({"name": "x", "weighted_share": "half"}, "must be a finite number"),
        ({"name": "x", "weighted_share": float("nan")}, "must be a finite number"),
        ({"name": "x", "focal": {"power": 0}}, "method.focal.power must be above 0, got 0.0"),
        ({"name": "x", "focal": 3}, "must be a group of settings"),
        ({"name": "x", "ensemble": "shared"}, "did you mean 'shared_batches'"),
    ],
)
def test_a_wrong_value_is_named(values: dict[str, object], words: str) -> None:
    with pytest.raises(SettingsError) as raised:
        build(MethodSettings, values, at="method")
    assert words in str(raised.value)


def test_numbers_that_yaml_reads_as_text_are_numbers() -> None:
    assert build(FocalSettings, {"power": "1e-1"}).power == 0.1


@pytest.mark.parametrize(
    ("method", "words"),
    [
        (MethodSettings("x", members=1, focal=FocalSettings("gmu")), "method.members=2"),
        (MethodSettings("x", schedule=ScheduleSettings("linear")), "node_weights.scheme"),
        (MethodSettings("x", weighted_share=0.5), "weighted_share=1"),
    ],
)
def test_contradictions_are_refused(method: MethodSettings, words: str) -> None:
    for build_it in (lambda: run(method=method), lambda: dataclasses.replace(run(), method=method)):
        with pytest.raises(SettingsError) as raised:
            build_it()
        assert words in str(raised.value)


def test_dropout_members_need_dropout() -> None:
    with pytest.raises(SettingsError, match=r"training\.dropout"):
        run(method=MethodSettings("x", members=3, ensemble="dropout"), training=TrainingFile(dropout=0, per_dataset=TABLE))


def test_a_cells_column_names_protocol_and_variant() -> None:
    settings = run(method=MethodSettings("weighted", node_weights=NodeWeightSettings("binary")))
    assert Cell(settings, "data").column == "weighted"
    corrected = dataclasses.replace(settings, protocol=ProtocolSettings("corrected"))
    assert Cell(corrected, "data", (("method.members", 5),)).column == "weighted (corrected, method.members=5)"


def test_settings_that_came_later_are_in_the_identity_only_where_they_depart() -> None:
    plain = identifying(run())
    assert "encoder" not in plain
    assert "fraction" not in plain["dataset"]
    assert identity(run(dataset=DatasetSettings("enron", fraction=1.0), encoder=EncoderSettings()), "data") == identity(
        run(), "data"
    )
    assert identifying(run(dataset=DatasetSettings("enron", fraction=0.5)))["dataset"]["fraction"] == 0.5
    digits = DatasetSettings("digits", kind="digits")
    noisy = run(dataset=digits, encoder=EncoderSettings("small_convolution", noise=0.5))
    assert identifying(noisy)["encoder"] == {"name": "small_convolution", "noise": 0.5}
    moved = run(dataset=digits, encoder=EncoderSettings("small_convolution", noise=0.5, checkpoint="elsewhere.pt"))
    assert identity(moved, "data") == identity(noisy, "data")  # a checkpoint counts by its content, in the data's hash


@pytest.mark.parametrize(
    ("dataset", "encoder", "words"),
    [
        (DatasetSettings("enron"), EncoderSettings("resnet18"), "dataset.kind=arff holds none"),
        (DatasetSettings("a", kind="images"), EncoderSettings("resnet18"), "encoder.checkpoint=FILE, or encoder.noise=1"),
        (DatasetSettings("a", kind="images"), EncoderSettings("small_convolution"), "encoder.checkpoint=FILE"),
        (DatasetSettings("a", kind="digits"), EncoderSettings("resnet18", noise=1.0), "encoder.name=small_convolution"),
        (DatasetSettings("a", kind="digits"), EncoderSettings(noise=0.5), "set encoder.name"),
    ],
)
def test_an_encoder_that_cannot_be_is_refused(dataset: DatasetSettings, encoder: EncoderSettings, words: str) -> None:
    with pytest.raises(SettingsError) as raised:
        run(dataset=dataset, encoder=encoder)
    assert words in str(raised.value)
