"""A table: what a file or a configuration of a hub data set holds, before anything is known of its layout."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from neurosteer.errors import InputError

Record = tuple[str, Any]  # where it stands, for messages; what stands there
LINE = "sentence"  # the only column of a text that has none


@dataclass(frozen=True)
class Table:
    """Records, in their order.

    Attributes:
        place: where they lie, for messages.
        records: where each stands, and its columns.
        columns: their names; of JSON those of the first record.
        told: what was found of the form, for a notice: `fields parted by ';'`.
        headed: whether the columns have names of their own.
    """

    place: str
    records: Sequence[Record]
    columns: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    headed: bool = True

    @classmethod
    def of(cls, place: str, records: Iterable[Record], told: tuple[str, ...] = ()) -> Table:
        """Of records that name their columns themselves."""
        found = list(records)
        first = found[0][1] if found else None
        return cls(place, found, tuple(map(str, first)) if isinstance(first, dict) else (), told)


def each_once(names: Sequence[str], where: str) -> None:
    """Raise `InputError` for a column that is there twice; columns without a name are not."""
    for name in names:
        if name and names.count(name) > 1:
            raise InputError(f"{where}: the column '{name}' is there {names.count(name)} times; rename or remove one")


def refuse_no_text(record: Any, where: str) -> None:
    """Raise `InputError` where a name or a value, at any depth, is no Unicode text."""
    if isinstance(record, str):
        _check(record, where, "the value")
    elif isinstance(record, dict):
        for name, value in record.items():
            _check(str(name), where, "the name of a column")
            if isinstance(value, str):
                _check(value, where, f"'{name}'")
            else:
                refuse_no_text(value, where)
    elif isinstance(record, list):
        for value in record:
            refuse_no_text(value, where)


def _check(text: str, where: str, what: str) -> None:
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise InputError(f"{where}: {what} holds a character that is no text (NUL or half of a surrogate pair)")
