"""How far a run has come, and how far its node weights have moved back to uniform by then."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hmc.settings import ScheduleSettings, SettingsError, did_you_mean, named_object


@dataclass(frozen=True)
class Progress:
    """Where a training step stands: batch ``batch`` of ``batches`` in epoch ``epoch`` of ``epochs``, both counted from 0."""

    epoch: int
    epochs: int
    batch: int
    batches: int


SPANS = ("epoch", "training")

Shape = Callable[[int, int, ScheduleSettings], float]
"""From a step (from 0), the number of steps and the settings to the share of the way to uniform, in [0, 1]."""


def uniform_share(settings: ScheduleSettings, progress: Progress) -> float:
    """The share t of the way from the node weights W to the uniform weight omega: the weights are W + (omega - W) t.

    settings.span: ``epoch`` (released), steps are counted within the epoch and the way restarts with each; ``training`` (ours),
    over the whole training. settings.shape: ``constant``, t = 0; ``linear``, t = step / (steps - 1); ``power``, that to the
    power of settings.exponent (released: 3, there called exponential); ``alternating``, 0 at even and 1 at odd steps; or a
    custom function as module:name, of step, steps and settings. Where there is one step only, t = 0.

    Raises SettingsError for a shape or span that is not known.
    """
    if settings.span == "epoch":
        return _shape(settings.shape)(progress.batch, progress.batches, settings)
    if settings.span == "training":
        step = progress.epoch * progress.batches + progress.batch
        return _shape(settings.shape)(step, progress.epochs * progress.batches, settings)
    raise SettingsError(f"method.schedule.span={settings.span!r} is not known{did_you_mean(settings.span, SPANS)}")


def _constant(step: int, steps: int, settings: ScheduleSettings) -> float:
    return 0.0


def _linear(step: int, steps: int, settings: ScheduleSettings) -> float:
    return step / (steps - 1) if steps > 1 else 0.0


def _power(step: int, steps: int, settings: ScheduleSettings) -> float:
    return _linear(step, steps, settings) ** settings.exponent


def _alternating(step: int, steps: int, settings: ScheduleSettings) -> float:
    return float(step % 2)


SHAPES: dict[str, Shape] = {"constant": _constant, "linear": _linear, "power": _power, "alternating": _alternating}


def _shape(name: str) -> Shape:
    if name in SHAPES:
        return SHAPES[name]
    if ":" in name:
        own: Shape = named_object("method.schedule.shape", name)
        return own
    raise SettingsError(f"method.schedule.shape={name!r} is not known{did_you_mean(name, SHAPES)}")
