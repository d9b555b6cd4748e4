"""Reading files of pairs: JSON, CSV, TSV, Parquet and plain lines, as tables whose records know where they stand."""

from __future__ import annotations

import codecs
import json
import re
import stat
from collections.abc import Callable, Iterator, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

from neurosteer.errors import InputError

from .delimited import labelling, names_columns, read_delimited
from .layouts import UNKNOWN, Layout
from .tables import LINE, PairTable, Record, checked, each_once

Line = tuple[str, str]  # where it stands; its text, with its end
_HALF = re.compile(r"\\u[dD]")  # may be half of a surrogate pair: no other way leads such into text
_LINE_END = re.compile(rb"\r\n|\r|\n")
_KINDS = {stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device"}


def read_table(path: Path, asked: Layout = UNKNOWN) -> PairTable:
    """What one file holds.

    Raises:
        InputError: naming the file and the line, for what is no regular file or cannot be read.
    """
    try:
        refuse_irregular(path)
        reader = READERS.get(path.suffix.lower())
        if reader is None:
            raise InputError(f"'{path}' is of an unknown kind; a file of pairs ends in {', '.join(READERS)}")
        return reader(path, asked)
    except OSError as error:
        raise InputError(f"cannot read '{path}': {error.strerror or error}") from error


def refuse_irregular(path: Path) -> None:
    """Raise `InputError` for a pipe, a device or a socket: it may never end, and is gone when it is read again."""
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        kind = _KINDS.get(stat.S_IFMT(mode), "something else")
        raise InputError(f"'{path}' is {kind}, not a regular file; save the pairs in one")


def is_text_of_pairs(path: Path) -> bool:
    """Whether a plain text is known to hold pairs without being told: it is a table that says which are good."""
    try:
        return _is_table([line for _, line in _lines(path) if line.strip()], UNKNOWN)
    except (InputError, OSError):
        return False


def _is_table(lines: Sequence[str], asked: Layout) -> bool:
    """Whether the lines of a plain text label their sentences, or the first one names columns."""
    if not lines:
        return False
    return names_columns(lines[0], asked) is not None or labelling(lines, "tab") is not None


def _lines(path: Path) -> list[Line]:
    """Every line; UTF-8, a byte order mark is skipped. Lines end in LF, CR LF or CR, and keep their end."""
    raw = path.read_bytes().removeprefix(codecs.BOM_UTF8)
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        number = len(_LINE_END.findall(raw[: error.start])) + 1
        bad = f"byte 0x{raw[error.start]:02x}"
        raise InputError(f"{path}, line {number}: not UTF-8 ({bad}); save the file as UTF-8") from error
    return [(f"{path}, line {number}", line) for number, line in enumerate(StringIO(text, newline=""), start=1)]


def _read_json(path: Path, asked: Layout) -> PairTable:
    """One object a line, or an array of objects."""
    lines, decoder = [(where, line) for where, line in _lines(path) if line.strip()], _Decoder()
    if lines and lines[0][1].lstrip().startswith("["):
        array = _array(path, "".join(line for _, line in lines), decoder)
        if array is not None:
            return PairTable.of(f"'{path}'", array)
    if len(lines) > 1 and lines[0][1].lstrip().startswith("{"):
        _refuse_one_object(path, lines)
    return PairTable.of(f"'{path}'", [(where, _parsed(line, where, decoder)) for where, line in lines])


def _refuse_one_object(path: Path, lines: Sequence[Line]) -> None:
    """Raise `InputError` for a single object that is spread over the lines: a line of it is no JSON."""
    try:
        json.loads("".join(line for _, line in lines))
    except (ValueError, RecursionError):
        return
    raise InputError(f"'{path}' holds one JSON object; a file of pairs has one object a line, or an array of objects")


class _Decoder(json.JSONDecoder):
    """Reads JSON, and remembers the objects that name a key twice."""

    def __init__(self) -> None:
        super().__init__(object_pairs_hook=self._object)
        self.twice: list[tuple[dict[str, Any], str]] = []  # with the key

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            names = [name for name, _ in pairs]
            self.twice.append((found, next(name for name in names if names.count(name) > 1)))
        return found


def _array(path: Path, text: str, decoder: _Decoder) -> list[Record] | None:
    """What a JSON array holds; None where it is none. What is no object is told when it is read as a pair."""
    try:
        found = decoder.decode(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, list):
        return None
    records: list[Record] = [(f"{path}, item {number}", one) for number, one in enumerate(found, start=1)]
    for inner, name in decoder.twice:
        raise _named_twice(next(where for where, one in records if _holds(one, inner)), name)
    return [checked(record) for record in records] if _HALF.search(text) else records


def _parsed(line: str, where: str, decoder: _Decoder) -> Any:
    try:
        record = decoder.decode(line)
    except (ValueError, RecursionError) as error:
        reason = error.msg if isinstance(error, json.JSONDecodeError) else "cannot be parsed"
        raise InputError(f"{where}: malformed JSON ({reason}); one JSON object per line is expected") from error
    for _, name in decoder.twice:
        raise _named_twice(where, name)
    if _HALF.search(line):
        checked((where, record))
    return record


def _named_twice(where: str, name: str) -> InputError:
    return InputError(f"{where}: the key '{name}' is there more than once; rename or remove one")


def _holds(value: Any, inner: Any) -> bool:
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return value is inner or any(_holds(part, inner) for part in parts)


def _read_parquet(path: Path, asked: Layout) -> PairTable:
    import pyarrow as pa  # type: ignore[import-untyped]
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path) as file:
            names = tuple(file.schema_arrow.names)
            each_once(names, str(path))
            records: list[Record] = []
            for batch in file.iter_batches():
                records += _arrow_records(path, batch, len(records))
    except pa.ArrowException as error:
        raise InputError(f"'{path}' is not a readable Parquet file: {str(error).splitlines()[0]}") from error
    return PairTable(f"'{path}'", records, names)


def _arrow_records(path: Path, batch: Any, before: int) -> Iterator[Record]:
    try:
        rows = batch.to_pylist()
    except UnicodeDecodeError:
        row, name, bad = next(undecodable({name: batch.column(name) for name in batch.schema.names}))
        raise InputError(
            f"{path}, row {before + row + 1}: '{name}' is not UTF-8 (byte 0x{bad:02x}); save the text as UTF-8"
        ) from None
    return ((f"{path}, row {before + number}", row) for number, row in enumerate(rows, start=1))


def undecodable(columns: dict[str, Any]) -> Iterator[tuple[int, str, int]]:
    """The values of Arrow columns that are no UTF-8: row from 0, column, the first byte that is wrong."""
    for row in range(min(map(len, columns.values()), default=0)):
        for name, column in columns.items():
            try:
                column[row].as_py()
            except UnicodeDecodeError as error:
                yield row, name, error.object[error.start]


def _read_text(path: Path, asked: Layout) -> PairTable:
    """Lines that label their sentences, a table, or plain sentences."""
    lines = [(where, line) for where, line in _lines(path) if line.strip()]
    texts = [line for _, line in lines]
    if lines and ("\t" in texts[0] or asked.delimiter or _is_table(texts, asked)):
        return read_delimited(path, lines, "tab", asked)
    records = [(where, {LINE: line.strip()}) for where, line in lines]
    return PairTable(f"'{path}'", records, (LINE,), headed=False)


def _delimited(own: Any) -> Callable[[Path, Layout], PairTable]:
    return lambda path, asked: read_delimited(path, _lines(path), own, asked)


READERS: dict[str, Callable[[Path, Layout], PairTable]] = {
    ".jsonl": _read_json,
    ".json": _read_json,
    ".csv": _delimited("comma"),
    ".tsv": _delimited("tab"),
    ".parquet": _read_parquet,
    ".txt": _read_text,
}
