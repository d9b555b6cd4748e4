"""Effects in rows, one below the other: of several neuron sets, doses or kinds of edit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from neurosteer.results.effect import Change, Controls, EffectResult, OtherTask, TextControls
from neurosteer.vocabulary import (
    DOES_NOT_STAND_OUT,
    FEWEST_CONTROLS,
    FEWEST_PREFERRED,
    LESS,
    TOO_FEW_TO_TELL,
    counted,
    counted_pairs,
)

from .edit_labels import action, layer_range, where
from .grid import add_row, grid
from .numbers import NONE, change, divergence, interval, nats, number, p_value, span

CHANGE = "change of margin,\n95 % interval"
SEEN = "seen\nfrom"


@dataclass(frozen=True)
class ComparedRow:
    """A change, and whether its task has a preference to lose (None: too few test pairs tell)."""

    change: Change
    nothing_to_lose: bool | None

    @classmethod
    def of(cls, effect: EffectResult | OtherTask) -> ComparedRow:
        return cls(effect.change, effect.nothing_to_lose)

    @property
    def controls(self) -> Controls | None:
        return self.change.controls


def compare_table(effects: Sequence[EffectResult]) -> RenderableType:
    """Several neuron sets of one task, a row per method and beneath it its controls; it fits 80 columns.

    Changes are in nats, with their 95 % interval, those of the controls their mean with its range; KL is in nats per
    token.
    """
    first, rows = effects[0], [ComparedRow.of(effect) for effect in effects]
    before = number(first.accuracy.before)
    changes = "change, 95 % interval;\ncontrols: mean, range"
    table = grid(f"{first.edit.noun}s\nby", "k at\nlayer", f"acc.\n{before} →", changes, "p", SEEN, "KL")
    for effect, row in zip(effects, rows, strict=True):
        edit, controls = effect.edit, row.controls
        cells = [name_of(effect), f"{edit.k:,} at {layer_range(edit.layers)}", *_change(row), p_of(row), seen_of(row)]
        add_row(table, *cells, divergence(row.change.kl))
        if controls:
            cells = [number(controls.accuracy), mean_and_range(controls), "", "", divergence(kl_of(controls))]
            add_row(table, f"  {counted(controls.n, 'control')}", "", *cells, style="dim")
    heading = Text.assemble(
        (first.task, "bold"),
        (f"  encoded against used, {counted_pairs(first.data.tested, first.groups)}\n", "dim"),
        f"{action(first.edit)} ({first.edit.site}), {where(first.edit)}\n",
        f"unedited: accuracy {before}, mean margin {nats(first.margin.before)} nats",
        (f"\n{note}" if (note := preference_note(first)) else "", "bold"),
    )
    notes = [*notes_on_p(rows), *notes_on_seen(rows), *caveats(effects)]
    return Group(heading, table, Text("\n".join(notes), style="dim"), Text())


def sweep_table(name: str, rows: Sequence[tuple[str, ComparedRow]], *, chosen: str) -> Table:
    """One row per dose or kind of edit, the one that the rest of the report is about in bold."""
    table = grid(name, "acc.", CHANGE, "controls:\nmean, range", "p", SEEN, "KL")
    for label, row in rows:
        cells = [label, *_change(row), mean_and_range(row.controls), p_of(row), seen_of(row)]
        add_row(table, *cells, divergence(row.change.kl), style="bold" if label == chosen else "")
    return table


def mean_and_range(controls: Controls | None) -> str:
    """What the controls change the margin by: `-0.20 -0.85 to +0.45`."""
    if controls is None:
        return NONE
    return f"{change(controls.delta_mean)} {span(controls.delta_low, controls.delta_high)}"


def kl_of(controls: Controls) -> float | None:
    """What the controls do to neutral text on average; None where they were not tried on it."""
    return controls.kl if isinstance(controls, TextControls) else None


def p_of(row: ComparedRow) -> str:
    """p among the controls, with a star where the set moves less than they do.

    `none` where there is nothing to lose, `few` where controls or test pairs are too few for a verdict.
    """
    controls = row.controls
    if controls is None:
        return NONE
    if row.nothing_to_lose:
        return "none"
    if row.nothing_to_lose is None or controls.verdict == TOO_FEW_TO_TELL:
        return "few"
    return p_value(controls.p) + ("*" if controls.direction == LESS else "")


def seen_of(row: ComparedRow) -> str:
    """The smallest change that a null would have shown, in nats; an en dash for what is no null."""
    controls = row.controls
    if controls is None or not _is_null(row):
        return NONE
    return "never" if controls.detectable.nats is None else nats(controls.detectable.nats)


def _is_null(row: ComparedRow) -> bool:
    verdict = row.controls and row.controls.verdict
    return row.nothing_to_lose is False and verdict == DOES_NOT_STAND_OUT


def notes_on_p(rows: Iterable[ComparedRow]) -> list[str]:
    """What the words and marks in the column of p mean, where they stand there."""
    held = [(row, row.controls) for row in rows if row.controls]
    few_controls = any(controls.verdict == TOO_FEW_TO_TELL for _, controls in held)
    few_pairs = any(row.nothing_to_lose is None for row, _ in held)
    nothing, less = any(row.nothing_to_lose for row, _ in held), any(p_of(row).endswith("*") for row, _ in held)
    few = "too few test pairs to tell whether there is anything to lose"
    notes = {
        f"few: too few controls to tell, a verdict takes {FEWEST_CONTROLS}": few_controls,
        f"few: {few}, {FEWEST_PREFERRED} are wanted": few_pairs,
        "none: nothing to lose, so no change shows a need": nothing,
        "*: stands out as moving the margin less than the controls do": less,
    }
    return [note for note, there in notes.items() if there]


def notes_on_seen(rows: Iterable[ComparedRow]) -> list[str]:
    """What `SEEN` means, where a null is shown."""
    note = "seen from: the smallest change that would have been seen with 80 % power"
    return [note] if any(map(_is_null, rows)) else []


def preference_note(effect: EffectResult) -> str:
    """That there is nothing to lose, or that too few pairs tell; empty where there is a clear preference."""
    if effect.nothing_to_lose is False:
        return ""
    margin = effect.margin
    before = interval(margin.before, margin.before_low, margin.before_high)
    few = "too few test pairs to tell whether there is anything to lose"
    return f"{'nothing to lose' if effect.nothing_to_lose else few}: the unedited mean margin is {before}"


def name_of(effect: EffectResult) -> str:
    """The method that chose the neurons; `given` where it is not known."""
    return effect.method or "given"


def caveats(effects: Sequence[EffectResult]) -> list[str]:
    """What has to be said beside any comparison of methods."""
    return [
        *selected_on_the_outcome(effects),
        "a set that disturbs more (KL) may move more for that alone: compare at equal KL",
    ]


def selected_on_the_outcome(effects: Sequence[EffectResult]) -> list[str]:
    """Attribution ranks by what is then measured; the other methods never saw a margin."""
    chosen = any(effect.method == "attribution" for effect in effects)
    return ["attribution was selected on the outcome shown here (on other pairs)"] if chosen else []


def _change(row: ComparedRow) -> list[str]:
    found = row.change
    return [number(found.accuracy), interval(found.delta, found.low, found.high)]
