"""The types of a recipe's keys, which pydantic checks, and how a message repeats a value."""

from __future__ import annotations

import re
from collections.abc import Collection, Hashable
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field

from neurosteer.pairs import read_layout
from neurosteer.vocabulary import is_device, is_share, read_layers

T = TypeVar("T", bound=Hashable)
CHANGES_NO_UNIT = {
    "changes_no_unit": True
}  # metadata of a key that says which units are asked for, not what they are
_LONGEST = 60  # characters of a value that a message repeats


def takes(description: str, **constraints: Any) -> Any:
    """What a key takes, in the words of a message; numbers are not made of text, nor text of numbers."""
    return Field(description=description, **constraints)


def whole(least: int, most: int | None = None, why: str = "") -> Any:
    """Of an `int`: at least `least`, and at most `most`, for a reason; without one of at most 18 digits."""
    if most is None:
        return takes(f"a whole number of at least {least}", strict=True, ge=least, lt=10**18)
    return takes(f"a whole number from {least} to {most:,} ({why})", strict=True, ge=least, le=most)


def number(description: str, **bounds: float) -> Any:
    """Of a `float`: finite, and within `gt`, `ge` and `le`."""
    return takes(description, strict=True, allow_inf_nan=False, **bounds)


def one_of(words: Collection[str]) -> AfterValidator:
    """Of a `str`: one of some words, as they are when a recipe is read."""

    def read(word: str) -> str:
        if word not in words:
            raise ValueError
        return word

    return AfterValidator(read)


def _line(text: str) -> str:
    if not text.strip() or not text.isprintable():
        raise ValueError
    return text


def _token(text: str) -> str:
    text.encode()  # UnicodeEncodeError, a ValueError, for what UTF-8 has no bytes for
    return text


def _device(text: str) -> str:
    if not is_device(text):
        raise ValueError
    return text


def _share(text: str) -> str:
    if not is_share(text):
        raise ValueError
    return text


def _span(text: str) -> str:
    found = re.fullmatch(r"([0-9]{1,9})-([0-9]{1,9})", text)
    if not found or int(found[1]) > int(found[2]):
        raise ValueError
    return text


def _count(value: Any) -> Any:
    return int(value) if isinstance(value, str) and re.fullmatch(r"[0-9]{1,18}", value) else value


def each_once(values: tuple[T, ...]) -> tuple[T, ...]:
    """Raises `ValueError` where a value comes twice."""
    if len(set(values)) != len(values):
        raise ValueError
    return values


def _layout(text: str) -> str:
    read_layout(text)
    return text


def _listed_layers(value: Any) -> Any:
    if isinstance(value, str) and value != "all":
        return read_layers(value)
    return [value] if isinstance(value, int) else value


def _listed_names(value: Any) -> Any:
    return [name.strip() for name in value.split(",")] if isinstance(value, str) else value


Line = Annotated[str, Field(strict=True), AfterValidator(_line)]  # some printable text on one line
Token = Annotated[str, Field(strict=True, min_length=1), AfterValidator(_token)]  # any text that UTF-8 can hold
Device = Annotated[str, Field(strict=True), AfterValidator(_device)]
Several = Annotated[tuple[T, ...], Field(min_length=1), AfterValidator(each_once)]
Ascending = Annotated[  # the same where the order says nothing
    tuple[T, ...],
    Field(min_length=1),
    AfterValidator(each_once),
    AfterValidator(lambda values: tuple(sorted(values))),
]
COUNT = BeforeValidator(_count)  # a number in quotes is a number
Share = Annotated[str, Field(strict=True), AfterValidator(_share)]  # "1%" of a layer's units
Spanned = Annotated[str, Field(strict=True), AfterValidator(_span)]  # "0-199"
LAYERS = BeforeValidator(_listed_layers)  # 3 or "0-5,9" as the list that it stands for
COLUMNS = BeforeValidator(_listed_names)  # "good,bad" too
LAYOUT = AfterValidator(_layout)
ALL_IS_NONE = BeforeValidator(lambda value: None if value == "all" else value)


def shown(value: Any) -> str:
    """A value as a message repeats it: on one line, and not at length."""
    if isinstance(value, (list, tuple)):
        text = f"[{', '.join('[...]' if isinstance(part, (list, tuple)) else shown(part) for part in value)}]"
    elif isinstance(value, dict):
        text = "a table"
    elif isinstance(value, bool):
        text = str(value).lower()
    elif isinstance(value, int):
        text = str(value) if value.bit_length() < 256 else hex(value)  # Python refuses to spell very long ones
    else:
        text = repr(value) if isinstance(value, (str, float)) else str(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
