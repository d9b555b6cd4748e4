"""Effects in rows, one below the other: of several neuron sets, doses or kinds of edit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from neurosteer.vocabulary import FEWEST_CONTROLS, TOO_FEW_TO_TELL

from .deeds import deed, layer_range, where
from .grid import add_row, grid
from .numbers import NONE, change, divergence, interval, nats, number, p_value, span

Row = Mapping[str, Any]  # {accuracy, delta, low, high, controls} and mostly {kl}, as doses and kinds have it

CHANGE = "change of margin,\n95 % interval"


def compare_table(entries: Sequence[Row]) -> RenderableType:
    """Several neuron sets of one task, one row per method; it fits a terminal of 80 columns.

    Changes are in nats, with their 95 % interval and the range of the controls; KL is in nats per token.
    """
    first = entries[0]
    before = first["accuracy"]["before"]
    table = grid("neurons\nby", "k at\nlayer", f"acc.\n{number(before)} →", CHANGE, "controls:\nrange", "p", "KL")
    for entry in entries:
        edit, row = entry["edit"], as_row(entry)
        cells = [name_of(entry), f"{edit['k']:,} at {layer_range(edit)}", *_change(row)]
        add_row(table, *cells, range_of(row["controls"]), p_of(row["controls"]), divergence(row["kl"]))
    heading = Text.assemble(
        (first["task"], "bold"),
        (f"  encoded against used, {first['data']['tested']:,} test pairs\n", "dim"),
        f"{deed(first['edit'])} ({first['edit']['site']}), {where(first['edit'])}\n",
        f"unedited: accuracy {number(before)}, mean margin {nats(first['margin']['before'])} nats",
    )
    notes = [*too_few(entries), *caveats(entries)]
    return Group(heading, table, Text("\n".join(notes), style="dim"), Text())


def sweep_table(name: str, rows: Sequence[tuple[str, Row]], *, chosen: str) -> Table:
    """One row per dose or kind of edit, the one that the rest of the report is about in bold."""
    table = grid(name, "accuracy", CHANGE, "controls:\nmean, range", "p", "KL")
    for label, row in rows:
        controls = row["controls"]
        cells = [label, *_change(row), mean_and_range(controls), p_of(controls), divergence(row["kl"])]
        add_row(table, *cells, style="bold" if label == chosen else "")
    return table


def as_row(entry: Row) -> dict[str, Any]:
    """A whole entry, or that of another task, in the keys of a dose."""
    margin = {name: entry["margin"][name] for name in ("delta", "low", "high")}
    kl = entry["side_effects"]["kl"] if "side_effects" in entry else None
    return {"accuracy": entry["accuracy"]["after"], **margin, "kl": kl, "controls": entry["controls"]}


def mean_and_range(controls: Row | None) -> str:
    """What the controls change the margin by: `-0.20 -0.85 to +0.45`."""
    return f"{change(controls['delta_mean'])} {range_of(controls)}" if controls else NONE


def range_of(controls: Row | None) -> str:
    return span(controls["delta_low"], controls["delta_high"]) if controls else NONE


def p_of(controls: Row | None) -> str:
    """p among the controls; `few` where they are too few for a verdict."""
    if controls is None:
        return NONE
    return "few" if controls["verdict"] == TOO_FEW_TO_TELL else p_value(controls["p"])


def too_few(rows: Iterable[Row]) -> list[str]:
    """What `few` means, where it stands in the table."""
    if all(row["controls"] is None or row["controls"]["verdict"] != TOO_FEW_TO_TELL for row in rows):
        return []
    return [f"few: too few controls to tell, a verdict takes {FEWEST_CONTROLS}"]


def name_of(entry: Row) -> str:
    """The method that chose the neurons; `given` where it is not known."""
    return str(entry["method"] or "given")


def caveats(entries: Sequence[Row]) -> list[str]:
    """What has to be said beside any comparison of methods."""
    return [*selected_on_the_outcome(entries), "a set that disturbs more (KL) moves more: compare at equal KL"]


def selected_on_the_outcome(entries: Sequence[Row]) -> list[str]:
    """Attribution ranks by what is then measured; the other methods never saw a margin."""
    chosen = any(entry["method"] == "attribution" for entry in entries)
    return ["attribution was selected on the outcome shown here (on other pairs)"] if chosen else []


def _change(row: Row) -> list[str]:
    return [number(row["accuracy"]), interval(row["delta"], row["low"], row["high"])]
