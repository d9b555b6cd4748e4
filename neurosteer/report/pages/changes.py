"""What an edit changes, as rows and a chart: a set beside its matched controls."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from neurosteer.report.numbers import NONE, change, divergence, number, p_equals, span
from neurosteer.results.effect import Change, Controls
from neurosteer.vocabulary import counted

from .charts import (
    Chart,
    Row,
    Series,
    axis,
    by_series,
    chart_of,
    hover,
    in_rows,
    level,
    names,
    placed,
    shape_by_series,
)

CHANGE = "change of the mean margin (nats)"
CONTROL = Series("controls", 7)


def own_series(noun: str, count: int) -> Series:
    """What was edited or asked about, as a legend names it: `these heads`."""
    return Series(f"this {noun}" if count == 1 else f"these {noun}s", 1)


def changes(name: str, one: Change, of: Series) -> Iterator[Row]:
    """A row of a set, and one for each of its controls."""
    told = beside(one.controls)
    own: Row = {"set": name, "series": of.name, "value": one.delta, "low": one.low, "high": one.high}
    interval_text = f"{change(one.low)} to {change(one.high)}"
    kl = divergence(one.kl)
    yield {**own, "interval": interval_text, "beside": told, "accuracy": number(one.accuracy, 3), "kl": kl}
    for i, delta in enumerate(one.controls.deltas if one.controls else (), start=1):
        more: Row = {"set": name, "series": CONTROL.name, "value": delta, "low": None, "high": None}
        yield {**more, "interval": f"control {i}", "beside": told, "accuracy": NONE, "kl": NONE}


def beside(controls: Controls | None) -> str:
    if controls is None:
        return "none"
    found = f"{counted(controls.n, 'set')}: mean {change(controls.delta_mean)}, "
    return f"{found}{span(controls.delta_low, controls.delta_high)}; {p_equals(controls.p)}"


def changes_chart(name: str, title: str, rows: Sequence[Row], of: Series) -> Chart:
    """A line for each set: its change with the interval, and those of its controls."""
    series = in_rows((of, CONTROL), rows)
    rows = placed(rows, "set")
    y = names("set", labelLimit=240, grid=False)
    x = axis("value", CHANGE, scale={"zero": True})
    shown = {"filter": "indexof(off, datum.series) < 0"}
    own = {"filter": f"datum.series == '{of.name}'"}
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
