"""What `neurosteer compare` prints: two runs side by side."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.text import Text

from neurosteer.results.compare import Comparison, Difference

from .grid import add_row, grid
from .numbers import nats, number, span

_NATS = ("margin", "change")
_WORDS = {"change": "change of the margin", "topk": "top-k probe", "dense": "dense probe"}


def comparison_table(found: Comparison) -> RenderableType:
    """A row for each number of both runs; it fits a terminal of 80 columns."""
    table = grid("task", "", "first", "second", "difference", "95 % interval", left=2)
    for row in found.rows:
        write = nats if row.measure in _NATS else number
        ends = span(row.low, row.high)
        add_row(table, row.task, _what(row), write(row.first), write(row.second), write(row.difference), ends)
    notes = [f"first   {found.first}", f"second  {found.second}"]
    if any(row.paired for row in found.rows):
        notes.append("over the pairs that both have; the interval is of the difference by pair")
    else:
        notes.append("intervals as if the runs were independent: too wide where they are about the same pairs")
    for which, tasks in (("first", found.only_first), ("second", found.only_second)):
        if tasks:
            notes.append(f"only in the {which}: {', '.join(tasks)}")
    return Group(table, Text("\n".join(notes), style="dim"), Text())


def _what(row: Difference) -> str:
    what = _WORDS.get(row.measure, row.measure)
    where = "" if row.layer is None else f" at {row.layer}"
    return f"{what}{where}{f', {row.method}' if row.method else ''}"
