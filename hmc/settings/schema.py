"""All settings of one run, and where it happens, as frozen dataclasses, and which of them contradict each other."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hmc.settings.build import SettingsError, setting, shown

# --- data -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SyntheticSettings:
    """How an embedded dataset is generated; every figure is ours."""

    shape: str = setting("tree", choices=("tree", "dag"))
    nodes: int = setting(60, minimum=3, maximum=10_000)
    depth: int = setting(4, minimum=1, maximum=100)
    features: int = setting(20, minimum=1, maximum=100_000)
    rows_train: int = setting(300, minimum=1, maximum=1_000_000)
    rows_valid: int = setting(100, minimum=0, maximum=1_000_000)
    rows_test: int = setting(200, minimum=1, maximum=1_000_000)
    seed: int = setting(0, minimum=0, maximum=2**31 - 1)


@dataclass(frozen=True)
class ImageSettings:
    """A table of images (CSV), where their files lie, and how they become arrays; see :mod:`hmc.data.images`.

    What depends on these settings is in the data's hash, so they are in every identity without being among its settings.
    """

    table: str = setting("")
    """The CSV file, one row an image; its path is looked up as those of other data files are."""
    folder: str = setting("")
    """Of the image files; empty: the table's own."""
    path: str = setting("{image}")
    """A row's file below the folder, made of its columns: "{dataset}/{site}/{image}.jpg" in BenthicNet-E."""
    partition: str = setting("partition")
    """The column that names the split: train, valid (or val, validation) or test."""
    labels: str = setting("labels")
    """The column of labels: a list in brackets, or names joined by @."""
    hierarchy: str = setting("")
    """A text file, one entry a line as a class attribute lists them (dataset.labels says how: paths or parent/child edges)."""
    parents: tuple[int, ...] = setting((), minimum=-1)
    """In place of a hierarchy file: each node's parent by index, -1 for the root; labels are then indices."""
    channels: int = setting(3, minimum=1, maximum=3)
    """1 (grey) or 3 (colours; no file has 2). An image with another number is an error and not converted."""
    resize: int = setting(256, minimum=0, maximum=10_000)
    """Length of the shorter side, bilinear (paper: 256); 0: as it is, and then all images must have one size."""
    crop: int = setting(224, minimum=0, maximum=10_000)
    """Side of the square cut from the middle (paper: 224); 0: none, and then all images must have one size."""
    mean: tuple[float, ...] = setting((0.5,))
    deviation: tuple[float, ...] = setting((0.25,), above=0)
    """Of each channel, or of all, as fractions of white; what an encoder sees is (value - mean) / deviation."""


@dataclass(frozen=True)
class TabularSettings:
    """The columns of a table whose rows are examples, and the file of its hierarchy; see :mod:`hmc.data.table`.

    Tables are CSV, TSV, Parquet, or ARFF with one 0/1 attribute a label (MEKA, MULAN). Like those of images, these settings are
    in the data's hash.
    """

    labels: str = setting("")
    """The column of labels: names joined by a separator, or a list in brackets. Labels may be the most specific ones only."""
    label_separator: str = setting("auto", choices=("auto", "@", ";", "|", ",", " "))
    """auto: the one of @ ; | and comma that splits all rows into nodes of the hierarchy."""
    label_columns: tuple[str, ...] = setting(())
    """In place of labels: columns of 0 and 1, each called like its node."""
    label_prefix: str = setting("")
    """In place of labels: what the names of such columns begin with; the rest is the node's name."""
    hierarchy: str = setting("")
    """A CSV with columns parent and child, a text with a path or pair a line, an ontology (.obo), or MULAN's labels (.xml)."""
    relations: tuple[str, ...] = setting(("is_a", "part_of"))
    """Of an ontology: what makes a term the child of another."""
    namespaces: tuple[str, ...] = setting(())
    """Of an ontology: only terms of these namespaces; empty: all."""
    id: str = setting("")
    """The column that names the rows."""
    ignore: tuple[str, ...] = setting(())
    """Columns that are left out."""
    categorical: tuple[str, ...] = setting(())
    """Columns whose numbers are names; a column with a value that is not a number is categorical anyway."""
    separator: str = setting("auto", choices=("auto", ",", ";", "|", "tab"))
    """Of columns in a text file; auto: by the file's name and first line."""
    split: str = setting("")
    """The column that says train, valid or test, where dataset.train holds all rows."""


@dataclass(frozen=True)
class DatasetSettings:
    """One dataset: a benchmark's card, your own ARFF files, tables or images, the embedded digits, or a generated one."""

    name: str = setting(name=True)
    kind: str = setting("arff", choices=("arff", "table", "synthetic", "images", "digits"))
    title: str = setting("")
    group: str = setting("own", choices=("fun", "go", "non_genomic", "synthetic", "own", "images"))
    source: str = setting("")
    url: str = setting("")
    """Address of the folder that holds the files; each file's path is appended."""
    train: str = setting("")
    """Paths relative to the data folder (or, for your own files, absolute or from the current folder). Empty: no such file."""
    valid: str = setting("")
    test: str = setting("")
    sha256: Mapping[str, str] = setting({})
    """Pinned hash of each file path. Your own files need none."""
    git_blob: Mapping[str, str] = setting({})
    """Git blob ids, for a file whose sha256 is not known."""
    labels: str = setting("auto", choices=("auto", "paths", "dotted_paths", "edges", "edges_child_parent"))
    """How the hierarchy is written: paths 01/01/03, dotted_paths 1.1.3, edges parent/child, or edges_child_parent child/parent;
    auto recognises paths and edges, and asks where it could be either.
    """
    unevaluated: tuple[str, ...] = setting(("root",))
    """Nodes that are not scored; the root of the hierarchy never is."""
    optional_unevaluated: tuple[str, ...] = setting((), omit_default_from_identity=True)
    """More such nodes, which the hierarchy may lack."""
    expected: Mapping[str, int] = setting({})
    """Rows, features and nodes as published, for the table of datasets; checked when the files are read."""
    train_stand_in: str = setting("")
    """Path of a file that stands in for a missing training split. Marks the record as reconstructed."""
    synthetic: SyntheticSettings = field(default_factory=SyntheticSettings)
    images: ImageSettings = field(default_factory=ImageSettings)
    table: TabularSettings = field(default_factory=TabularSettings)
    split: tuple[float, ...] = setting((), minimum=0, maximum=1)
    """Shares of train, valid and test where dataset.train holds all rows, stratified over label sets and drawn from the name."""
    folder: str = setting("")
    """Where a card of your own lies; files that it names are looked for there too. Filled in when such a card is read."""
    fraction: float = setting(1.0, above=0, maximum=1, omit_default_from_identity=True)
    """Share of the training rows that is kept, stratified over label sets and drawn from the cell's seed; test rows all stay."""

    @property
    def holds_images(self) -> bool:
        return self.kind in ("images", "digits")

    @property
    def is_own(self) -> bool:
        """Whether it consists of files of the user's own, rather than published or embedded ones."""
        return self.kind in ("arff", "table", "images") and not self.url


# --- encoder --------------------------------------------------------------------------------------------------------

BUILT_IN_ENCODER = "small_convolution"
"""The only encoder that needs no file: it is trained here, on images set aside (see :mod:`hmc.models.encoder`)."""


@dataclass(frozen=True)
class EncoderSettings:
    """The network that turns images into the features of the ensemble's heads; all members share it."""

    name: str = setting(
        "none",
        choices=("none", BUILT_IN_ENCODER, "resnet18", "resnet34", "resnet50", "vit_b_16", "vit_b_32"),
        omit_default_from_identity=True,
    )
    """none: the pixels are the features. small_convolution is ours; the others are torchvision's, without their classifiers."""
    frozen: bool = setting(True, omit_default_from_identity=True)
    """Whether it stays as it is (paper: optional; ours: by default, since its features are then computed once)."""
    noise: float = setting(0.0, minimum=0, maximum=1, omit_default_from_identity=True)
    """Each weight becomes (1 - noise) * pretrained + noise * random (paper); the random ones are drawn from the cell's seed."""
    checkpoint: str = setting("")
    """File of pretrained weights, a state dict saved by torch.save; it counts in identities by its content, not by its path."""


# --- method ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ResamplingSettings:
    """Rows added to the training split before training."""

    name: str = setting("none", choices=("none", "lpros", "hros_pd"), allow_custom=True)
    fraction: float = setting(0.25, above=0, maximum=10)
    """Share to create: of rows for LPROS (released: 0.25), of the root's count for HROS-PD (released: 0.1)."""


@dataclass(frozen=True)
class NodeWeightSettings:
    """Node imbalance weights."""

    scheme: str = setting("none", choices=("none", "class_wise", "binary"), allow_custom=True)
    omega: float = setting(0.25, minimum=0)
    """Smallest weight (released: 0.25)."""


@dataclass(frozen=True)
class FocalSettings:
    """Focal weights floor + uncertainty ** power."""

    uncertainty: str = setting(
        "none", choices=("none", "bbma", "gmu", "total", "aleatoric", "epistemic_js", "epistemic_kl"), allow_custom=True
    )
    floor: float = setting(0.25, minimum=0)
    power: float = setting(2.0, above=0)


@dataclass(frozen=True)
class ScheduleSettings:
    """How node weights move back to uniform."""

    shape: str = setting("constant", choices=("constant", "linear", "power", "alternating"), allow_custom=True)
    span: str = setting("epoch", choices=("epoch", "training"))
    """Restarting each epoch (released) or once over the whole training (ours)."""
    exponent: float = setting(3.0, above=0)
    """Of the power schedule (released: 3)."""


@dataclass(frozen=True)
class EstimatorSettings:
    """A method without a network of ours: an estimator of scikit-learn, or a reference predictor."""

    name: str = setting("none")
    """none; module:Class, such as sklearn.ensemble:ExtraTreesRegressor; or predict_all, training_rate."""
    parameters: Mapping[str, Any] = setting({})
    """What the class is made with. Its seed is the cell's, its threads are ``threads``."""
    block: int = setting(0, minimum=0, maximum=1_000_000)
    """Nodes that one fit serves, for estimators of several outputs; 0: all. A forest's splits depend on all of its outputs."""


REFERENCE_PREDICTORS = ("predict_all", "training_rate")
"""Scores that look at no feature; they are in every table, to be compared with."""


@dataclass(frozen=True)
class MethodSettings:
    """One column of a table: a network with its resampling, objective and ensemble; or an estimator; or a mixture of methods."""

    name: str = setting(name=True)
    title: str = setting("")
    members: int = setting(1, minimum=1, maximum=1000)
    """Networks of the ensemble, or stochastic passes of the one network of a dropout ensemble."""
    ensemble: str = setting("shared_batches", choices=("shared_batches", "own_batches", "dropout"))
    """Members trained on the same batches (paper), on batches of their own, or passes of one dropout network."""
    resampling: ResamplingSettings = field(default_factory=ResamplingSettings)
    node_weights: NodeWeightSettings = field(default_factory=NodeWeightSettings)
    focal: FocalSettings = field(default_factory=FocalSettings)
    schedule: ScheduleSettings = field(default_factory=ScheduleSettings)
    weighted_share: float = setting(1.0, minimum=0, maximum=1)
    """lambda of the mixed loss: lambda * weighted + (1 - lambda) * unweighted."""
    reduction: str = setting("protocol", choices=("protocol", "sum", "mean"), omit_default_from_identity=True)
    """Whether losses are summed over rows and nodes or averaged: as ``protocol.reduction`` says, or always one of the two."""
    loss: str = setting(
        "mcloss",
        choices=("mcloss", "bce", "logit_adjusted", "asymmetric", "focal_own", "class_balanced"),
        allow_custom=True,
        omit_default_from_identity=True,
    )
    """The loss of a node before weights and reduction: MCLoss (C-HMCNN), a rival (:mod:`hmc.losses.rivals`), or module:name."""
    loss_options: Mapping[str, Any] = setting({}, omit_default_from_identity=True)
    """Parameters of the loss, such as tau of logit_adjusted."""
    objective: str = setting("hmc.losses.objective:Objective")
    """The class, as module:name, that turns logits and labels into a loss."""
    options: Mapping[str, Any] = setting({})
    """Whatever a custom objective wants to be told."""
    estimator: EstimatorSettings = field(default_factory=EstimatorSettings, metadata={"omit_default_from_identity": True})
    mixture: tuple[str, ...] = setting((), omit_default_from_identity=True)
    """The methods whose scores are averaged; empty for a method of its own."""
    mixture_weights: str = setting("equal", choices=("equal", "macro_ap"), omit_default_from_identity=True)
    """Equal, or by each part's macro average precision on held-out rows (needs training.holdout=valid)."""
    outside: str = setting("", omit_default_from_identity=True)
    """The sha256 of the file that the scores come from, where they come from outside (scripts/evaluate.py scores=FILE)."""

    @property
    def kind(self) -> str:
        """network, estimator, mixture or outside: what makes the scores."""
        if self.outside:
            return "outside"
        if self.mixture:
            return "mixture"
        return "network" if self.estimator.name == "none" else "estimator"

    @property
    def networks(self) -> int:
        """How many networks are trained."""
        return 1 if self.ensemble == "dropout" else self.members

    @property
    def passes(self) -> int:
        """How often each network is run in a step: the members of a dropout ensemble are passes of one network."""
        return self.members // self.networks


# --- training -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PaperValues:
    """What the papers set for one dataset."""

    hidden: int = setting(minimum=1)
    epochs: int = setting(minimum=0)
    learning_rate: float = setting(above=0)


@dataclass(frozen=True, kw_only=True)
class _Training:
    """What files of training settings and the settings of one run have in common."""

    layers: int = setting(3, minimum=1, maximum=100)
    dropout: float = setting(0.7, minimum=0, below=1)
    batch_size: int = setting(4, minimum=1, maximum=1_000_000)
    weight_decay: float = setting(1e-5, minimum=0, maximum=10)
    """L2 added to the gradient, as torch.optim.Adam does."""
    beta1: float = setting(0.9, minimum=0, below=1)
    beta2: float = setting(0.999, minimum=0, below=1)
    epsilon: float = setting(1e-8, above=0, maximum=1)
    holdout: str = setting("none", choices=("none", "valid"), omit_default_from_identity=True)
    """none: train on train and valid (the papers). valid: train on train alone; valid is held out, for thresholds and for
    choosing settings. Of a dataset without valid, a fifth of train is held out in its place (see :mod:`hmc.data.holdout`).
    """


@dataclass(frozen=True, kw_only=True)
class TrainingSettings(_Training):
    """Network, optimiser, batches and epochs of one run."""

    hidden: int = setting(minimum=1, maximum=1_000_000)
    epochs: int = setting(minimum=0, maximum=1_000_000)
    learning_rate: float = setting(above=0, maximum=10)


@dataclass(frozen=True, kw_only=True)
class TrainingFile(_Training):
    """A file of configs/training: what it leaves open is looked up in ``per_dataset``, by the dataset's name or ``default``."""

    hidden: int | None = setting(None, minimum=1, maximum=1_000_000)
    epochs: int | None = setting(None, minimum=0, maximum=1_000_000)
    learning_rate: float | None = setting(None, above=0, maximum=10)
    per_dataset: Mapping[str, PaperValues] = setting({})

    def resolved(self, dataset: str) -> TrainingSettings:
        """The settings for one dataset.

        Raises SettingsError where a value is open and neither the dataset nor ``default`` is in ``per_dataset``.
        """
        given = {entry.name: getattr(self, entry.name) for entry in dataclasses.fields(self) if entry.name != "per_dataset"}
        values = self.per_dataset.get(dataset, self.per_dataset.get("default"))
        for name in ("hidden", "epochs", "learning_rate"):
            if given[name] is None:
                if values is None:
                    raise SettingsError(
                        f"training.{name} must be set, since training.per_dataset has no entry for {dataset!r} and no "
                        f"'default'; set training.{name}=..."
                    )
                given[name] = getattr(values, name)
        return TrainingSettings(**given)


@dataclass(frozen=True)
class ProtocolSettings:
    """The named switches between the released program's behaviour and the one that a reader would expect."""

    name: str = setting("released", name=True)
    imputation: str = setting("split_mean", choices=("split_mean", "train_mean"))
    frequency: str = setting("descendant_sum", choices=("descendant_sum", "node"))
    unseen_node_weight: str = setting("one", choices=("one", "max_seen"))
    negative_weights: str = setting("ones", choices=("ones", "balanced"))
    weights_apply_to: str = setting("negatives", choices=("negatives", "positives"))
    """The labels that take the weights counted for positives; the other labels take those counted for negatives.

    The method is described with ``positives``; the losses that the released program gave for fixed inputs have ``negatives``.
    """
    weights_from: str = setting("train", choices=("train", "train_valid"))
    reduction: str = setting("as_released", choices=("as_released", "sum", "mean"))
    """as_released: a focal loss is summed over rows and nodes, any other averaged."""


# --- one run --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RunSettings:
    """Everything that can change a number of one cell, resolved and free of contradictions.

    Build one with :func:`hmc.settings.run.run_settings`. Raises SettingsError where two settings contradict each other.
    """

    dataset: DatasetSettings
    method: MethodSettings
    training: TrainingSettings
    protocol: ProtocolSettings
    seed: int = setting(0, minimum=0, maximum=2**31 - 1)
    encoder: EncoderSettings = field(default_factory=EncoderSettings, metadata={"omit_default_from_identity": True})

    @property
    def rows_depend_on_seed(self) -> bool:
        """Whether what is trained on depends on the seed, so that cells of different seeds cannot share a stack.

        So it is where rows are added or left out by chance, and where each cell has an encoder of its own.
        """
        drawn = self.method.resampling.name != "none" or self.dataset.fraction < 1 or self.method.kind != "network"
        return drawn or (self.encoder.name != "none" and (self.encoder.noise > 0 or not self.encoder.frozen))

    def __post_init__(self) -> None:
        method = self.method
        needs_two = {"gmu", "epistemic_js", "epistemic_kl"}
        if method.focal.uncertainty in needs_two and method.members < 2:
            raise SettingsError(
                f"method.focal.uncertainty={method.focal.uncertainty} compares members, but method.members="
                f"{method.members}; set method.members=2 or more, or use bbma, total or aleatoric"
            )
        if method.schedule.shape != "constant" and method.node_weights.scheme == "none":
            raise SettingsError(
                f"method.schedule.shape={method.schedule.shape} moves node weights, but method.node_weights.scheme=none; "
                "set method.node_weights.scheme=class_wise or binary, or method.schedule.shape=constant"
            )
        if method.weighted_share < 1 and method.node_weights.scheme == "none" and method.focal.uncertainty == "none":
            raise SettingsError(
                f"method.weighted_share={method.weighted_share} mixes a weighted with an unweighted loss, but the method "
                "weights nothing; set method.node_weights.scheme or method.focal.uncertainty, or method.weighted_share=1"
            )
        if method.ensemble == "dropout" and self.training.dropout == 0:
            raise SettingsError(
                "method.ensemble=dropout draws its members by dropout, but training.dropout=0; set training.dropout above 0"
            )
        if method.options and method.objective == MethodSettings.objective:
            raise SettingsError(
                f"method.options={shown(dict(method.options))} is for a custom objective, and method.objective="
                f"{method.objective} takes none; set method.objective, or leave the options out"
            )
        if self.dataset.kind == "synthetic" and self.dataset.synthetic.nodes < self.dataset.synthetic.depth:
            raise SettingsError(
                f"dataset.synthetic.nodes={self.dataset.synthetic.nodes} is less than dataset.synthetic.depth="
                f"{self.dataset.synthetic.depth}, but every level needs a node; set more nodes or a smaller depth"
            )
        estimator = method.estimator.name
        if estimator not in ("none", *REFERENCE_PREDICTORS) and ":" not in estimator:
            raise SettingsError(
                f"method.estimator.name={estimator!r} must be module:Class, such as sklearn.ensemble:ExtraTreesRegressor, "
                f"or one of {', '.join(REFERENCE_PREDICTORS)}"
            )
        if method.mixture and method.estimator.name != "none":
            raise SettingsError("a method must be either a mixture or an estimator, got both; leave one out")
        if len(method.mixture) == 1 or len(set(method.mixture)) < len(method.mixture):
            raise SettingsError(f"method.mixture={list(method.mixture)} must name two or more different methods")
        if method.mixture_weights == "macro_ap" and self.training.holdout != "valid":
            raise SettingsError("method.mixture_weights=macro_ap is measured on held-out rows; set training.holdout=valid")
        if method.kind == "estimator" and self.dataset.holds_images and not self.encoder.frozen:
            raise SettingsError(
                "encoder.frozen=false needs a network above the encoder; set encoder.frozen=true for an estimator"
            )
        self._check_encoder()

    def _check_encoder(self) -> None:
        encoder, kind = self.encoder, self.dataset.kind
        if encoder.name == "none":
            if encoder != EncoderSettings():
                raise SettingsError(
                    "encoder.name=none, so there is nothing for encoder.frozen, encoder.noise or encoder.checkpoint to change; "
                    "set encoder.name"
                )
        elif not self.dataset.holds_images:
            raise SettingsError(
                f"encoder.name={encoder.name} encodes images, but dataset.kind={kind} holds none; set encoder.name=none, or "
                "use a dataset of images such as dataset=digits"
            )
        elif not encoder.checkpoint and encoder.noise < 1 and (encoder.name != BUILT_IN_ENCODER or kind != "digits"):
            raise SettingsError(
                f"encoder.name={encoder.name} has no pretrained weights for dataset.kind={kind} here; set "
                "encoder.checkpoint=FILE, or encoder.noise=1 for random weights"
            )
        elif kind == "digits" and encoder.name != BUILT_IN_ENCODER:
            raise SettingsError(
                f"encoder.name={encoder.name} takes images of three channels, and dataset.kind=digits has one; set "
                f"encoder.name={BUILT_IN_ENCODER}"
            )


@dataclass(frozen=True)
class RuntimeSettings:
    """Where and how a run happens. Nothing here may change a number beyond float tolerance, so none is in the identity."""

    data_dir: str = setting("")
    """Folder with the benchmark files; empty: the environment's HMC_DATA_DIR, then data/."""
    cache_dir: str = setting("")
    """Folder of parsed datasets; empty: data/cache."""
    results_dir: str = setting("results")
    device: str = setting("auto")
    """auto, cpu, cuda or cuda:N."""
    threads: int = setting(1, minimum=1, maximum=1024)
    determinism: str = setting("fast", choices=("fast", "strict"))
    """strict: torch may use no kernel whose sums come in an order that changes from run to run, and fails where it has no other.

    On a CPU both give the same bits; on a GPU only strict does, and it may be slower.
    """
    force: bool = setting(False)
    """Run again although a complete record exists; the old one is kept until the new one is complete."""
    download: bool = setting(True)
    """Whether missing benchmark files may be downloaded."""
    progress: bool = setting(True)
    tracker: str = setting("none", choices=("none", "tensorboard", "mlflow"))
    """Also show finished records in one of these; the package must be installed."""
    rules: tuple[str, ...] = setting(
        ("half", "global", "rate", "scaled_rate", "node", "node_supported", "expected_f1", "prior", "weight_equivalent")
    )
    """Decision rules under which scores are evaluated: those of :mod:`hmc.rules`, or custom ones as module:function."""
    keep_scores: bool = setting(True)
    """Whether a cell's scores stay on disk beside its record; without them only the rule ``half`` can be evaluated later."""
    require_scores: bool = setting(False)
    """Whether a cell whose record is there but whose scores are not is run again."""
    save_model: bool = setting(False)
    """Whether a network is kept in the folder ``model`` beside its record, for scripts/predict.py."""
    checkpoint_seconds: float = setting(120.0, minimum=0)
    """A cell that trains longer keeps its state on disk, at the end of an epoch and at most so often; 0: after every epoch."""
