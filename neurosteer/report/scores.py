"""What `neurosteer score` prints: accuracy and margins by task, by phenomenon and overall."""

from __future__ import annotations

from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from .tables import number


def score_table(result: dict[str, Any]) -> RenderableType:
    """The scores of one or more tasks; margins are means over pairs, in nats."""
    rows = sorted(result["results"], key=lambda row: (row["phenomenon"] or "", row["task"]))
    ties = any(row["ties"] for row in rows)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column("task", overflow="fold")
    for header in ("accuracy", "margin", "pairs", *(["ties"] if ties else [])):
        table.add_column(header, justify="right")
    for group in result["phenomena"]:
        if len(rows) > 1:
            name = Text(group["phenomenon"] or "(no phenomenon)")
            table.add_row(name, number(group["accuracy"], digits=3), *[""] * (2 + ties), style="bold")
        for row in rows:
            if row["phenomenon"] == group["phenomenon"]:
                cells = [number(row["accuracy"], digits=3), f"{row['margin']:.2f}", f"{row['pairs']:,}"]
                indent = "  " if len(rows) > 1 else ""
                table.add_row(Text(indent + row["task"]), *cells, *([str(row["ties"])] if ties else []))
    if len(rows) > 1:
        overall = result["overall"]
        table.add_section()
        label = f"all {overall['tasks']} tasks"
        table.add_row(label, number(overall["accuracy"], digits=3), *[""] * (2 + ties), style="bold")
    return Group(table, Text("\n".join(_footnotes(rows, ties)), style="dim"), Text())


def _footnotes(rows: list[dict[str, Any]], ties: bool) -> list[str]:
    notes = [f"convention {rows[0]['convention']}; margin = mean log P(good) - log P(bad), in nats"]
    if len(rows) > 1:
        notes.append("accuracy of a phenomenon, and of all: the mean over its tasks")
    if ties:
        notes.append("a tie counts as wrong")
    return notes
