"""What `neurosteer run` prints: whether the paper's claims hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from neurosteer.report.grid import add_row, grid


def verdict_table(outcome: Mapping[str, Any]) -> RenderableType:
    """Every claim that the run speaks to, how often it holds, and the numbers; it fits a terminal of 80 columns."""
    verdicts = outcome["verdicts"]
    if not verdicts:
        return Text("no verdict: these experiments speak to none of the paper's claims", style="dim")
    table = grid("", "claim", "holds in", left=3)
    table.leading = 1
    for column in table.columns:
        column.vertical = "top"
    for verdict in verdicts:
        said = Text.assemble(verdict["statement"], "\n", (verdict["reading"], "dim"))
        add_row(table, f"({verdict['claim']})", said, holds_in(verdict))
    return Group(table, Text("criteria: on the page and in results.json", style="dim"), Text())


def holds_in(verdict: Mapping[str, Any]) -> str:
    """`27 of 30 layers`."""
    return f"{verdict['holds']} of {verdict['of']} {verdict['unit']}" if verdict["of"] else "cannot be judged"
