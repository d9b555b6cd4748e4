"""A recipe's keys as the TOML that makes them again."""

from __future__ import annotations

import json
from collections.abc import Mapping

from neurosteer.vocabulary import Json


def recipe_toml(recipe: Mapping[str, Json]) -> str:
    """Every key but its name, `format` first; what is None is left out, as in a file."""
    keys = {"format": recipe.get("format", 1)} | {key: recipe[key] for key in recipe if key != "name"}
    given = {key: value for key, value in keys.items() if value is not None}
    spelt = {
        key: json.dumps(value, ensure_ascii=False) for key, value in given.items()
    }  # as in TOML, all but one sign
    return "".join(f"{key} = {value}\n" for key, value in spelt.items()).replace("\x7f", "\\u007F")
