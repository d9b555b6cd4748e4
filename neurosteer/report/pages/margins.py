"""Pair by pair: margins before and after an edit."""

from __future__ import annotations

from collections.abc import Sequence

from neurosteer.results.effect import PairEffect

from .charts import Chart, Row, Series, axis, by_series, chart_of, hover, in_rows, level, shape_by_series

OUTCOMES = (Series("lost", 1), Series("gained", 2), Series("still right", 0), Series("still wrong", 7))


def outcome(pair: PairEffect) -> Series:
    """Which side of 0 its margin is on, before and after."""
    lost, gained, right, wrong = OUTCOMES
    if pair.margin_before > 0:
        return right if pair.margin_after > 0 else lost
    return gained if pair.margin_after > 0 else wrong


def margins_chart(margins: Sequence[PairEffect]) -> Chart:
    """Every pair by its margin before and after."""
    points: list[Row] = [
        {
            "pair": one.pair,
            "good": one.sentence_good or "",
            "bad": one.sentence_bad or "",
            "series": outcome(one).name,
            "before": one.margin_before,
            "after": one.margin_after,
        }
        for one in margins
    ]
    series = in_rows(OUTCOMES, points)
    ends = [value for one in margins for value in (one.margin_before, one.margin_after)]
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
