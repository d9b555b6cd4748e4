"""The keys of a recipe: how each is read from TOML and from what is typed."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass, field
from typing import Any

from neurosteer.errors import did_you_mean

from .values import Reader, one_of, optional, whole


@dataclass(frozen=True)
class Key:
    """How a key is read, and what a message says that it takes."""

    read: Reader
    takes: str
    words: tuple[str, ...] = ()  # the right ones, for a suggestion
    listed: bool = False  # what is typed as one value, or with commas, is a list
    alone: tuple[str, ...] = ()  # but for these words
    is_text: bool = True  # what is typed as a number is text all the same


def text_key(default: Any, read: Reader, takes: str, **more: Any) -> Any:
    """A field whose key holds text."""
    return field(default=default, metadata={"key": Key(read, takes, **more)})


def value_key(default: Any, read: Reader, takes: str, **more: Any) -> Any:
    """A field whose key holds numbers, or words in their place."""
    return text_key(default, read, takes, is_text=False, **more)


def word_key(default: str, *words: str) -> Any:
    """A field whose key holds one of some words."""
    return text_key(default, one_of(*words), f"one of {', '.join(words)}", words=words)


def own_key(read: Reader, takes: str, words: tuple[str, ...] = ()) -> Any:
    """A field that replaces a default of neurosteer's, which holds where the key is not there."""
    return field(default=None, metadata={"key": Key(optional(read), takes, words=words, is_text=bool(words))})


def count_key(default: int, least: int) -> Any:
    """A field whose key holds a whole number."""
    return value_key(default, whole(least), f"a whole number of at least {least}")


def hint(spec: Key, value: Any) -> str:
    """The right word that comes closest to a wrong one, as the end of a message."""
    parts = value if isinstance(value, (list, tuple)) else [value]
    wrong = (part for part in parts if isinstance(part, str) and part not in spec.words)
    return next((did_you_mean(part, spec.words) for part in wrong), "")


def typed(spec: Key, given: Any) -> Any:
    """What a typed value means for a key."""
    if isinstance(given, os.PathLike):
        return os.fspath(given)
    value = _toml(given, spec) if isinstance(given, str) else given
    if not spec.listed or value is None or isinstance(value, (list, tuple)) or value in spec.alone:
        return value
    if value == given and isinstance(given, str) and "," in given:
        return [_toml(part.strip(), spec) for part in given.split(",")]
    return [value]


def _toml(typed: str, spec: Key) -> Any:
    """The TOML value that some text spells, if the key may take its kind, or the text."""
    try:
        found = tomllib.loads(f"value = {typed}")
    except (ValueError, RecursionError):
        return typed
    kinds: tuple[type, ...] = (str,) if spec.is_text else (str, int, float, list)
    takes = (*kinds, list) if spec.listed else kinds
    return found["value"] if len(found) == 1 and isinstance(found["value"], takes) else typed
