"""The keys of JSON, and the kind of value behind each. Results made by hand are held so against real ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from neurosteer.vocabulary import METHODS

KINDS = {bool: "flag", int: "number", float: "number", str: "text"}


def shape_of(value: Any) -> set[str]:
    """`rows[].k: number`, ...; what is null says nothing. Keys that are names of methods are alike."""
    return set(_lines(value, ""))


def _lines(value: Any, at: str) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _lines(inner, f"{at}.{'*' if key in METHODS else key}")
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _lines(inner, f"{at}[]")
    elif value is not None:
        yield f"{at}: {KINDS[type(value)]}"
