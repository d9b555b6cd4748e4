"""From records to pairs: what every source must deliver, checked one record at a time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from neurosteer.errors import InputError
from neurosteer.vocabulary import Columns

from .blimp import PHENOMENON_OF, normalise
from .files import Record
from .once import NOTHING, LeftOut


@dataclass(frozen=True)
class Checked:
    """What the records of a task say."""

    pairs: tuple[tuple[str, str, str], ...]  # good, bad, id
    phenomenon: str | None
    left_out: LeftOut


def check_records(records: Iterable[Record], *, task: str, place: str, columns: Columns) -> Checked:
    """The pairs among the records of a task.

    Pairs whose sentences are those of an earlier pair, or one and the same, are left out and counted. A pair's id is
    its `pairID`, or its 0-based row number where that is missing or taken.

    Raises:
        InputError: for the first record that is no pair, and for fewer than two pairs.
    """
    pairs: list[tuple[str, str, str]] = []
    taken: set[str] = set()
    seen: set[tuple[str, str]] = set()
    repeated = identical = 0
    phenomenon = PHENOMENON_OF.get(task)
    for row, (where, record) in enumerate(records):
        good, bad = (_sentence(record, column, columns, where) for column in columns)
        if phenomenon is None and isinstance(term := record.get("linguistics_term"), str) and term.strip():
            phenomenon = normalise(term)
        name = "" if record.get("pairID") is None else str(record["pairID"])
        if good == bad:
            identical += 1
            continue
        if (good, bad) in seen:
            repeated += 1
            continue
        seen.add((good, bad))
        if not name or name in taken:
            name = str(row)
        taken.add(name)
        pairs.append((good, bad, name))
    left_out = LeftOut(repeated, identical)
    if len(pairs) < 2:
        raise InputError(_too_few(place, len(pairs), left_out))
    return Checked(tuple(pairs), phenomenon, left_out)


def _too_few(place: str, used: int, left_out: LeftOut) -> str:
    if not used and left_out == NOTHING:
        return f"{place} is empty: it holds no pairs"
    found = "only 1 pair" if used else "no pair"
    if left_out != NOTHING:
        found += f" that counts (repeats: {left_out.repeated:,}, the same sentence twice: {left_out.identical:,})"
    return f"{place} holds {found}; at least 2 are needed"


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
