"""The house has floors: a module imports only from floors below its own, and only the third parties of its floor or below."""

from __future__ import annotations

import ast
import graphlib
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]

FLOORS = {
    "hierarchy": 0,
    "settings": 0,
    "files": 0,
    "configs": 1,
    "data": 1,
    "metrics": 1,
    "results": 1,
    "scores": 1,
    "stats": 1,
    "models": 2,
    "losses": 2,
    "training": 3,
    "experiments": 4,
    "benchmark": 4,
    "report": 4,
    "console": 5,
    "scripts": 5,
}
THIRD_PARTIES = {
    "numpy": 0,
    "pandas": 1,
    "scipy": 1,
    "sklearn": 1,
    "PIL": 1,
    "pooch": 1,
    "requests": 1,
    "yaml": 0,
    "torch": 2,
    "torchvision": 2,
    "numba": 2,
    "tqdm": 3,
    "submitit": 4,
    "mlflow": 4,
    "joblib": 4,
    "matplotlib": 4,
    "jinja2": 4,
    "markupsafe": 4,
    "scikit_posthocs": 4,
    "hydra": 5,
    "omegaconf": 5,
}
# Rooms of one floor of which the first may look into the second: a mistake in a file is one in settings, cards are configuration
# files, losses are computed through the constraint, what is measured is how cells are run, doors use the bridge.
NEIGHBOURS = {
    ("files", "settings"),
    ("data", "configs"),
    ("losses", "models"),
    ("benchmark", "experiments"),
    ("scripts", "console"),
}


def modules() -> list[Path]:
    return sorted([*PROJECT.glob("hmc/**/*.py"), *PROJECT.glob("scripts/*.py")])


def room(path: Path) -> str:
    parts = path.relative_to(PROJECT).with_suffix("").parts
    return "scripts" if parts[0] == "scripts" else parts[1]


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PROJECT)))
def test_a_module_imports_only_from_floors_below(path: Path) -> None:
    own = room(path)
    if own == "__init__":
        return
    for name in imported(path):
        parts = name.split(".")
        if parts[0] == "hmc":
            other = parts[1] if len(parts) > 1 else ""
            assert other == own or FLOORS[other] < FLOORS[own] or (own, other) in NEIGHBOURS, f"{own} imports {name}"
        elif parts[0] in THIRD_PARTIES:
            assert THIRD_PARTIES[parts[0]] <= FLOORS[own], f"{own} (floor {FLOORS[own]}) imports {name}"
        else:
            assert parts[0] in sys.stdlib_module_names, f"{own} imports {name}, which no floor lists"


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Not within functions either: there, a circle only hides."""
    names = {".".join(path.relative_to(PROJECT).with_suffix("").parts).removesuffix(".__init__"): path for path in modules()}
    needs = {
        name: {other if other in names else other.rpartition(".")[0] for other in imported(path) if other.startswith("hmc")}
        for name, path in names.items()
    }
    order = list(graphlib.TopologicalSorter(needs).static_order())
    assert set(names) <= set(order)


def test_the_report_wing_reaches_neither_training_nor_torch() -> None:
    for path in modules():
        if room(path) == "report":
            forbidden = ("hmc.experiments", "hmc.training", "hmc.models", "hmc.losses", "torch")
            assert not [name for name in imported(path) if name.startswith(forbidden)]


@pytest.mark.parametrize("door", ["tables", "reproduce", "data", "train"])
def test_torch_is_loaded_only_when_something_is_trained(door: str) -> None:
    """Reading tables, or finding that all is done, must not cost torch's seconds."""
    code = (
        f"import sys, runpy; runpy.run_path('scripts/{door}.py', run_name='door'); "
        "print(sorted({'torch', 'numba'} & set(sys.modules)))"
    )
    shown = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    assert shown.strip() == "[]"
