import numpy as np

from hmc.data import catalog, digits
from hmc.data.load import load
from hmc.settings import ProtocolSettings, RuntimeSettings


def test_the_hierarchy_and_its_rare_leaves_are_those_that_are_documented():
    dataset = load(catalog.card("digits"), ProtocolSettings(), RuntimeSettings())
    counts = dict(zip(dataset.hierarchy.names, dataset.train.labels.sum(0).tolist(), strict=True))
    assert digits.__doc__ is not None
    for name, count in counts.items():
        if name != "root":
            (line,) = [
                line for line in digits.__doc__.splitlines() if line.replace("'", "|").partition("- ")[2].split(" ")[0] == name
            ]
            assert int(line.partition(name)[2].split()[0]) == count
            assert ("rare" in line) == (count <= 10)
    assert dataset.hierarchy.is_closed(dataset.train.labels)
    assert dataset.test.labels[:, [name.rpartition(".")[2].isdigit() for name in counts]].sum(0).min() > 40
    expected = catalog.card("digits").expected
    assert (len(dataset.train), len(dataset.test), int(dataset.hierarchy.evaluated.sum())) == (
        expected["train"],
        expected["test"],
        expected["nodes"],
    )
    assert dataset.train.features.shape[1:] == (1, 8, 8)


def test_images_set_aside_are_in_no_split():
    encoded = digits.read()
    aside, targets = digits.set_aside()
    known = {image.tobytes() for image in aside}
    assert np.bincount(targets).min() > 50
    assert aside.max() == 255
    for split in ("train", "test"):
        assert not known & {image.tobytes() for image in encoded.features[split]}
    train, test = ({image.tobytes() for image in encoded.features[split]} for split in ("train", "test"))
    assert not train & test
