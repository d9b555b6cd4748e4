"""The keys of a recipe: read by pydantic as their types say, from TOML or from what is typed."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, get_args, get_origin

from pydantic import TypeAdapter

from neurosteer.errors import InputError, did_you_mean

from .values import shown


@dataclass(frozen=True)
class Key:
    """A key, its name in Python, and the type of its values."""

    name: str
    field: str
    hint: Any

    def read(self, given: Any, *meant: Any, place: str = "") -> Any:
        """The first of the values that `given` may mean and that the key takes; `place` begins a message."""
        for value in meant or (given,):
            try:
                return self._validate(value)
            except ValueError:  # pydantic's ValidationError is one
                continue
        raise InputError(f"{place}{self.name} must be {self.takes}, not {shown(given)}{self._closest(given)}")

    @cached_property
    def takes(self) -> str:
        """What the key takes, in the words of a message."""
        notes = getattr(self.hint, "__metadata__", ())
        descriptions = [note.description for note in notes if getattr(note, "description", None)]
        return descriptions[-1] if descriptions else f"one of {', '.join(_words(self.hint))}"

    @cached_property
    def _validate(self) -> Callable[[Any], Any]:
        return TypeAdapter(self.hint).validate_python

    def _closest(self, given: Any) -> str:
        """The right word that comes closest to a wrong one, as the end of a message."""
        words = list(_words(self.hint))
        parts = given.split(",") if isinstance(given, str) else given if isinstance(given, (list, tuple)) else ()
        wrong = [part.strip() for part in parts if isinstance(part, str)]
        return next((did_you_mean(word, words) for word in wrong if word not in words), "")


def meant(given: Any) -> list[Any]:
    """What a value of the command line or of Python may mean; a key takes the first that is right for it.

    Text is a TOML value, or stands for itself, or is a list with commas between its parts, unless it is one in TOML.
    """
    if isinstance(given, os.PathLike):
        return [os.fspath(given)]
    if not isinstance(given, str):
        return [given, [given]]
    parts = [part.strip() for part in given.split(",")]
    lists = [[_toml(part, part) for part in parts], parts]
    value = _toml(given, None)
    if isinstance(value, list):
        return [value, given]
    return [given, *lists] if value is None else [value, given, [value], *lists]


def _toml(text: str, default: str | None) -> Any:
    """The TOML value that some text spells."""
    try:
        found = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):
        return default
    return found["value"] if len(found) == 1 else default


def _words(hint: Any) -> Iterator[str]:
    """The words among the values of a type."""
    if get_origin(hint) is Literal:
        yield from get_args(hint)
        return
    for note in getattr(hint, "__metadata__", ()):
        yield from getattr(note, "examples", None) or ()
    for inner in get_args(hint):
        yield from _words(inner)
