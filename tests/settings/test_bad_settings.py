"""Every setting of a wrong type, out of range or unknown is one line that names it, its value, the limit and a way out.

The table is made from the dataclasses' own types and limits, so that a new setting is in it from its first day.
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
import types
import typing
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from hmc import configs
from hmc.experiments import plan
from hmc.report.claims import Claim, Criterion
from hmc.report.comparisons import CompareSettings, PairSettings
from hmc.settings import (
    BlockSettings,
    ExecutorSettings,
    RuntimeSettings,
    SettingsError,
    SlurmSettings,
    SuiteSettings,
    build,
    schema,
)

KINDS = (
    *(kind for kind in vars(schema).values() if dataclasses.is_dataclass(kind)),
    *(BlockSettings, SuiteSettings, SlurmSettings, ExecutorSettings, Criterion, Claim, PairSettings, CompareSettings),
)


def beyond(limits: Mapping[str, Any], whole: bool) -> Iterator[tuple[Any, float]]:
    """Values just past each limit, with the limit."""
    step = 1 if whole else 1e-6
    for name, past in (("minimum", -step), ("maximum", step), ("above", 0), ("below", 0)):
        if limits.get(name) is not None:
            yield (int if whole else float)(limits[name] + past), limits[name]


def wrong(hint: Any, limits: Mapping[str, Any]) -> Iterator[tuple[Any, float | None]]:
    """Values that a setting of this type must refuse, with the limit that they break (None: another reason)."""
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        inner = next(one for one in typing.get_args(hint) if one is not type(None))
        yield from (entry for entry in wrong(inner, limits) if entry[0] is not None)
    elif dataclasses.is_dataclass(hint):
        yield from ((value, None) for value in (3, "text", [1], None, {"no_such_setting": 1}))
    elif typing.get_origin(hint) is tuple:
        yield from ((value, None) for value in ("text", 3, None, {"a": 1}, True))
        yield from (([value], limit) for value, limit in wrong(typing.get_args(hint)[0], limits))
    elif typing.get_origin(hint) is not None:
        yield from ((value, None) for value in ("text", 3, None, [1]))
        if typing.get_args(hint)[1] is not Any:
            yield from (({"key": value}, limit) for value, limit in wrong(typing.get_args(hint)[1], {}))
    elif hint is bool:
        yield from ((value, None) for value in ("yes", 1, 0.0, None, []))
    elif hint is int:
        yield from ((value, None) for value in ("many", "3", 1.5, True, None, [1], {}, math.nan, math.inf))
        yield from beyond(limits, whole=True)
    elif hint is float:
        yield from ((value, None) for value in ("half", True, None, [0.5], {}, math.nan, -math.inf, "1e999", 10**400))
        yield from beyond(limits, whole=False)
    elif hint is str:
        yield from ((value, None) for value in (None, True, ["a"], {"a": 1}))
        if limits.get("choices"):
            yield from ((value, None) for value in ("no_such_word", "", f"{limits['choices'][0]} "))
            if not limits["allow_custom"]:
                yield "module:name", None
    else:
        assert hint is Any


TABLE = [
    pytest.param(kind, field.name, value, limit, id=f"{kind.__name__}.{field.name}={str(value)[:30]}")
    for kind in KINDS
    for field in dataclasses.fields(kind)
    for value, limit in wrong(typing.get_type_hints(kind)[field.name], field.metadata)
]


def test_the_table_is_long() -> None:
    assert len(TABLE) > 500


@pytest.mark.parametrize(("kind", "name", "value", "limit"), TABLE)
def test_a_wrong_value_is_one_line_with_a_way_out(kind: type, name: str, value: Any, limit: float | None) -> None:
    with pytest.raises(SettingsError) as raised:
        build(kind, {name: value}, at="group")
    message = str(raised.value)
    assert f"group.{name}" in message
    assert len(message.splitlines()) == 1
    assert len(message) < 600
    assert ";" in message or "expected" in message, "no way out is named"
    if limit is not None:
        assert f"{limit:.10g}" in message


def test_limits_are_themselves_allowed() -> None:
    for kind in KINDS:
        hints = typing.get_type_hints(kind)
        for field in dataclasses.fields(kind):
            whole = int in (hints[field.name], *typing.get_args(hints[field.name]))
            for limit in (field.metadata.get("minimum"), field.metadata.get("maximum")):
                if limit is None:
                    continue
                value = int(limit) if whole else limit
                given = [value] if typing.get_origin(hints[field.name]) is tuple else value
                with (
                    pytest.raises(SettingsError, match="is missing")
                    if _needs_more(kind, field.name)
                    else contextlib.nullcontext()
                ):
                    build(kind, {field.name: given})


def _needs_more(kind: type, name: str) -> bool:
    required = {
        field.name
        for field in dataclasses.fields(kind)  # type: ignore[arg-type]
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    }
    return bool(required - {name})


# --- settings that contradict each other ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["method.focal.uncertainty=gmu"], "method.members=2 or more"),
        (["method.focal.uncertainty=epistemic_js"], "method.members=2 or more"),
        (["method.schedule.shape=linear"], "method.node_weights.scheme=none; set"),
        (["method.weighted_share=0.5"], "weights nothing; set"),
        (["method.ensemble=dropout", "training.dropout=0"], "set training.dropout above 0"),
        (["method.options={scale: 2}"], "takes none; set method.objective"),
        (["dataset.synthetic.depth=50", "dataset.synthetic.nodes=20"], "every level needs a node; set"),
        (["method.members.more=5"], "must be a whole number, got"),
        (["method.name.more=5"], "method.name, which has no parts"),
        (["method.members=[5"], "this cannot be read as YAML"),
        (["members=5"], "not of the form group.key=value"),
        (["method.members"], "not of the form group.key=value"),
        (["method.memebrs=5"], "did you mean 'members'"),
        (["method.node_weights=binary"], "must be a group of settings"),
    ],
)
def test_a_contradiction_is_refused_before_anything_is_read(overrides: list[str], words: str) -> None:
    with pytest.raises(SettingsError) as raised:
        configs.run_settings("synthetic_tree", "chmcnn", 0, overrides=overrides)
    assert words in str(raised.value)
    assert len(str(raised.value).splitlines()) == 1


BLOCK = {"datasets": ["synthetic_tree"], "methods": ["chmcnn"]}


@pytest.mark.parametrize(
    ("suite", "words"),
    [
        ({"blocks": [{**BLOCK, "methods": ["chmcn"]}]}, "unknown method 'chmcn'; did you mean 'chmcnn'"),
        ({"blocks": [{**BLOCK, "datasets": ["enrom"]}]}, "unknown dataset 'enrom'; did you mean 'enron'"),
        ({"blocks": [{**BLOCK, "protocols": ["release"]}]}, "unknown protocol 'release'; did you mean 'released'"),
        ({"blocks": [{**BLOCK, "seeds": [1, 2, 1]}]}, "name a seed twice; name each once"),
        ({"blocks": [BLOCK], "seeds": [3, 3]}, "name a seed twice; name each once"),
        ({"blocks": [{**BLOCK, "overrides": ["method.focal.uncertainty=gmu"]}]}, "method.members=2 or more"),
        ({"blocks": [BLOCK], "methods": ["weighted"]}, "selects 'weighted', which the suite trial has not"),
        ({"blocks": []}, "has no cells; name"),
        ({"blocks": [{**BLOCK, "seeds": []}]}, "has no cells; name"),
        ({"blocks": [{"datasets": ["enron"]}]}, "'suite.blocks[0].methods' is missing"),
        ({"blocks": [{**BLOCK, "seeds": [-1]}]}, "suite.blocks[0].seeds[0] must be at least 0, got -1"),
        ({"blocks": [{**BLOCK, "seeds": [2**31]}]}, "must be at most 2147483647"),
        ({"blocks": {"a": BLOCK}}, "must be a list, got"),
    ],
)
def test_a_suite_with_a_mistake_is_refused_before_anything_runs(suite: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingsError) as raised:
        plan.suite_cells(build(SuiteSettings, {"name": "trial", **suite}, at="suite"), RuntimeSettings())
    assert words in str(raised.value)
    assert len(str(raised.value).splitlines()) == 1


def test_a_number_deep_in_a_free_mapping_must_be_finite_too() -> None:
    with pytest.raises(SettingsError, match=r"options\.deep\[1\]\.er must be a finite number, got -inf"):
        build(schema.MethodSettings, {"name": "mine", "objective": "mine:Own", "options": {"deep": [1, {"er": -math.inf}]}})
