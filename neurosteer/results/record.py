"""Frozen results as JSON values and back: the only place where a result is a dict.

A result is a frozen dataclass whose fields are its JSON keys. `Annotated[float, key("lambda")]` gives a field another
key, `Annotated[..., APART]` leaves it out of the JSON, `WHERE_KNOWN` does where it is its default. An `Estimate` lies
flat: `accuracy`, `accuracy_low`, `accuracy_high`.
"""

from __future__ import annotations

import csv
import dataclasses
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np
from pydantic import Field, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from neurosteer.vocabulary import Json

if TYPE_CHECKING:
    import pandas as pd

R = TypeVar("R")
_adapter: Callable[[Any], Any] = cache(TypeAdapter)
APART = Field(exclude=True)  # for `Annotated`: a field with a default that is not in the JSON
_KNOWN: dict[str, Any] = {"where": "known"}
WHERE_KNOWN = Field(json_schema_extra=_KNOWN)  # the same: one that is in the JSON unless it is its default


@dataclass(frozen=True)
class Estimate:
    """A value with the ends of its 95 % interval; None where it is not known, or has no such end."""

    value: float | None
    low: float | None = None
    high: float | None = None

    def minus(self, other: Estimate) -> Estimate:
        """The difference, with an interval as if the two were independent (Newcombe 1998).

        That of numbers about the same sentences is rather too wide than too narrow. None where an end is not known.

        Example:
            >>> Estimate(0.5, 0.25, 0.75).minus(Estimate(0.5, 0.5, 0.5))
            Estimate(value=0.0, low=-0.25, high=0.25)
        """
        ends = (self.value, self.low, self.high, other.value, other.low, other.high)
        known = [end for end in ends if end is not None]
        if len(known) < len(ends):
            return Estimate(None)
        at, low, high, from_, other_low, other_high = known
        gap = at - from_
        return Estimate(
            gap, gap - math.hypot(at - low, other_high - from_), gap + math.hypot(high - at, from_ - other_low)
        )

    @classmethod
    def of(cls, value: float, low: float = math.nan, high: float = math.nan) -> Estimate:
        """From numbers of which NaN and infinity mean: not known."""
        return cls(*(float(one) if math.isfinite(one) else None for one in (value, low, high)))


def key(name: str) -> Any:
    """For `Annotated`: a field whose JSON key is no name in Python, or another word."""
    return Field(alias=name)


def record(result: Any) -> dict[str, Json]:
    """One frozen dataclass as JSON values; estimates lie flat in it, and what is not finite is None.

    Example:
        >>> record(Estimate(0.5, low=0.4, high=math.inf))
        {'value': 0.5, 'low': 0.4, 'high': None}
    """
    found: dict[str, Json] = {}
    kind: Any = type(result)
    for name, as_key in _keys(kind).items():
        value = getattr(result, name)
        if name in (unsaid := _unsaid(kind)) and value == unsaid[name]:
            continue
        if isinstance(value, Estimate):
            found |= {as_key: value.value, f"{as_key}_low": value.low, f"{as_key}_high": value.high}
        else:
            found[as_key] = to_json_value(value)
    return found


def read_record(kind: type[R], values: Mapping[str, Json]) -> R:
    """The dataclass that `record` made `values` of; keys that it does not know are passed over.

    Fields that stand apart take their defaults. Raises `ValueError`, one line, for values of another kind.
    """
    try:
        found: R = _adapter(kind).validate_python(_nested(kind, values))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise ValueError(f"{place}: {first['msg'].lower()}") from None
    return found


def read_csv(kind: type[R], path: Path) -> list[R]:
    """The rows of a CSV file as dataclasses; an empty cell is None. Raises `OSError`, and `ValueError` as above."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = [{name: value or None for name, value in row.items()} for row in csv.DictReader(file)]
    return [read_record(kind, row) for row in rows]


def frame(rows: Iterable[object]) -> pd.DataFrame:
    """Frozen dataclasses of one kind as a table, a row for each."""
    import pandas as pd

    return pd.DataFrame([record(row) for row in rows])


def to_json_value(value: object) -> Json:
    """A result, or anything inside one, as JSON values. Raises `TypeError` for what JSON has no value for."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return record(value)
    if isinstance(value, Mapping):
        return {str(name): to_json_value(inner) for name, inner in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return to_json_value(value.tolist())
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [to_json_value(inner) for inner in value]
    if not isinstance(value, str | bool | int | float | Path | None):
        raise TypeError(f"{type(value).__name__} is no JSON value")
    if isinstance(value, Path):
        return str(value)
    return value if not isinstance(value, float) or math.isfinite(value) else None


def _nested(hint: Any, value: Json) -> Json:
    """JSON values with every estimate in a dict of its own, as the type of the value says."""
    inner = [part for part in get_args(hint) if part not in (type(None), ...)]
    if get_origin(hint) in (Annotated, Union, UnionType):
        return _nested(inner[0], value)
    if isinstance(value, Mapping):
        if dataclasses.is_dataclass(hint):
            return _nested_fields(hint, value)
        return {name: _nested(inner[-1], one) for name, one in value.items()} if inner else value
    return [_nested(inner[0], one) for one in value] if isinstance(value, list) and inner else value


def _nested_fields(kind: Any, values: Mapping[str, Json]) -> dict[str, Json]:
    hints, found = get_type_hints(kind, include_extras=True), dict(values)
    for name, as_key in _keys(kind).items():
        if hints[name] is Estimate:
            ends = {end: values.get(f"{as_key}_{end}") for end in ("low", "high")}
            found[as_key] = {"value": values[as_key], **ends} if as_key in values else None
        elif as_key in values:
            found[as_key] = _nested(hints[name], values[as_key])
    return found


@cache
def _keys(kind: Any) -> dict[str, str]:
    """Field -> JSON key, without those that stand apart."""
    hints = get_type_hints(kind, include_extras=True)
    asked = {one.name: _asked(hints[one.name]) for one in dataclasses.fields(kind)}
    return {name: info.alias or name for name, info in asked.items() if not info.exclude}


@cache
def _unsaid(kind: Any) -> dict[str, object]:
    """The default of each field that the JSON has only where it is another value."""
    hints = get_type_hints(kind, include_extras=True)
    return {
        one.name: one.default
        for one in dataclasses.fields(kind)
        if _asked(hints[one.name]).json_schema_extra == _KNOWN
    }


def _asked(hint: object) -> FieldInfo:
    """What the annotation of a field asks for beside its type."""
    marks = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
    return next((mark for mark in marks if isinstance(mark, FieldInfo)), FieldInfo())
