"""What `neurosteer ablate` and `amplify` print: the change, that of the controls, and all that qualifies it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from neurosteer.vocabulary import FEWEST_CONTROLS, FEWEST_PAIRS, TOO_FEW_TO_TELL, counted_pairs

from .comparing import (
    CHANGE,
    SEEN,
    about_p,
    about_seen,
    as_row,
    mean_and_range,
    name_of,
    p_of,
    preference_told,
    seen_of,
    selected_on_the_outcome,
    sweep_table,
)
from .deeds import what_was_done
from .grid import add_row, grid
from .numbers import NONE, divergence, interval, nats, number, p_equals, percent

Entry = Mapping[str, Any]


def effect_table(entry: Entry) -> RenderableType:
    """One neuron set's effect as something rich can print; it fits a terminal of 80 columns.

    Margins and their changes are in nats, KL in nats per token of neutral text; a negative change means that the
    preference for the grammatical sentence falls. The headline is p among the controls.
    """
    parts: list[RenderableType] = [_heading(entry), _sets(entry), _details(entry)]
    light = [] if entry["without_massive"] is None else [_of_task(entry, entry["without_massive"])]
    swept, also = [], [as_row(row) for row in entry["also"]]
    if len(entry["doses"]) > 1:
        doses = [(f"{row['scale']:g}", _of_task(entry, row)) for row in entry["doses"]]
        swept += doses
        parts += [_caption("other scales (1 is the unedited model)")]
        parts += [sweep_table("scale", doses, chosen=f"{entry['edit']['scale']:g}")]
    if len(entry["kinds"]) > 1:
        kinds = [(row["kind"], _of_task(entry, row)) for row in entry["kinds"]]
        swept += kinds
        parts += [_caption("other kinds of the same edit")]
        parts += [sweep_table("kind", kinds, chosen=entry["edit"]["kind"])]
    if entry["also"]:
        parts += [_caption("other tasks, which a specific effect leaves alone"), _others(entry["also"])]
    compared = [*(row for _, row in swept), *also]
    notes = [*about_p([*light, *compared]), *about_seen(compared)]
    dim = [Text("\n".join(notes), style="dim")] if notes else []
    return Group(*_spaced([*parts, *dim, Text(entry["reading"])]), Text())


def _of_task(entry: Entry, row: Entry) -> dict[str, Any]:
    """A dose, a kind, or the set without massive units: with what the task says of its preference."""
    return {**row, "nothing_to_lose": entry["nothing_to_lose"]}


def _spaced(parts: Sequence[RenderableType]) -> Iterator[RenderableType]:
    """The parts with an empty line between two texts; a table has one above and one below it."""
    for place, part in enumerate(parts):
        if place and isinstance(part, Text) and isinstance(parts[place - 1], Text):
            yield Text()
        yield part


def _heading(entry: Entry) -> Text:
    data = entry["data"]
    split = f", {data['split']['kind']} split" if data.get("split") else ""
    source = f" from {entry['neurons_from']}" if entry.get("neurons_from") else ""
    by = f"neurons by {entry['method']}" if name_of(entry) != "given" else "given neurons"
    return Text.assemble(
        (entry["task"], "bold"),
        (f"  {data['source']}, {data['tested']:,} test pairs of {data['pairs']:,}{split}\n", "dim"),
        f"{what_was_done(entry['edit'])}\n",
        (f"{by}{source}", "dim"),
    )


def _sets(entry: Entry) -> Table:
    """The chosen neurons and, where some are massive, the others alone; beneath each set its controls."""
    k, light, before = entry["edit"]["k"], entry["without_massive"], entry["accuracy"]["before"]
    label = f"these {k:,} neurons" if k != 1 else "this neuron"
    table = grid("", "accuracy", CHANGE, "p", "KL")
    _add_set(table, label, before, as_row(entry), kl=True, style="bold")
    if light is not None:
        _add_set(table, f"without massive: {light['k']:,}", before, _of_task(entry, light), kl=True)
    return table


def _others(rows: Sequence[Entry]) -> Table:
    table = grid("task (test pairs)", "accuracy", CHANGE, "p", SEEN)
    for row in rows:
        _add_set(table, f"{row['task']} ({row['pairs']:,})", row["accuracy"]["before"], as_row(row), kl=False)
    return table


def _add_set(table: Table, label: str, before: float, row: Entry, *, kl: bool, style: str = "") -> None:
    """A row for a set, and beneath it one for its controls; last comes the KL, or what would have been seen."""
    controls = row["controls"]
    cells = [_arrow(number(before), number(row["accuracy"])), interval(row["delta"], row["low"], row["high"])]
    add_row(table, label, *cells, p_of(row), divergence(row["kl"]) if kl else seen_of(row), style=style)
    if controls:
        cells = [_arrow(number(before), number(controls["accuracy"])), mean_and_range(controls), ""]
        cells += [divergence(controls.get("kl")) if kl else ""]
        add_row(table, f"  {controls['n']:,} controls: mean, range", *cells, style="dim")


def _arrow(before: str, after: str) -> str:
    return f"{before} → {after}"


def _details(entry: Entry) -> Text:
    margin, flipped, side, data = entry["margin"], entry["flipped"], entry["side_effects"], entry["data"]
    perplexities = (f"{side[name]:.1f}" for name in ("perplexity_before", "perplexity_after"))
    notes = [
        f"side effects are measured on {side['tokens']:,} tokens of neutral text ({side['text']})",
        *_about_controls(entry),
        *_narrow(data["tested"], entry["groups"]),
        *selected_on_the_outcome([entry]),
    ]
    return Text.assemble(
        _headline(entry),
        (f"sign-flip of before against after {p_equals(margin['p'])}: means little alone\n", "dim"),
        f"mean margin {_arrow(nats(margin['before']), nats(margin['after']))} nats; "
        f"pairs: {flipped['lost']:,} lost, {flipped['gained']:,} gained\n",
        f"side effects: KL {divergence(side['kl'])} nats/token, perplexity {_arrow(*perplexities)}\n",
        ("\n".join(notes), "dim"),
    )


def _headline(entry: Entry) -> tuple[str, str]:
    controls = entry["controls"]
    if controls is None:
        said = "no controls (--controls 0): nothing to compare with"
    elif controls["verdict"] == TOO_FEW_TO_TELL:
        said = f"{controls['n']} controls are too few to tell: a verdict takes {FEWEST_CONTROLS}"
    else:
        smallest = controls["p"] <= 1 / (controls["n"] + 1) + 1e-9
        floor = f" (the smallest {controls['n']:,} can give)" if smallest else ""
        how = f": moves {controls['direction']} than they do" if controls["direction"] else ""
        said = f"{p_equals(controls['p'])} against {controls['n']:,} controls{floor}{how}"
    lost = preference_told(entry)
    return (f"{lost}\n" if lost else "") + f"{said}\n", "bold"


def _about_controls(entry: Entry) -> list[str]:
    """What the controls could have shown, and how alike the set they are."""
    controls, light = entry["controls"], entry["without_massive"]
    if controls is None:
        return []
    other = light and light["controls"]
    notes = [
        f"smallest change seen with 80 % power: {_detectable(controls)}",
        f"mismatch left in the controls: {number(controls['unmatched'])} standard deviations",
        f"overlap of the controls with the set: {percent(controls['overlap'])}",
    ]
    if not other:
        return notes
    same = (_detectable(other), number(other["unmatched"]), percent(other["overlap"]))
    return [f"{note} (without massive {value})" for note, value in zip(notes, same, strict=True)]


def _detectable(controls: Entry) -> str:
    """`0.31 nats = 9%` of the unedited margin; an en dash where no change is large enough or the controls too few."""
    smallest, share = controls["detectable"]["nats"], controls["detectable"]["share"]
    if smallest is None:
        return NONE
    return f"{nats(smallest)} nats" + ("" if share is None else f" = {percent(share)}")


def _narrow(tested: int, groups: int) -> list[str]:
    few = f"{counted_pairs(tested, groups)} are few: below {FEWEST_PAIRS} the 95 % interval is too narrow"
    return [few] if groups < FEWEST_PAIRS else []


def _caption(text: str) -> Text:
    return Text(text, style="bold")
