"""The causal transfer matrix: what ablating one task's neurons does to the margin of another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from neurosteer.report.canvas import FAINT, INK, finish, method_look
from neurosteer.report.effect_figures import KINDS

from .about import about, counted, share_of
from .matrix import Matrix, as_array, draw_matrix, names_of, reach_of
from .palette import about as scale_about
from .palette import falling
from .sheet import Panel, new_sheet

Row = Mapping[str, Any]
LEVEL = 0.05  # of q
NUMBERED = 14  # tasks whose cells have room for a number
LEAST = 0.01  # nats; what a colour scale spans at least
CHANGE = "change of the mean margin (nats)"
GROUPS = {"own": "the task itself", "related": "others of its\nphenomenon", "unrelated": "tasks of other\nphenomena"}
AXES = {"rows": "neurons of (ablated)", "columns": "margin of"}


def predicted_figure(outcome: Row, result: Row) -> Figure:
    """All cells as attributions predict them, one map per method, and their means."""
    about_it = [*_about(outcome, result), "predicted to first order from attributions"]
    name = "Causal transfer, predicted · Whose neurons matter to whose margin?"
    names = names_of(result["tasks"], result["phenomena"])
    figure, panels = new_sheet(len(result["methods"]) + 1, name, about_it, names)
    for panel, method in zip(panels, result["methods"], strict=False):
        matrix = result["predicted"][method]
        _map(panel, matrix, result["tasks"], result["phenomena"], reach_of(as_array(matrix), LEAST))
        panel.title(_kind(method))
    draw_groups(panels[-1], result, ("predicted",))
    return finish(figure)


def measured_figure(outcome: Row, result: Row) -> Figure:
    """The measured cells, one map per method, with a ring where q < .05, and their means."""
    tests = f"{result['controls']} matched controls, up to {result['pairs']} test pairs"
    name = "Causal transfer, measured · Whose neurons matter to whose margin?"
    measured = result["measured"]
    phenomenon_of = dict(zip(result["tasks"], result["phenomena"], strict=True))
    groups = [phenomenon_of[task] for task in measured]
    about_it, names = [*_about(outcome, result), tests], names_of(measured, groups)
    figure, panels = new_sheet(len(result["methods"]) + 1, name, about_it, names)
    for panel, method in zip(panels, result["methods"], strict=False):
        cells = [cell for cell in result["cells"] if cell["method"] == method]
        matrix = square(cells, measured)
        reach = reach_of(as_array(matrix), LEAST)
        _map(panel, matrix, measured, groups, reach)
        _mark(panel.axes, cells, measured, reach)
        panel.title(_kind(method), f"q < .05 (rings): {_significant(result, method)}")
    draw_groups(panels[-1], result, ("measured", "beyond controls"))
    return finish(figure)


def square(cells: Sequence[Row], tasks: Sequence[str]) -> list[list[float | None]]:
    """The changes of the margin, sources in rows."""
    found = {(cell["source"], cell["target"]): cell["delta"] for cell in cells}
    return [[found.get((source, target)) for target in tasks] for source in tasks]


def draw_groups(panel: Panel, result: Row, whats: Sequence[str]) -> None:
    """Mean change on the task itself, on related and on other tasks; hollow what follows the first of `whats`."""
    axes, methods = panel.axes, result["methods"]
    for place, kind in enumerate(GROUPS):
        drawn = 0
        for number, method in enumerate(methods):
            for order, what in enumerate(whats):
                height = place + 0.26 * (number - (len(methods) - 1) / 2) + 0.11 * order
                asked = (method, kind, what)
                rows = [row for row in result["effects"] if (row["method"], row["kind"], row["what"]) == asked]
                drawn += _bar(axes, rows, height, method, filled=not order)
        if not drawn:
            at = {"xycoords": ("axes fraction", "data"), "ha": "center", "va": "center"}
            axes.annotate("no such cells", (0.5, place), fontsize=8.5, color=FAINT, **at)  # type: ignore[arg-type]
    axes.axvline(0, color=INK, linewidth=0.8, zorder=1)
    axes.margins(x=0.08)
    panel.name_rows(list(GROUPS.values()), CHANGE)
    panel.title("mean over tasks, 95 % interval")
    keys = [Line2D([], [], linestyle="", markersize=6, label=method, **method_look(method)) for method in methods]
    if len(whats) > 1:
        look: dict[str, Any] = {"color": INK, "marker": "o", "markerfacecolor": "white"}
        keys.append(Line2D([], [], linestyle="", markersize=6, label="beyond the mean of its controls", **look))
    below: dict[str, Any] = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.12), "ncols": 2, "frameon": False}
    axes.legend(handles=keys, fontsize=8.5, **below)


def _bar(axes: Axes, rows: Sequence[Row], height: float, method: str, *, filled: bool) -> int:
    """A mean change with its interval, if it is known; how many were drawn."""
    known, look = [row for row in rows if row["drop"] is not None], method_look(method)
    for row in known:
        fill = look["color"] if filled else "white"
        label = f"{method} {row['what']} {row['kind']}"
        axes.plot([-row["drop"]], [height], linestyle="", markersize=6, markerfacecolor=fill, label=label, **look)
        if row["low"] is not None and row["high"] is not None:
            axes.hlines(height, -row["high"], -row["low"], color=look["color"], linewidth=1.6, zorder=1.9)
    return len(known)


def _map(panel: Panel, matrix: Matrix, tasks: Sequence[str], groups: Sequence[str], reach: float) -> None:
    rows = AXES["rows"] if panel.first else ""
    colours = (falling(), scale_about(0.0, reach))
    image = draw_matrix(panel.axes, matrix, tasks, groups, colours, rows=rows, columns=AXES["columns"])
    panel.colour_bar(image, CHANGE)


def _mark(axes: Axes, cells: Sequence[Row], tasks: Sequence[str], reach: float) -> None:
    """A ring where a cell stands out among its controls; the changes as numbers where cells have room for them."""
    place, few = {task: i for i, task in enumerate(tasks)}, len(tasks) <= NUMBERED
    for cell in cells if few else ():
        if cell["delta"] is not None:
            at = (place[cell["target"]], place[cell["source"]] + 0.1)
            colour = "white" if cell["delta"] < -0.5 * reach else INK
            axes.annotate(written(cell["delta"]), at, ha="center", va="center", fontsize=6.2, color=colour)
    rings = [cell for cell in cells if cell["q"] is not None and cell["q"] < LEVEL]
    corner = 0.32 if few else 0.0
    columns, rows = ([place[cell[end]] for cell in rings] for end in ("target", "source"))
    look: dict[str, Any] = {"s": 12 if few else 5, "facecolors": "white", "edgecolors": INK, "linewidths": 0.7}
    axes.scatter(np.array(columns) + corner, np.array(rows) - corner, label="q < .05", zorder=5, **look)


def written(delta: float) -> str:
    """A change in as few letters as a cell holds: `-1.2`, `+.03`."""
    digits = 2 if abs(delta) < 0.995 else 1 if abs(delta) < 99.5 else 0
    text = f"{delta:+.{digits}f}"
    bare = text.lstrip("+-") if float(text) == 0 else text
    return bare.replace("0.", ".", 1).replace("-", "−")  # noqa: RUF001  (a minus sign)


def _kind(method: str) -> str:
    return f"{method} ({KINDS[method]})" if method in KINDS else method


def stand_out(result: Row, method: str, kind: str) -> tuple[int, int, int]:
    """Of a task's `own` cells, or of all `other` ones: how many stand out, of how many tested, and how many are not.

    Not tested are cells without a q: a set is empty, or its controls are too few or too alike.
    """
    cells = [cell for cell in result["cells"] if cell["method"] == method]
    untested = sum(cell["q"] is None and (cell["source"] == cell["target"]) is (kind == "own") for cell in cells)
    found = result["summary"][method]
    return found[f"significant_{kind}"], found[f"cells_{kind}"] - untested, untested


def _significant(result: Row, method: str) -> str:
    own, other = (stand_out(result, method, kind) for kind in ("own", "other"))
    untested = own[2] + other[2]
    more = f"; {untested} not tested" if untested else ""
    return f"{own[0]} of {own[1]} own, {other[0]} of {other[1]} other cells{more}"


def _about(outcome: Row, result: Row) -> list[str]:
    k, width, massive = result["k"], outcome["settings"]["width"], len(result["massive"])
    units = f"{k:,} of {width:,} units ({share_of(k, width)}) set to zero"
    never = [f"the layer's {counted(massive, 'massive unit')} in no set"] if massive else []
    return about(outcome, f"layer {result['layer']}", units, *never)
