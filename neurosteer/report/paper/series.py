"""Lines by layer: what the figures of a whole model share."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MultipleLocator

from neurosteer.report.canvas import GREY, layer_ticks, plain

Row = Mapping[str, Any]
LAYER = "layer (block, counted from 0)"
ACCURACY = "test accuracy (share of sentences)"
SIDE_LEGEND: dict[str, Any] = {"loc": "outside right center", "frameon": False, "fontsize": 9, "handlelength": 2.6}
BESIDE: dict[str, Any] = {**SIDE_LEGEND, "loc": "upper left", "bbox_to_anchor": (1.01, 1.0), "borderaxespad": 0}
DENSE: dict[str, Any] = {"color": GREY, "alpha": 0.45, "linewidth": 6, "solid_capstyle": "round", "zorder": 1.5}


def layer_axis(axes: Axes, layers: Sequence[int], *, named: bool = True, bins: int = 16) -> None:
    """The layers that were measured below, horizontal grid lines behind."""
    axes.set_xlim(min(layers, default=0) - 0.6, max(layers, default=0) + 0.6)
    layer_ticks(axes, layers, bins)
    if named:
        axes.set_xlabel(LAYER)
    plain(axes)


def accuracy_axis(axes: Axes, others: Sequence[float | None] = ()) -> None:
    """From a little below chance, or the lowest value, to a little above the highest, `others` included."""
    values = [0.5, *extent(axes), *(value for value in others if value is not None)]
    axes.set_ylim(min(values) - 0.03, min(max(values) + 0.05, 1.03))
    axes.yaxis.set_major_locator(MultipleLocator(0.1))
    axes.set_ylabel(ACCURACY)


def extent(axes: Axes) -> list[float]:
    """The lowest and the highest value drawn; nothing where nothing is."""
    return [float(end) for end in axes.dataLim.intervaly if math.isfinite(end)]


def draw_series(
    axes: Axes, rows: Sequence[Row], key: str, look: Mapping[str, Any], label: str, *, band: bool = True
) -> Line2D | None:
    """One value by layer with its 95 % interval as a band, without the layers where it is not known."""
    known = [row for row in rows if row[key] is not None]
    if not known:
        return None
    layers, values = [row["layer"] for row in known], [row[key] for row in known]
    shape: dict[str, Any] = {"linewidth": 1.5, "markersize": 4.5, "markeredgewidth": 0, **look}
    (line,) = axes.plot(layers, values, label=label, **shape)
    if band:
        draw_interval(axes, known, key, look["color"])
    return line


def draw_interval(axes: Axes, rows: Sequence[Row], key: str, colour: Any) -> None:
    """A band from `<key>_low` to `<key>_high`; bars where a single layer makes no band."""
    known = [row for row in rows if row[f"{key}_low"] is not None and row[f"{key}_high"] is not None]
    layers, low, high = ([row[name] for row in known] for name in ("layer", f"{key}_low", f"{key}_high"))
    if len(known) == 1:
        axes.vlines(layers, low, high, color=colour, alpha=0.3, linewidth=5)
    elif known:
        axes.fill_between(layers, low, high, color=colour, alpha=0.13, linewidth=0)


def draw_dense(axes: Axes, rows: Sequence[Row]) -> Line2D:
    """The dense probe, as a broad pale line on which others may lie."""
    marker: dict[str, Any] = {"marker": "o", "markersize": 6} if len(rows) == 1 else {}
    known = [row for row in rows if row["accuracy"] is not None]
    layers, values = [row["layer"] for row in known], [row["accuracy"] for row in known]
    (line,) = axes.plot(layers, values, label="dense: all units", **DENSE, **marker)
    return line


def of(rows: Sequence[Row], key: str, value: float | int) -> list[Row]:
    """The rows of one point of a grid."""
    return [row for row in rows if row[key] == value]
