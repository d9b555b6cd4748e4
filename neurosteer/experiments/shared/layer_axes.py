"""Axes over layers, and lines with their intervals on them: what the figures of a whole model share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MultipleLocator

from neurosteer.report.canvas import ACCURACY, GREY, Look, draw_known
from neurosteer.results import Estimate

from .layer_curves import DensePoint

Line = Sequence[tuple[int, Estimate]]  # layer, value
SIDE_LEGEND: Look = {"loc": "outside right center", "frameon": False, "fontsize": 9, "handlelength": 2.6}
BESIDE: Look = {**SIDE_LEGEND, "loc": "upper left", "bbox_to_anchor": (1.01, 1.0), "borderaxespad": 0}
DENSE: Look = {"color": GREY, "alpha": 0.45, "linewidth": 6, "solid_capstyle": "round", "zorder": 1.5}


def accuracy_axis(axes: Axes, others: Sequence[float | None] = ()) -> None:
    """From a little below chance, or the lowest value, to a little above the highest, `others` included."""
    values = [0.5, *extent(axes), *(value for value in others if value is not None)]
    axes.set_ylim(min(values) - 0.03, min(max(values) + 0.05, 1.03))
    axes.yaxis.set_major_locator(MultipleLocator(0.1))
    axes.set_ylabel(ACCURACY)


def extent(axes: Axes) -> list[float]:
    """The lowest and the highest value drawn; nothing where nothing is."""
    return [float(end) for end in axes.dataLim.intervaly if math.isfinite(end)]


def draw_line(axes: Axes, line: Line, look: Look, label: str, *, band: bool = True) -> Line2D | None:
    """One value by layer with its 95 % interval as a band, without the layers where it is not known."""
    layers, values = [layer for layer, _ in line], [one.value for _, one in line]
    if not any(value is not None for value in values):
        return None
    shape: Look = {"linewidth": 1.5, "markersize": 4.5, "markeredgewidth": 0, **look}
    drawn = draw_known(axes, layers, values, label=label, **shape)
    if band:
        draw_interval(axes, line, drawn.get_color())
    return drawn


def draw_interval(axes: Axes, line: Line, colour: Any) -> None:
    """A band from low to high; a bar where a single layer makes no band."""
    known = [(layer, one.low, one.high) for layer, one in line if one.low is not None and one.high is not None]
    layers, low, high = zip(*known, strict=True) if known else ((), (), ())
    if len(known) == 1:
        axes.vlines(layers, low, high, color=colour, alpha=0.3, linewidth=5)
    elif known:
        axes.fill_between(layers, low, high, color=colour, alpha=0.13, linewidth=0)


def draw_dense(axes: Axes, points: Sequence[DensePoint]) -> Line2D:
    """The dense probe, as a broad pale line on which others may lie."""
    marker: Look = {"marker": "o", "markersize": 6} if len(points) == 1 else {}
    layers, values = [point.layer for point in points], [point.accuracy.value for point in points]
    return draw_known(axes, layers, values, label="dense: all units", **DENSE, **marker)
