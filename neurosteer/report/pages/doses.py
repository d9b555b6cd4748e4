"""Dose by dose: the curve over the scales that were measured, its slider and its table."""

from __future__ import annotations

from collections.abc import Sequence

from neurosteer.report.comparing import ComparedRow, p_of
from neurosteer.report.numbers import NONE, change, divergence, interval, number, p_equals, span
from neurosteer.report.table import Table
from neurosteer.results.effect import Change, Controls, EffectResult
from neurosteer.vocabulary import counted

from .changes import CHANGE, CONTROL, beside, own_series
from .charts import SHOWN, Row, Series, axis, chart_of, hover, in_rows, level, lines
from .document import Part


def doses_part(effect: EffectResult) -> Part:
    """The curve, and the slider over the doses that were measured."""
    rows: list[Row] = []
    own = own_series(effect.edit.noun, effect.edit.k)
    for dose in effect.by_scale:
        about = {"accuracy": number(dose.accuracy, 3), "kl": divergence(dose.kl), "beside": beside(dose.controls)}
        place: Row = {"scale": dose.scale, **about}
        ends: Row = {"low": dose.low, "high": dose.high, "interval": f"{change(dose.low)} to {change(dose.high)}"}
        rows.append({**place, "series": own.name, "value": dose.delta, **ends})
        if dose.controls:
            low, high = dose.controls.delta_low, dose.controls.delta_high
            ends = {"low": low, "high": high, "interval": f"range {span(low, high)}"}
            rows.append({**place, "series": CONTROL.name, "value": dose.controls.delta_mean, **ends})
    series = in_rows((own, CONTROL), rows)
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
    read = f"The band about {own.name} is the 95 % interval over pairs, that about the controls their range."
    chart = chart_of(
        "doses",
        "Dose by dose",
        read,
        [*level(0, "no change"), now, *drawn],
        rows,
        series=series,
        params=[{"name": "dose", "value": effect.edit.scale}],
    )
    doses = [{"scale": dose.scale, "text": dose_text(dose.scale, dose, effect)} for dose in effect.by_scale]
    start = next((i for i, dose in enumerate(effect.by_scale) if dose.scale == effect.edit.scale), 0)
    return Part(
        "doses",
        "How much of it?",
        charts=[chart],
        tables=[_dose_table(effect)],
        tool="doses",
        data={"doses": doses, "start": start},
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
            f"({span(controls.delta_low, controls.delta_high)}): {_judged(controls, effect)}."
        )
    return said


def _judged(controls: Controls, effect: EffectResult) -> str:
    """The verdict of a dose; where the test pairs allow none, that of the whole effect stands."""
    if effect.nothing_to_lose is not False:
        return str(effect.verdict)
    return f"{p_equals(controls.p)}, {controls.verdict}"


def _dose_table(effect: EffectResult) -> Table:
    rows = tuple(
        (
            f"{dose.scale:g}",
            number(dose.accuracy, 3),
            interval(dose.delta, dose.low, dose.high),
            f"{change(dose.controls.delta_mean)}" if dose.controls else NONE,
            p_of(ComparedRow(dose, effect.nothing_to_lose)),
            divergence(dose.kl),
        )
        for dose in effect.by_scale
    )
    heads = ("scale", "accuracy", "change, 95 % interval", "controls: mean", "p", "KL")
    return Table("Every dose that was measured", heads, rows, left=0)
