"""Charts of values in rows, each with its interval: a row for each group, a mark for each series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from neurosteer.results import Estimate
from neurosteer.vocabulary import Json

from .charts import (
    Chart,
    Choice,
    Row,
    Series,
    Spec,
    axis,
    by_series,
    chart_of,
    has_ends,
    hover,
    names,
    placed,
    shape_by_series,
)
from .curves import ends

LINE = 16  # pixels of a row of one line
ROOMY, TIGHT = (26, 15), (18, 7)  # of a row with one series, and of each further one
FEW = 12  # rows that are roomy


@dataclass(frozen=True)
class Mark:
    """A value in the row of a group; a `small` one is one of many, drawn hollow."""

    group: str
    series: Series
    value: Estimate
    small: bool = False
    more: Mapping[str, Json] = field(default_factory=dict)


def ranges_chart(
    name: str,
    title: str,
    read: str,
    marks: Sequence[Mark],
    x: str,
    *,
    on_hover: Mapping[str, str] | None = None,
    levels: Sequence[Spec] = (),
    choices: Sequence[Choice] = (),
    filtered: str = "true",
    stacked: bool = True,
) -> Chart:
    """Groups from top to bottom in the order of `marks`. `on_hover` names what hover tells besides of a mark; where
    the series of a row are not `stacked`, they lie on one line."""
    known = [mark for mark in marks if mark.value.value is not None]
    series = list({mark.series.name: mark.series for mark in known}.values())
    rows: list[Row] = placed(
        [
            {"group": one.group, "series": one.series.name, **ends(one.value), "small": one.small, **one.more}
            for one in known
        ],
        "group",
    )
    tooltip = hover(
        ("group", "row"), ("series", "of"), ("value", "value"), ("interval", "interval"), *(on_hover or {}).items()
    )
    y = names("group", labelLimit=220, grid=False)
    beside = {"field": "series", "type": "nominal", "scale": {"domain": [one.name for one in series]}}
    off = {"filter": f"indexof(off, datum.series) < 0 && ({filtered})"}
    look: Spec = {"y": y, "color": by_series(series)} | ({"yOffset": beside} if stacked else {})
    across = axis("value", x)
    small = {
        "transform": [off, {"filter": "datum.small"}],
        "mark": {"type": "point", "size": 16, "opacity": 0.55, "filled": False},
        "encoding": {**look, "x": across, "tooltip": tooltip},
    }
    bars = {
        "transform": [off, {"filter": "isValid(datum.low) && isValid(datum.high)"}],
        "mark": {"type": "rule", "strokeWidth": 2.5},
        "encoding": {**look, "x": {**across, "field": "low"}, "x2": {"field": "high"}, "tooltip": tooltip},
    }
    points = {
        "transform": [off, {"filter": "!datum.small"}],
        "mark": {"type": "point", "filled": True, "size": 80, "opacity": 1},
        "encoding": {**look, "x": across, "shape": shape_by_series(series), "tooltip": tooltip},
    }
    has_bars = has_ends(rows)
    drawn = (
        (small, any(one.small for one in known)),
        (bars, has_bars),
        (points, any(not one.small for one in known)),
    )
    layers = [*levels, *(layer for layer, there in drawn if there)]
    count = len({mark.group for mark in known})
    row, mark = ROOMY if count <= FEW else TIGHT
    height = count * (row + mark * (len(series) - 1) if stacked else LINE)
    return chart_of(name, title, read, layers, rows, series=series, choices=choices, height=max(60, height))
