"""How many random units are worth each chosen one: the cells and the axes that figure 5 and the controls share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from neurosteer.report.canvas import DASHED, INK, VERMILION, Look, draw_known
from neurosteer.report.numbers import NONE
from neurosteer.report.pages.charts import Chart, Series, level
from neurosteer.report.pages.curves import Curve, Point, curves_chart
from neurosteer.results import Estimate
from neurosteer.vocabulary import Json

from .random_matches import Match

TIMES = 6  # as many random units, in the paper
NO_MATCH = "none"
ARROW = "no number of\nrandom units matches"
EDGE = 0.955  # of the height of the axes: where arrows stand for what no number of random units matches
HOLLOW: Look = {"color": INK, "markerfacecolor": "white", "zorder": 6}


def tasks_cell(row: Match) -> str:
    return f"{row.tasks}" + (f" ({row.excluded} left out)" if row.excluded else "")


def multiple_cell(row: Match) -> str:
    return open_cell(row, row.multiple, times)


def times(value: float | None) -> str:
    """A multiple, with its sign."""
    return NONE if value is None else f"{value:.1f}×"  # noqa: RUF001  (a multiplication sign)


def open_cell(row: Match, number: Estimate, written: Callable[[float], str]) -> str:
    """A number with its interval, either of which may have no upper end; a dash where nothing was read."""
    if number.value is None and not row.beyond:
        return NONE
    text = NO_MATCH if number.value is None else written(number.value)
    if number.low is None:
        return text
    return f"{text} [{written(number.low)}, {NO_MATCH if number.high is None else written(number.high)}]"


def draw_multiples(axes: Axes, rows: Sequence[Match], most: float, top: float) -> list[Line2D]:
    """Multiples with their intervals on a logarithmic axis, named up to `most`; returns what a legend shows of them.

    An arrow at the top is a layer whose top k no random set matches; a bar that ends there, an interval without an
    upper end.
    """
    axes.set_yscale("log", base=2)
    axes.set_ylim(0.8, top)  # what is beyond stands above all that can be matched
    powers = [2**i for i in range(0, 13, 1 if most <= 200 else 2) if 2**i <= 1.1 * most]
    ticks = [power for power in powers if not TIMES / 2 < power < 2 * TIMES]  # 4 and 8 would crowd the 6
    names = {power: f"{power:,}×" for power in ticks}  # noqa: RUF001  (a multiplication sign)
    names[TIMES] = f"paper: {TIMES}×"  # noqa: RUF001
    axes.set_yticks(list(names), list(names.values()))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.axhline(TIMES, color=INK, linewidth=1.0, linestyle=DASHED, zorder=1)
    _draw_intervals(axes, rows)
    return [*_draw_points(axes, rows), *_draw_arrows(axes, rows)]


def multiples_extent(rows: Sequence[Match], sizes: Sequence[int], k: int) -> tuple[float, float]:
    """The largest multiple to name, and the top of the axis.

    The largest random set's, and room for arrows above, where any layer is beyond it or may be.
    """
    shown = [value for row in rows for value in (row.multiple.high, row.median_multiple)]
    known = [value for value in shown if value is not None]
    if len(known) < len(shown):
        most = max([*sizes, 2 * TIMES * k]) / k
        return most, 3.2 * most
    most = max([*known, 2.0 * TIMES])
    return most, 1.2 * most


def _draw_points(axes: Axes, rows: Sequence[Match]) -> list[Line2D]:
    """Of the mean accuracy, and hollow of the median task; what is drawn of them."""
    filled: Look = {"color": VERMILION, "marker": "s", "markersize": 5.5, "zorder": 4}
    series = (
        ([row.multiple.value for row in rows], "of the mean accuracy,\nwith 95 % interval", filled),
        ([row.median_multiple for row in rows], "median task", {**HOLLOW, "marker": "o", "markersize": 4}),
    )
    return [
        draw_known(axes, [row.layer for row in rows], values, linestyle="", label=label, **look)
        for values, label, look in series
        if any(value is not None for value in values)
    ]


def _draw_arrows(axes: Axes, rows: Sequence[Match]) -> list[Line2D]:
    """At the top, for layers where there is no multiple; what is drawn of them."""
    drawn: list[Line2D] = []
    filled: Look = {"color": VERMILION, "markersize": 8, "zorder": 5}
    hollow: Look = {**HOLLOW, "markersize": 5}
    series = (
        ([row.layer for row in rows if row.beyond], EDGE, ARROW, filled),
        ([row.layer for row in rows if row.lacks_median], EDGE - 0.07, f"{ARROW},\nmedian task", hollow),
    )
    place: Look = {"transform": axes.get_xaxis_transform(), "linestyle": "", "marker": "^"}
    for layers, height, label, look in series:
        drawn += axes.plot(layers, [height] * len(layers), label=label, **place, **look) if layers else []
    return drawn


def _draw_intervals(axes: Axes, rows: Sequence[Match]) -> None:
    """From low to high, or to the top where no random set reaches the upper end."""
    top = axes.get_ylim()[1]
    look: Look = {"color": VERMILION, "linewidth": 2.0, "alpha": 0.55, "zorder": 3}
    for open_, label in ((False, "_closed"), (True, "_open")):
        ends = [
            (row.layer, row.multiple.low, row.multiple.high or top)
            for row in rows
            if row.multiple.low is not None and (row.multiple.high is None) is open_
        ]
        layers, low, high = zip(*ends, strict=True) if ends else ((), (), ())
        axes.vlines(layers, low, high, label=label, **look)


def multiples_chart(name: str, k: int, matches: Mapping[str, Sequence[Match]], sizes: Sequence[int]) -> Chart:
    """Multiples over layers, a line for each of `matches`; at the top those that no number of units matches."""
    every = [row for rows in matches.values() for row in rows]
    _, top = multiples_extent(every, sizes, k)
    curves: list[Curve] = []
    for place, (label, rows) in enumerate(matches.items()):
        own = [Point(row.layer, row.multiple, _told(row, top)) for row in rows]
        beyond = [Point(row.layer, Estimate(top), _told(row, top)) for row in rows if row.beyond]
        curves += [Curve(Series(label, place + 1, width=2.5), own)]
        curves += [Curve(Series(f"{label}: none matches", place + 1, dashed=True, width=0.0), beyond)]
    if len(matches) == 1:
        medians = [Point(row.layer, Estimate(row.median_multiple), _told(row, top)) for row in every]
        curves.append(Curve(Series("median task", 7, dashed=True, width=0.8), medians))
    return curves_chart(
        name,
        f"Random units for each of the top {k:,}",
        f"How many random units read as much as the top {k:,} together, for each of these, on a logarithmic scale; "
        "marks at the top: not even all others do. A bar up to the top has no upper end.",
        curves,
        f"random units that match, for each of the {k:,}",
        on_hover={"reading": "random units that match"},
        bars=True,
        levels=level(TIMES, f"paper: {TIMES}"),
        scale={"type": "log", "base": 2, "nice": False, "domain": [0.8, top]},
    )


def _told(row: Match, top: float) -> dict[str, Json]:
    """What is told of a layer; an interval without an upper end is drawn up to the top."""
    told: dict[str, Json] = {"reading": multiple_cell(row), "tasks": row.tasks}
    open_ = row.multiple.low is not None and row.multiple.high is None
    return told | ({"low": row.multiple.low, "high": top} if open_ and not row.beyond else {})
