"""Interactive charts as Vega-Lite: a spec with its numbers inside, what can be switched off, and the same as a table.

Colours are names of the page's style (`var(--s0)`, in the order of `rankings.COLOURS`), so that one chart is right in
light, dark and print; every series has a shape of its own besides. `off` and `hidden` are what the page's switches
set: series and layers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from neurosteer.rankings import COLOURS, ranking_method
from neurosteer.vocabulary import Json

Row = dict[str, Json]
Spec = dict[str, Any]
SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
SHAPES = ("circle", "square", "triangle-up", "diamond", "triangle-down", "cross", "triangle-left", "triangle-right")
SIGNS = ("●", "■", "▲", "◆", "▼", "✚", "◀", "▶")
INK, FAINT, LINE, PAPER = "var(--ink)", "var(--faint)", "var(--line)", "var(--paper)"
HEIGHT = 320  # pixels
NOMINAL = {"type": "nominal"}
SHOWN = "indexof(off, datum.series) < 0 && indexof(hidden, datum.layer) < 0"
CONFIG: Spec = {
    "background": None,
    "font": "system-ui, sans-serif",
    "view": {"stroke": None},
    "axis": {
        "labelColor": FAINT,
        "titleColor": INK,
        "titleFontWeight": "normal",
        "titleFontSize": 12,
        "labelFontSize": 12,
        "gridColor": LINE,
        "domainColor": FAINT,
        "tickColor": FAINT,
    },
    "text": {"color": INK},
    "rule": {"color": INK},
}


@dataclass(frozen=True)
class Series:
    """One line, or one kind of mark, which has its own colour and shape."""

    name: str
    place: int  # of its colour and shape
    dashed: bool = False
    shade: float | None = None  # of one of an ordered row, from 0 (pale) to 1 (strong)
    width: float = 1.8  # pixels of its line
    band: bool = True  # whether its intervals are drawn, or only told

    @property
    def colour(self) -> str:
        if self.shade is not None:
            return f"color-mix(in oklab, var(--strong) {100 * self.shade:.0f}%, var(--pale))"
        return f"var(--s{self.place % len(SHAPES)})"

    @property
    def shape(self) -> str:
        return SHAPES[self.place % len(SHAPES)]

    @property
    def sign(self) -> str:
        return SIGNS[self.place % len(SHAPES)]


def of_method(method: str, name: str = "") -> Series:
    """What a ranking method chose: the same colour and shape in every chart that compares methods."""
    known = ranking_method(method)
    return Series(name or method, COLOURS.index(known.colour if known else "grey"))


def ordered(names: Sequence[str]) -> list[Series]:
    """An ascending row of series, from pale to strong; a single one is strong."""
    last = max(len(names) - 1, 1)
    return [Series(name, i, shade=i / last if len(names) > 1 else 1.0) for i, name in enumerate(names)]


@dataclass(frozen=True)
class Choice:
    """What is chosen from a menu: a parameter of a chart, and its values with their words. The first is the usual."""

    name: str
    label: str
    options: Sequence[tuple[str, str]]

    @property
    def param(self) -> Spec:
        return {"name": self.name, "value": self.options[0][0]}


@dataclass(frozen=True)
class Chart:
    """A chart, how to read it, and what can be switched on and off."""

    name: str
    title: str
    read: str
    spec: Spec
    series: Sequence[Series] = ()
    choices: Sequence[Choice] = ()


def chart_of(
    name: str,
    title: str,
    read: str,
    layers: Sequence[Spec],
    rows: Sequence[Row],
    *,
    series: Sequence[Series] = (),
    choices: Sequence[Choice] = (),
    params: Sequence[Spec] = (),
    **more: Any,
) -> Chart:
    """A chart of several layers over the same `rows`."""
    spec: Spec = {
        "$schema": SCHEMA,
        "description": f"{title}. {read}",
        "width": "container",
        "height": HEIGHT,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "config": CONFIG,
        "params": [
            {"name": "off", "value": []},
            {"name": "hidden", "value": []},
            *params,
            *(choice.param for choice in choices),
        ],
        "data": {"values": list(rows)},
        "layer": list(layers),
        **more,
    }
    return Chart(name, title, read, spec, series, choices)


def axis(field_name: str, title: str | None, **more: Any) -> Spec:
    """A quantitative channel."""
    scale = {"nice": True, **more.pop("scale", {})}
    if scale.get("type") != "log":  # which has no zero
        scale = {"zero": False, **scale}
    return {"field": field_name, "type": "quantitative", "title": title, "scale": scale, **more}


def names(field_name: str, **look: Any) -> Spec:
    """A row for each name, in the order of the rows' own numbers `place`.

    Vega-Lite makes an expression of an order that is listed, and names come from data: a number is all it gets.
    """
    sort = {"field": "place", "op": "min", "order": "ascending"}
    return {"field": field_name, "type": "nominal", "title": None, "sort": sort, "axis": look}


def placed(rows: Sequence[Row], field_name: str) -> list[Row]:
    """The rows with their place: names in the order in which they come first."""
    order = {name: place for place, name in enumerate(dict.fromkeys(row[field_name] for row in rows))}
    return [{**row, "place": order[row[field_name]]} for row in rows]


def layer_axis() -> Spec:
    """Blocks along the foot."""
    return axis(
        "layer",
        "layer (block, counted from 0)",
        axis={"tickMinStep": 1, "labelExpr": "datum.value % 1 ? '' : datum.label", "grid": False},
        scale={"nice": False},
    )


def hover(*fields: tuple[str, str]) -> list[Spec]:
    """What is told of a mark under the pointer: field, name."""
    return [
        {
            "field": name,
            "title": title,
            **({"type": "quantitative", "format": ".4~g"} if name == "value" else NOMINAL),
        }
        for name, title in fields
    ]


def in_rows(series: Iterable[Series], rows: Sequence[Row]) -> list[Series]:
    """Those of which there are rows."""
    there = {row["series"] for row in rows}
    return [one for one in series if one.name in there]


def has_ends(rows: Sequence[Row]) -> bool:
    """Whether one of them has an interval, from `low` to `high`."""
    return any(row["low"] is not None and row["high"] is not None for row in rows)


def by_series(series: Sequence[Series]) -> Spec:
    """Colour of each series, without a legend: the page's switches are the legend."""
    return {
        "field": "series",
        "type": "nominal",
        "legend": None,
        "scale": {"domain": [one.name for one in series], "range": [one.colour for one in series]},
    }


def shape_by_series(series: Sequence[Series]) -> Spec:
    """Shape of each series."""
    return {
        "field": "series",
        "type": "nominal",
        "legend": None,
        "scale": {"domain": [one.name for one in series], "range": [one.shape for one in series]},
    }


def dash_by_series(series: Sequence[Series]) -> Spec:
    """Which lines are dashed."""
    dashes = [[5, 3] if one.dashed else [1, 0] for one in series]
    return {
        "field": "series",
        "type": "nominal",
        "legend": None,
        "scale": {"domain": [one.name for one in series], "range": dashes},
    }


def width_by_series(series: Sequence[Series]) -> Spec:
    """How broad lines are."""
    return {
        "field": "series",
        "type": "ordinal",
        "legend": None,
        "scale": {"domain": [one.name for one in series], "range": [one.width for one in series], "type": "ordinal"},
    }


def bandless(series: Sequence[Series]) -> list[str]:
    """Those whose intervals are told and not drawn."""
    return [one.name for one in series if not one.band]


def lines(
    series: Sequence[Series],
    x: Spec,
    y: Spec,
    tooltip: Sequence[Spec],
    *,
    filtered: str = SHOWN,
    bars: bool = False,
    ends: bool = True,
) -> list[Spec]:
    """Lines with bands, or bars, from `low` to `high` where any have such `ends`, and their points."""
    colour = by_series(series)
    shown = {"filter": filtered}
    bare = [{"filter": {"not": {"field": "series", "oneOf": names}}} for names in [bandless(series)] if names]
    band = {
        "transform": [shown, {"filter": "isValid(datum.low) && isValid(datum.high)"}, *bare],
        "mark": {"type": "rule", "strokeWidth": 2, "opacity": 0.55} if bars else {"type": "area", "opacity": 0.16},
        "encoding": {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}, "color": colour},
    }
    line = {
        "transform": [shown],
        "mark": {"type": "line"},
        "encoding": {
            "x": x,
            "y": y,
            "color": colour,
            "strokeDash": dash_by_series(series),
            "strokeWidth": width_by_series(series),
        },
    }
    points = {
        "transform": [shown],
        "mark": {"type": "point", "filled": True, "size": 70, "opacity": 1},
        "encoding": {"x": x, "y": y, "color": colour, "shape": shape_by_series(series), "tooltip": list(tooltip)},
    }
    return [*([band] if ends else []), line, points]


def level(value: float | int | None, text: str, *, at: str = "y") -> list[Spec]:
    """A dashed line across, with its name at the end."""
    if value is None:
        return []
    data = {"values": [{"at": value, "text": text}]}
    across: Mapping[str, Spec] = {at: {"field": "at", "type": "quantitative"}}
    rule = {
        "data": data,
        "mark": {"type": "rule", "strokeDash": [4, 4], "color": FAINT},
        "encoding": {**across, "tooltip": {"field": "text"}},
    }
    place: Spec = {"x": {"value": "width"}} if at == "y" else {"y": {"value": 0}}
    name = {
        "data": data,
        "mark": {
            "type": "text",
            "align": "right" if at == "y" else "left",
            "baseline": "bottom",
            "dx": -2 if at == "y" else 4,
            "dy": -2 if at == "y" else 10,
            "color": FAINT,
            "fontSize": 11,
        },
        "encoding": {**across, **place, "text": {"field": "text"}},
    }
    return [rule, name]
