"""From a dataset and settings to trained networks and their scores: one stack, for the doors and for the Python front alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch

from hmc.data import resample
from hmc.data.dataset import Dataset, Split
from hmc.data.random import resampling_generator
from hmc.losses.context import ObjectiveContext
from hmc.models.constraint import Constraint
from hmc.settings import MethodSettings, ProtocolSettings, TrainingSettings, named_object
from hmc.training.inputs import AS_THEY_ARE, Inputs
from hmc.training.trainer import NO_CHECKPOINT, Checkpoint, Trained, TrainingObjective, predict, train

OnEpoch = Callable[[int, int], None]


def train_stack(
    dataset: Dataset,
    method: MethodSettings,
    training: TrainingSettings,
    protocol: ProtocolSettings,
    seeds: Sequence[int],
    constraint: Constraint,
    *,
    inputs: Inputs = AS_THEY_ARE,
    on_epoch: OnEpoch = lambda epoch, steps: None,
    checkpoint: Checkpoint = NO_CHECKPOINT,
) -> Trained:
    """Train one cell per seed on the dataset's training rows, together, on the constraint's device.

    seeds: one only where the method resamples. The other arguments are those of :func:`hmc.training.trainer.train`. Raises
    TrainingError where a loss is not finite, SettingsError where the method's objective cannot be made.
    """
    rows = training_rows(dataset, method, seeds[0])
    objective = build_objective(dataset, rows, method, protocol, constraint)
    features, labels = (torch.from_numpy(part).to(constraint.device) for part in (rows.features, rows.labels))
    return train(features, labels, objective, method, training, seeds, inputs=inputs, on_epoch=on_epoch, checkpoint=checkpoint)


def scores(trained: Trained, features: np.ndarray, constraint: Constraint, cells: int) -> np.ndarray:
    """Coherent scores of rows by each cell of a stack: float32 [cells, rows, nodes].

    features: as :class:`hmc.data.dataset.Split` has them.
    """
    return predict(trained, torch.from_numpy(features).to(constraint.device), constraint, cells).numpy()


def training_rows(dataset: Dataset, method: MethodSettings, seed: int) -> Split:
    """The training rows (train, then valid), and after them those that the method's resampling adds.

    Resampling looks at the same rows that are trained on.
    """
    training, settings = dataset.training, method.resampling
    if settings.name == "none":
        return training
    generator = resampling_generator(seed)
    added = resample.resample(settings.name, training.features, training.labels, dataset.hierarchy, settings.fraction, generator)
    return Split(
        np.concatenate([training.features, training.features[added.rows]]), np.concatenate([training.labels, added.labels])
    )


def build_objective(
    dataset: Dataset, rows: Split, method: MethodSettings, protocol: ProtocolSettings, constraint: Constraint
) -> TrainingObjective:
    """The method's objective (the class that ``method.objective`` names), told to count nodes on the rows that
    ``protocol.weights_from`` names.

    rows: of :func:`training_rows`. Those added by resampling are counted too: the weights see the training set that the network
    sees. Raises SettingsError where the class cannot be imported.
    """
    counted = dataset.train.labels if protocol.weights_from == "train" else dataset.training.labels
    added = rows.labels[len(dataset.training.labels) :]
    context = ObjectiveContext(
        hierarchy=dataset.hierarchy,
        constraint=constraint,
        method=method,
        protocol=protocol,
        training_labels=np.concatenate([counted, added]),
        device=constraint.device,
        trained_on=rows.labels,
    )
    objective: TrainingObjective = named_object("method.objective", method.objective)(context)
    return objective
