"""The recipes that come with neurosteer, by name."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import TypedDict

from neurosteer.errors import InputError, did_you_mean
from neurosteer.store import expanded

SUFFIX = ".toml"
_SHIPPED = Path(__file__).parent / "paper"  # in a wheel
_SOURCES = Path(__file__).parents[3] / "recipes" / "paper"  # in a checkout


def bundled_recipes() -> dict[str, Path]:
    """Name -> file."""
    folder = _SHIPPED if _SHIPPED.is_dir() else _SOURCES
    return {path.stem: path for path in sorted(folder.glob(f"*{SUFFIX}"))}


class BundledRecipe(TypedDict):
    """A row of `neurosteer ls recipes`."""

    name: str
    title: str
    experiments: list[str]
    path: str


def recipe_rows() -> list[BundledRecipe]:
    """One for each."""
    files = {name: (path, tomllib.loads(path.read_text("utf-8"))) for name, path in bundled_recipes().items()}
    return [
        {"name": name, "title": keys["title"], "experiments": keys["experiments"], "path": str(path)}
        for name, (path, keys) in files.items()
    ]


def find_recipe(recipe: str | os.PathLike[str]) -> Path:
    """The file of a recipe, given by its path or, if it comes with neurosteer, by its name."""
    known = bundled_recipes()
    if isinstance(recipe, str) and recipe in known:
        return known[recipe]
    path = expanded(recipe)
    if path.is_dir():
        raise InputError(f"'{recipe}' is a folder; name a recipe's file in it, or one of {', '.join(known)}")
    if not path.is_file():
        close = did_you_mean(path.stem, known)
        raise InputError(f"no recipe '{recipe}'{close} (name a TOML file, or see: neurosteer ls recipes)")
    return path
