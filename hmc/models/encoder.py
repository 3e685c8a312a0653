"""Encoders: networks that turn images into the features of an ensemble's heads.

Ours is a small convolutional network for the embedded digits, pretrained here on images set aside for it; ResNet and ViT are
torchvision's, which is imported only when one is asked for, with weights from a file. A worse encoder, as the paper makes one,
mixes its weights with random ones: (1 - noise) * pretrained + noise * random.
"""

from __future__ import annotations

import contextlib
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from hmc.data import digits
from hmc.data.identity import PRETRAINING_VERSION
from hmc.files import UnwritableError, replacing
from hmc.settings import BUILT_IN_ENCODER, EncoderSettings, ImageSettings, canonical_hash

State = Mapping[str, Tensor]

CHANNELS = (16, 32, 64)
"""Of our own encoder's three convolutions (ours); the last is its number of features."""
PRETRAINING_SEED, PRETRAINING_EPOCHS, PRETRAINING_BATCH, PRETRAINING_RATE = 0, 30, 32, 3e-3
"""Ours: some four seconds on one core, after which a linear classifier tells nine in ten of the test images apart."""
CLASSIFIERS = ("fc.", "heads.")
"""What the names of torchvision's classifying layers begin with; checkpoints may have them, encoders do without."""


class EncoderError(ValueError):
    """An encoder's weights, or the library that it comes from, cannot be used. The message is for the user."""


class Encoder(nn.Module):
    """Images, uint8 [rows, channels, height, width], to features, float32 [rows, width].

    body: from normalised images to features. mean, deviation: of the pixels' values as fractions of white, one or one a channel.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, body: nn.Module, width: int, mean: Sequence[float], deviation: Sequence[float]) -> None:
        super().__init__()
        self.body = body
        self.width = width
        # Not among the weights: neither mixed with noise nor expected of a checkpoint.
        self.register_buffer("mean", torch.tensor(mean).view(1, -1, 1, 1), persistent=False)
        self.register_buffer("deviation", torch.tensor(deviation).view(1, -1, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        return self.body((images.float() / 255 - self.mean) / self.deviation)


def build(settings: EncoderSettings, images: ImageSettings, shape: Sequence[int], seed: int, cache: Path) -> Encoder:
    """The encoder that the settings describe, on the CPU, in evaluation mode.

    shape: (channels, height, width) of the images. seed: of the random weights. cache: folder that keeps our own pretrained
    weights.
    Raises EncoderError where torchvision or the checkpoint cannot be used, or the encoder does not take such images.
    """
    make = _SHAPES.get(settings.name)
    if make is None:
        raise EncoderError(f"encoder.name={settings.name!r} is not known; known are {', '.join(_SHAPES)}")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        body, width = make(settings.name, shape)
    if settings.noise < 1:
        pretrained = read_checkpoint(settings, body) if settings.checkpoint else _own_weights(cache)
        body.load_state_dict(mixed(pretrained, body.state_dict(), settings.noise))
    encoder = Encoder(body, width, images.mean, images.deviation)
    return encoder.eval()


def mixed(pretrained: State, random: State, noise: float) -> dict[str, Tensor]:
    """(1 - noise) * pretrained + noise * random, each [...] of one state dict (paper).

    Running means and variances are mixed too, so that noise 1 is a random network throughout (ours); whole numbers are counts and
    stay those of the pretrained one.
    """
    return {
        name: torch.lerp(value, random[name], noise) if value.is_floating_point() else value for name, value in pretrained.items()
    }


@torch.no_grad()
def encode(encoder: Encoder, images: np.ndarray, device: torch.device, rows_at_once: int = 128) -> np.ndarray:
    """Features of all images in evaluation mode. images: uint8 [rows, channels, height, width]. float32 [rows, width]."""
    encoder = encoder.to(device).eval()
    if not len(images):
        return np.zeros((0, encoder.width), dtype=np.float32)
    parts = [encoder(part.to(device)).cpu() for part in torch.from_numpy(images).split(rows_at_once)]
    return torch.cat(parts).numpy()


# --- weights --------------------------------------------------------------------------------------------------------


def read_checkpoint(settings: EncoderSettings, body: nn.Module) -> dict[str, Tensor]:
    """The state dict in ``encoder.checkpoint``, or under its key ``state_dict``, less the classifier. Nothing in it is run.

    Raises EncoderError where the file is not such a checkpoint, or one of another network.
    """
    at = f"encoder.checkpoint={settings.checkpoint}"
    try:
        document = torch.load(Path(settings.checkpoint).expanduser(), map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise EncoderError(f"{at} is not there; correct the path") from None
    # A file that torch did not write, or that holds more than weights, fails in any way that unpickling and unzipping know.
    except Exception as error:
        reason = " ".join(str(error).split())[:160] or type(error).__name__
        raise EncoderError(f"{at} cannot be read as weights ({reason}); save a state dict with torch.save") from None
    state = document.get("state_dict", document) if isinstance(document, Mapping) else document
    if not isinstance(state, Mapping) or not all(isinstance(value, Tensor) for value in state.values()):
        raise EncoderError(f"{at} must hold a state dict, names to tensors; save model.state_dict() with torch.save")
    kept = {name: value for name, value in state.items() if not name.startswith(CLASSIFIERS)}
    wanted = body.state_dict()
    for name in sorted(kept.keys() | wanted.keys()):
        if name not in kept or name not in wanted:
            raise EncoderError(f"{at} {'lacks' if name in wanted else 'has'} {name!r}; it is not of an encoder {settings.name}")
        if kept[name].shape != wanted[name].shape:
            raise EncoderError(
                f"{at}: {name} has shape {tuple(kept[name].shape)} where encoder.name={settings.name} has "
                f"{tuple(wanted[name].shape)}"
            )
    return {name: kept[name].to(wanted[name].dtype) for name in wanted}


def _own_weights(cache: Path) -> dict[str, Tensor]:
    """Our own encoder's pretrained weights: from the cache, or else trained now and kept."""
    recipe = (PRETRAINING_VERSION, digits.SHA256, CHANNELS, PRETRAINING_SEED, PRETRAINING_EPOCHS, PRETRAINING_BATCH)
    path = cache / f"encoder-{canonical_hash([*recipe, PRETRAINING_RATE])[:16]}.npz"
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return {name: torch.from_numpy(arrays[name]) for name in arrays.files}
    # Not there, or damaged: it is made anew.
    except Exception:
        state = pretrained()
    # A folder that cannot be written costs these seconds in every cell.
    with contextlib.suppress(UnwritableError), replacing(path) as file:
        np.savez(file, **{name: value.numpy() for name, value in state.items()})  # type: ignore[arg-type]
    return state


def pretrained() -> dict[str, Tensor]:
    """Our own encoder trained to tell the ten digits apart on the 600 images set aside, with a linear classifier that is dropped.

    As with an encoder that was pretrained elsewhere, none of these images is in a split, and the rare digits are as frequent here
    as the others. Ours.
    """
    images, targets = digits.set_aside()
    settings = ImageSettings(channels=1, mean=MEAN, deviation=DEVIATION)
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        torch.manual_seed(PRETRAINING_SEED)
        body, width = _small_convolution(BUILT_IN_ENCODER, images.shape[1:])
        network = nn.Sequential(Encoder(body, width, settings.mean, settings.deviation), nn.Linear(width, 10))
        optimiser = torch.optim.Adam(network.parameters(), lr=PRETRAINING_RATE)
        inputs, classes = torch.from_numpy(images), torch.from_numpy(targets)
        for _ in range(PRETRAINING_EPOCHS):
            for rows in torch.randperm(len(inputs)).split(PRETRAINING_BATCH):
                optimiser.zero_grad()
                nn.functional.cross_entropy(network(inputs[rows]), classes[rows]).backward()
                optimiser.step()
    return {name: value.detach() for name, value in body.state_dict().items()}


MEAN, DEVIATION = (0.307,), (0.377,)
"""Of the digits' pixels, as their card has them."""


# --- shapes ---------------------------------------------------------------------------------------------------------


def _small_convolution(name: str, shape: Sequence[int]) -> tuple[nn.Module, int]:
    """Three convolutions of 3 x 3, halved twice, then the mean over the image: takes images of any size."""
    parts: OrderedDict[str, nn.Module] = OrderedDict()
    inputs = shape[0]
    for place, outputs in enumerate(CHANNELS):
        parts[f"convolution_{place}"] = nn.Conv2d(inputs, outputs, 3, padding=1)
        parts[f"relu_{place}"] = nn.ReLU()
        if place + 1 < len(CHANNELS):
            parts[f"pool_{place}"] = nn.MaxPool2d(2)
        inputs = outputs
    parts["mean"] = nn.AdaptiveAvgPool2d(1)
    parts["flatten"] = nn.Flatten()
    return nn.Sequential(parts), inputs


def _resnet(name: str, shape: Sequence[int]) -> tuple[nn.Module, int]:
    body = _torchvision(name, shape)
    width = int(body.fc.in_features)
    body.fc = nn.Identity()
    return body, width


def _vision_transformer(name: str, shape: Sequence[int]) -> tuple[nn.Module, int]:
    body = _torchvision(name, shape)
    if tuple(shape[1:]) != (body.image_size,) * 2:
        raise EncoderError(
            f"encoder.name={name} takes images of {body.image_size} x {body.image_size} and gets {shape[2]} x {shape[1]}; set "
            f"dataset.images.crop={body.image_size}"
        )
    body.heads = nn.Identity()
    return body, int(body.hidden_dim)


def _torchvision(name: str, shape: Sequence[int]) -> Any:
    if shape[0] != 3:
        raise EncoderError(
            f"encoder.name={name} takes images of three channels and gets {shape[0]}; use encoder.name={BUILT_IN_ENCODER}"
        )
    try:
        from torchvision import models
    # One that was built for another torch than is installed raises RuntimeError.
    except (ImportError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise EncoderError(
            f"encoder.name={name} comes from torchvision, which cannot be imported ({reason}); install the one that fits your "
            "torch: pip install '.[images]'"
        ) from None
    return getattr(models, name)(weights=None)


_SHAPES: Mapping[str, Callable[[str, Sequence[int]], tuple[Any, int]]] = {
    BUILT_IN_ENCODER: _small_convolution,
    "resnet18": _resnet,
    "resnet34": _resnet,
    "resnet50": _resnet,
    "vit_b_16": _vision_transformer,
    "vit_b_32": _vision_transformer,
}
