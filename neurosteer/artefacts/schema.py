"""`Schema`: what the arrays and the metadata of one kind of artefact must be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import TypeAdapter, ValidationError

from neurosteer.errors import CorruptFileError, InputError
from neurosteer.store import array_blocks, read_artefact
from neurosteer.vocabulary import Json, counted

Arrays = Mapping[str, np.ndarray]
Metadata = Mapping[str, Json]
_LONGEST = 60  # characters of a value that a message repeats
_KINDS: dict[str, tuple[tuple[str, ...], str]] = {
    "float": (("float32", "float64"), "numbers"),
    "float32": (("float32",), "numbers in float32"),
    "int": (("int32", "int64"), "whole numbers"),
}
_adapter: Callable[[Any], Any] = cache(TypeAdapter)


class WrongContentError(InputError, CorruptFileError):
    """An artefact is as it was written, but what it holds cannot be: a cache computes it again."""

    def __init__(self, path: Path, wrong: str) -> None:
        super().__init__(f"{path} is intact, but wrong: {wrong}; have neurosteer make it again")


@dataclass(frozen=True)
class Array:
    """What one array must be.

    Attributes:
        kind: of its values.
        axes: their names, or lengths; axes of one name are of one length in all arrays of a file.
        least: the smallest value that it may hold.
        nan: whether NaN may stand for what nobody has measured.
        rising: whether each value is larger than the one before.
    """

    kind: Literal["float", "float32", "int"]
    axes: tuple[str | int, ...]
    least: float | None = None
    nan: bool = False
    rising: bool = False

    def fault(self, values: np.ndarray) -> str:
        """What is wrong with the values, their shape apart; empty for nothing."""
        types, words = _KINDS[self.kind]
        if values.dtype.name not in types:
            return f"holds {values.dtype}, not {words}"
        if self.kind != "int":
            allowed = np.isfinite(values) | np.isnan(values) if self.nan else np.isfinite(values)
            if not allowed.all():
                return "holds a value that is no finite number"
        if self.least is not None and (values < self.least).any():
            return f"holds {np.nanmin(values):g}, which is below {self.least:g}"
        if self.rising and (np.diff(values) <= 0).any():
            return "is not ascending, each value once"
        return ""


def no_fault(arrays: Arrays, metadata: Metadata) -> str:
    """For a kind whose arrays are right together where each of them is."""
    return ""


@dataclass(frozen=True)
class Schema:
    """What an artefact of one kind holds. Arrays and fields that it does not name are not looked at.

    Attributes:
        kind: its name, as the file has it.
        arrays: those that must be there.
        metadata: the types of the fields that must be there.
        optional: those of fields that may be missing.
        fault: what is wrong with arrays and metadata that are right one by one; empty for nothing.
    """

    kind: str
    arrays: Mapping[str, Array] = field(default_factory=dict)
    metadata: Mapping[str, object] = field(default_factory=dict)
    optional: Mapping[str, object] = field(default_factory=dict)
    fault: Callable[[Arrays, Metadata], str] = no_fault

    def read(self, path: Path, **lengths: int) -> tuple[dict[str, np.ndarray], dict[str, Json]]:
        """The arrays and the metadata of a file, verified and checked; `lengths` of axes that are known beforehand.

        Raises:
            InputError: for no such file, another kind, or (`WrongContentError`) content that cannot be.
            CorruptFileError: for a file that is damaged.
        """
        arrays, metadata = read_artefact(path, self.kind)
        self.check(path, arrays, metadata, **lengths)
        return arrays, metadata

    def check(self, path: Path, arrays: Arrays, metadata: Metadata, **lengths: int) -> None:
        """Raise `WrongContentError`, one line, for what a file of this kind cannot hold."""
        missing = next((f"it has no '{name}'" for name in self.metadata if name not in metadata), "")
        wrong = missing or _wrong_field({**self.metadata, **self.optional}, metadata)
        if wrong := wrong or _wrong_array(self.arrays, arrays, lengths) or self.fault(arrays, metadata):
            raise WrongContentError(path, wrong)

    def check_blocks(self, path: Path, name: str) -> None:
        """The values of one array of a file, read from disk block by block. Raises `WrongContentError`."""
        for block in array_blocks(path, name):
            if fault := self.arrays[name].fault(block):
                raise WrongContentError(path, f"'{name}' {fault}")


def _wrong_field(asked: Mapping[str, object], metadata: Metadata) -> str:
    for name, kind in asked.items():
        if name not in metadata:
            continue
        try:
            _adapter(kind).validate_python(metadata[name], strict=True)
        except ValidationError as error:
            first = error.errors()[0]
            said, (inner, wrong) = first["msg"], _innermost(name, metadata[name], first["loc"])
            value = repr(wrong)
            value = value if len(value) <= _LONGEST else f"{value[:_LONGEST]}..."
            return f"'{inner}' is {value} ({said[:1].lower()}{said[1:]})"
    return ""


def _innermost(name: str, value: Json, place: tuple[int | str, ...]) -> tuple[str, Json]:
    """The name and the value of what is wrong inside a field."""
    for part in place:
        try:
            name, value = f"{name}.{part}", value[part]
        except (LookupError, TypeError):  # the place also says which of several types was tried
            break
    return name, value


def _wrong_array(asked: Mapping[str, Array], arrays: Arrays, lengths: Mapping[str, int]) -> str:
    known = {axis: (length, "expected") for axis, length in lengths.items()}
    for name, wanted in asked.items():
        if name not in arrays:
            return f"it has no array '{name}'"
        values = arrays[name]
        if values.ndim != len(wanted.axes):
            return f"'{name}' has {values.ndim} axes, not {len(wanted.axes)}"
        for axis, length in zip(wanted.axes, values.shape, strict=True):
            if isinstance(axis, int) and length != axis:
                return f"'{name}' has {counted(length, 'value')}, not {axis}"
            expected, by = known.setdefault(str(axis), (length, f"in '{name}'"))
            if length != expected:
                return f"'{name}' has {counted(length, str(axis))}, not {expected:,} as {by}"
        if fault := wanted.fault(values):
            return f"'{name}' {fault}"
    return ""
