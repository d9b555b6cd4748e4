"""A wheel is built from the sources and installed, once: what a user gets, without the checkout around it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def ran(*command: object, **env: str) -> str:
    """What a command says; it must end well."""
    done = subprocess.run(
        [*map(str, command)], cwd=ROOT, capture_output=True, text=True, check=False, env=os.environ | env
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which pip has put the wheel; what it depends on is that of the tests."""
    folder = tmp_path_factory.mktemp("wheel")
    ran(sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder / "dist")
    [wheel] = (folder / "dist").iterdir()
    assert wheel.name == f"neurosteer-{PROJECT['version']}-py3-none-any.whl"
    quietly = ("--quiet", "--disable-pip-version-check", "--no-compile", "--no-deps", "--no-index")
    ran(sys.executable, "-m", "pip", "install", *quietly, "--target", folder / "site", wheel)
    return folder / "site"


def files_in(folder: Path) -> set[str]:
    every = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(folder).as_posix() for path in every}


def test_the_package_is_whole_and_alone(installed: Path):
    """Word lists, tables, templates and `py.typed` too; of the rest of the repository only the recipes."""
    ours = files_in(ROOT / "neurosteer")
    recipes = {f"experiments/recipe/paper/{path.name}" for path in (ROOT / "recipes" / "paper").glob("*.toml")}
    assert {"py.typed", "pairs/known.csv", "report/pages/run.html.jinja"} <= ours
    assert files_in(installed / "neurosteer") == ours | recipes
    about = f"neurosteer-{PROJECT['version']}.dist-info"
    assert {path.name for path in installed.iterdir()} == {"neurosteer", about, "bin"}


def test_the_command_runs_and_finds_the_recipes_it_brought(installed: Path, tmp_path: Path):
    """Its own, byte for byte, and not those of the checkout."""
    command, env = installed / "bin" / "neurosteer", {"PYTHONPATH": str(installed)}
    assert ran(command, "--version", **env).split()[-1] == PROJECT["version"]
    rows = json.loads(ran(command, "ls", "recipes", "--format", "json", **env))
    found = {Path(row["path"]) for row in (rows["results"] if isinstance(rows, dict) else rows)}
    assert {path.parent for path in found} == {installed / "neurosteer" / "experiments" / "recipe" / "paper"}
    sources = {path.name: path.read_bytes() for path in (ROOT / "recipes" / "paper").glob("*.toml")}
    assert {path.name: path.read_bytes() for path in found} == sources
