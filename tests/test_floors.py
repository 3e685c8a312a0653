"""The house has floors: a module imports only from floors below its own, and only the third parties of its floor or below."""

from __future__ import annotations

import ast
import functools
import graphlib
import subprocess
import sys
from pathlib import Path

import pytest

from hmc.experiments.plan import composed
from hmc.experiments.run import run_cells
from hmc.settings import RuntimeSettings
from tests.doors.suites import block
from tests.experiments.examples import SIZES

PROJECT = Path(__file__).resolve().parents[1]

FLOORS = {
    "hierarchy": 0,
    "settings": 0,
    "files": 0,
    "interrupts": 0,
    "configs": 1,
    "data": 1,
    "scores": 1,
    "rules": 1,
    "metrics": 1,
    "results": 1,
    "stats": 1,
    "models": 2,
    "losses": 2,
    "training": 3,
    "estimators": 3,
    "experiments": 4,
    "classifier": 4,
    "benchmark": 4,
    "report": 4,
    "overrides": 5,
    "console": 5,
    "scripts": 5,
}
THIRD_PARTIES = {
    **dict.fromkeys(("numpy", "yaml"), 0),
    **dict.fromkeys(
        ("numba", "pandas", "scipy", "sklearn", "arff", "pooch", "requests", "urllib3", "PIL", "obonet", "pyarrow"), 1
    ),
    **dict.fromkeys(("torch", "torchvision"), 2),
    **dict.fromkeys(("tqdm", "joblib"), 3),
    **dict.fromkeys(("submitit", "mlflow", "matplotlib", "jinja2", "markupsafe", "scikit_posthocs"), 4),
    **dict.fromkeys(("hydra", "omegaconf"), 5),
}
NEIGHBOURS = {
    ("files", "settings"): "a mistake in a file is one in settings",
    ("data", "configs"): "a dataset's card is a configuration file",
    ("rules", "metrics"): "a rule chooses by a metric",
    ("results", "scores"): "a store keeps a cell's scores beside its record",
    ("losses", "models"): "losses are computed through the constraint",
    ("training", "estimators"): "a method given as arrays may be an estimator",
    ("benchmark", "report"): "what was measured is drawn with the report's figures",
    ("scripts", "console"): "doors use the bridge to Hydra",
    ("console", "overrides"): "the bridge checks the command line first",
}
"""Rooms of one floor of which the first may look into the second, and why."""
WITHOUT_TORCH = ("report", "rules", "metrics", "scores")


def modules() -> list[Path]:
    return sorted([*PROJECT.glob("hmc/**/*.py"), *PROJECT.glob("scripts/*.py")])


def room(path: Path) -> str:
    parts = path.relative_to(PROJECT).with_suffix("").parts
    return "scripts" if parts[0] == "scripts" else parts[1]


@functools.cache
def imported(path: Path) -> frozenset[str]:
    """The names that a module imports, within functions and for type checks too."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return frozenset(names)


def rooms_of(path: Path) -> set[str]:
    """The other rooms that a module looks into."""
    parts = [name.split(".") for name in imported(path)]
    return {name[1] for name in parts if name[0] == "hmc" and name[1] in FLOORS and name[1] != room(path)}


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PROJECT)))
def test_a_module_imports_only_from_floors_below(path: Path) -> None:
    own = room(path)
    if own == "__init__":
        return
    for other in rooms_of(path):
        assert FLOORS[other] < FLOORS[own] or (own, other) in NEIGHBOURS, f"{own} imports {other}"
    for name in imported(path):
        first, *rest = name.split(".")
        if first == "hmc":
            # The package itself has its version and the front door to the classifier, which no room needs.
            assert rest[0] in FLOORS or rest == ["__version__"], f"{own} imports {name}, which no floor lists"
        elif first in THIRD_PARTIES:
            assert THIRD_PARTIES[first] <= FLOORS[own], f"{own} (floor {FLOORS[own]}) imports {name}"
        else:
            assert first in sys.stdlib_module_names, f"{own} imports {name}, which no floor lists"


def test_every_exception_is_needed() -> None:
    needed = {(room(path), other) for path in modules() for other in rooms_of(path) if room(path) in FLOORS}
    assert not set(NEIGHBOURS) - needed
    assert all(FLOORS[one] == FLOORS[other] for one, other in NEIGHBOURS)
    assert {room(path) for path in modules()} - {"__init__"} == set(FLOORS)


def dotted(path: Path) -> str:
    return ".".join(path.relative_to(PROJECT).with_suffix("").parts).removesuffix(".__init__")


def needs() -> dict[str, set[str]]:
    """By module, the modules of the project that it imports."""
    names = {dotted(path): path for path in modules()}
    return {
        name: {other if other in names else other.rpartition(".")[0] for other in imported(path) if other.startswith("hmc.")}
        for name, path in names.items()
    }


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Not within functions either, nor for type checks: there, a circle only hides."""
    order = list(graphlib.TopologicalSorter({name: others - {"hmc"} for name, others in needs().items()}).static_order())
    assert {dotted(path) for path in modules()} - {"hmc"} <= set(order)


def test_the_report_wing_reaches_neither_training_nor_torch() -> None:
    for path in modules():
        if room(path) == "report":
            assert not rooms_of(path) & {"experiments", "training", "estimators", "models", "losses", "classifier", "benchmark"}


@pytest.mark.parametrize("own", WITHOUT_TORCH)
def test_scores_rules_metrics_and_report_reach_torch_in_no_way(own: str) -> None:
    """Within functions neither, through whatever they import."""
    reached, waiting = set(), [dotted(path) for path in modules() if room(path) == own]
    graph, paths = needs(), {dotted(path): path for path in modules()}
    while waiting:
        name = waiting.pop()
        if name in paths and name != "hmc" and name not in reached:
            reached.add(name)
            assert not [one for one in imported(paths[name]) if one.split(".")[0] in ("torch", "torchvision")], name
            waiting += graph[name]
    assert any(name.startswith(f"hmc.{own}") for name in reached)


def run_in_a_process(code: str, folder: Path = PROJECT) -> str:
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("door", ["tables", "compare", "evaluate", "reproduce", "data", "train"])
def test_torch_is_loaded_only_when_something_is_trained(door: str) -> None:
    """Reading tables, or finding that all is done, must not cost torch's seconds."""
    code = (
        f"import sys, runpy; runpy.run_path('scripts/{door}.py', run_name='door'); "
        "print(sorted({'torch', 'numba'} & set(sys.modules)))"
    )
    assert run_in_a_process(code).strip() == "[]"


ABSENT = """
import importlib, runpy, sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] in ('torch', 'torchvision'):
            raise ModuleNotFoundError(f'No module named {name!r}', name=name)
sys.meta_path.insert(0, Absent())
"""
"""What goes before a program to run it as if torch were not installed."""
WITHOUT = """
sys.argv = [{door!r}, *{arguments!r}]
try:
    runpy.run_path({door!r}, run_name='__main__')
except SystemExit as end:
    sys.exit(end.code)
"""


def test_tables_comparisons_and_evaluation_run_where_there_is_no_torch(tmp_path: Path) -> None:
    """From scores to records, and from records to tables and tests."""
    some = f"suite.blocks=[{block('chmcnn,mixture_chmcnn_trees', 1, 'training.epochs=1')}]"
    runtime = RuntimeSettings(results_dir=str(tmp_path / "results"), progress=False)
    mixture = composed("synthetic_tree", "mixture_chmcnn_trees", runtime, overrides=(*SIZES, "training.epochs=1"))
    for cell in (*mixture.parts, mixture):
        run_cells([cell], runtime)
    before = {path: path.read_bytes() for path in tmp_path.rglob("record.json")}
    where = f"results_dir={tmp_path / 'results'}"
    findings = PROJECT / "results" / "reference" / "comparisons" / "findings.yaml"
    commands = (
        ("evaluate", [some, where, "force=true"], "2 evaluated again"),
        ("evaluate", [where, "action=convert"], "0 records of an earlier layout converted"),
        ("tables", [some, where, "reference=false"], "tables"),
        ("compare", [where, f"comparisons={findings}"], "findings"),
    )
    for door, arguments, words in commands:
        code = ABSENT + WITHOUT.format(door=str(PROJECT / "scripts" / f"{door}.py"), arguments=arguments)
        assert words in run_in_a_process(code, tmp_path), door
    assert len(before) == 3
    assert sum(path.read_bytes() != content for path, content in before.items()) <= 2


@pytest.mark.parametrize("own", WITHOUT_TORCH)
def test_each_room_without_torch_is_imported_whole_where_there_is_none(own: str) -> None:
    names = [dotted(path) for path in modules() if room(path) == own]
    run_in_a_process(f"{ABSENT}[importlib.import_module(name) for name in {names!r}]")


def test_the_test_of_missing_torch_would_notice_it(tmp_path: Path) -> None:
    code = ABSENT + WITHOUT.format(
        door=str(PROJECT / "scripts" / "train.py"), arguments=["training.epochs=1", f"results_dir={tmp_path}"]
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode != 0
    assert "torch" in done.stderr
