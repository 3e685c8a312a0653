"""How far the node weights have moved back to uniform."""

import pytest

from hmc.losses.schedule import Progress, uniform_share
from hmc.settings import ScheduleSettings, SettingsError


def within_epoch(settings: ScheduleSettings, batches: int, epoch: int = 0) -> list[float]:
    return [uniform_share(settings, Progress(epoch, 2, batch, batches)) for batch in range(batches)]


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ("constant", [0, 0, 0, 0, 0]),
        ("linear", [0, 0.25, 0.5, 0.75, 1]),
        ("power", [0, 1 / 64, 1 / 8, 27 / 64, 1]),
        ("alternating", [0, 1, 0, 1, 0]),
    ],
)
def test_within_the_epoch(shape: str, expected: list[float]) -> None:
    settings = ScheduleSettings(shape)
    assert within_epoch(settings, 5) == expected
    assert within_epoch(settings, 5, epoch=1) == expected
    assert within_epoch(settings, 1) == [0]


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ("constant", [0] * 6),
        ("linear", [0, 0.2, 0.4, 0.6, 0.8, 1]),
        ("power", [0, 0.04, 0.16, 0.36, 0.64, 1]),
        ("alternating", [0, 1, 0, 1, 0, 1]),
    ],
)
def test_over_the_training(shape: str, expected: list[float]) -> None:
    settings = ScheduleSettings(shape, "training", exponent=2)
    assert within_epoch(settings, 3) + within_epoch(settings, 3, epoch=1) == pytest.approx(expected)
    assert uniform_share(settings, Progress(0, 1, 0, 1)) == 0


def own_shape(step: int, steps: int, settings: ScheduleSettings) -> float:
    return float(step > steps / 2)


def test_lookup() -> None:
    assert within_epoch(ScheduleSettings(f"{__name__}:own_shape"), 4) == [0, 0, 0, 1]
    with pytest.raises(SettingsError, match="shape='liner' is not known; did you mean 'linear'"):
        uniform_share(ScheduleSettings("liner"), Progress(0, 1, 0, 1))
    with pytest.raises(SettingsError, match="span='epochs' is not known; did you mean 'epoch'"):
        uniform_share(ScheduleSettings("linear", "epochs"), Progress(0, 1, 0, 1))
