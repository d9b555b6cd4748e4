"""The numbers of single tasks behind the means of figures 2 to 5: rows of `fig2.tasks.csv`, and read back from it."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from neurosteer.results import Json
from neurosteer.shown import short_repr


@dataclass(frozen=True)
class TaskLayer:
    """The probes of one task at one layer.

    Attributes:
        task: its name.
        layer: block index, counted from 0.
        dense: accuracy of the probe on all units.
        values: by what they are of, such as `accuracy@0.2`, `kept@0.2` or `equivalent`; None where there is none.
    """

    task: str
    layer: int
    dense: float
    values: Mapping[str, float | None]

    __repr__ = short_repr


def flat(rows: Iterable[TaskLayer]) -> list[dict[str, Json]]:
    """As the rows of a table, a column for each value."""
    return [{"task": row.task, "layer": row.layer, "dense": row.dense, **row.values} for row in rows]


def read_task_layers(path: Path) -> tuple[TaskLayer, ...]:
    """The rows of a CSV file, whose numbers have six digits; none where there is no such file.

    Raises `ValueError` or `KeyError` for a file of another kind.
    """
    if not path.is_file():
        return ()
    with path.open(encoding="utf-8", newline="") as file:
        return tuple(map(_read, csv.DictReader(file)))


def _read(row: dict[str, str]) -> TaskLayer:
    task, layer, dense = (row.pop(name) for name in ("task", "layer", "dense"))
    values = {name: json.loads(value) if value else None for name, value in row.items()}
    return TaskLayer(task, int(layer), float(dense), values)
