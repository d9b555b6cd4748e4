"""A table: what a file or a configuration of a hub data set holds, before anything is known of its layout."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from neurosteer.errors import InputError

Record = tuple[str, Any]  # where it stands, for messages; what stands there
LINE = "sentence"  # the only column of a text that has none


@dataclass(frozen=True)
class PairTable:
    """Records, in their order.

    Attributes:
        place: where they lie, for messages.
        records: where each stands, and its columns.
        columns: their names; of JSON those of the first record.
        remarks: what was found of the form, for a notice: `fields parted by ';'`.
        headed: whether the columns have names of their own.
    """

    place: str
    records: Sequence[Record]
    columns: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    headed: bool = True

    @classmethod
    def of(cls, place: str, records: Iterable[Record], remarks: tuple[str, ...] = ()) -> PairTable:
        """Of records that name their columns themselves."""
        found = list(records)
        first = found[0][1] if found else None
        return cls(place, found, tuple(map(str, first)) if isinstance(first, dict) else (), remarks)


def each_once(names: Sequence[str], where: str) -> None:
    """Raise `InputError` for a column that is there twice; columns without a name are not."""
    for name in names:
        if name and names.count(name) > 1:
            raise InputError(f"{where}: the column '{name}' is there {names.count(name)} times; rename or remove one")


def refuse_twins(used: Iterable[str], names: Sequence[str], where: str) -> None:
    """Raise `InputError` for a column in use that stands beside one whose name differs by case or blanks alone."""
    for name in used:
        twins = [other for other in names if other != name and _folded(other) == _folded(name)]
        if twins:
            raise InputError(
                f"{where}: the columns '{name}' and '{twins[0]}' differ by case or blanks alone; rename or remove one"
            )


def _folded(name: str) -> str:
    return " ".join(name.split()).lower()


def checked(record: Record) -> Record:
    """The record. Raises `InputError` where a name or a value of it, at any depth, is no Unicode text."""
    where, found = record
    _check(found, where, "the value")
    return record


def _check(value: Any, where: str, what: str) -> None:
    if isinstance(value, dict):
        for name, inner in value.items():
            _check(name, where, "the name of a column")
            _check(inner, where, f"'{name}'")
    elif isinstance(value, list):
        for inner in value:
            _check(inner, where, what)
    elif isinstance(value, str) and any("\ud800" <= character <= "\udfff" for character in value):
        raise InputError(f"{where}: {what} holds a character that is no text (NUL or half of a surrogate pair)")
