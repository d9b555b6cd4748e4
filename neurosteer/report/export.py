"""The same results for other programs: JSON as it is, and flat rows as CSV.

Both are deterministic: the same result gives the same bytes.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from neurosteer.results import FindLayer, FindResult, Json, record

if TYPE_CHECKING:
    import pandas as pd

# What a nested value holds where it is there; where it is null its columns stay, empty.
_NESTED = {
    "l0": ("lambda", "kept", "accuracy", "reached"),
    "new_words": ("dense", "topk"),
    "attribution": ("drop",),
}


def to_json(obj: object) -> str:
    """`obj` as one indented JSON text with its keys in their own order, ending in a newline.

    Raises ValueError for NaN and infinities, which JSON does not have: an unknown number is None.
    """
    return json.dumps(obj, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def layers_csv(found: FindResult) -> str:
    """The layers of a `find` as CSV, the task in the first column.

    A nested key becomes a dotted column (`random.mean`, `l0.kept`); null is an empty cell.
    """
    return rows_csv(_layer_rows(found))


def layers_frame(found: FindResult) -> pd.DataFrame:
    """The same table for pandas: a row for each layer, None where nothing was measured."""
    import pandas as pd

    return pd.DataFrame(_layer_rows(found))


def rows_csv(rows: Sequence[Mapping[str, Json]]) -> str:
    """Flat rows as CSV; columns in the order in which they first occur, None an empty cell."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({key: json.dumps(cell) if isinstance(cell, bool) else cell for key, cell in row.items()})
    return text.getvalue()


def _layer_rows(found: FindResult) -> list[dict[str, Json]]:
    return [{"task": found.task, **dict(_flat(_by_name(layer)))} for layer in found.layers]


def _by_name(layer: FindLayer) -> dict[str, Json]:
    """A layer whose agreements are keyed by their two methods, and the ends of its intervals by their names."""
    agreement = {
        "~".join(both.methods): {"spearman": both.spearman, "overlap": both.overlap, "chance": both.chance}
        for both in layer.agreement
    }
    return record(layer) | {"agreement": agreement, "intervals": _ends(record(layer.intervals))}


def _ends(intervals: Mapping[str, Json]) -> dict[str, Json]:
    return {
        name: _ends(ends) if isinstance(ends, dict) else dict(zip(("low", "high"), ends or (None, None), strict=True))
        for name, ends in intervals.items()
    }


def _flat(row: dict[str, Json]) -> Iterator[tuple[str, object]]:
    for key, value in row.items():
        nested = dict.fromkeys(_NESTED[key]) if value is None and key in _NESTED else value
        if isinstance(nested, dict):
            yield from ((f"{key}.{inner}", cell) for inner, cell in _flat(nested))
        else:
            yield key, value
