"""What `neurosteer ablate` and `amplify` print: the change, that of the controls, and all that qualifies it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from neurosteer.results.effect import Change, Controls, EffectResult, OtherTask
from neurosteer.vocabulary import FEWEST_CONTROLS, FEWEST_PAIRS, TOO_FEW_TO_TELL, are, counted, counted_pairs

from .comparing import (
    CHANGE,
    SEEN,
    ComparedRow,
    kl_of,
    mean_and_range,
    name_of,
    notes_on_p,
    notes_on_seen,
    p_of,
    preference_note,
    seen_of,
    selected_on_the_outcome,
    sweep_table,
)
from .edit_labels import edit_label
from .grid import add_row, grid
from .numbers import NONE, divergence, interval, nats, number, p_equals, p_value, percent


def effect_table(effect: EffectResult) -> RenderableType:
    """One neuron set's effect as something rich can print; it fits a terminal of 80 columns.

    Margins and their changes are in nats, KL in nats per token of neutral text; a negative change means that the
    preference for the grammatical sentence falls. The headline is p among the controls.
    """

    def of_task(change: Change) -> ComparedRow:
        return ComparedRow(change, effect.nothing_to_lose)

    parts: list[RenderableType] = [_heading(effect), _sets(effect), _details(effect)]
    swept: list[tuple[str, ComparedRow]] = []
    if len(effect.by_scale) > 1:
        doses = [(f"{dose.scale:g}", of_task(dose)) for dose in effect.by_scale]
        swept += doses
        parts += [_caption("other scales (1 is the unedited model)")]
        parts += [sweep_table("scale", doses, chosen=f"{effect.edit.scale:g}")]
    if len(effect.kinds) > 1:
        kinds = [(kind.kind, of_task(kind)) for kind in effect.kinds]
        swept += kinds
        parts += [_caption("other kinds of the same edit")]
        parts += [sweep_table("kind", kinds, chosen=effect.edit.kind)]
    if effect.also:
        parts += [_caption("other tasks, which a specific effect leaves alone"), _others(effect.also)]
    compared = [*(row for _, row in swept), *map(ComparedRow.of, effect.also)]
    light = [] if effect.without_massive is None else [of_task(effect.without_massive)]
    notes = [*notes_on_p([ComparedRow.of(effect), *light, *compared]), *notes_on_seen(compared)]
    dim = [Text("\n".join(notes), style="dim")] if notes else []
    return Group(*_spaced([*parts, *dim, Text(effect.reading)]), Text())


def sweep_of(effect: EffectResult) -> Table:
    """A row for each dose, beside the controls'; of a single dose one row."""
    doses = effect.by_scale
    rows = [(f"{dose.scale:g}", ComparedRow(dose, effect.nothing_to_lose)) for dose in doses]
    rows = rows or [(f"{effect.edit.scale:g}", ComparedRow.of(effect))]
    return sweep_table("scale", rows, chosen=f"{effect.edit.scale:g}")


def _spaced(parts: Sequence[RenderableType]) -> Iterator[RenderableType]:
    """The parts with an empty line between two texts; a table has one above and one below it."""
    for place, part in enumerate(parts):
        if place and isinstance(part, Text) and isinstance(parts[place - 1], Text):
            yield Text()
        yield part


def _heading(effect: EffectResult) -> Text:
    data = effect.data
    split = f", {data.split.kind} split" if data.split else ""
    source = f" from {effect.neurons_from}" if effect.neurons_from else ""
    neuron = counted(effect.edit.k, effect.edit.noun).split()[1]
    by = effect.method or "" if effect.edit.by == "direction" else f"{neuron} by {effect.method}"
    by = by if name_of(effect) != "given" else f"given {neuron}"
    return Text.assemble(
        (effect.task, "bold"),
        (f"  {data.source}, {counted(data.tested, 'test pair')} of {data.pairs:,}{split}\n", "dim"),
        f"{edit_label(effect.edit)}\n",
        (f"{by}{source}", "dim"),
    )


def _sets(effect: EffectResult) -> Table:
    """The chosen neurons and, where some are massive, the others alone; beneath each set its controls."""
    k, light, before = effect.edit.k, effect.without_massive, effect.accuracy.before
    label = f"these {k:,} {effect.edit.noun}s" if k != 1 else f"this {effect.edit.noun}"
    table = grid("", "accuracy", CHANGE, "p", "KL")
    _add_set(table, label, before, ComparedRow.of(effect), kl=True, style="bold")
    if effect.exchanged is not None:
        found = effect.exchanged
        cells = [_arrow(number(before), number(found.accuracy)), mean_and_range(found), p_value(found.p), ""]
        add_row(table, f"  {found.n:,} of exchanged labels", *cells, style="dim")
    if light is not None:
        _add_set(table, f"without massive: {light.k:,}", before, ComparedRow(light, effect.nothing_to_lose), kl=True)
    return table


def _others(rows: Sequence[OtherTask]) -> Table:
    table = grid("task (test pairs)", "accuracy", CHANGE, "p", SEEN)
    for row in rows:
        _add_set(table, f"{row.task} ({row.pairs:,})", row.accuracy.before, ComparedRow.of(row), kl=False)
    return table


def _add_set(table: Table, label: str, before: float, row: ComparedRow, *, kl: bool, style: str = "") -> None:
    """A row for a set, and beneath it one for its controls; last comes the KL, or what would have been seen."""
    found, controls = row.change, row.controls
    cells = [_arrow(number(before), number(found.accuracy)), interval(found.delta, found.low, found.high)]
    add_row(table, label, *cells, p_of(row), divergence(found.kl) if kl else seen_of(row), style=style)
    if controls:
        cells = [_arrow(number(before), number(controls.accuracy)), mean_and_range(controls), ""]
        cells += [divergence(kl_of(controls)) if kl else ""]
        add_row(table, f"  {counted(controls.n, 'control')}: mean, range", *cells, style="dim")


def _arrow(before: str, after: str) -> str:
    return f"{before} → {after}"


def _details(effect: EffectResult) -> Text:
    margin, flipped, side = effect.margin, effect.flipped, effect.side_effects
    perplexity = _arrow(f"{side.perplexity_before:.1f}", f"{side.perplexity_after:.1f}")
    notes = [
        f"side effects are measured on {counted(side.tokens, 'token')} of neutral text ({side.text})",
        *_notes_on_controls(effect),
        *_equal(effect),
        *_narrow(effect.data.tested, effect.groups),
        *selected_on_the_outcome([effect]),
    ]
    return Text.assemble(
        _headline(effect),
        (f"sign-flip of before against after {p_equals(margin.p)}: means little alone\n", "dim"),
        f"mean margin {_arrow(nats(margin.before), nats(margin.after))} nats; "
        f"pairs: {flipped.lost:,} lost, {flipped.gained:,} gained\n",
        f"side effects: KL {divergence(side.kl)} nats/token, perplexity {perplexity}\n",
        ("\n".join(notes), "dim"),
    )


def _headline(effect: EffectResult) -> tuple[str, str]:
    controls = effect.controls
    if controls is None:
        headline = "no controls (--controls 0): nothing to compare with"
    elif controls.verdict == TOO_FEW_TO_TELL:
        few = f"{counted(controls.n, 'control')} {are(controls.n)}"
        headline = f"{few} too few to tell: a verdict takes {FEWEST_CONTROLS}"
    else:
        smallest = controls.p <= 1 / (controls.n + 1) + 1e-9
        floor = f" (the smallest {controls.n:,} can give)" if smallest else ""
        how = f": moves {controls.direction} than they do" if controls.direction else ""
        headline = f"{p_equals(controls.p)} against {counted(controls.n, 'control')}{floor}{how}"
    lost = preference_note(effect)
    return (f"{lost}\n" if lost else "") + f"{headline}\n", "bold"


def _notes_on_controls(effect: EffectResult) -> list[str]:
    """What the controls could have shown, and how alike the set they are."""
    controls, light = effect.controls, effect.without_massive
    if controls is None:
        return []
    other, along = light and light.controls, effect.edit.by == "direction"
    notes = [
        f"smallest change seen with 80 % power: {_detectable(controls)}",
        _mismatch(effect, controls),
        f"overlap of the controls with the {effect.edit.noun if along else 'set'}: {percent(controls.overlap)}",
    ]
    if not other:
        return notes
    same = (_detectable(other), number(other.unmatched), percent(other.overlap))
    return [f"{note} (without massive {value})" for note, value in zip(notes, same, strict=True)]


def _mismatch(effect: EffectResult, controls: Controls) -> str:
    if effect.edit.by == "direction":
        return f"spread of the states along the controls: {percent(controls.unmatched)} off"
    return f"mismatch left in the controls: {number(controls.unmatched)} standard deviations"


def _detectable(controls: Controls) -> str:
    """`0.31 nats = 9%` of the unedited margin; an en dash where no change is large enough or the controls too few."""
    smallest, share = controls.detectable.nats, controls.detectable.share
    if smallest is None:
        return NONE
    return f"{nats(smallest)} nats" + ("" if share is None else f" = {percent(share)}")


def _equal(effect: EffectResult) -> list[str]:
    """That all sets disturb neutral text as much, and how many cannot."""
    equal = effect.equal
    if equal is None:
        return []
    spread = f", controls {number(min(equal.scales))} to {number(max(equal.scales))}" if equal.scales else ""
    cannot = f"; {counted(equal.unreached, 'set')} cannot reach it" if equal.unreached else ""
    return [f"each set at the scale where its KL is {divergence(equal.kl)}: {number(equal.scale)}{spread}{cannot}"]


def _narrow(tested: int, groups: int) -> list[str]:
    few = f"{counted_pairs(tested, groups)} {are(tested)} few: below {FEWEST_PAIRS} the 95 % interval is too narrow"
    return [few] if groups < FEWEST_PAIRS else []


def _caption(text: str) -> Text:
    return Text(text, style="bold")
