"""How results show themselves: in one short line, and in a notebook as a table."""

from __future__ import annotations

import dataclasses
import re
import reprlib
from collections.abc import Collection, Iterator, Mapping
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

if TYPE_CHECKING:
    import pandas as pd

LONGEST = 160  # characters of a line, without its end
_LONGEST_TEXT = 40
_MOST_ROWS = 20  # of a table in a notebook
_ENDS = 3  # fields of an estimate: its value, and the ends of its interval
_FEW = 4  # values of a field that are shown themselves
_TEXTS = reprlib.Repr()
_TEXTS.maxstring = 60
_DIGEST = re.compile(r"[0-9a-f]{32,}")


def quoted(text: str) -> str:
    """A text of any length as a short one in quotes, on one line.

    Example:
        >>> quoted("The guests have " * 9)
        "'The guests have The guests ...guests have The guests have '"
    """
    return _TEXTS.repr(text)


def table_html(line: str, table: pd.DataFrame) -> str:
    """A line and a table, of whose rows the first and last are shown, as a notebook shows them."""
    digits: Any = "{:.4g}".format
    shown = table.to_html(max_rows=_MOST_ROWS, border=0, float_format=digits, na_rep="")
    return f"<p>{escape(line)}</p>{shown}"


def short_repr(result: object) -> str:
    """A frozen dataclass on one line: numbers and short words first, and how many of what there are several of.

    For `__repr__ = short_repr` in a class whose fields are many, or hold tensors, tables and long texts: those are
    left out, as are digests and what is None. `...` stands for what is not said.

    Example:
        >>> short_repr(found.layers[1])
        'FindLayer(layer=1, dense=1, topk=...'
    """
    shown, room = [], LONGEST - len(type(result).__name__)
    parts = list(_parts(result))
    for part in filter(None, parts):
        room -= len(part) + 2
        if room < 0:
            break
        shown.append(part)
    if len(shown) < len(parts):
        shown.append("...")
    return f"{type(result).__name__}({', '.join(shown)})"


def _parts(result: object) -> Iterator[str]:
    """What is said of each field that is not None or empty, "" for nothing: of one value first, then of several."""
    fields = {one.name: getattr(result, one.name) for one in dataclasses.fields(result)}  # type: ignore[arg-type]
    several = {name: value for name, value in fields.items() if _is_collection(value)}
    for name, value in fields.items():
        if name not in several and value is not None and value != "":
            text = _text(value)
            yield f"{name}={text}" if text else ""
    for name, values in several.items():
        if len(values):
            yield _counted(name, values)


def _is_collection(value: object) -> TypeGuard[Collection[object]]:
    return isinstance(value, Collection) and not isinstance(value, str | bytes)


def _counted(name: str, values: Collection[object]) -> str:
    """Few numbers or words themselves, and how many results; nothing of an array."""
    if isinstance(values, tuple | list) and len(values) <= _FEW and all(map(_text, values)):
        return f"{name}=({', '.join(str(_text(value)) for value in values)})"
    first = next(iter(values.values() if isinstance(values, Mapping) else values))
    return f"{len(values)} {name}" if dataclasses.is_dataclass(first) else ""


def _text(value: object) -> str | None:
    """A number, or a word; None for what is not shown."""
    if isinstance(value, bool | int):
        return repr(value)
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, str) and value and len(value) <= _LONGEST_TEXT and value.isprintable():
        return None if _DIGEST.search(value) else repr(value)
    if isinstance(value, Path):
        return repr(value.name)
    inner = vars(value).get("value") if dataclasses.is_dataclass(value) and len(vars(value)) == _ENDS else None
    return f"{inner:.4g}" if isinstance(inner, float) else None  # of an estimate
