"""Charts of values with their intervals along an axis: by layer, lambda, k or dose, a line for each series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from neurosteer.pairs import Baselines
from neurosteer.report.baselines import DRAWN, named
from neurosteer.report.numbers import number
from neurosteer.results import Estimate
from neurosteer.vocabulary import Json

from .charts import Chart, Choice, Row, Series, Spec, axis, chart_of, has_ends, hover, layer_axis, level, lines

DIGITS = 6  # significant ones of every number, as in the CSV


@dataclass(frozen=True)
class Point:
    """A value at a place along the axis; `more` is told of it besides, and what choices filter by."""

    at: float | int
    value: Estimate
    more: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True)
class Curve:
    series: Series
    points: Sequence[Point]


def shown(value: float | None) -> float | None:
    """As many digits as the CSV has; no zero has a sign."""
    return None if value is None else float(f"{value:.{DIGITS}g}") + 0.0


def ends(one: Estimate) -> Row:
    """Value and interval as fields of a row."""
    low, high = shown(one.low), shown(one.high)
    if low is None and high is None:
        interval = "none"
    else:
        interval = f"{'below all' if low is None else f'{low:.4g}'} to {'no end' if high is None else f'{high:.4g}'}"
    return {"value": shown(one.value), "low": low, "high": high, "interval": interval}


def curve_rows(curves: Sequence[Curve], place: str = "layer") -> list[Row]:
    """A row for each point whose value is known."""
    return [
        {place: point.at, "series": curve.series.name, **ends(point.value), **point.more}
        for curve in curves
        for point in curve.points
        if point.value.value is not None
    ]


def curves_chart(
    name: str,
    title: str,
    read: str,
    curves: Sequence[Curve],
    y: str | Spec,
    *,
    x: tuple[str, str] | None = None,
    on_hover: Mapping[str, str] | None = None,
    levels: Sequence[Spec] = (),
    above: Sequence[Spec] = (),
    choices: Sequence[Choice] = (),
    filtered: str = "true",
    bars: bool = False,
    **look: Any,
) -> Chart:
    """Lines over layers, or over the field and title of `x`. `on_hover` names what hover tells besides of a point."""
    there = [curve for curve in curves if any(point.value.value is not None for point in curve.points)]
    place, label = x or ("layer", "layer")
    along = layer_axis() if x is None else axis(place, label)
    rows = curve_rows(there, place)
    series = list({curve.series.name: curve.series for curve in there}.values())
    tooltip = hover(
        ("series", "line"),
        (place, label),
        ("value", "value"),
        ("interval", "95 % interval"),
        *(on_hover or {}).items(),
    )
    known = has_ends(rows)
    upwards = axis("value", y, **look)  # type: ignore[arg-type]
    off = f"indexof(off, datum.series) < 0 && indexof(hidden, datum.layer) < 0 && ({filtered})"
    layers = [*levels, *lines(series, along, upwards, tooltip, filtered=off, bars=bars, ends=known), *above]
    return chart_of(name, title, read, layers, rows, series=series, choices=choices)


def word_levels(baselines: Baselines) -> list[Spec]:
    """Chance, and the classifier without a model that reads most."""
    values = {name: value for name in DRAWN if (value := named(baselines)[name]) is not None}
    strongest = max(values, key=lambda name: values[name], default="")
    words = level(values[strongest], f"{strongest} {number(values[strongest])}") if values else []
    return [*level(0.5, "chance .50"), *words]
