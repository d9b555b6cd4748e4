"""From the records of a table to rows that hold a pair, as its layout says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from neurosteer.errors import InputError

from .advice import name_columns
from .known_columns import label_of, second_is_good
from .layouts import JOIN, Layout
from .tables import Record

ID = "pairID"  # the column of a pair's name, in BLiMP's files
_LAYOUT = "name yours with --layout"
_WHICH = "0 where the first sentence is good and 1 where the second is"


@dataclass(frozen=True)
class PairRow:
    """A pair as it stands in a table: where, its sentences, and what the row says of it; "" where it says nothing."""

    where: str
    good: str
    bad: str
    id: str = ""
    task: str = ""
    phenomenon: str = ""


def rows_of(records: Sequence[Record], layout: Layout) -> Iterator[PairRow]:
    """The pairs of a table, in its order.

    Raises:
        InputError: for the first record that is no part of a pair.
    """
    if layout.good is not None and layout.bad is not None:
        names = (layout.good, layout.bad)
        for where, record in records:
            good, bad = (_sentence(record, name, names, where) for name in names)
            yield _row(where, good, bad, _text(record, ID), record, layout)
    elif layout.first is not None and layout.second is not None:
        names = (layout.first, layout.second)
        for where, record in records:
            both = [_sentence(record, name, names, where, _LAYOUT) for name in names]
            if _label(record, layout, where, second_is_good, _WHICH):
                both.reverse()
            yield _row(where, both[0], both[1], _text(record, ID), record, layout)
    else:
        for group in _groups(records, layout):
            yield _joined(group, layout)


@dataclass(frozen=True)
class _Sentence:
    where: str
    text: str
    good: bool
    record: Mapping[str, Any]


def _groups(records: Sequence[Record], layout: Layout) -> Iterator[list[_Sentence]]:
    """The sentences that belong together."""
    name = layout.sentence or ""
    found = []
    for number, (where, record) in enumerate(records):
        text = _sentence(record, name, (name,), where, _LAYOUT)
        good = (
            (layout.order == "good-bad") == (number % 2 == 0)
            if layout.label is None
            else _label(record, layout, where, label_of, "1 for good sentences and 0 for bad ones")
        )
        found.append(_Sentence(where, text, good, record))
    if not layout.pair:
        yield from (found[start : start + 2] for start in range(0, len(found), 2))
        return
    groups: dict[tuple[str, str], list[_Sentence]] = {}
    for one in found:
        pair = _said(one.record, layout.pair, one.where, "which pair")
        task = _text(one.record, layout.task) if layout.task else ""
        groups.setdefault((task, pair), []).append(one)
    yield from groups.values()


def _joined(group: list[_Sentence], layout: Layout) -> PairRow:
    good = [one for one in group if one.good]
    bad = [one for one in group if not one.good]
    first = group[0]
    if len(good) != 1 or len(bad) != 1:
        of = f"pair '{_text(first.record, layout.pair)}'" if layout.pair else "this row and its neighbour"
        raise InputError(
            f"{first.where}: {of} {'has' if layout.pair else 'have'} {len(good)} good and {len(bad)} bad sentences; "
            "a pair is one of each (--layout pair=COLUMN says what pairs have in common)"
        )
    id_ = _text(first.record, layout.pair) if layout.pair else ""
    return _row(first.where, good[0].text, bad[0].text, id_, first.record, layout)


def _row(where: str, good: str, bad: str, id_: str, record: Mapping[str, Any], layout: Layout) -> PairRow:
    task = _said(record, layout.task, where, "which task") if layout.task else ""
    term = record.get(layout.phenomenon) if layout.phenomenon else None
    return PairRow(where, good, bad, id_, task, term.strip() if isinstance(term, str) else "")


def _text(record: Mapping[str, Any], column: str) -> str:
    value = record.get(column)
    return "" if value is None else str(value)


def _said(record: Mapping[str, Any], column: str, where: str, what: str) -> str:
    value = _text(record, column).strip()
    if not value:
        found = ", ".join(map(str, record)) or "none"
        said = f"'{column}' is empty" if column in record else f"no column '{column}' (found: {found})"
        raise InputError(f"{where}: {said}, so it does not say {what}")
    return value


def _label(
    record: Mapping[str, Any], layout: Layout, where: str, meaning: Callable[[Any], bool | None], known: str
) -> bool:
    column = layout.label or ""
    value = _said(record, column, where, "which sentence is good")
    found = meaning(value)
    if found is None:
        raise InputError(f"{where}: '{column}' says '{value}', which is no label known here; write {known}")
    return found


def _sentence(record: Any, column: str, columns: Sequence[str], where: str, hint: str = "") -> str:
    if not isinstance(record, dict):
        raise InputError(f"{where}: expected an object with {' and '.join(columns)}, found {_kind(record)}")
    parts = [column] if column in record else column.split(JOIN)
    return " ".join(_part(record, part, where, hint) for part in parts)


def _part(record: Mapping[str, Any], column: str, where: str, hint: str) -> str:
    if column not in record:
        found = ", ".join(map(str, record)) or "none"
        raise InputError(
            f"{where}: no column '{column}' (found: {found}); {hint or name_columns(list(map(str, record)))}"
        )
    value = record[column]
    if not isinstance(value, str):
        raise InputError(f"{where}: '{column}' must be a sentence, not {_kind(value)}")
    sentence = value.strip()
    if not sentence:
        raise InputError(f"{where}: '{column}' is empty")
    if "\0" in sentence:
        raise InputError(f"{where}: '{column}' holds a character that is no text (NUL or half of a surrogate pair)")
    return sentence


def _kind(value: Any) -> str:
    kinds = {bool: "a truth value", int: "a number", float: "a number", str: "a string", list: "a list"}
    return "null" if value is None else kinds.get(type(value), f"a {type(value).__name__}")
