"""The house: a room imports only from rooms below it."""

from __future__ import annotations

import ast
import sys
import tomllib
from pathlib import Path

import pytest

import neurosteer

PACKAGE = Path(neurosteer.__file__).parent
FLOORS = (
    "lazy",
    "version",
    "vocabulary",
    "rankings",
    "errors",
    "progress",
    "hub",
    "store",
    "grammar",
    "meaning",
    "gym",
    "pairs",
    "results",
    "artefacts",
    "data",
    "seeds",
    "neurons",
    "probes",
    "edits",
    "model",
    "forward",
    "report",
    "studies",
    "runner",
    "experiments",
    "cli",
)  # bottom to top
WITHOUT_TORCH = (
    "lazy",
    "version",
    "vocabulary",
    "rankings",
    "errors",
    "results",
    "artefacts",
    "progress",
    "hub",
    "store",
    "grammar",
    "meaning",
    "gym",
    "pairs",
    "report",
)
ONLY_IN_MODEL = "transformer_lens"


def room_of(path: Path) -> str:
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def imports_of(path: Path) -> list[str]:
    """Absolute dotted names of everything a module imports, at any depth of its code."""
    inside = ["neurosteer", *path.relative_to(PACKAGE).parent.parts]
    names = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = inside[: len(inside) - node.level + 1] if node.level else []
            stem = ".".join([*base, *([node.module] if node.module else [])])
            names += [f"{stem}.{alias.name}" for alias in node.names]
    return names


MODULES = sorted(PACKAGE.rglob("*.py"))


def test_every_module_stands_on_a_floor():
    assert {room_of(path) for path in MODULES} - {"__init__"} <= set(FLOORS)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_downward(path):
    room = room_of(path)
    if room == "__init__":
        return
    for name in imports_of(path):
        top, _, rest = name.partition(".")
        if top == ONLY_IN_MODEL:
            assert room == "model", f"{path} imports {name}"
        if top in ("torch", "transformers") and room in WITHOUT_TORCH:
            pytest.fail(f"{path} imports {name}")
        if top == "neurosteer" and rest.split(".")[0] in FLOORS:
            other = rest.split(".")[0]
            assert other == room or FLOORS.index(other) < FLOORS.index(room), f"{path} imports {name}"


def test_annotations_that_name_axes_are_checked_while_tests_run():
    """`--jaxtyping-packages` names the rooms that have such annotations, so that the others are imported quickly."""
    options = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text("utf-8"))["tool"]["pytest"]["ini_options"]
    [hooked] = [word for word in options["addopts"].split() if word.startswith("--jaxtyping-packages=")]
    *rooms, checker = hooked.partition("=")[2].split(",")
    assert checker == "annotations.checked"
    with_axes = {room_of(path) for path in MODULES if any(name.startswith("jaxtyping.") for name in imports_of(path))}
    assert rooms == [f"neurosteer.{room}" for room in sorted(with_axes)]


def test_upward_import_is_noticed(tmp_path, monkeypatch):
    """The test above can fail: a module in `pairs` that imports from `model` is caught."""
    monkeypatch.setattr(sys.modules[__name__], "PACKAGE", tmp_path)
    (tmp_path / "pairs").mkdir()
    bad = tmp_path / "pairs" / "bad.py"
    bad.write_text("from ..model import load_model\n")
    with pytest.raises(AssertionError, match="imports"):
        test_imports_point_downward(bad)
