"""The page of `ablate` and `amplify`: the change beside controls, dose by dose, and pair by pair in coloured text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from neurosteer.report.comparing import name_of
from neurosteer.report.edit_labels import action, edit_label, where
from neurosteer.report.numbers import (
    NONE,
    change,
    counted,
    divergence,
    interval,
    nats,
    number,
    p_equals,
    p_value,
    percent,
    span,
)
from neurosteer.report.table import Table
from neurosteer.results import read_record
from neurosteer.results.effect import Change, Controls, EffectResult
from neurosteer.vocabulary import Json

from .charts import (
    SHOWN,
    Chart,
    Row,
    Series,
    axis,
    by_series,
    chart_of,
    hover,
    level,
    lines,
    names,
    placed,
    shape_by_series,
)
from .document import Listed, Listing, Part, View
from .sheets import edited_cards
from .tokens import csv_rows, token_data

CHANGE = "change of the mean margin (nats)"
OWN, CONTROL = Series("these neurons", 1), Series("controls", 7)
OUTCOMES = (Series("lost", 1), Series("gained", 2), Series("still right", 0), Series("still wrong", 7))


def effects_of(entries: Sequence[Json]) -> list[EffectResult]:
    """The effects of a run, one per neuron set."""
    return [read_record(EffectResult, entry) for entry in entries]


def effect_overview(effects: Sequence[EffectResult]) -> list[Part]:
    """All neuron sets of the run beside each other."""
    rows = [row for effect in effects for row in changes(name_of(effect), effect.change)]
    chart = changes_chart("sets", "What the edit changes, set by set", rows)
    text = f"{action(effects[0].edit).capitalize()}, {where(effects[0].edit)}. A margin is log P(good) - log P(bad)."
    return [Part("change", "What the edit changes", [text], [chart], [_sets(effects)])]


def effect_views(folder: Path, effects: Sequence[EffectResult]) -> list[View]:
    """A view for each neuron set."""
    return [View(name_of(effect), list(_parts(folder, effect, effects))) for effect in effects]


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


def _parts(folder: Path, effect: EffectResult, effects: Sequence[EffectResult]) -> Iterator[Part]:
    pairs = folder / Path(effect.files.pairs).name if effect.files else None
    if len(effect.by_scale) > 1:
        yield doses_part(effect)
    if variants := _variants(effect):
        rows = [row for name, one in variants for row in changes(name, one)]
        text = ["The same neurons moved elsewhere, without their massive members, or on another task."]
        chart = changes_chart("variants", "Variants of the edit", rows)
        yield Part("variants", "Does it hold otherwise?", text, [chart])
    cards = edited_cards(folder, effect, effects)
    leads = {sheet.title: sheet.name for sheet in cards.sheets} if cards else {}
    text = [f"By {name_of(effect)}: {action(effect.edit)}."]
    yield Part("set", "The neurons", text, listings=[_neurons(effect, leads)])
    if cards:
        yield cards
    if pairs is None:
        return
    margins = csv_rows(pairs)
    dose = f" This is scale {effect.edit.scale:g}." if len(effect.by_scale) > 1 else ""
    yield Part(
        "margins",
        "Pair by pair",
        [
            f"{counted(effect.flipped.lost, 'pair')} lost (the good sentence was the more probable one, and is no "
            f"longer), {effect.flipped.gained:,} gained, of {len(margins):,}.{dose}"
        ],
        [margins_chart(margins)],
    )
    if effect.files and effect.files.tokens:
        known = {row["pair"]: (float(row["margin_before"]), float(row["margin_after"])) for row in margins}
        yield Part(
            "pairs",
            "On which sentences did the model change its mind?",
            tool="pairs",
            data=token_data(
                folder / Path(effect.files.tokens).name, known, _passes(effect), convention=effect.convention
            ),
        )


def _passes(effect: EffectResult) -> list[str]:
    """What the rows of the kept tokens are: unedited, the edit, its other doses."""
    own = effect.edit.scale
    others = [dose.scale for dose in effect.by_scale if dose.scale not in (own, 1)]
    return ["unedited", f"scale {own:g}", *(f"scale {scale:g}" for scale in others)]


def _variants(effect: EffectResult) -> list[tuple[str, Change]]:
    found: list[tuple[str, Change]] = []
    if effect.without_massive:
        found.append((f"without massive: {effect.without_massive.k:,} neurons", effect.without_massive))
    if len(effect.kinds) > 1:
        found += [(f"to {kind.kind}", kind) for kind in effect.kinds if kind.kind != effect.edit.kind]
    found += [(f"on {row.task}", row.change) for row in effect.also]
    return [(f"all {effect.edit.k:,} to {effect.edit.kind}", effect.change), *found] if found else []


def changes(name: str, one: Change) -> Iterator[Row]:
    """A row of a set, and one for each of its controls."""
    told = _beside(one.controls)
    own: Row = {"set": name, "series": OWN.name, "value": one.delta, "low": one.low, "high": one.high}
    interval_text = f"{change(one.low)} to {change(one.high)}"
    kl = divergence(one.kl)
    yield {**own, "interval": interval_text, "beside": told, "accuracy": number(one.accuracy, 3), "kl": kl}
    for i, delta in enumerate(one.controls.deltas if one.controls else (), start=1):
        more: Row = {"set": name, "series": CONTROL.name, "value": delta, "low": None, "high": None}
        yield {**more, "interval": f"control {i}", "beside": told, "accuracy": NONE, "kl": NONE}


def _beside(controls: Controls | None) -> str:
    if controls is None:
        return "none"
    found = f"{counted(controls.n, 'set')}: mean {change(controls.delta_mean)}, "
    return f"{found}{span(controls.delta_low, controls.delta_high)}; {p_equals(controls.p)}"


def changes_chart(name: str, title: str, rows: Sequence[Row]) -> Chart:
    """A line for each set: its change with the interval, and those of its controls."""
    series = [one for one in (OWN, CONTROL) if one.name in {row["series"] for row in rows}]
    rows = placed(rows, "set")
    y = names("set", labelLimit=240, grid=False)
    x = axis("value", CHANGE, scale={"zero": True})
    shown = {"filter": "indexof(off, datum.series) < 0"}
    own = {"filter": f"datum.series == '{OWN.name}'"}
    look = {"color": by_series(series), "shape": shape_by_series(series)}
    tooltip = hover(
        ("set", "set"),
        ("series", "of"),
        ("value", "change (nats)"),
        ("interval", "95 % interval"),
        ("accuracy", "accuracy"),
        ("kl", "KL (nats per token)"),
        ("beside", "controls"),
    )
    layers = [
        *level(0, "no change", at="x"),
        {
            "transform": [shown, {"filter": f"datum.series == '{CONTROL.name}'"}],
            "mark": {"type": "point", "size": 40, "opacity": 0.8, "yOffset": 12, "filled": False},
            "encoding": {"x": x, "y": y, **look, "tooltip": tooltip},
        },
        {
            "transform": [shown, own],
            "mark": {"type": "rule", "strokeWidth": 2.5},
            "encoding": {
                "x": {**x, "field": "low"},
                "x2": {"field": "high"},
                "y": y,
                "color": by_series(series),
                "tooltip": tooltip,
            },
        },
        {
            "transform": [shown, own],
            "mark": {"type": "point", "filled": True, "size": 110, "opacity": 1},
            "encoding": {"x": x, "y": y, **look, "tooltip": tooltip},
        },
    ]
    read = (
        "To the left of zero the preference for good sentences falls. The bar is the 95 % interval over pairs; the "
        "open marks are matched control sets under the same edit."
    )
    return chart_of(
        name, title, read, layers, rows, series=series, height=46 * (1 + max(row["place"] for row in rows))
    )


def _sets(effects: Sequence[EffectResult]) -> Table:
    heads = ("set", "accuracy", "mean margin", "change, 95 % interval", "controls: mean, range", "p", "KL", "verdict")
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
                p_value(controls.p) if controls else NONE,
                divergence(effect.side_effects.kl),
                effect.verdict or NONE,
            )
        )
    caption = f"Margins in nats, KL in nats per token of neutral text. {_told_of_p(effects)}".rstrip()
    return Table(caption, heads, tuple(rows))


def _told_of_p(effects: Sequence[EffectResult]) -> str:
    sizes = {effect.controls.n for effect in effects if effect.controls}
    if not sizes:
        return ""
    least = f", so {p_value(1 / (1 + max(sizes)))} at least" if len(sizes) == 1 else ""
    return (
        "p is the share of sets, these neurons and their controls, whose change lies at least as far from the mean "
        f"of all others{least}."
    )


def doses_part(effect: EffectResult) -> Part:
    """The curve, and the slider over the doses that were measured."""
    rows: list[Row] = []
    for dose in effect.by_scale:
        about = {"accuracy": number(dose.accuracy, 3), "kl": divergence(dose.kl), "beside": _beside(dose.controls)}
        place: Row = {"scale": dose.scale, **about}
        ends: Row = {"low": dose.low, "high": dose.high, "interval": f"{change(dose.low)} to {change(dose.high)}"}
        rows.append({**place, "series": OWN.name, "value": dose.delta, **ends})
        if dose.controls:
            low, high = dose.controls.delta_low, dose.controls.delta_high
            ends = {"low": low, "high": high, "interval": f"range {span(low, high)}"}
            rows.append({**place, "series": CONTROL.name, "value": dose.controls.delta_mean, **ends})
    series = [one for one in (OWN, CONTROL) if one.name in {row["series"] for row in rows}]
    rows += _unedited(effect, series)
    tooltip = hover(
        ("scale", "scale"),
        ("series", "of"),
        ("value", "change (nats)"),
        ("interval", "95 % interval"),
        ("accuracy", "accuracy"),
        ("kl", "KL (nats per token)"),
        ("beside", "controls"),
    )
    now = {
        "data": {"values": [{"at": 0}]},
        "transform": [{"calculate": "dose", "as": "scale"}],
        "mark": {"type": "rule", "color": "var(--ink)", "strokeWidth": 1.5},
        "encoding": {"x": {"field": "scale", "type": "quantitative"}},
    }
    drawn = lines(series, axis("scale", "scale (1: unedited)"), axis("value", CHANGE), tooltip, filtered=SHOWN)
    read = "The band about these neurons is the 95 % interval over pairs, that about the controls their range."
    chart = chart_of(
        "doses",
        "Dose by dose",
        read,
        [*level(0, "no change"), now, *drawn],
        rows,
        series=series,
        params=[{"name": "dose", "value": effect.edit.scale}],
    )
    told = [{"scale": dose.scale, "text": dose_text(dose.scale, dose, effect)} for dose in effect.by_scale]
    start = next((i for i, dose in enumerate(effect.by_scale) if dose.scale == effect.edit.scale), 0)
    return Part(
        "doses",
        "How much of it?",
        charts=[chart],
        tables=[_dose_table(effect)],
        tool="doses",
        data={"doses": told, "start": start},
    )


def _unedited(effect: EffectResult, series: Sequence[Series]) -> list[Row]:
    """Between doses below and above 1 lines go through 0 at 1, where the model is unedited, measured or not."""
    scales = [dose.scale for dose in effect.by_scale]
    if 1 in scales or not min(scales) < 1 < max(scales):
        return []
    known: Row = {"scale": 1.0, "value": 0.0, "low": 0.0, "high": 0.0, "interval": "unedited, by definition"}
    beside: Row = {"accuracy": number(effect.accuracy.before, 3), "kl": divergence(0.0), "beside": NONE}
    return [{**known, **beside, "series": one.name} for one in series]


def dose_text(scale: float, dose: Change, effect: EffectResult) -> list[str]:
    """What a dose does, in sentences."""
    if scale == 1:
        return [f"Scale 1 is the unedited model: accuracy {number(effect.accuracy.before)}, no change."]
    said = [
        f"At scale {scale:g} the mean margin changes by {interval(dose.delta, dose.low, dose.high)} nats; accuracy "
        f"{number(effect.accuracy.before)} → {number(dose.accuracy)}; neutral text is disturbed by KL "
        f"{divergence(dose.kl)} nats per token."
    ]
    if dose.controls:
        controls = dose.controls
        said.append(
            f"{counted(controls.n, 'control set')} change it by {change(controls.delta_mean)} on average "
            f"({span(controls.delta_low, controls.delta_high)}): {p_equals(controls.p)}, {controls.verdict}."
        )
    return said


def _dose_table(effect: EffectResult) -> Table:
    rows = tuple(
        (
            f"{dose.scale:g}",
            number(dose.accuracy, 3),
            interval(dose.delta, dose.low, dose.high),
            f"{change(dose.controls.delta_mean)}" if dose.controls else NONE,
            p_value(dose.controls.p) if dose.controls else NONE,
            divergence(dose.kl),
        )
        for dose in effect.by_scale
    )
    heads = ("scale", "accuracy", "change, 95 % interval", "controls: mean", "p", "KL")
    return Table("Every dose that was measured", heads, rows, left=0)


def _neurons(effect: EffectResult, leads: Mapping[str, str]) -> Listing:
    rows = [
        Listed(name, f"{row.score:.4g}", "massive" if row.massive else "", leads.get(name, ""))
        for row in effect.neurons
        for name in [f"{row.layer}:{row.unit}"]
    ]
    some = sum(row.massive for row in effect.neurons)
    share = f"; {percent(some / len(rows))} are massive" if some else ""
    return Listing(f"{counted(len(rows), 'neuron')} (layer:unit, score), highest score first{share}", rows)


def margins_chart(rows: Sequence[dict[str, str]]) -> Chart:
    """Every pair by its margin before and after."""
    points: list[Row] = []
    for row in rows:
        before, after = float(row["margin_before"]), float(row["margin_after"])
        kind = OUTCOMES[(0 if after <= 0 else 2) if before > 0 else (1 if after > 0 else 3)].name
        told = {"pair": row["pair"], "good": row.get("sentence_good", ""), "bad": row.get("sentence_bad", "")}
        points.append({**told, "series": kind, "before": before, "after": after})
    series = [one for one in OUTCOMES if one.name in {point["series"] for point in points}]
    ends = [value for point in points for value in (point["before"], point["after"])]
    low, high = min(ends, default=0.0), max(ends, default=0.0)
    diagonal = {
        "data": {"values": [{"a": low}, {"a": high}]},
        "mark": {"type": "line", "color": "var(--faint)", "strokeDash": [4, 4]},
        "encoding": {"x": {"field": "a", "type": "quantitative"}, "y": {"field": "a", "type": "quantitative"}},
    }
    tooltip = hover(
        ("pair", "pair"),
        ("good", "good"),
        ("bad", "bad"),
        ("before", "margin before"),
        ("after", "margin after"),
        ("series", "which is"),
    )
    marks = {
        "transform": [{"filter": "indexof(off, datum.series) < 0"}],
        "mark": {"type": "point", "filled": True, "size": 45, "opacity": 0.8},
        "encoding": {
            "x": axis("before", "margin before (nats)"),
            "y": axis("after", "margin after (nats)"),
            "color": by_series(series),
            "shape": shape_by_series(series),
            "tooltip": tooltip,
        },
    }
    read = "Each mark is a pair. On the dashed diagonal nothing changes; below it the preference falls."
    zero = [*level(0, ""), *level(0, "", at="x")]
    layers = [*zero, diagonal, marks]
    return chart_of("margins", "Margins before and after", read, layers, points, series=series, height=380)
