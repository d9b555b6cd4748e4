"""Records of what Python hands over: two lists of sentences, or a DataFrame."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from neurosteer.errors import InputError
from neurosteer.vocabulary import COLUMNS, Columns

from .tables import Record, each_once, refuse_twins

if TYPE_CHECKING:
    import pandas as pd


def listed(good: Iterable[str], bad: Iterable[str]) -> Iterator[Record]:
    """A record for each position. Raises `InputError` for a sentence in the place of a list, or unequal lengths."""
    if isinstance(good, str) or isinstance(bad, str):
        raise InputError("good and bad are lists of sentences, not one sentence each")
    good, bad = list(good), list(bad)
    if len(good) != len(bad):
        raise InputError(f"{len(good)} good and {len(bad)} bad sentences make no pairs; give as many of each")
    return ((f"pair {i}", {"good": a, "bad": b}) for i, (a, b) in enumerate(zip(good, bad, strict=True)))


def framed(frame: pd.DataFrame, columns: Columns) -> Iterator[Record]:
    """A record for each row. Raises `InputError` for a column that is not there, or twice."""
    for column in columns:
        if column not in frame.columns:
            found = ", ".join(map(str, frame.columns)) or "none"
            raise InputError(f"the DataFrame has no column '{column}' (found: {found}); name yours with columns=")
    each_once([str(column) for column in frame.columns], "the DataFrame")
    if tuple(columns) == COLUMNS:  # nobody named them
        refuse_twins(columns, [str(column) for column in frame.columns], "the DataFrame")
    rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
    return ((f"row {label}", row) for label, row in zip(frame.index, rows, strict=True))
