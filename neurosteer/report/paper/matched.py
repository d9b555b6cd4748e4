"""Figure 5: the chosen units beside random ones, and how many random ones they are worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from neurosteer.report.canvas import DASHED, INK, VERMILION, finish, headline, new_figure

from .about import about, over_tasks, share_of
from .floor import LEFT_OUT, floor_notes
from .palette import ordered_looks
from .series import BESIDE, accuracy_axis, draw_series, layer_axis, of

Row = Mapping[str, Any]
PAPER = 6  # times as many random units, in the paper
CHOSEN: dict[str, Any] = {"color": VERMILION, "marker": "s", "linewidth": 3.0, "markersize": 6.5, "zorder": 4}
EDGE = 0.955  # of the height of the axes: where arrows stand for what no number of random units matches
HOLLOW: dict[str, Any] = {"color": INK, "markerfacecolor": "white", "zorder": 6}
NO_MATCH = "no number of\nrandom units matches"


def matched_figure(outcome: Row, result: Row) -> Figure:
    """Above, accuracy of the top k and of random sets by layer; below, random units for each chosen one.

    Where even the largest random set falls short there is an arrow at the top, and no number.
    """
    figure = new_figure(9.6, 7.4)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[1.25, 1])
    k, width = result["k"], outcome["settings"]["width"]
    keys = []
    for size, look in zip(result["sizes"], ordered_looks(len(result["sizes"])), strict=True):
        label = f"random {size:,}" + (" (all others)" if size == width - k else "")
        keys.append(draw_series(upper, of(result["curves"], "size", size), "accuracy", look, label, band=False))
    top = draw_series(upper, result["rows"], "top", CHOSEN, f"top {k:,}  ({share_of(k, width)})")
    layers = [row["layer"] for row in result["rows"]]
    layer_axis(upper, layers, named=False)
    accuracy_axis(upper)
    marks = draw_multiples(lower, result["rows"], *extent(result["rows"], result["sizes"], k))
    layer_axis(lower, layers)
    lower.set_ylabel(f"random units that match,\nfor each of the top {k:,}")
    figure.align_ylabels()
    upper.legend(handles=[key for key in [top, *reversed(keys)] if key is not None], **BESIDE)
    lower.legend(handles=marks, **BESIDE)
    about_it = about(outcome, *over_tasks(outcome), *floor_notes(result, result["rows"], LEFT_OUT))
    headline(figure, f"Fig. 5 · How many random units are worth the top {k:,}?", about_it)
    return finish(figure)


def draw_multiples(axes: Axes, rows: Sequence[Row], most: float, top: float) -> list[Line2D]:
    """Multiples with their intervals on a logarithmic axis, named up to `most`; returns what a legend shows of them.

    An arrow at the top is a layer whose top k no random set matches; a bar that ends there, an interval without an
    upper end.
    """
    axes.set_yscale("log", base=2)
    axes.set_ylim(0.8, top)  # what is beyond stands above all that can be matched
    powers = [2**i for i in range(0, 13, 1 if most <= 200 else 2) if 2**i <= 1.1 * most]
    apart = [power for power in powers if not PAPER / 2 < power < 2 * PAPER]  # 4 and 8 would crowd the 6
    names = {power: f"{power:,}×" for power in apart}  # noqa: RUF001  (a multiplication sign)
    names[PAPER] = f"paper: {PAPER}×"  # noqa: RUF001
    axes.set_yticks(list(names), list(names.values()))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.axhline(PAPER, color=INK, linewidth=1.0, linestyle=DASHED, zorder=1)
    _intervals(axes, rows)
    return [*_points(axes, rows), *_arrows(axes, rows)]


def is_beyond(row: Row) -> bool:
    """Whether the top k read something, and no random set as much."""
    return row["top"] is not None and row["multiple"] is None


def no_median(row: Row) -> bool:
    """Whether no random set matches the top k in most tasks."""
    return row["top"] is not None and row["median_multiple"] is None


def extent(rows: Sequence[Row], sizes: Sequence[int], k: int) -> tuple[float, float]:
    """The largest multiple to name, and the top of the axis.

    The largest random set's, and room for arrows above, where any layer is beyond it or may be.
    """
    shown = [row[name] for row in rows for name in ("multiple_high", "median_multiple")]
    if None in shown:
        most = max([*sizes, 2 * PAPER * k]) / k
        return most, 3.2 * most
    most = float(max([*shown, 2 * PAPER]))
    return most, 1.2 * most


def _points(axes: Axes, rows: Sequence[Row]) -> list[Line2D]:
    """Of the mean accuracy, and hollow of the median task; what is drawn of them."""
    drawn = []
    filled: dict[str, Any] = {"color": VERMILION, "marker": "s", "markersize": 5.5, "zorder": 4}
    for key, label, look in (
        ("multiple", "of the mean accuracy,\nwith 95 % interval", filled),
        ("median_multiple", "median task", {**HOLLOW, "marker": "o", "markersize": 4}),
    ):
        known = [row for row in rows if row[key] is not None]
        layers, values = [row["layer"] for row in known], [row[key] for row in known]
        drawn += axes.plot(layers, values, linestyle="", label=label, **look) if known else []
    return drawn


def _arrows(axes: Axes, rows: Sequence[Row]) -> list[Line2D]:
    """At the top, for layers where there is no multiple; what is drawn of them."""
    drawn = []
    filled: dict[str, Any] = {"color": VERMILION, "markersize": 8, "zorder": 5}
    for beyond, height, label, look in (
        (is_beyond, EDGE, NO_MATCH, filled),
        (no_median, EDGE - 0.07, f"{NO_MATCH},\nmedian task", {**HOLLOW, "markersize": 5}),
    ):
        layers = [row["layer"] for row in rows if beyond(row)]
        place: dict[str, Any] = {"transform": axes.get_xaxis_transform(), "linestyle": "", "marker": "^"}
        drawn += axes.plot(layers, [height] * len(layers), label=label, **place, **look) if layers else []
    return drawn


def _intervals(axes: Axes, rows: Sequence[Row]) -> None:
    """From low to high, or to the top where no random set reaches the upper end."""
    top = axes.get_ylim()[1]
    ends = [row for row in rows if row["multiple_low"] is not None]
    closed = [row for row in ends if row["multiple_high"] is not None]
    open_ = [row for row in ends if row["multiple_high"] is None]
    look: dict[str, Any] = {"color": VERMILION, "linewidth": 2.0, "alpha": 0.55, "zorder": 3}
    axes.vlines(
        [row["layer"] for row in closed],
        [row["multiple_low"] for row in closed],
        [row["multiple_high"] for row in closed],
        label="_closed",
        **look,
    )
    axes.vlines(
        [row["layer"] for row in open_],
        [row["multiple_low"] for row in open_],
        [top] * len(open_),
        label="_open",
        **look,
    )
