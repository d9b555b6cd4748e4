"""The house: a room imports only from rooms below it."""

from __future__ import annotations

import ast
import sys
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import neurosteer

PACKAGE = Path(neurosteer.__file__).parent
FLOORS = (
    "lazy",
    "version",
    "vocabulary",
    "shown",
    "rankings",
    "references",
    "sites",
    "errors",
    "arguments",
    "progress",
    "hub",
    "store",
    "memo",
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
    "layer_edits",
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
    "shown",
    "rankings",
    "references",
    "sites",
    "errors",
    "arguments",
    "results",
    "artefacts",
    "progress",
    "hub",
    "store",
    "memo",
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


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


@cache
def imports_of(path: Path, loaded: bool = False) -> list[str]:
    """Absolute dotted names of all that a module imports, at any depth of its code, or only while it is `loaded`."""
    inside = ["neurosteer", *path.relative_to(PACKAGE).parent.parts]
    module = parsed(path)
    names = []
    for node in module.body if loaded else ast.walk(module):
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


@pytest.mark.parametrize("room", FLOORS)
def test_imports_point_downward(room):
    for path in MODULES:
        if room_of(path) == room:
            check_imports(path)


def check_imports(path):
    room = room_of(path)
    for name in imports_of(path):
        top, _, rest = name.partition(".")
        if top == ONLY_IN_MODEL:
            assert room == "model", f"{path} imports {name}"
        if top in ("torch", "transformers") and room in WITHOUT_TORCH:
            pytest.fail(f"{path} imports {name}")
        if top == "neurosteer" and rest.split(".")[0] in FLOORS:
            other = rest.split(".")[0]
            assert other == room or FLOORS.index(other) < FLOORS.index(room), f"{path} imports {name}"


@pytest.mark.parametrize("room", sorted({room_of(path) for path in MODULES if path.parent != PACKAGE}))
def test_parts_of_a_room_import_each_other_one_way(room):
    """Of modules and folders side by side, as they are loaded: what functions import while they run is left out."""
    list(TopologicalSorter(parts_of(room)).static_order())


def parts_of(room: str) -> dict[str, set[str]]:
    """The parts of a room, and which of its other parts each one loads."""
    folder, found = PACKAGE / room, {}
    for path in sorted(folder.rglob("*.py")):
        part = path.relative_to(folder).parts[0].removesuffix(".py")
        if part == "__init__":
            continue
        loaded = (name.split(".") for name in imports_of(path, loaded=True))
        inside = {
            rest[0]
            for top, its, *rest in (name for name in loaded if len(name) > 2)
            if (top, its) == ("neurosteer", room)
        }
        found.setdefault(part, set()).update(inside - {part})
    return found


def test_upward_import_is_noticed(tmp_path, monkeypatch):
    """The test above can fail: a module in `pairs` that imports from `model` is caught."""
    monkeypatch.setattr(sys.modules[__name__], "PACKAGE", tmp_path)
    (tmp_path / "pairs").mkdir()
    bad = tmp_path / "pairs" / "bad.py"
    bad.write_text("from ..model import load_model\n")
    with pytest.raises(AssertionError, match="imports"):
        check_imports(bad)


def test_circle_in_a_room_is_noticed(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "PACKAGE", tmp_path)
    (tmp_path / "pairs" / "inner").mkdir(parents=True)
    (tmp_path / "pairs" / "outer.py").write_text("from .inner.deep import one\n")
    (tmp_path / "pairs" / "inner" / "deep.py").write_text("from neurosteer.pairs.outer import two\n")
    with pytest.raises(CycleError):
        test_parts_of_a_room_import_each_other_one_way("pairs")
