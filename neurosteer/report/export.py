"""The same results for other programs: JSON as it is, and flat rows as CSV.

Both are deterministic: the same entry gives the same bytes.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

# What a nested value holds where it is there; where it is null its columns stay, empty.
_NESTED = {
    "random": ("mean", "low", "high"),
    "l0": ("lambda", "kept", "accuracy", "reached"),
    "new_words": ("dense", "topk"),
    "attribution": ("drop",),
}


def to_json(obj: object) -> str:
    """`obj` as one indented JSON text with its keys in their own order, ending in a newline.

    Raises ValueError for NaN and infinities, which JSON does not have: an unknown number is None.
    """
    return json.dumps(obj, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def layers_csv(entry: dict[str, Any]) -> str:
    """The layers of a `find` entry as CSV, the task in the first column.

    A nested key becomes a dotted column (`random.mean`, `l0.kept`); null is an empty cell.
    """
    return rows_csv([{"task": entry["task"], **dict(_flat(_by_name(layer)))} for layer in entry["layers"]])


def rows_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """Flat rows as CSV; columns in the order in which they first occur, None an empty cell."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows({column: _cell(value) for column, value in row.items()} for row in rows)
    return text.getvalue()


def _by_name(layer: dict[str, Any]) -> dict[str, Any]:
    """A layer whose agreements are keyed by their two methods, and the ends of its intervals by their names."""
    pairs = {"~".join(row["methods"]): row for row in layer.get("agreement", ())}
    named = {name: {key: row[key] for key in ("spearman", "overlap", "chance")} for name, row in pairs.items()}
    return {**layer, "agreement": named, "intervals": _ends(layer["intervals"])}


def _ends(intervals: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _ends(ends) if isinstance(ends, dict) else dict(zip(("low", "high"), ends or (None, None), strict=True))
        for name, ends in intervals.items()
    }


def _flat(row: dict[str, Any]) -> Iterator[tuple[str, object]]:
    for key, value in row.items():
        nested = dict.fromkeys(_NESTED[key]) if value is None and key in _NESTED else value
        if isinstance(nested, dict):
            yield from ((f"{key}.{inner}", cell) for inner, cell in _flat(nested))
        else:
            yield key, value


def _cell(value: object) -> object:
    return json.dumps(value) if isinstance(value, bool) else value
