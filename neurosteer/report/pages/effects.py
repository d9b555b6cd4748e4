"""The page of `ablate` and `amplify`: the change beside controls, dose by dose, and pair by pair in coloured text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from neurosteer.report.comparing import (
    ComparedRow,
    name_of,
    notes_on_p,
    notes_on_seen,
    p_of,
    seen_of,
    selected_on_the_outcome,
)
from neurosteer.report.edit_labels import action, edit_label, where
from neurosteer.report.numbers import NONE, change, divergence, interval, nats, number, p_value, percent, span
from neurosteer.report.table import Table
from neurosteer.results import read_record
from neurosteer.results.effect import Change, EffectResult, PairEffect
from neurosteer.results.record import read_csv
from neurosteer.results.run import RunRecord
from neurosteer.vocabulary import Json, counted

from .changes import changes, changes_chart, own_series
from .command import neuron_command
from .document import Listed, Listing, Part, View
from .doses import doses_part
from .margins import margins_chart
from .neuron_cards import edited_cards
from .origin import OriginFind
from .tokens import token_data
from .top_sentences import Heights


def effects_of(entries: Sequence[Json]) -> list[EffectResult]:
    """The effects of a run, one per neuron set."""
    return [read_record(EffectResult, entry) for entry in entries]


def effect_overview(effects: Sequence[EffectResult]) -> list[Part]:
    """All neuron sets of the run beside each other."""
    of = own_series(effects[0].edit.noun, max(effect.edit.k for effect in effects))
    rows = [row for effect in effects for row in changes(name_of(effect), effect.change, of)]
    chart = changes_chart("sets", "What the edit changes, set by set", rows, of)
    text = f"{action(effects[0].edit).capitalize()}, {where(effects[0].edit)}. A margin is log P(good) - log P(bad)."
    selected = [f"{note.capitalize()}." for note in selected_on_the_outcome(effects)]
    return [Part("change", "What the edit changes", [text, *selected], [chart], [_sets(effects)])]


def effect_views(
    folder: Path, effects: Sequence[EffectResult], run: RunRecord, origin: OriginFind | None
) -> list[View]:
    """A view for each neuron set."""
    heights, runs = (origin.heights(), [origin.run, run]) if origin else (None, [run])
    return [View(name_of(effect), list(_parts(folder, effect, effects, heights, runs))) for effect in effects]


def effect_reading(effects: Sequence[EffectResult]) -> list[tuple[str, str]]:
    """In words, set by set."""
    return [(name_of(effect), effect.reading) for effect in effects]


def effect_settings(effects: Sequence[EffectResult]) -> list[tuple[str, str]]:
    first = effects[0]
    data, split = first.data, first.data.split
    side = first.side_effects
    rows = [
        ("task", first.task),
        ("data", f"{data.source}, {data.pairs:,} pairs"),
        ("measured on", f"{counted(data.tested, 'test pair')}" + (f" ({split.kind} split)" if split else "")),
        ("edit", edit_label(first.edit)),
        ("neurons from", first.neurons_from or "given"),
        ("controls", counted(first.controls.n, "matched set") if first.controls else "none"),
        ("neutral text", f"{side.text}, {counted(side.tokens, 'token')}"),
        ("sentences scored by", first.convention or "sum"),
    ]
    if first.equal:
        rows.append(("equal disturbance", f"KL {divergence(first.equal.kl)} nats per token"))
    return rows


def _parts(
    folder: Path,
    effect: EffectResult,
    effects: Sequence[EffectResult],
    heights: Heights | None,
    runs: Sequence[RunRecord],
) -> Iterator[Part]:
    pairs = folder / Path(effect.files.pairs).name if effect.files else None
    if len(effect.by_scale) > 1:
        yield doses_part(effect)
    if variants := _variants(effect):
        of = own_series(effect.edit.noun, effect.edit.k)
        rows = [row for name, one in variants for row in changes(name, one, of)]
        text = [f"The same {effect.edit.noun}s moved elsewhere, without massive members, or on another task."]
        chart = changes_chart("variants", "Variants of the edit", rows, of)
        yield Part("variants", "Does it hold otherwise?", text, [chart])
    card = neuron_command(effect.task, effect.edit.site, *runs)
    cards = edited_cards(folder, effect, effects, heights, card)
    links = {sheet.title: sheet.name for sheet in cards.sheets} if cards else {}
    if effect.neurons:
        text = [f"By {name_of(effect)}: {action(effect.edit)}."]
        yield Part("set", f"The {effect.edit.noun}s", text, listings=[_neurons(effect, links)])
    if cards:
        yield cards
    if pairs is None:
        return
    margins, passes = read_csv(PairEffect, pairs), _passes(effect)
    tokens = None
    if effect.files and effect.files.tokens:
        known = {one.pair: (one.margin_before, one.margin_after) for one in margins}
        tokens = token_data(folder / Path(effect.files.tokens).name, known, passes, convention=effect.convention)
    at_doses = _at_other_doses(passes, tokens)
    dose = f" So at scale {effect.edit.scale:g}." if len(effect.by_scale) > 1 else ""
    shown = min((len(pairs) for pairs in at_doses.values()), default=len(margins))
    fewer = "" if shown == len(margins) else f" At the other doses the first {counted(shown, 'pair')} are drawn."
    yield Part(
        "margins",
        "Pair by pair",
        [
            f"{counted(effect.flipped.lost, 'pair')} lost (the good sentence was the more probable one, and is no "
            f"longer), {effect.flipped.gained:,} gained, of {len(margins):,}.{dose}{fewer}"
        ],
        [margins_chart(margins, passes[1], at_doses)],
    )
    if tokens is not None:
        none = effect.flipped.lost + effect.flipped.gained == 0
        text = ["On none. Below are those that the edit moves, as far as it moves them."] if none else []
        yield Part("pairs", "On which sentences did the model change its mind?", text, tool="pairs", data=tokens)


def _at_other_doses(passes: Sequence[str], tokens: Json) -> dict[str, dict[str, float]]:
    """The margins of the pairs, by dose; none where no tokens are kept."""
    pairs = [] if tokens is None else tokens["pairs"]
    return {name: {one["id"]: one["margin"][i] for one in pairs} for i, name in enumerate(passes) if i > 1 and pairs}


def _passes(effect: EffectResult) -> list[str]:
    """What the rows of the kept tokens are: unedited, the edit, its other doses."""
    own = effect.edit.scale
    others = [dose.scale for dose in effect.by_scale if dose.scale not in (own, 1)]
    return ["unedited", f"scale {own:g}", *(f"scale {scale:g}" for scale in others)]


def _variants(effect: EffectResult) -> list[tuple[str, Change]]:
    found: list[tuple[str, Change]] = []
    if effect.without_massive:
        left = counted(effect.without_massive.k, effect.edit.noun)
        found.append((f"without massive: {left}", effect.without_massive))
    if len(effect.kinds) > 1:
        found += [(f"to {kind.kind}", kind) for kind in effect.kinds if kind.kind != effect.edit.kind]
    found += [(f"on {row.task}", row.change) for row in effect.also]
    return [(f"all {effect.edit.k:,} to {effect.edit.kind}", effect.change), *found] if found else []


def _sets(effects: Sequence[EffectResult]) -> Table:
    measured = ("accuracy", "mean margin", "change, 95 % interval", "controls: mean, range", "p", "seen from", "KL")
    rows = []
    for effect in effects:
        controls, margin, accuracy = effect.controls, effect.margin, effect.accuracy
        rows.append(
            (
                f"{name_of(effect)}: {effect.edit.k:,}",
                f"{number(accuracy.before)} → {number(accuracy.after)}",
                f"{nats(margin.before)} → {nats(margin.after)}",
                interval(margin.delta, margin.low, margin.high),
                f"{change(controls.delta_mean)}, {span(controls.delta_low, controls.delta_high)}"
                if controls
                else NONE,
                p_of(ComparedRow.of(effect)),
                seen_of(ComparedRow.of(effect)),
                divergence(effect.side_effects.kl),
                effect.verdict or NONE,
            )
        )
    compared = [ComparedRow.of(effect) for effect in effects]
    notes = "".join(f" {note}." for note in (*notes_on_p(compared), *notes_on_seen(compared)))
    caption = f"Margins in nats, KL in nats per token of neutral text. {_told_of_p(effects)}{notes}".rstrip()
    return Table(caption, ("set", *measured, "verdict"), tuple(rows))


def _told_of_p(effects: Sequence[EffectResult]) -> str:
    sizes = {effect.controls.n for effect in effects if effect.controls}
    if not sizes:
        return ""
    least = f", so {p_value(1 / (1 + max(sizes)))} at least" if len(sizes) == 1 else ""
    return (
        "p is the share of sets, the edited one and its controls, whose change lies at least as far from the mean "
        f"of all others{least}."
    )


def _neurons(effect: EffectResult, links: Mapping[str, str]) -> Listing:
    rows = [
        Listed(row.name, f"{row.score:.4g}", "massive" if row.massive else "", links.get(row.name, ""))
        for row in effect.neurons
    ]
    some = sum(row.massive for row in effect.neurons)
    share = f"; {percent(some / len(rows))} are massive" if some else ""
    place = "unit" if effect.edit.by == "unit" else effect.edit.noun
    score = f"score by {effect.method}" if effect.method else "score"
    heading = f"{counted(len(rows), effect.edit.noun)} (layer:{place}, {score}), highest score first{share}"
    return Listing(heading, rows)
