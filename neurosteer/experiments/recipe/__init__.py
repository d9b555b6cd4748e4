"""Recipes: their keys, how they are read, and those that come with neurosteer."""

from __future__ import annotations

from .bundled import recipe_rows as recipe_rows
from .reading import override as override
from .reading import read_recipe as read_recipe
from .recipe import Recipe as Recipe
