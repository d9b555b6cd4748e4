"""Small tables for the page: texts already, abridged where the CSV beside has the whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from neurosteer.results import Estimate

from .numbers import change, interval, number

SHOWN = 10  # layers of a table
R = TypeVar("R")


@dataclass(frozen=True)
class Table:
    """Cells as texts; the first `left` columns hold words, the others numbers.

    On a page, cells with the texts of `links` lead to a place of it.
    """

    caption: str
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left: int = 1
    links: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls, caption: str, rows: Sequence[R], columns: Sequence[tuple[str, Callable[[R], str]]], *, left: int = 1
    ) -> Table:
        """A row for each of `rows`; a column has a head, and says what the cell of a row is."""
        heads, cells = zip(*columns, strict=True)
        return cls(caption, heads, tuple(tuple(cell(row) for cell in cells) for row in rows), left)


def spread(items: Sequence[Any], most: int = SHOWN) -> list[Any]:
    """At most so many of them, evenly spread, the first and the last among them."""
    if len(items) <= most:
        return list(items)
    return [items[round(i * (len(items) - 1) / (most - 1))] for i in range(most)]


def abridged(items: Sequence[Any], most: int = SHOWN) -> str:
    """What a caption says where layers are left out."""
    return f" ({most} of {len(items)} layers; all in the CSV)" if len(items) > most else ""


def ranged(one: Estimate, digits: int = 2) -> str:
    """`.83 [.81, .85]`; without brackets where there is no interval."""
    if one.value is None or one.low is None or one.high is None:
        return number(one.value, digits)
    return f"{number(one.value, digits)} [{number(one.low, digits)}, {number(one.high, digits)}]"


def changed(one: Estimate) -> str:
    """`-0.86 [-1.10, -0.61]`, in nats."""
    if one.value is None or one.low is None or one.high is None:
        return change(one.value)
    return interval(one.value, one.low, one.high)


def mean(values: Sequence[float | None]) -> float | None:
    """Of those that are known."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
