"""From a dataset of images to what training takes: features computed once, or the images and an encoder that learns.

A dataset of features passes through unchanged.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import torch

from hmc.data import images
from hmc.data.dataset import SPLITS, TRAINING_SPLITS, Dataset, Split
from hmc.data.load import cache_folder
from hmc.data.random import derived_seed
from hmc.models import encoder as encoders
from hmc.settings import RunSettings, RuntimeSettings
from hmc.training.inputs import AS_THEY_ARE, Inputs, LearningEncoder


def with_features(
    dataset: Dataset, settings: RunSettings, runtime: RuntimeSettings, device: torch.device
) -> tuple[Dataset, Inputs]:
    """The dataset to train on, and what turns its rows into features.

    Without an encoder pixels are features, standardised. A frozen encoder's features are taken as it gives them. settings: of the
    only cell where ``settings.rows_depend_on_seed``, else of any that differs in its seed alone.

    Raises EncoderError where the encoder cannot be had or does not take such images.
    """
    if not settings.dataset.holds_images:
        return dataset, AS_THEY_ARE
    pixels = {split: getattr(dataset, split).features for split in SPLITS}
    if settings.encoder.name == "none":
        return _with_features(dataset, images.as_features(pixels, TRAINING_SPLITS[dataset.holdout])), AS_THEY_ARE
    encoder = encoders.build(
        settings.encoder,
        settings.dataset.images,
        pixels["train"].shape[1:],
        derived_seed(settings.seed, "random encoder"),
        cache_folder(runtime),
    ).to(device)
    if settings.encoder.frozen:
        features = {split: encoders.encode(encoder, own, device) for split, own in pixels.items()}
        return _with_features(dataset, features), AS_THEY_ARE
    return dataset, LearningEncoder(encoder, encoder.width, settings.training)


def frozen_features(dataset: Dataset, settings: RunSettings, runtime: RuntimeSettings) -> Dataset:
    """The dataset with features computed once, for a method that trains no encoder. Raises EncoderError."""
    found, _ = with_features(dataset, settings, runtime, torch.device("cpu"))
    return found


def _with_features(dataset: Dataset, features: dict[str, np.ndarray]) -> Dataset:
    train, valid, test = (Split(features[split], getattr(dataset, split).labels) for split in SPLITS)
    return dataclasses.replace(dataset, train=train, valid=valid, test=test)
