import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hmc.report.verdicts import AU_PRC, MACRO_F1, Verdict, verdict
from hmc.results.published import PublishedValue

ORDER = ("match", "close", "differs")
ENRON = PublishedValue("enron", "chmcnn", 0.756, 3, "a paper", seeds=10)
ENRON_F1 = PublishedValue("enron", "", 15.4, 1, "another paper")


@pytest.mark.parametrize(
    ("ours", "name"),
    [
        (0.756, "match"),
        (0.759, "match"),
        (0.753, "match"),
        (0.7591, "close"),
        (0.766, "close"),
        (0.7661, "differs"),
        (0.5, "differs"),
    ],
)
def test_au_prc_at_the_edges_of_its_rule(ours, name):
    assert verdict([ours], ENRON, AU_PRC).name == name


@pytest.mark.parametrize(
    ("published", "ours", "name"),
    [
        (15.4, 16.17, "match"),
        (15.4, 16.3, "close"),
        (15.4, 18.0, "differs"),
        (0.77, 0.81, "close"),
        (1.26, 0.81, "differs"),
        (57.65, 58.65, "match"),
        (57.65, 60.0, "close"),
        (57.65, 61.0, "differs"),
    ],
)
def test_macro_f1_is_judged_relative_to_its_size_but_within_points(published, ours, name):
    assert verdict([ours], dataclasses.replace(ENRON_F1, value=published), MACRO_F1).name == name


def test_a_verdict_carries_mean_difference_and_number_of_seeds():
    judged = verdict([0.75, 0.76], ENRON, AU_PRC)
    assert (judged.mean, judged.seeds) == (pytest.approx(0.755), 2)
    assert judged.difference == pytest.approx(-0.001)


def test_what_is_not_there_is_missing():
    assert verdict([], ENRON, AU_PRC, planned=3) == Verdict("missing", None, 0)
    assert verdict([0.756, 0.756], ENRON, AU_PRC, planned=3) == Verdict("missing", None, 2)
    assert verdict([0.756], None, AU_PRC) == Verdict("missing", 0.756, 1)
    assert verdict([], ENRON, AU_PRC).name == "missing"


@given(
    value=st.floats(0.001, 100),
    near=st.floats(0, 100),
    further=st.floats(0, 100),
    tolerance=st.sampled_from([AU_PRC, MACRO_F1]),
)
def test_further_away_is_never_a_better_verdict_on_either_side(value, near, further, tolerance):
    published = dataclasses.replace(ENRON, value=value)
    names = [
        verdict([value + sign * distance], published, tolerance).name for distance in (near, near + further) for sign in (1, -1)
    ]
    above, below, further_above, further_below = (ORDER.index(name) for name in names)
    assert above <= further_above
    assert below <= further_below
    assert names[0] == "match" or near > 0
