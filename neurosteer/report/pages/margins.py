"""Pair by pair: margins before and after an edit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from neurosteer.results.effect import PairEffect

from .charts import Chart, Choice, Row, Series, axis, by_series, chart_of, hover, in_rows, level, shape_by_series

OUTCOMES = (Series("lost", 1), Series("gained", 2), Series("still right", 0), Series("still wrong", 7))


def outcome(before: float, after: float) -> Series:
    """Which side of 0 a margin is on, before and after."""
    lost, gained, right, wrong = OUTCOMES
    if before > 0:
        return right if after > 0 else lost
    return gained if after > 0 else wrong


def margins_chart(margins: Sequence[PairEffect], dose: str, others: Mapping[str, Mapping[str, float]]) -> Chart:
    """Every pair by its margin before and after: at `dose`, and from a menu at the `others`, by pair."""
    doses = {dose: {one.pair: one.margin_after for one in margins}, **others}
    points: list[Row] = [
        {
            "pair": one.pair,
            "good": one.sentence_good or "",
            "bad": one.sentence_bad or "",
            "series": outcome(one.margin_before, after[one.pair]).name,
            "before": one.margin_before,
            "after": after[one.pair],
            "at": name,
        }
        for name, after in doses.items()
        for one in margins
        if one.pair in after
    ]
    series = in_rows(OUTCOMES, points)
    menu = [Choice("dose", "Dose", [(name, name) for name in doses])] if others else []
    ends = [float(row[end]) for row in points for end in ("before", "after")]
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
        "transform": [{"filter": "indexof(off, datum.series) < 0" + " && datum.at == dose" * bool(menu)}],
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
    title = "Margins before and after"
    return chart_of("margins", title, read, layers, points, series=series, choices=menu, height=380)
