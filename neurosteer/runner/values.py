"""The values that a recipe's keys take: each reader returns the value as a recipe holds it, or raises ValueError."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from neurosteer.vocabulary import is_device, is_share, read_layers

Reader = Callable[[Any], Any]

_LONGEST = 60  # characters of a value that a message repeats


def text(value: Any) -> str:
    """Some printable text on one line."""
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise ValueError
    return value


def token(value: Any) -> str:
    """Any text that UTF-8 can hold."""
    if not isinstance(value, str) or not value:
        raise ValueError
    value.encode()
    return value


def one_of(*allowed: str) -> Reader:
    """One of some words."""

    def read(value: Any) -> str:
        if value not in allowed or not isinstance(value, str):
            raise ValueError
        return value

    return read


def device(value: Any) -> str:
    """`auto`, or a device as torch names it."""
    if not isinstance(value, str) or not is_device(value):
        raise ValueError
    return value


def whole(least: int) -> Reader:
    """A whole number of at most 18 digits."""

    def read(value: Any) -> int:
        if type(value) is not int or not least <= value < 10**18:
            raise ValueError
        return value

    return read


def penalty(value: Any) -> float:
    """A number above 0 and up to 1; NaN is neither."""
    if type(value) not in (int, float) or not 0 < value <= 1:
        raise ValueError
    return float(value)


def number(least: float | None = None, *, above: float | None = None) -> Reader:
    """A finite number, at least so large, or larger than that."""

    def read(value: Any) -> float:
        if type(value) not in (int, float) or not abs(value) < float("inf"):
            raise ValueError
        if (least is not None and value < least) or (above is not None and value <= above):
            raise ValueError
        return float(value)

    return read


def several(read: Reader) -> Reader:
    """A list of one or more such values, each once."""

    def read_all(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, (list, tuple)) or not value:
            raise ValueError
        found = tuple(map(read, value))
        if len(set(found)) != len(found):
            raise ValueError
        return found

    return read_all


def ascending(read: Reader) -> Reader:
    """The same where the order says nothing."""
    return lambda value: tuple(sorted(several(read)(value)))


def either(*readers: Reader) -> Reader:
    """What the first reader takes that takes it at all."""

    def read(value: Any) -> Any:
        for reader in readers:
            try:
                return reader(value)
            except ValueError:
                continue
        raise ValueError

    return read


def optional(read: Reader, nothing: str | None = None) -> Reader:
    """Such a value, or None: where there is none, or the word that says so."""
    return lambda value: None if value is None or value == nothing else read(value)


def count_or_share(value: Any) -> int | str:
    """How many neurons: `40`, or `"1%"` of a layer's units."""
    if isinstance(value, str):
        if is_share(value):
            return value
        if not re.fullmatch(r"[0-9]{1,18}", value):
            raise ValueError
        value = int(value)
    return int(whole(1)(value))


def layers(value: Any) -> str | tuple[int, ...]:
    """`"all"`, or the blocks of `3`, `"0-5,9"` or `[0, 5]`, ascending."""
    if value == "all":
        return "all"
    if isinstance(value, str):
        value = read_layers(value)
    return ascending(whole(0))(value if isinstance(value, (list, tuple)) else [value])


def columns(value: Any) -> tuple[str, str]:
    """Two different names, as a list or as `"good,bad"`."""
    names = [name.strip() for name in value.split(",")] if isinstance(value, str) else value
    good, bad = several(text)(names)
    return good, bad


def shown(value: Any) -> str:
    """A value as a message repeats it: on one line, and not at length."""
    if isinstance(value, (list, tuple)):
        told = f"[{', '.join('[...]' if isinstance(part, (list, tuple)) else shown(part) for part in value)}]"
    elif isinstance(value, dict):
        told = "a table"
    elif isinstance(value, bool):
        told = str(value).lower()
    elif isinstance(value, int):
        told = str(value) if value.bit_length() < 256 else hex(value)  # Python refuses to spell very long ones
    else:
        told = repr(value) if isinstance(value, (str, float)) else str(value)
    return told if len(told) <= _LONGEST else f"{told[: _LONGEST - 3]}..."
