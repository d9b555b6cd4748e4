"""From records to pairs: what every source must deliver, checked one record at a time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from neurosteer.errors import InputError

from .blimp import IDENTICAL, PHENOMENON_OF, normalise
from .files import Record
from .types import Pair, Pairs

Columns = tuple[str, str]  # good, bad
DEFAULT_COLUMNS: Columns = ("sentence_good", "sentence_bad")


def to_pairs(records: Iterable[Record], *, task: str, source: str, place: str, columns: Columns) -> Pairs:
    """All records of a task as pairs. Raises InputError at the first that is none, or for fewer than two.

    A pair's id is its `pairID`, or its 0-based row number where that is missing or taken.
    """
    pairs: list[Pair] = []
    taken: set[str] = set()
    phenomenon = PHENOMENON_OF.get(task)
    for row, (where, record) in enumerate(records):
        good, bad = (_sentence(record, column, columns, where) for column in columns)
        if phenomenon is None and isinstance(term := record.get("linguistics_term"), str) and term.strip():
            phenomenon = normalise(term)
        name = "" if record.get("pairID") is None else str(record["pairID"])
        if good == bad:
            if (task, name) in IDENTICAL:
                continue
            raise InputError(
                f"{where}: the good and the bad sentence are the same: '{_short(good)}'; mend or delete it"
            )
        if not name or name in taken:
            name = str(row)
        taken.add(name)
        pairs.append(Pair(good, bad, name))
    if not pairs:
        raise InputError(f"{place} is empty: it holds no pairs")
    if len(pairs) < 2:
        raise InputError(f"{place} holds only 1 pair; at least 2 are needed")
    return Pairs(task, source, tuple(pairs), phenomenon)


def _sentence(record: Any, column: str, columns: Columns, where: str) -> str:
    if not isinstance(record, dict):
        raise InputError(f"{where}: expected an object with {' and '.join(columns)}, found {_kind(record)}")
    if column not in record:
        found = ", ".join(map(str, record)) or "none"
        raise InputError(f"{where}: no column '{column}' (found: {found}); name yours with --columns GOOD,BAD")
    value = record[column]
    if not isinstance(value, str):
        raise InputError(f"{where}: '{column}' must be a sentence, not {_kind(value)}")
    sentence = value.strip()
    if not sentence:
        raise InputError(f"{where}: '{column}' is empty")
    if "\0" in sentence or any("\ud800" <= character <= "\udfff" for character in sentence):
        raise InputError(f"{where}: '{column}' holds a character that is no text (NUL or half of a surrogate pair)")
    return sentence


def _kind(value: Any) -> str:
    kinds = {bool: "a truth value", int: "a number", float: "a number", str: "a string", list: "a list"}
    return "null" if value is None else kinds.get(type(value), f"a {type(value).__name__}")


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."
