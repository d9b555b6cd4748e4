"""Tables of delimited fields: the delimiter is found, and so is whether the first line names the columns."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from itertools import dropwhile
from pathlib import Path
from typing import TypeVar

from neurosteer.errors import InputError

from .advice import ENDS
from .known_columns import LABEL, SENTENCE, columns_named, is_known, is_label
from .layouts import DELIMITERS, JOIN, Delimiter, Layout
from .tables import PairTable, Record, each_once

T = TypeVar("T")


_HALF_QUOTED = (
    "a field begins with a quotation mark and goes on after the next one; put the whole field in quotation marks and "
    'double those inside it ("")'
)


class _Strict(csv.excel):
    """Quotation marks that stand alone are errors; those after a blank are no letters."""

    strict = True
    skipinitialspace = True


def read_delimited(path: Path, lines: Sequence[tuple[str, str]], own: Delimiter, asked: Layout) -> PairTable:
    """The table of some lines (where each stands, its text) of a file whose ending promises the delimiter `own`."""
    lines = list(dropwhile(lambda line: not line[1].strip(), lines))
    texts, place = [line for _, line in lines], f"'{path}'"
    delimiter = asked.delimiter or labelling(texts, own) or _delimiter(texts[0] if texts else "", own, asked)
    mark = DELIMITERS[delimiter]
    remarks = () if delimiter in (own, asked.delimiter) else (f"fields parted by {delimiter}",)
    label = labelled_lines(texts, mark)
    if label is not None:
        names = ("label", "sentence") if label == 0 else ("sentence", "label")
        filled = [(where, line) for where, line in lines if line.strip()]
        _refuse_half_quoted(filled, mark)
        records = [(where, dict(zip(names, split_fields(line, mark), strict=True))) for where, line in filled]
        return PairTable(place, records, names, (*remarks, "no line of column names"), headed=False)
    if asked.order and asked.sentence is None:
        return _without_names(path, lines, mark, remarks)
    rows = csv.DictReader(texts, delimiter=mark, dialect=_Strict)
    named = tuple(_parsed(path, lines, 0, lambda: list(rows.fieldnames or ())))
    each_once(named, _where(path, lines, 1))
    found: list[Record] = []
    while (row := _parsed(path, lines, rows.line_num, lambda: next(rows, None))) is not None:
        where = _where(path, lines, rows.line_num)
        if None in row:
            raise InputError(
                f"{where}: {len(named) + len(row[None])} fields under {len(named)} column names; put a sentence that "
                "holds the delimiter in quotation marks"
            )
        found.append((where, row))
    return PairTable(place, found, named, remarks)


def _without_names(path: Path, lines: Sequence[tuple[str, str]], mark: str, remarks: tuple[str, ...]) -> PairTable:
    """Fields by their numbers, from 1, where sentences follow each other in a known order."""
    rows = csv.reader([line for _, line in lines], delimiter=mark, dialect=_Strict)
    found: list[Record] = []
    while (row := _parsed(path, lines, rows.line_num, lambda: next(rows, None))) is not None:
        if any(field.strip() for field in row):
            fields = {str(number): field for number, field in enumerate(row, start=1)}
            found.append((_where(path, lines, rows.line_num), fields))
    return PairTable(f"'{path}'", found, tuple(found[0][1]) if found else (), remarks, headed=False)


def labelled_lines(lines: Sequence[str], mark: str = "\t") -> int | None:
    """Which of two fields labels every line's sentence (`True<TAB>The cat sleeps.`); None where neither does.

    A first line that names the two columns (`sentence,grammatical`) is none of them.
    """
    rows = []
    for line in lines:
        row = split_fields(line, mark)
        if line.strip() and len(row) != 2:
            return None
        rows += [row] if line.strip() else []
    if len(rows) < 2:
        return None
    for field in (0, 1):
        words = [row[field].lower() for row in rows]
        if len(set(words)) == 2 and all(map(is_label, words)):
            return None if _names_columns(rows, field) else field
    return None


def labelling(lines: Sequence[str], own: Delimiter) -> Delimiter | None:
    """The delimiter under which every line labels its sentence, that of the file's ending first; None for none."""
    order = sorted(DELIMITERS, key=lambda delimiter: delimiter != own)
    return next((one for one in order if labelled_lines(lines, DELIMITERS[one]) is not None), None)


def _names_columns(rows: Sequence[Sequence[str]], label: int) -> bool:
    """Whether the first of some labelled lines names a column with a word that is a label too, like `correct`."""
    first = rows[0]
    if not columns_named(LABEL, [first[label]]):
        return False
    pairs_without = len(rows) % 2 == 1  # sentences go in twos
    return pairs_without or bool(columns_named(SENTENCE, [first[1 - label]]))


def split_fields(line: str, mark: str) -> list[str]:
    """The fields of one line, without the quotation marks around them; one that is quoted by half keeps them."""
    try:
        row = next(csv.reader([line], delimiter=mark, dialect=_Strict), [])
    except csv.Error:
        row = line.split(mark)
    return [field.strip() for field in row]


def _refuse_half_quoted(lines: Sequence[tuple[str, str]], mark: str) -> None:
    """Raise `InputError` for a field that begins with a quotation mark and does not end as fields do.

    Where no field is quoted and tabs part them the marks belong to the sentences, as in plain texts.
    """
    half, whole = None, False
    for where, line in lines:
        plain = [field.strip() for field in line.split(mark)]
        opened = any(field.startswith('"') for field in plain)
        as_it_stands = split_fields(line, mark) == plain
        half = half or (where if opened and as_it_stands else None)
        whole = whole or (opened and not as_it_stands)
    if half and (whole or mark != "\t"):
        raise InputError(f"{half}: {_HALF_QUOTED}")


def names_columns(line: str, asked: Layout) -> Delimiter | None:
    """The delimiter under which a line names two columns that are known or asked for; None where it does not."""
    delimiter = _delimiter(line, "tab", asked)
    return delimiter if _known(_names(line, delimiter), asked) > 1 and not line.rstrip().endswith(ENDS) else None


def _known(names: Sequence[str], asked: Layout) -> int:
    """How many columns are known or asked for."""
    parts = {part for value in asked.named().values() for part in value.split(JOIN)}
    return sum(is_known(name) or name in parts for name in names)


def _names(header: str, delimiter: Delimiter) -> list[str]:
    try:
        return next(csv.reader([header], delimiter=DELIMITERS[delimiter], skipinitialspace=True), [])
    except csv.Error:
        return []


def _delimiter(header: str, own: Delimiter, asked: Layout) -> Delimiter:
    """The one under which the first line names most columns that are known or asked for; else the ending's own.

    Where that leaves a single column, the one that parts most fields.
    """

    def worth(delimiter: Delimiter) -> tuple[int, bool, int]:
        names = _names(header, delimiter)
        return _known(names, asked), delimiter == own and len(names) > 1, len(names)

    return max(DELIMITERS, key=lambda delimiter: (*worth(delimiter), delimiter == own))


def _where(path: Path, lines: Sequence[tuple[str, str]], read: int) -> str:
    """Where the last of the lines that a parser has read stands."""
    return lines[read - 1][0] if 0 < read <= len(lines) else str(path)


def _parsed(path: Path, lines: Sequence[tuple[str, str]], read: int, parse: Callable[[], T]) -> T:
    """What a CSV parser makes of the lines after those that it has read."""
    try:
        return parse()
    except csv.Error as error:
        where = _where(path, lines, min(read + 1, len(lines)))
        if "expected after" in str(error):  # it would show the delimiter itself, a tab perhaps
            raise InputError(f"{where}: malformed {_kind(path)}: {_HALF_QUOTED}") from error
        hint = "; is a quotation mark left open?" if "limit" in str(error) or "end of data" in str(error) else ""
        raise InputError(f"{where}: malformed {_kind(path)} ({error}){hint}") from error


def _kind(path: Path) -> str:
    return "table" if path.suffix.lower() == ".txt" else path.suffix[1:].upper()
