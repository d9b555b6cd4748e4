"""How the JSON of two results differs in its keys and in the kinds of their values.

So results made by hand, with which tables and figures are tested, are held against those of a real run.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from neurosteer.vocabulary import METHODS

KINDS = {bool: "flag", int: "number", float: "number", str: "text"}
Shape = dict[str, set[str]]  # `rows[].k` -> {"number"}; nothing where all that is known is null or empty


def differences(one: Any, other: Any) -> list[str]:
    """Paths that only one has, and those with values of another kind; below null and empty ones everything may be."""
    shapes = shape_of(one), shape_of(other)
    alone = {
        path
        for mine, others in (shapes, reversed(shapes))
        for path in mine.keys() - others.keys()
        if not any(path.startswith((f"{open_}.", f"{open_}[")) for open_, kinds in others.items() if not kinds)
        and not (not mine[path] and any(known.startswith((f"{path}.", f"{path}[")) for known in others))
    }
    known = shapes[0].keys() & shapes[1].keys()
    return sorted(alone | {path for path in known if _disjoint(shapes[0][path], shapes[1][path])})


def shape_of(value: Any) -> Shape:
    """Names of methods are one key."""
    shape: Shape = defaultdict(set)
    for path, kind in _lines(value, ""):
        shape[path] |= {kind} - {""}
    return dict(shape)


def _lines(value: Any, at: str) -> Iterator[tuple[str, str]]:
    if value is None or value in ([], (), {}):
        yield at, ""
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _lines(inner, f"{at}.{'*' if key in METHODS else key}")
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _lines(inner, f"{at}[]")
    else:
        yield at, KINDS[type(value)]


def _disjoint(one: set[str], other: set[str]) -> bool:
    return bool(one and other) and not one & other
