"""Recipes are read from strict TOML, and their keys replaced.

format = 1
title = "The top 1 % against random neurons"
experiments = ["fig5"]
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, get_type_hints

from neurosteer.errors import InputError, did_you_mean, one_line
from neurosteer.experiments.registry import NAMES, check_names, settings_of

from .bundled import find_recipe
from .key import Key, meant
from .recipe import FORMAT, ONE_MODEL, Recipe, spelt
from .values import shown

_LARGEST = 1 << 20  # bytes
_NO_KEYS = ("name", "own")  # fields of a recipe that no file gives


def read_recipe(recipe: str | os.PathLike[str], overrides: Mapping[str, Any] | None = None) -> Recipe:
    """The recipe of a TOML file, or one that comes with neurosteer by its name.

    `overrides` replace keys. Their text is a TOML value, stands for itself, or is a list with commas between its
    parts, whichever the key takes. Raises `InputError` for a file that is no recipe, an unknown key, one of an
    experiment that the recipe does not have, or a value that it does not take.
    """
    path = find_recipe(recipe)
    return override(_recipe(path), overrides or {})


def override(recipe: Recipe, overrides: Mapping[str, Any]) -> Recipe:
    """The recipe with some of its keys replaced."""
    changed = _replaced(recipe, overrides, typed=True)
    if recipe.models is not None:
        _check_models({"models": recipe.models, **overrides}, "this recipe has models: ")
    return changed


def _recipe(path: Path) -> Recipe:
    found, place = _parse(path), f"{path}: "
    if not found:
        raise InputError(f"{path} is empty: a recipe needs at least format = {FORMAT} and experiments = [...]")
    if "format" not in found:
        raise InputError(f"{path} is no recipe: it does not say format = {FORMAT}")
    plain = Recipe(path.stem, title=path.stem)
    _replaced(plain, {"format": found["format"]}, place)  # a newer one may have other keys
    recipe = _replaced(plain, found, place)
    if not recipe.experiments:
        raise InputError(f"{path} says no experiments; name {_keys_of(Recipe)['experiments'].takes}")
    return recipe


def _parse(path: Path) -> dict[str, Any]:
    content = _content(path)
    try:
        return tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text (byte {error.start}); save it as UTF-8") from error
    except RecursionError as error:
        raise InputError(f"{path} is no TOML that can be read: it is nested too deeply") from error
    except ValueError as error:  # TOMLDecodeError, and what Python says of a number with thousands of digits
        message = one_line(error)
        raise InputError(f"{path} is no TOML: {message[:1].lower()}{message[1:]}") from error


def _content(path: Path) -> bytes:
    try:
        if path.stat().st_size > _LARGEST:
            raise InputError(f"{path} is no recipe: it is larger than {_LARGEST >> 20} MB")
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read '{path}': {error.strerror}") from error


def _replaced(recipe: Recipe, given: Mapping[str, Any], place: str = "", *, typed: bool = False) -> Recipe:
    """The recipe with other values of some keys, from a file or as `typed`; `place` begins a message."""

    def value(key: Key) -> Any:
        return key.read(given[key.name], *(meant(given[key.name]) if typed else ()), place=place)

    common, asked = _keys_of(Recipe), recipe.experiments
    if "experiments" in given:
        asked = value(common["experiments"])
    keys = {settings: _keys_of(settings) for settings in settings_of(name for name in asked if name in NAMES)}
    known = [key for some in (common, *keys.values()) for key in some]
    for name in [one for one in given if one not in known]:
        check_names(asked)
        refused = _refused(name, value, known, asked)
        if refused:
            raise InputError(f"{place}{refused}")

    read = {common[name].field: value(common[name]) for name in given if name in common}
    if read.get("format", FORMAT) > FORMAT:
        newer = f"format {read['format']} was made for a newer version of neurosteer; upgrade neurosteer"
        raise InputError(f"{place}{newer}")
    _check_models(read, place)
    own = [
        replace(recipe.of(settings), **{name: value(key) for name, key in some.items() if name in given})
        for settings, some in keys.items()
    ]
    return replace(recipe, **read, own=tuple(own))


def _refused(name: str, value: Callable[[Key], Any], known: Sequence[str], asked: Sequence[str]) -> str:
    """Why a key is not taken; empty for one of another experiment at its default, which changes nothing.

    Such keys stand in the recipes that pages of before show.
    """
    for experiment in NAMES:
        for settings in settings_of([experiment]):
            key = _keys_of(settings).get(name)
            if key is not None:
                idle = not asked or value(key) == getattr(settings(), key.field)
                has = f"it has {', '.join(asked)}"
                return "" if idle else f"{name} is a key of {experiment}, which this recipe does not have ({has})"
    every = f" (a recipe has: {', '.join(known)})"
    return f"unknown key {shown(name)}{did_you_mean(name, known) or every}"


def _keys_of(settings: type[Any]) -> dict[str, Key]:
    """The keys that a type reads, by the names that a file gives them."""
    hints = get_type_hints(settings, include_extras=True)
    names = [one.name for one in fields(settings) if one.name not in _NO_KEYS]
    return {spelt(name): Key(spelt(name), name, hints[name]) for name in names}


def _check_models(read: Mapping[str, Any], place: str) -> None:
    """Raises `InputError` for one model and several at once."""
    both = [key for key in sorted(ONE_MODEL) if read.get(key) is not None]
    if read.get("models") is not None and both:
        raise InputError(
            f"{place}give model (with revision) or models, not both: models takes NAME@REVISION; leave {both[0]} out"
        )
