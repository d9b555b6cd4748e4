"""Every kind of result that the Python API gives, filled from its annotations with more than real runs hold."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np
import torch

DIGEST = "0123456789abcdef" * 4
MANY = 30
LONG = "The sets found by welch and by l0 share fewer neurons than two random sets would. " * 4
TEXTS = {"reading", "interpretation", "text", "why", "again"}  # fields that hold sentences
DIGESTS = {"digest", "fingerprint"}
PATHS = {"neurons", "controls", "tokens", "answers", "curve", "map", "csv", "path"}  # where they are texts


def kinds_in(*roots: Any) -> list[type]:
    """The dataclasses that these are and hold, at any depth, each once."""
    found: dict[type, None] = {}

    def visit(hint: Any) -> None:
        if dataclasses.is_dataclass(hint) and isinstance(hint, type) and hint not in found:
            found[hint] = None
            for inner in get_type_hints(hint, include_extras=True).values():
                visit(inner)
        for part in () if isinstance(hint, type) and not get_args(hint) else get_args(hint):
            visit(part)

    for root in roots:
        visit(root)
    return list(found)


def filled(kind: Any, name: str = "") -> Any:
    """A value of this type."""
    inner, origin = get_args(kind), get_origin(kind)
    if origin in (Annotated, Union, UnionType):
        return filled(next(part for part in inner if part is not NoneType), name)
    if origin is Literal:
        return inner[0]
    if isinstance(kind, type) and hasattr(kind, "_fields"):  # a NamedTuple
        return kind(*(filled(hint) for hint in get_type_hints(kind).values()))
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        hints = get_type_hints(kind, include_extras=True)
        return kind(**{one.name: filled(hints[one.name], one.name) for one in dataclasses.fields(kind) if one.init})
    return _several(origin, inner, name) if isinstance(origin, type) else _value(kind, name)


def _several(origin: type, inner: tuple[Any, ...], name: str) -> Any:
    if issubclass(origin, tuple):
        return tuple(filled(part, name) for part in (inner[:1] * MANY if inner[-1:] == (...,) else inner))
    if issubclass(origin, Mapping):
        words = get_args(inner[0]) or [f"{filled(inner[0], name)}{i}" for i in range(MANY)]
        return {word: filled(inner[1], name) for word in words}
    return [filled(inner[0], name) for _ in range(MANY)]


def _value(kind: Any, name: str) -> Any:
    plain = {int: 123456, float: -0.1234567890123, bool: True, object: [DIGEST] * MANY, Path: Path("runs") / DIGEST}
    if kind in plain:
        return plain[kind]
    if kind is str:
        path = f"/home/me/runs/find-{'x' * 60}/{'x' * 30}.safetensors"
        known = [(DIGESTS, DIGEST), (TEXTS, LONG), (PATHS, path)]
        return next((value for names, value in known if name in names), "coordinate_structure_constraint")
    if isinstance(kind, type) and issubclass(kind, np.ndarray):
        return np.zeros((MANY, MANY))
    if isinstance(kind, type) and issubclass(kind, torch.Tensor):
        return torch.zeros(MANY, MANY)
    return None
