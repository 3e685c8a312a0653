"""Where a step's time goes, and how it grows: what is counted, not how long it takes."""

import json

import numpy as np
import pytest

from hmc.benchmark import profile, scaling, steps
from hmc.benchmark.profile import PARTS
from hmc.report.figures.drawing import render
from hmc.report.figures.step_cost import cost_curves
from hmc.settings import RuntimeSettings


def test_the_parts_are_all_of_a_step(tmp_path: object) -> None:
    measured = steps.profile("synthetic_tree", 2, 3, RuntimeSettings(cache_dir=str(tmp_path), threads=1), seconds=0.05)
    assert list(measured.milliseconds) == list(PARTS)
    assert measured.networks == 6
    assert measured.parameters == 6 * (21 * 100 + 101 * 100 + 101 * 61)
    for part in ("batches", "forward", "constraint", "gradient of the loss", "backward and update"):
        assert measured.milliseconds[part] > 0, part
    assert measured.step == pytest.approx(sum(measured.milliseconds.values()))
    assert "synthetic_tree" in profile.table([measured])


@pytest.mark.parametrize(("shape", "depth"), [("tree", 3), ("dag", 7)])
def test_a_generated_hierarchy_has_the_nodes_and_levels_asked_for(shape: str, depth: int) -> None:
    hierarchy = scaling.generated(scaling.Case("nodes", shape, 500, depth))
    assert len(hierarchy) == 501
    assert hierarchy.depth.max() == depth
    assert hierarchy.is_tree == (shape == "tree")
    assert np.array_equal(hierarchy.evaluated, hierarchy.depth > 0)


def test_a_case_is_measured_with_its_memory_and_drawn() -> None:
    cases = [scaling.Case(varied, nodes=40, depth=3, members=2) for varied in ("nodes", "depth", "members", "stack")]
    costs = [scaling.measure(cases[0], threads=1)] + [
        scaling.Cost(case, 100, dict.fromkeys(PARTS, 1.0), megabytes=5.0) for case in cases[1:]
    ]
    assert costs[0].pairs == len(scaling.generated(cases[0]).descendants.indices)
    assert costs[0].step > scaling.constraint_and_loss(costs[0]) > 0
    assert costs[0].megabytes >= 0
    documents = json.loads(json.dumps(scaling.as_documents(costs)))
    svg = render(cost_curves(documents), ["svg"])["svg"].decode()
    assert "seeds in a stack" in svg
    assert svg.count(">megabytes<") == 1  # an axis of its own
