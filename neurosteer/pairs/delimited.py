"""Tables of delimited fields: the delimiter is found, and so is whether the first line names the columns."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from neurosteer.errors import InputError

from .known_columns import is_known, is_label
from .layouts import DELIMITERS, Delimiter, Layout
from .tables import Record, Table, each_once

T = TypeVar("T")


def read_delimited(path: Path, lines: Sequence[tuple[str, str]], own: Delimiter, asked: Layout) -> Table:
    """The table of some lines (where each stands, its text) of a file whose ending promises the delimiter `own`."""
    texts, place = [line for _, line in lines], f"'{path}'"
    delimiter = asked.delimiter or _delimiter(next((text for text in texts if text.strip()), ""), own, asked)
    mark = DELIMITERS[delimiter]
    told = () if delimiter in (own, asked.delimiter) else (f"fields parted by {delimiter}",)
    labelled = labelled_lines(texts, mark)
    if labelled is not None:
        names = ("label", "sentence") if labelled == 0 else ("sentence", "label")
        fields = [[field.strip() for field in line.split(mark)] for line in texts if line.strip()]
        places = [where for where, line in lines if line.strip()]
        records = [(where, dict(zip(names, row, strict=True))) for where, row in zip(places, fields, strict=True)]
        return Table(place, records, names, (*told, "no line of column names"), headed=False)
    if asked.order and asked.sentence is None:
        return _without_names(path, texts, mark, told)
    rows = csv.DictReader(texts, delimiter=mark, strict=True)
    named = tuple(_parsed(path, 1, lambda: list(rows.fieldnames or ())))
    each_once(named, f"{path}, line 1")
    found: list[Record] = []
    while (row := _parsed(path, rows.line_num + 1, lambda: next(rows, None))) is not None:
        where = f"{path}, line {rows.line_num}"
        if None in row:
            raise InputError(
                f"{where}: {len(named) + len(row[None])} fields under {len(named)} column names; put a sentence that "
                "holds the delimiter in quotation marks"
            )
        found.append((where, row))
    return Table(place, found, named, told)


def _without_names(path: Path, texts: Iterable[str], mark: str, told: tuple[str, ...]) -> Table:
    """Fields by their numbers, from 1, where sentences follow each other in a known order."""
    rows = csv.reader(texts, delimiter=mark, strict=True)
    found: list[Record] = []
    while (row := _parsed(path, rows.line_num + 1, lambda: next(rows, None))) is not None:
        if any(field.strip() for field in row):
            fields = {str(number): field for number, field in enumerate(row, start=1)}
            found.append((f"{path}, line {rows.line_num}", fields))
    return Table(f"'{path}'", found, tuple(found[0][1]) if found else (), told, headed=False)


def labelled_lines(lines: Sequence[str], mark: str = "\t") -> int | None:
    """Which of two fields labels every line's sentence (`True<TAB>The cat sleeps.`); None where neither does."""
    rows = [line.split(mark) for line in lines if line.strip()]
    if len(rows) < 2 or any(len(row) != 2 for row in rows):
        return None
    for field in (0, 1):
        found = {row[field].strip().lower() for row in rows}
        if len(found) == 2 and all(map(is_label, found)):
            return field
    return None


def _delimiter(header: str, own: Delimiter, asked: Layout) -> Delimiter:
    """The one under which the first line names most columns that are known or asked for; else the ending's own.

    Where that leaves a single column, the one that parts most fields.
    """

    def worth(delimiter: Delimiter) -> tuple[int, bool, int]:
        try:
            names = next(csv.reader([header], delimiter=DELIMITERS[delimiter]), [])
        except csv.Error:
            return 0, False, 0
        known = sum(is_known(name) or name in asked.given().values() for name in names)
        return known, delimiter == own and len(names) > 1, len(names)

    return max(DELIMITERS, key=lambda delimiter: (*worth(delimiter), delimiter == own))


def _parsed(path: Path, line: int, read: Callable[[], T]) -> T:
    """What a CSV parser reads from that line on."""
    try:
        return read()
    except csv.Error as error:
        hint = "; is a quotation mark left open?" if "limit" in str(error) or "end of data" in str(error) else ""
        raise InputError(f"{path}, line {line}: malformed {_kind(path)} ({error}){hint}") from error


def _kind(path: Path) -> str:
    return "TSV" if path.suffix.lower() == ".txt" else path.suffix[1:].upper()
