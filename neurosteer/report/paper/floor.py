"""What the figures say of tasks whose dense probe reads nothing: below a floor, as far as validation data tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from neurosteer.report.numbers import number

from .about import span

Row = Mapping[str, Any]
LIKELY = 0.05  # beyond this chance passes the floor too often to be left unsaid
IN_MEANS = "tasks whose dense probe is below {} on validation data, {} a layer, count here but in no ratio to dense"
LEFT_OUT = "without tasks whose dense probe is below {} on validation data: {} a layer"
IN_COMMON = "only tasks whose dense probe reaches {} on validation data in every variant: {} left out a layer"


def floor_notes(result: Row, rows: Sequence[Row], said: str) -> list[str]:
    """`said` with the floor and the number of excluded tasks, where there are any; and whether luck passes it."""
    notes = [said.format(number(result["floor"]), excluded(rows))] if any(row["excluded"] for row in rows) else []
    return [*notes, *by_luck(result)]


def by_luck(result: Row) -> list[str]:
    """How probably a probe that knows nothing passes the floor in the smallest task, where that is not rare."""
    chance, floor = result["chance_above_floor"], number(result["floor"])
    told = f"a probe that knows nothing passes the floor of {floor} with probability up to {number(chance)}"
    return [told] if chance > LIKELY else []


def excluded(rows: Sequence[Row]) -> str:
    """How many tasks the layers exclude: `0 to 3`."""
    return span(row["excluded"] for row in rows)
