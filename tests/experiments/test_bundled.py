"""The recipes that come with neurosteer: each is a sound one, and found in a wheel too (`test_wheel` builds one)."""

from __future__ import annotations

from pathlib import Path

import pytest

import neurosteer
from neurosteer.errors import InputError
from neurosteer.experiments.recipe import bundled as bundled_module
from neurosteer.experiments.recipe import read_recipe, recipe_rows
from neurosteer.experiments.recipe.bundled import bundled_recipes, find_recipe

PACKAGE = Path(neurosteer.__file__).parent
OURS = PACKAGE.parent / "recipes" / "paper"


def test_a_checkout_has_those_beside_the_package():
    assert bundled_recipes() == {path.stem: path for path in OURS.glob("*.toml")}


@pytest.mark.parametrize("path", sorted(OURS.glob("*.toml")), ids=lambda path: path.stem)
def test_every_recipe_is_sound(path):
    """Under its name, with a title of its own and the command that runs it in its first line."""
    recipe = read_recipe(path.stem)
    assert recipe == read_recipe(path)
    assert recipe.title != recipe.name
    assert path.read_text("utf-8").splitlines()[0].startswith(f"# neurosteer run recipes/paper/{path.name}")


def test_in_a_wheel(tmp_path, monkeypatch):
    """There they are in the package, and nowhere else is looked."""
    (tmp_path / "mine.toml").write_text('format = 1\ntitle = "Mine"\nexperiments = ["fig2"]\n')
    monkeypatch.setattr(bundled_module, "_SHIPPED", tmp_path)
    assert recipe_rows() == [
        {"name": "mine", "title": "Mine", "experiments": ["fig2"], "path": str(tmp_path / "mine.toml")}
    ]
    assert find_recipe("mine") == tmp_path / "mine.toml"
    monkeypatch.setattr(bundled_module, "_SHIPPED", tmp_path / "nothing")
    monkeypatch.setattr(bundled_module, "_SOURCES", tmp_path / "nothing")
    assert recipe_rows() == []
    with pytest.raises(InputError, match=r"^no recipe 'fig5' \(name a TOML file, or see: neurosteer ls recipes\)$"):
        find_recipe("fig5")
