"""A recipe's keys as the TOML that makes them again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from neurosteer.vocabulary import Json


def recipe_toml(recipe: Mapping[str, Json]) -> str:
    """Every key but its name, `format` first; what is None is left out, as in a file."""
    keys = {"format": recipe.get("format", 1)} | {key: recipe[key] for key in recipe if key != "name"}
    return "".join(f"{key} = {_value(value)}\n" for key, value in keys.items() if value is not None)


def _value(value: Any) -> str:
    """JSON's spelling, which is TOML's for texts, numbers, truth values and lists of them."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
