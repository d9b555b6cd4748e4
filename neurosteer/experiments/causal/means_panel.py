"""A panel of mean changes: of the task itself, of related and of other tasks, beside the same means of controls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from neurosteer.report.canvas import FAINT, INK, Look, method_look
from neurosteer.report.sheet import Panel
from neurosteer.vocabulary import Method

from .result import CausalTransfer, ControlMean, Kind, MeanDrop

JITTER, GOLDEN = 0.18, 0.618034  # height of a band of dots; multiples of it fill the band evenly
CHANGE = "change of the mean margin (nats)"
GROUPS: Mapping[Kind, str] = {
    "own": "the task itself",
    "related": "others of its\nphenomenon",
    "unrelated": "tasks of other\nphenomena",
}


def draw_means(
    panel: Panel,
    result: CausalTransfer,
    what: Literal["measured", "predicted"],
    controls: Sequence[ControlMean] = (),
) -> None:
    """A row for each kind of cell, a mark with its interval for each method; dots are the means of each control."""
    axes, methods, means = panel.axes, result.methods, result.mean_drops(what)
    for place, kind in enumerate(GROUPS):
        drawn = 0
        for number, method in enumerate(methods):
            height = place + 0.26 * (number - (len(methods) - 1) / 2)
            _draw_dots(axes, [row for row in controls if (row.method, row.kind) == (method, kind)], height)
            drawn += _draw_mean(axes, means[method, kind], height)
        if not drawn:
            at = {"xycoords": ("axes fraction", "data"), "ha": "center", "va": "center"}
            axes.annotate("no such cells", (0.5, place), fontsize=8.5, color=FAINT, **at)  # type: ignore[arg-type]
    axes.axvline(0, color=INK, linewidth=0.8, zorder=1)
    axes.margins(x=0.08)
    panel.name_rows(list(GROUPS.values()), CHANGE)
    panel.title("mean over tasks, 95 % interval")
    keys = [_key(method) for method in methods]
    if controls:
        keys.append(Line2D([], [], linestyle="", marker="o", markersize=3, color=FAINT, label="its matched controls"))
    below: Look = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.12), "ncols": 2, "frameon": False}
    axes.legend(handles=keys, fontsize=8.5, **below)


def _key(method: Method) -> Line2D:
    return Line2D([], [], linestyle="", markersize=6, label=method, **method_look(method))


def _draw_dots(axes: Axes, rows: Sequence[ControlMean], height: float) -> None:
    """One for each control, spread in height by a fixed pattern so that equal ones can be told apart."""
    known = [(row.control, row.delta) for row in rows if row.delta is not None]
    if not known:
        return
    method, kind = rows[0].method, rows[0].kind
    heights = [height + JITTER * ((GOLDEN * (control + 1)) % 1 - 0.5) for control, _ in known]
    look: Look = {"marker": "o", "markersize": 2.6, "alpha": 0.45, "markeredgewidth": 0, "zorder": 1.5}
    look |= {"color": method_look(method)["color"], "label": f"{method} controls {kind}"}
    axes.plot([delta for _, delta in known], heights, linestyle="", **look)


def _draw_mean(axes: Axes, row: MeanDrop, height: float) -> bool:
    """A mean change with its interval; whether it is known."""
    change, look = row.change, method_look(row.method)
    if change.value is None:
        return False
    label = f"{row.method} {row.what} {row.kind}"
    axes.plot([change.value], [height], linestyle="", markersize=6, label=label, **look)
    if change.low is not None and change.high is not None:
        axes.hlines(height, change.low, change.high, color=look["color"], linewidth=1.6, zorder=1.9)
    return True
