"""Encoders: weights mixed with random ones, checkpoints that run nothing, our own pretrained one, torchvision's if installed."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from hmc import configs
from hmc.data import digits
from hmc.data.identity import data_sha256
from hmc.models import encoder as encoders
from hmc.models.encoder import EncoderError, build, encode, mixed, read_checkpoint
from hmc.settings import EncoderSettings, ImageSettings, RuntimeSettings

DIGITS = ImageSettings(channels=1, mean=encoders.MEAN, deviation=encoders.DEVIATION)
SHAPE = (1, 8, 8)
CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pretraining of a fraction of a second."""
    monkeypatch.setattr(encoders, "PRETRAINING_EPOCHS", 1)


def own(cache: Path, noise: float = 0.0, seed: int = 0, checkpoint: str = "") -> encoders.Encoder:
    return build(EncoderSettings("small_convolution", noise=noise, checkpoint=checkpoint), DIGITS, SHAPE, seed, cache)


def weights(encoder: encoders.Encoder) -> torch.Tensor:
    return torch.cat([value.flatten() for value in encoder.body.state_dict().values()])


def test_noise_mixes_pretrained_and_random_weights(tmp_path: Path) -> None:
    pretrained, half, random = (weights(own(tmp_path, noise)) for noise in (0.0, 0.5, 1.0))
    assert torch.allclose(half, (pretrained + random) / 2, atol=1e-7)
    assert not torch.allclose(pretrained, random, atol=1e-2)
    assert torch.equal(weights(own(tmp_path, 0.0, seed=7)), pretrained)
    assert not torch.equal(weights(own(tmp_path, 0.5, seed=7)), half)
    assert torch.equal(weights(own(tmp_path, 0.5)), half)


def test_running_statistics_are_mixed_and_counts_are_not() -> None:
    first, second = (
        {"mean": torch.tensor([1.0]), "count": torch.tensor(8)},
        {"mean": torch.tensor([3.0]), "count": torch.tensor(0)},
    )
    assert mixed(first, second, 0.25) == {"mean": torch.tensor([1.5]), "count": torch.tensor(8)}


def test_building_leaves_the_global_generator_alone(tmp_path: Path) -> None:
    own(tmp_path)
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    own(tmp_path, 0.5)
    assert torch.equal(torch.rand(2), expected)


def test_our_own_weights_are_kept_and_made_anew_where_they_are_damaged(tmp_path: Path) -> None:
    first = weights(own(tmp_path))
    (kept,) = tmp_path.glob("encoder-*.npz")
    assert list(tmp_path.iterdir()) == [kept]
    assert "convolution_0.weight" in np.load(kept, allow_pickle=False).files
    kept.write_bytes(kept.read_bytes()[:100])
    assert torch.equal(weights(own(tmp_path)), first)
    assert torch.equal(weights(own(tmp_path / "a" / "b")), first)


def test_pretraining_tells_digits_apart(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(encoders, "PRETRAINING_EPOCHS", 5)
    from sklearn.linear_model import LogisticRegression

    images, targets = digits.set_aside()
    scores = {}
    for noise in (0.0, 1.0):
        features = encode(own(tmp_path, noise), images, CPU)
        assert features.shape == (600, 64)
        scores[noise] = LogisticRegression(max_iter=500).fit(features[:300], targets[:300]).score(features[300:], targets[300:])
    assert scores[0.0] > max(0.85, scores[1.0])


def test_features_of_a_row_do_not_depend_on_the_rows_beside_it(tmp_path: Path) -> None:
    encoder, (images, _) = own(tmp_path), digits.set_aside()
    together = encode(encoder, images[:10], CPU)
    alone = np.concatenate([encode(encoder, images[row : row + 1], CPU) for row in range(10)])
    assert np.allclose(together, alone, atol=1e-5)
    assert encode(encoder, images[:0], CPU).shape == (0, 64)


# --- checkpoints ----------------------------------------------------------------------------------------------------


class Code:
    """What a pickle could run."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return Path.touch, (Path("was_run"),)  # type: ignore[return-value]


def saved(folder: Path, document: object) -> str:
    torch.save(document, folder / "weights.pt")
    return str(folder / "weights.pt")


@pytest.mark.parametrize("wrap", [lambda state: state, lambda state: {"state_dict": state, "epoch": 3}])
def test_a_checkpoint_is_loaded_without_its_classifier(wrap, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    state = own(tmp_path, 1.0, seed=5).body.state_dict()
    path = saved(tmp_path, wrap({**state, "fc.weight": torch.zeros(2, 64)}))
    assert torch.equal(weights(own(tmp_path, checkpoint=path)), weights(own(tmp_path, 1.0, seed=5)))


def test_a_checkpoint_that_is_none_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    body = own(tmp_path).body
    good = body.state_dict()
    short_of_one = {name: value for name, value in good.items() if name != "convolution_1.bias"}
    cases = {
        r"lacks 'convolution_1\.bias'; it is not of an encoder small_convolution": short_of_one,
        r"has 'layer9\.weight'; it is not of an encoder": {**good, "layer9.weight": torch.zeros(1)},
        r"convolution_1\.bias has shape \(3,\) where encoder\.name=small_convolution has \(32,\)": {
            **good,
            "convolution_1.bias": torch.zeros(3),
        },
        r"must hold a state dict": [1, 2],
        r"cannot be read as weights \(.+\); save a state dict": Code(),
    }
    for words, document in cases.items():
        with pytest.raises(EncoderError, match=words) as raised:
            read_checkpoint(EncoderSettings("small_convolution", checkpoint=saved(tmp_path, document)), body)
        assert "\n" not in str(raised.value)
    assert not (tmp_path / "was_run").exists()
    (tmp_path / "text").write_text("hello")
    with pytest.raises(EncoderError, match="cannot be read as weights"):
        read_checkpoint(EncoderSettings("small_convolution", checkpoint=str(tmp_path / "text")), body)
    with pytest.raises(EncoderError, match="is not there"):
        read_checkpoint(EncoderSettings("small_convolution", checkpoint=str(tmp_path / "none")), body)


# --- torchvision ----------------------------------------------------------------------------------------------------


def test_an_encoder_of_three_channels_refuses_grey_images(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="takes images of three channels and gets 1"):
        build(EncoderSettings("resnet18", noise=1.0), DIGITS, SHAPE, 0, tmp_path)


@pytest.fixture
def torchvision():  # type: ignore[no-untyped-def]
    """torchvision, or the test is skipped: it is optional, and one built for another torch raises RuntimeError."""
    try:
        import torchvision
    except (ImportError, RuntimeError) as error:
        pytest.skip(f"torchvision cannot be imported ({' '.join(str(error).split())}); pip install '.[images]'")
    return torchvision


def test_without_torchvision_one_line_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "torchvision", None)
    with pytest.raises(EncoderError, match=r"comes from torchvision, which cannot be imported \(.+\); install .+\.\[images\]"):
        build(EncoderSettings("resnet18", noise=1.0), ImageSettings(), (3, 32, 32), 0, tmp_path)


@pytest.mark.parametrize(("name", "side", "width"), [("resnet18", 40, 512), ("vit_b_32", 224, 768)])
def test_torchvisions_encoders_lose_their_classifiers(
    name: str, side: int, width: int, torchvision: object, tmp_path: Path
) -> None:
    settings = ImageSettings(mean=(0.4, 0.4, 0.4), deviation=(0.2, 0.2, 0.2))
    encoder = build(EncoderSettings(name, noise=1.0), settings, (3, side, side), 0, tmp_path)
    images = np.zeros((2, 3, side, side), dtype=np.uint8)
    assert encode(encoder, images, CPU).shape == (2, width)
    if name.startswith("vit"):
        with pytest.raises(EncoderError, match=r"takes images of 224 x 224 and gets 40 x 30; set dataset\.images\.crop=224"):
            build(EncoderSettings(name, noise=1.0), settings, (3, 30, 40), 0, tmp_path)


@pytest.mark.parametrize("frozen", [True, False])
def test_resnet18_trains_on_a_folder_of_benthicnets_layout(frozen: bool, torchvision: object, tmp_path: Path) -> None:
    """Forward and backward, from image files to a record; with weights from a file, mixed with random ones."""
    from PIL import Image

    from hmc.experiments.run import run_cells
    from hmc.settings import Cell

    generator = np.random.Generator(np.random.PCG64(0))
    rows = []
    for place in range(10):
        row = {"image": f"i{place}", "dataset": "survey", "site": "s", "partition": "train" if place < 6 else "test"}
        rows.append({**row, "catami_biota": f"[{1 + place % 5}, {6 + place % 7}]"})
        (tmp_path / "survey" / "s").mkdir(parents=True, exist_ok=True)
        pixels = generator.integers(0, 256, (50, 60, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "survey" / "s" / f"i{place}.jpg")
    with (tmp_path / "images.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    whole = torchvision.models.resnet18(weights=None)  # type: ignore[attr-defined]
    torch.save(whole.state_dict(), tmp_path / "resnet18.pt")
    runtime = RuntimeSettings(
        results_dir=str(tmp_path / "results"), cache_dir=str(tmp_path / "cache"), progress=False, device="cpu"
    )
    settings = configs.run_settings(
        "benthicnet_e",
        "weighted_focal_bbma",
        0,
        training="images",
        protocol="corrected",
        overrides=[
            f"dataset.images.table={tmp_path / 'images.csv'}",
            "dataset.images.resize=40",
            "dataset.images.crop=32",
            "encoder.name=resnet18",
            f"encoder.checkpoint={tmp_path / 'resnet18.pt'}",
            "encoder.noise=0.25",
            f"encoder.frozen={str(frozen).lower()}",
            "training.epochs=2",
            "training.batch_size=3",
            "training.hidden=16",
        ],
    )
    data = data_sha256(settings.dataset, runtime, settings.encoder)
    (record,) = run_cells([Cell(settings, data)], runtime)
    assert record.status == "complete"
    assert record.metrics["incoherent_share"] == 0
    assert record.times["steps"] == 4
    assert record.data["rows_train"] == 6
    assert record.settings["encoder"] == {"name": "resnet18", "noise": 0.25, **({} if frozen else {"frozen": False})}


def test_an_encoder_is_a_module_whose_normalisation_is_no_weight(tmp_path: Path) -> None:
    encoder = own(tmp_path)
    assert isinstance(encoder, nn.Module)
    assert not {"mean", "deviation"} & set(encoder.state_dict())
    white = torch.full((1, 1, 8, 8), 255, dtype=torch.uint8)
    expected = encoder.body(torch.full((1, 1, 8, 8), (1 - encoders.MEAN[0]) / encoders.DEVIATION[0]))
    assert torch.allclose(encoder(white), expected, atol=1e-5)
