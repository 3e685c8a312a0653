"""The rivals of MCLoss, against their formulae in plain numpy, their gradients against numerical ones, and their limits."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from hmc.hierarchy import from_edges
from hmc.losses.context import ObjectiveContext
from hmc.losses.mcloss import mcloss
from hmc.losses.objective import Objective
from hmc.losses.rivals import LOSSES, loss_of
from hmc.losses.schedule import Progress
from hmc.losses.weights import node_weights
from hmc.models.constraint import Constraint
from hmc.settings import FocalSettings, MethodSettings, NodeWeightSettings, ProtocolSettings, SettingsError

TREE = from_edges(["root", "a", "b", "a/1"], [("root", "a"), ("root", "b"), ("a", "a/1")])
# Of eight rows: all have the root, four a, none b, one a/1.
TRAINING = TREE.close(np.array([[1, place < 4, 0, place == 0] for place in range(8)]))
COUNTS = np.array([8, 4, 0, 1])
RATE = np.array([15 / 16, 1 / 2, 1 / 16, 1 / 8])
RIVALS = [name for name in LOSSES if name != "mcloss"]
ONE = Progress(0, 1, 0, 1)


def context(loss, trained_on=None, **settings):
    method = MethodSettings("some", loss=loss, **settings)
    return ObjectiveContext(TREE, Constraint(TREE), method, ProtocolSettings(), TRAINING, torch.device("cpu"), trained_on)


def made(loss, **options):
    return loss_of(context(loss, loss_options=options))


def example(seed=0, size=3.0, rows=5):
    random = np.random.default_rng(seed)
    labels = TREE.close(random.random((rows, 4)) < 0.4)
    return size * random.normal(size=(2, rows, 4)), labels


def values(loss, logits, labels, **options):
    return made(loss, **options)(torch.from_numpy(logits), torch.from_numpy(labels)).numpy()


def sigmoid(logits):
    return 1 / (1 + np.exp(-logits))


def cross_entropy(logits, labels):
    return -np.where(labels, np.log(sigmoid(logits)), np.log(1 - sigmoid(logits)))


# --- formulae -----------------------------------------------------------------------------------------------------------


@given(st.integers(0, 2**31))
def test_bce_is_cross_entropy_of_each_node_alone(seed):
    logits, labels = example(seed)
    np.testing.assert_allclose(values("bce", logits, labels), cross_entropy(logits, labels), rtol=1e-9)


@given(st.integers(0, 2**31), st.sampled_from([0.0, 0.5, 1.0, 2.0, -1.0]))
def test_logit_adjusted_adds_the_log_odds_of_the_training_rate(seed, tau):
    logits, labels = example(seed)
    expected = cross_entropy(logits + tau * np.log(RATE / (1 - RATE)), labels)
    # The shift is kept in float32.
    np.testing.assert_allclose(values("logit_adjusted", logits, labels, tau=tau), expected, rtol=1e-5)


@given(
    st.integers(0, 2**31),
    st.sampled_from([0.0, 0.5, 1.0, 2.5]),
    st.sampled_from([0.0, 0.5, 4.0]),
    st.sampled_from([0.0, 0.05, 0.4]),
)
def test_asymmetric_focuses_and_shifts(seed, gamma_positive, gamma_negative, shift):
    logits, labels = example(seed)
    p = sigmoid(logits)
    q = np.maximum(p - shift, 0)
    expected = -np.where(labels, (1 - p) ** gamma_positive * np.log(p), q**gamma_negative * np.log(1 - q))
    found = values("asymmetric", logits, labels, gamma_positive=gamma_positive, gamma_negative=gamma_negative, shift=shift)
    np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-12)


@given(st.integers(0, 2**31), st.sampled_from([0.0, 0.5, 1.0, 2.0, 5.0]))
def test_focal_own_weighs_by_the_networks_own_doubt(seed, gamma):
    logits, labels = example(seed)
    of_label = np.where(labels, sigmoid(logits), 1 - sigmoid(logits))
    np.testing.assert_allclose(
        values("focal_own", logits, labels, gamma=gamma), -((1 - of_label) ** gamma) * np.log(of_label), rtol=1e-7, atol=1e-12
    )


@given(st.integers(0, 2**31), st.sampled_from([0.0, 0.5, 0.9, 0.999]))
def test_class_balanced_weighs_by_the_effective_number_of_each_label(seed, beta):
    logits, labels = example(seed)
    positive, negative = np.maximum(1, COUNTS), np.maximum(1, 8 - COUNTS)
    weights = (1 - beta) / (1 - beta ** np.where(labels, positive, negative))
    np.testing.assert_allclose(
        values("class_balanced", logits, labels, beta=beta), weights * cross_entropy(logits, labels), rtol=1e-5
    )


def test_the_defaults_are_those_of_the_papers():
    assert {name: dict(LOSSES[name].defaults) for name in LOSSES} == {
        "mcloss": {},
        "bce": {},
        "logit_adjusted": {"tau": 1.0},
        "asymmetric": {"gamma_positive": 0.0, "gamma_negative": 4.0, "shift": 0.05},
        "focal_own": {"gamma": 2.0},
        "class_balanced": {"beta": 0.999},
    }
    logits, labels = example()
    for name in LOSSES:
        found = values(name, logits, labels)
        assert (found == values(name, logits, labels, **LOSSES[name].defaults)).all(), name


def test_mcloss_is_c_hmcnns():
    logits, labels = example()
    expected = mcloss(torch.from_numpy(logits), torch.from_numpy(labels), Constraint(TREE))
    assert (values("mcloss", logits, labels) == expected.numpy()).all()


def test_losses_that_look_at_a_node_alone_leave_its_neighbours_out():
    """The constraint is for predictions: a change of one node's logit changes that node's loss and no other, unlike MCLoss's."""
    logits, labels = example()
    changed = logits.copy()
    changed[..., 3] += 5
    for name in RIVALS:
        differ = values(name, logits, labels) != values(name, changed, labels)
        assert not differ[..., :3].any(), name
    assert (values("mcloss", logits, labels) != values("mcloss", changed, labels))[..., :3].any()


def test_some_losses_are_others_in_the_limit():
    logits, labels = example()
    plain = values("bce", logits, labels)
    np.testing.assert_allclose(values("logit_adjusted", logits, labels, tau=0), plain, rtol=1e-12)
    np.testing.assert_allclose(values("focal_own", logits, labels, gamma=0), plain, rtol=1e-12)
    np.testing.assert_allclose(values("asymmetric", logits, labels, gamma_negative=0, shift=0), plain, rtol=1e-12)
    np.testing.assert_allclose(values("class_balanced", logits, labels, beta=0), plain, rtol=1e-12)
    both = values("asymmetric", logits, labels, gamma_positive=2, gamma_negative=2, shift=0)
    np.testing.assert_allclose(both, values("focal_own", logits, labels), rtol=1e-12)


def test_an_easy_negative_does_not_count_in_the_asymmetric_loss():
    """Below the shift a probability is 0, and so are its loss and its gradient."""
    logits = torch.tensor([[np.log(0.04 / 0.96)] * 4], requires_grad=True)
    losses = made("asymmetric")(logits, torch.zeros(1, 4, dtype=torch.bool))
    (gradient,) = torch.autograd.grad(losses.sum(), logits)
    assert losses.abs().max() < 1e-30
    assert gradient.abs().max() == 0


# --- gradients and limits --------------------------------------------------------------------------------------------------

OPTIONS = {
    "asymmetric": [{}, {"gamma_positive": 1.5, "gamma_negative": 0.5, "shift": 0.2}, {"gamma_negative": 0.5, "shift": 0.0}],
    "focal_own": [{}, {"gamma": 0.5}],
    "logit_adjusted": [{}, {"tau": 2.5}],
    "class_balanced": [{}, {"beta": 0.5}],
}
CASES = [(name, options) for name in LOSSES for options in OPTIONS.get(name, [{}])]


@pytest.mark.parametrize(("name", "options"), CASES)
@pytest.mark.parametrize("seed", [0, 1])
def test_gradients_equal_numerical_ones(name, options, seed):
    logits, labels = example(seed, size=2.0)
    loss, positive = made(name, **options), torch.from_numpy(labels)
    variable = torch.from_numpy(logits).requires_grad_()
    assert torch.autograd.gradcheck(lambda given: loss(given, positive), (variable,), eps=1e-6, atol=1e-5)


@pytest.mark.parametrize(("name", "options"), CASES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_losses_and_gradients_are_finite_for_extreme_logits(name, options, dtype):
    extreme = torch.tensor([-1e30, -1e4, -200.0, -89.0, -17.0, 0.0, 17.0, 89.0, 200.0, 1e4, 1e30], dtype=dtype)
    loss = made(name, **options)
    for labels in (torch.zeros(1, 4, dtype=torch.bool), torch.ones(1, 4, dtype=torch.bool)):
        logits = extreme[:, None].repeat(1, 4).requires_grad_()
        losses = loss(logits, labels)
        (gradient,) = torch.autograd.grad(losses.sum(), logits)
        assert losses.dtype == dtype
        assert losses.isfinite().all()
        assert (losses >= 0).all()
        assert gradient.isfinite().all()


@pytest.mark.parametrize(("name", "options"), CASES)
def test_a_right_answer_costs_nothing_and_a_wrong_one_much(name, options):
    right, wrong = torch.full((1, 4), 60.0), torch.full((1, 4), -60.0)
    ones = torch.ones(1, 4, dtype=torch.bool)
    assert (made(name, **options)(right, ones) < 1e-6).all()
    assert (made(name, **options)(wrong, ones) > 0.05).all()
    assert (made(name, **options)(wrong, ~ones) < 1e-6).all()
    assert (made(name, **options)(right, ~ones) > 0.05).all()


@given(st.integers(0, 2**31))
def test_gradients_point_towards_the_labels(seed):
    logits, labels = example(seed)
    for name in RIVALS:
        variable = torch.from_numpy(logits).requires_grad_()
        (gradient,) = torch.autograd.grad(made(name)(variable, torch.from_numpy(labels)).sum(), variable)
        towards = np.broadcast_to(labels, logits.shape)
        assert (gradient.numpy()[towards] <= 0).all(), name
        assert (gradient.numpy()[~towards] >= 0).all(), name


@pytest.mark.parametrize("name", list(LOSSES))
def test_labels_are_broadcast_over_cells_and_members(name):
    logits, labels = example()
    stacked = torch.from_numpy(np.stack([logits, -logits]))
    found = made(name)(stacked, torch.from_numpy(labels))
    assert found.shape == (2, 2, 5, 4)
    assert (found[1, 0] == made(name)(stacked[1, 0], torch.from_numpy(labels))).all()


# --- what frequencies are counted on ----------------------------------------------------------------------------------------


def test_rates_are_kept_from_the_ends():
    assert context("bce").rate.tolist() == RATE.tolist()
    assert context("bce").positives.tolist() == COUNTS.tolist()


@pytest.mark.parametrize("name", ["logit_adjusted", "class_balanced"])
def test_frequencies_are_those_of_all_rows_trained_on_whatever_node_weights_are_counted_on(name):
    """As the rule ``prior`` has them, its twin afterwards; ``protocol.weights_from`` is a switch of node weights."""
    logits, labels = (torch.from_numpy(array) for array in example())
    every = np.concatenate([TRAINING, TRAINING[:2]])
    found = loss_of(context(name, trained_on=every))(logits, labels)
    alone = ObjectiveContext(
        TREE, Constraint(TREE), MethodSettings("some", loss=name), ProtocolSettings(), every, torch.device("cpu")
    )
    assert (found == loss_of(alone)(logits, labels)).all()
    assert (found != loss_of(context(name))(logits, labels)).any()
    assert context(name, trained_on=every).rows == 10


# --- in an objective ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", list(LOSSES))
def test_an_objective_averages_it_over_rows_and_evaluated_nodes(name):
    logits, labels = example()
    objective = Objective(context(name, members=2))
    found = objective(torch.from_numpy(logits)[None].float(), torch.from_numpy(labels)[None, None], ONE)
    expected = values(name, logits.astype(np.float32), labels)[..., TREE.evaluated].mean(axis=(1, 2)).sum()
    assert found.item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", list(LOSSES))
def test_node_weights_and_focal_weights_multiply_it(name):
    logits, labels = example()
    focal = {"focal": FocalSettings("bbma", floor=0.25, power=1.0), "reduction": "sum"}
    stacked, positive = torch.from_numpy(logits)[None].float(), torch.from_numpy(labels)[None, None]
    weighted = Objective(context(name, members=2, node_weights=NodeWeightSettings("class_wise"), **focal))
    found = weighted(stacked, positive, ONE)
    mean = sigmoid(logits).mean(axis=0)
    doubt = 0.25 + 1 - np.abs(2 * mean - 1)
    counted = node_weights(TRAINING, TREE, NodeWeightSettings("class_wise"), ProtocolSettings()).assigned("negatives")
    weights = np.where(labels, counted.positive, counted.negative) * TREE.evaluated
    expected = (values(name, logits, labels) * weights * doubt).sum()
    assert found.item() == pytest.approx(expected, rel=1e-4)


# --- options ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("bce", {"tau": 1.0}, "method.loss_options.tau is not known to method.loss=bce; it takes none"),
        ("mcloss", {"gamma": 1.0}, "method.loss_options.gamma is not known to method.loss=mcloss; it takes none"),
        ("logit_adjusted", {"tua": 1.0}, "loss_options.tua is not known to method.loss=logit_adjusted; did you mean 'tau'?"),
        ("asymmetric", {"beta": 1}, "loss_options.beta is not known to method.loss=asymmetric"),
        ("focal_own", {"gamma": "2"}, "method.loss_options.gamma must be a finite number, got '2'"),
        ("focal_own", {"gamma": True}, "method.loss_options.gamma must be a finite number, got True"),
        ("focal_own", {"gamma": None}, "method.loss_options.gamma must be a finite number, got None"),
        ("logit_adjusted", {"tau": float("nan")}, "method.loss_options.tau must be a finite number, got nan"),
        ("logit_adjusted", {"tau": float("inf")}, "method.loss_options.tau must be a finite number, got inf"),
        ("focal_own", {"gamma": -1}, "method.loss_options.gamma must be at least 0, got -1.0"),
        ("asymmetric", {"gamma_positive": -0.5}, "method.loss_options.gamma_positive must be at least 0, got -0.5"),
        ("asymmetric", {"gamma_negative": -2}, "method.loss_options.gamma_negative must be at least 0, got -2.0"),
        ("asymmetric", {"shift": -0.1}, "method.loss_options.shift must be at least 0 and below 1, got -0.1"),
        ("asymmetric", {"shift": 1}, "method.loss_options.shift must be at least 0 and below 1, got 1.0"),
        ("class_balanced", {"beta": 1}, "method.loss_options.beta must be at least 0 and below 1, got 1.0"),
        ("class_balanced", {"beta": -0.5}, "method.loss_options.beta must be at least 0 and below 1, got -0.5"),
    ],
)
def test_an_option_that_cannot_be_is_named(name, options, words):
    with pytest.raises(SettingsError) as raised:
        made(name, **options)
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)


class Squared:
    """A custom loss: the squared distance of probability and label, times ``method.loss_options.scale``."""

    def __init__(self, context):
        self.scale = context.method.loss_options["scale"]

    def __call__(self, logits, labels):
        return self.scale * (logits.sigmoid() - labels.to(logits.dtype)).square()


def test_a_custom_class_is_a_loss_and_has_options_of_its_own():
    logits, labels = example()
    found = values(f"{__name__}:Squared", logits, labels, scale=3)
    np.testing.assert_allclose(found, 3 * (sigmoid(logits) - labels) ** 2, rtol=1e-9)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("asymetric", "method.loss='asymetric' is not known; did you mean 'asymmetric'?"),
        ("nowhere:Loss", "method.loss='nowhere:Loss' cannot be imported"),
    ],
)
def test_a_loss_that_is_not_known_is_named(name, words):
    with pytest.raises(SettingsError) as raised:
        made(name)
    assert words in str(raised.value)


class Mean(Squared):
    def __call__(self, logits, labels):
        return super().__call__(logits, labels).mean()


class Broken(Squared):
    def __call__(self, logits, labels):
        return logits[99]


class WithoutContext:
    def __init__(self):
        pass


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Mean", "must return a loss for each logit, a tensor of their shape [2, 1, 5, 4], got the shape []"),
        ("Broken", "must be called with logits and labels, got IndexError: "),
        ("WithoutContext", "must be a class that is made with an ObjectiveContext, got TypeError: "),
    ],
)
def test_a_mistake_in_a_custom_loss_is_one_line_that_names_its_place(name, words):
    logits, labels = (torch.from_numpy(part) for part in example())
    with pytest.raises(SettingsError) as raised:
        made(f"{__name__}:{name}", scale=1)(logits[:, None], labels)
    assert words in str(raised.value)
    assert "docs/your-own-method.md" in str(raised.value)
    if name == "Broken":
        assert "test_rivals.py:" in str(raised.value)
