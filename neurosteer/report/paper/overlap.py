"""Do tasks share neurons? Their overlap as heat maps, within and across phenomena, and from draw to draw."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from neurosteer.report.canvas import DASHED, INK, ON_WHITE, SMALL, finish, method_look
from neurosteer.report.numbers import number, p_equals

from .about import about, share_of
from .matrix import as_array, draw_matrix, names_of, reach_of
from .palette import shares
from .sheet import Panel, new_sheet
from .table import mean

Row = Mapping[str, Any]
KINDS = {"folds": "other pairs\nof the task", "seeds": "other splits,\nother seeds"}
GROUPS = {"within": "two tasks of\none phenomenon", "across": "two tasks of\ntwo phenomena"}
CHANCE: dict[str, Any] = {"color": INK, "linewidth": 1.2, "linestyle": DASHED}
ACROSS = 0.62  # of a row, over which the dots of its tasks are spread


def overlap_figure(outcome: Row, result: Row) -> Figure:
    """One heat map per method; below, the means within and across phenomena, and how stable the sets are."""
    k, width, methods = result["k"], result["width"], result["methods"]
    about_it = about(outcome, f"layer {result['layer']}", f"{k:,} of {width:,} units ({share_of(k, width)})")
    name, names = "Overlap · Do tasks share their neurons?", names_of(result["tasks"], result["phenomena"])
    figure, panels = new_sheet(len(methods) + 2, name, about_it, names, foot=0.75)
    for panel, method in zip(panels, methods, strict=False):
        _map(panel, result, method)
    _groups(panels[-2], result)
    _stability(panels[-1], result)
    return finish(figure)


def _map(panel: Panel, result: Row, method: str) -> None:
    values = as_array(result["matrices"][method])
    apart = values[np.eye(*values.shape) == 0]
    chance = result["chance"][method]
    reach = min(reach_of(apart, max(4 * (chance or 0), 2 / result["k"])), 1.0)
    rows = "neurons of" if panel.first else ""
    look: dict[str, Any] = {"rows": rows, "columns": "shared with"}
    colours = (shares(), Normalize(0, reach))
    tasks, phenomena = result["tasks"], result["phenomena"]
    image = draw_matrix(panel.axes, result["matrices"][method], tasks, phenomena, colours, **look)
    by_chance = "" if chance is None else f" (by chance {number(chance, 3)})"
    panel.colour_bar(image, f"shared part of the {result['k']:,}{by_chance}")
    panel.title(method)


def _groups(panel: Panel, result: Row) -> None:
    """Mean overlap within and across phenomena, and p of a difference as large by chance."""
    axes = panel.axes
    places = dict(zip(GROUPS, (0.0, 1.0), strict=True))
    methods = result["methods"]
    for number_, method in enumerate(methods):
        shift = 0.3 * (number_ - (len(methods) - 1) / 2)
        known = [(result[group][method], place + shift) for group, place in places.items()]
        known = [(value, place) for value, place in known if value is not None]
        p = result["p"][method]
        label = method if p is None else f"{method}: {p_equals(p)}"
        values, rows = [value for value, _ in known], [place for _, place in known]
        axes.plot(values, rows, linestyle="", markersize=8, label=label, **method_look(method))
        for value, place in known:
            text = axes.annotate(number(value, 3), (value, place), xytext=(8, 0), va="center", **SMALL)
            text.set_bbox(ON_WHITE)
            _chance(axes, result["chance"][method], place, 0.14)
    panel.name_rows(list(GROUPS.values()), "shared part of the sets")
    panel.title("mean over pairs of tasks")
    axes.margins(x=0.2)
    axes.set_xlim(left=0)
    keys, _ = axes.get_legend_handles_labels()
    drawn = any(chance is not None for chance in result["chance"].values())
    keys += [Line2D([], [], label="by chance", **CHANCE)] if drawn else []
    axes.legend(handles=keys, loc="lower right", frameon=False, fontsize=9)


def _stability(panel: Panel, result: Row) -> None:
    """Every task as a dot, in the order of the heat maps; a line across at the median, a dashed one at chance."""
    axes = panel.axes
    names: list[str] = []
    for kind, label in KINDS.items():
        for method in result["methods"]:
            of_method = [row for row in result["stability"] if row["method"] == method]
            values = [row[kind] for row in of_method]
            known = [value for value in values if value is not None]
            rows = len(names) + ACROSS * (np.arange(len(known)) + 0.5 - len(known) / 2) / max(len(known), 1)
            dots: dict[str, Any] = {**method_look(method), "linestyle": "", "markersize": 3.5, "alpha": 0.75}
            axes.plot(known, rows, label=f"{kind} {method}", markeredgewidth=0, **dots)
            edge = ACROSS / 2 + 0.08
            if known:
                axes.vlines(np.median(known), len(names) - edge, len(names) + edge, color=INK, linewidth=1.6)
            by_chance = mean([row["chance"] for row in of_method]) if kind == "folds" else result["chance"][method]
            _chance(axes, by_chance, len(names), edge)
            names.append(f"{method}:\n{label}")
    panel.name_rows(names, "shared part of the sets; line: median; dashed: by chance")
    panel.title("the same task, found again: one dot a task")
    axes.set_xlim(-0.03, 1.03)


def _chance(axes: Axes, value: float | None, row: float | int, reach: float) -> None:
    """A dashed line across a row, so far above and below its middle, where chance is known."""
    if value is not None:
        axes.vlines(value, row - reach, row + reach, label="_chance", zorder=1.8, **CHANCE)
