"""Reading files of pairs: JSON Lines, CSV, TSV and Parquet, as records that know where they stand."""

from __future__ import annotations

import codecs
import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from neurosteer.errors import InputError

T = TypeVar("T")
Record = tuple[str, Any]  # where it stands, for messages; what stands there


def read_records(path: Path) -> Iterator[Record]:
    """The records of one file, lazily. Raises InputError naming the file and the line that cannot be read."""
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise InputError(f"'{path}' is of an unknown kind; a file of pairs ends in {', '.join(READERS)}")
    try:
        yield from reader(path)
    except OSError as error:
        raise InputError(f"cannot read '{path}': {error.strerror or error}") from error


def _lines(path: Path) -> Iterator[tuple[str, str]]:
    """(where, text) of every line; UTF-8, a byte order mark is skipped, the line end kept."""
    with path.open("rb") as file:
        for number, raw in enumerate(file, start=1):
            where = f"{path}, line {number}"
            try:
                yield where, (raw.removeprefix(codecs.BOM_UTF8) if number == 1 else raw).decode("utf-8")
            except UnicodeDecodeError as error:
                bad = f"byte 0x{raw[error.start]:02x}"
                raise InputError(f"{where}: not UTF-8 ({bad}); save the file as UTF-8") from error


def _read_jsonl(path: Path) -> Iterator[Record]:
    for where, line in _lines(path):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            reason = error.msg if isinstance(error, json.JSONDecodeError) else "cannot be parsed"
            raise InputError(f"{where}: malformed JSON ({reason}); one JSON object per line is expected") from error
        yield where, record


def _read_delimited(path: Path, delimiter: str) -> Iterator[Record]:
    rows = csv.DictReader((line for _, line in _lines(path)), delimiter=delimiter, strict=True)
    names = _parsed(path, 1, lambda: rows.fieldnames) or ()
    while (row := _parsed(path, rows.line_num + 1, lambda: next(rows, None))) is not None:
        where = f"{path}, line {rows.line_num}"
        if None in row:
            raise InputError(
                f"{where}: {len(names) + len(row[None])} fields under {len(names)} column names; put a sentence that "
                "holds the delimiter in quotation marks"
            )
        yield where, row


def _parsed(path: Path, line: int, read: Callable[[], T]) -> T:
    """What a CSV parser reads from that line on."""
    try:
        return read()
    except csv.Error as error:
        hint = "; is a quotation mark left open?" if "limit" in str(error) or "end of data" in str(error) else ""
        raise InputError(f"{path}, line {line}: malformed {path.suffix[1:].upper()} ({error}){hint}") from error


def _read_parquet(path: Path) -> Iterator[Record]:
    import pyarrow as pa  # type: ignore[import-untyped]
    from pyarrow import parquet

    number = 0
    try:
        with parquet.ParquetFile(path) as file:
            for batch in file.iter_batches():
                for number, row in enumerate(batch.to_pylist(), start=number + 1):  # noqa: B020
                    yield f"{path}, row {number}", row
    except pa.ArrowException as error:
        raise InputError(f"'{path}' is not a readable Parquet file: {str(error).splitlines()[0]}") from error


READERS: dict[str, Callable[[Path], Iterator[Record]]] = {
    ".jsonl": _read_jsonl,
    ".json": _read_jsonl,
    ".csv": lambda path: _read_delimited(path, ","),
    ".tsv": lambda path: _read_delimited(path, "\t"),
    ".parquet": _read_parquet,
}
