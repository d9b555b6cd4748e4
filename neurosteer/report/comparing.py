"""Effects in rows, one below the other: of several neuron sets, doses or kinds of edit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from neurosteer.vocabulary import (
    DOES_NOT_STAND_OUT,
    FEWEST_CONTROLS,
    FEWEST_PREFERRED,
    LESS,
    TOO_FEW_TO_TELL,
)

from .deeds import deed, layer_range, where
from .grid import add_row, grid
from .numbers import NONE, change, divergence, interval, nats, number, p_value, span

Row = Mapping[str, Any]  # {accuracy, delta, low, high, controls, nothing_to_lose} and mostly {kl}; see `as_row`

CHANGE = "change of margin,\n95 % interval"
SEEN = "seen\nfrom"


def compare_table(entries: Sequence[Row]) -> RenderableType:
    """Several neuron sets of one task, a row per method and beneath it its controls; it fits 80 columns.

    Changes are in nats, with their 95 % interval, those of the controls their mean with its range; KL is in nats per
    token.
    """
    first = entries[0]
    before, rows = first["accuracy"]["before"], [as_row(entry) for entry in entries]
    changes = "change, 95 % interval;\ncontrols: mean, range"
    table = grid("neurons\nby", "k at\nlayer", f"acc.\n{number(before)} →", changes, "p", SEEN, "KL")
    for entry, row in zip(entries, rows, strict=True):
        edit, controls = entry["edit"], row["controls"]
        cells = [name_of(entry), f"{edit['k']:,} at {layer_range(edit)}", *_change(row), p_of(row), seen_of(row)]
        add_row(table, *cells, divergence(row["kl"]))
        if controls:
            about = [number(controls["accuracy"]), mean_and_range(controls), "", "", divergence(controls.get("kl"))]
            add_row(table, f"  {controls['n']:,} controls", "", *about, style="dim")
    heading = Text.assemble(
        (first["task"], "bold"),
        (f"  encoded against used, {first['data']['tested']:,} test pairs\n", "dim"),
        f"{deed(first['edit'])} ({first['edit']['site']}), {where(first['edit'])}\n",
        f"unedited: accuracy {number(before)}, mean margin {nats(first['margin']['before'])} nats",
        (f"\n{said}" if (said := preference_told(first)) else "", "bold"),
    )
    notes = [*about_p(rows), *about_seen(rows), *caveats(entries)]
    return Group(heading, table, Text("\n".join(notes), style="dim"), Text())


def sweep_table(name: str, rows: Sequence[tuple[str, Row]], *, chosen: str) -> Table:
    """One row per dose or kind of edit, the one that the rest of the report is about in bold."""
    table = grid(name, "acc.", CHANGE, "controls:\nmean, range", "p", SEEN, "KL")
    for label, row in rows:
        cells = [
            label,
            *_change(row),
            mean_and_range(row["controls"]),
            p_of(row),
            seen_of(row),
            divergence(row["kl"]),
        ]
        add_row(table, *cells, style="bold" if label == chosen else "")
    return table


def as_row(entry: Row) -> dict[str, Any]:
    """A whole entry, or that of another task, in the keys of a dose, and whether there is nothing to lose."""
    margin = {name: entry["margin"][name] for name in ("delta", "low", "high")}
    kl = entry["side_effects"]["kl"] if "side_effects" in entry else None
    about = {name: entry[name] for name in ("controls", "nothing_to_lose")}
    return {"accuracy": entry["accuracy"]["after"], **margin, "kl": kl, **about}


def mean_and_range(controls: Row | None) -> str:
    """What the controls change the margin by: `-0.20 -0.85 to +0.45`."""
    return f"{change(controls['delta_mean'])} {range_of(controls)}" if controls else NONE


def range_of(controls: Row | None) -> str:
    return span(controls["delta_low"], controls["delta_high"]) if controls else NONE


def p_of(row: Row) -> str:
    """p among the controls, with a star where the set moves less than they do.

    `none` where there is nothing to lose, `few` where controls or test pairs are too few for a verdict.
    """
    controls = row["controls"]
    if controls is None:
        return NONE
    if row["nothing_to_lose"]:
        return "none"
    if row["nothing_to_lose"] is None or controls["verdict"] == TOO_FEW_TO_TELL:
        return "few"
    return p_value(controls["p"]) + ("*" if controls["direction"] == LESS else "")


def seen_of(row: Row) -> str:
    """The smallest change that a null would have shown, in nats; an en dash for what is no null."""
    if not _is_null(row):
        return NONE
    smallest = row["controls"]["detectable"]["nats"]
    return "never" if smallest is None else nats(smallest)


def _is_null(row: Row) -> bool:
    controls = row["controls"]
    return bool(controls) and row["nothing_to_lose"] is False and controls["verdict"] == DOES_NOT_STAND_OUT


def about_p(rows: Iterable[Row]) -> list[str]:
    """What the words and marks in the column of p mean, where they stand there."""
    held = [row for row in rows if row["controls"]]
    notes = {
        f"few: too few controls to tell, a verdict takes {FEWEST_CONTROLS}": any(
            row["controls"]["verdict"] == TOO_FEW_TO_TELL for row in held
        ),
        f"few: too few test pairs to tell whether there is anything to lose, {FEWEST_PREFERRED} are wanted": any(
            row["nothing_to_lose"] is None for row in held
        ),
        "none: nothing to lose, so no change shows a need": any(row["nothing_to_lose"] for row in held),
        "*: stands out as moving the margin less than the controls do": any(p_of(row).endswith("*") for row in held),
    }
    return [note for note, there in notes.items() if there]


def about_seen(rows: Iterable[Row]) -> list[str]:
    """What `SEEN` means, where a null is shown."""
    return (
        ["seen from: the smallest change that would have been seen with 80 % power"]
        if any(map(_is_null, rows))
        else []
    )


def preference_told(entry: Row) -> str:
    """That there is nothing to lose, or that too few pairs tell; empty where there is a clear preference."""
    if entry["nothing_to_lose"] is False:
        return ""
    margin = entry["margin"]
    before = interval(margin["before"], margin["before_low"], margin["before_high"])
    few = "too few test pairs to tell whether there is anything to lose"
    return f"{'nothing to lose' if entry['nothing_to_lose'] else few}: the unedited mean margin is {before}"


def name_of(entry: Row) -> str:
    """The method that chose the neurons; `given` where it is not known."""
    return str(entry["method"] or "given")


def caveats(entries: Sequence[Row]) -> list[str]:
    """What has to be said beside any comparison of methods."""
    return [
        *selected_on_the_outcome(entries),
        "a set that disturbs more (KL) may move more for that alone: compare at equal KL",
    ]


def selected_on_the_outcome(entries: Sequence[Row]) -> list[str]:
    """Attribution ranks by what is then measured; the other methods never saw a margin."""
    chosen = any(entry["method"] == "attribution" for entry in entries)
    return ["attribution was selected on the outcome shown here (on other pairs)"] if chosen else []


def _change(row: Row) -> list[str]:
    return [number(row["accuracy"]), interval(row["delta"], row["low"], row["high"])]
