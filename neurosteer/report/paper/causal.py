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
from neurosteer.report.numbers import p_equals
from neurosteer.vocabulary import LEVEL

from .about import about, counted, share_of
from .matrix import Matrix, as_array, draw_matrix, names_of, reach_of
from .palette import about as scale_about
from .palette import falling
from .sheet import Panel, new_sheet

Row = Mapping[str, Any]
NUMBERED = 14  # tasks whose cells have room for a number
JITTER, GOLDEN = 0.18, 0.618034  # height of a band of dots; multiples of it fill the band evenly
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
    reach = one_reach(list(result["predicted"].values()))
    for panel, method in zip(panels, result["methods"], strict=False):
        _map(panel, result["predicted"][method], result["tasks"], result["phenomena"], reach)
        panel.title(_kind(method))
    draw_groups(panels[-1], result, "predicted")
    return finish(figure)


def measured_figure(outcome: Row, result: Row) -> Figure:
    """The measured cells, one map per method and one scale for all, and their means beside those of controls.

    Where there are controls enough for single cells, rings mark those of q < .05.
    """
    tests = f"{result['controls']} matched controls, up to {result['pairs']} test pairs"
    name = "Causal transfer, measured · Whose neurons matter to whose margin?"
    measured = result["measured"]
    phenomenon_of = dict(zip(result["tasks"], result["phenomena"], strict=True))
    groups = [phenomenon_of[task] for task in measured]
    about_it, names = [*_about(outcome, result), tests], names_of(measured, groups)
    figure, panels = new_sheet(len(result["methods"]) + 1, name, about_it, names)
    cells = {method: [cell for cell in result["cells"] if cell["method"] == method] for method in result["methods"]}
    matrices = {method: square(cells[method], measured) for method in cells}
    reach = one_reach(list(matrices.values()))
    for panel, method in zip(panels, cells, strict=False):
        _map(panel, matrices[method], measured, groups, reach)
        _mark(panel.axes, cells[method], measured, reach)
        panel.title(_kind(method), beneath(result, method))
    draw_groups(panels[-1], result, "measured", result["control_means"])
    return finish(figure)


def one_reach(matrices: Sequence[Matrix]) -> float:
    """Where the scale of several maps ends: equal changes have equal colours."""
    return reach_of(np.concatenate([as_array(matrix).ravel() for matrix in matrices]), LEAST)


def beneath(result: Row, method: str) -> str:
    """The verdicts on all own and all other cells, and how many single ones stand out where those are judged."""
    ps = {row["family"]: row["p"] for row in result["families"] if row["method"] == method}
    told = [f"{kind} {p_equals(ps[kind])}" for kind in ("own", "other") if ps.get(kind) is not None]
    found = result["summary"][method]
    judged = [
        f"{found[f'significant_{kind}']} of {found[f'judged_{kind}']} {kind}"
        for kind in ("own", "other")
        if found[f"significant_{kind}"] is not None
    ]
    rings = [f"q < .05 (rings): {', '.join(judged)}"] if judged else []
    return "; ".join([f"as families: {', '.join(told)}"] * bool(told) + rings)


def square(cells: Sequence[Row], tasks: Sequence[str]) -> list[list[float | None]]:
    """The changes of the margin, sources in rows."""
    found = {(cell["source"], cell["target"]): cell["delta"] for cell in cells}
    return [[found.get((source, target)) for target in tasks] for source in tasks]


def draw_groups(panel: Panel, result: Row, what: str, controls: Sequence[Row] = ()) -> None:
    """Mean change on the task itself, on related and on other tasks; dots are the same means of each control."""
    axes, methods = panel.axes, result["methods"]
    for place, kind in enumerate(GROUPS):
        drawn = 0
        for number, method in enumerate(methods):
            height = place + 0.26 * (number - (len(methods) - 1) / 2)
            rows = [
                row for row in result["effects"] if (row["method"], row["kind"], row["what"]) == (method, kind, what)
            ]
            _dots(axes, [row for row in controls if (row["method"], row["kind"]) == (method, kind)], height, method)
            drawn += _bar(axes, rows, height, method)
        if not drawn:
            at = {"xycoords": ("axes fraction", "data"), "ha": "center", "va": "center"}
            axes.annotate("no such cells", (0.5, place), fontsize=8.5, color=FAINT, **at)  # type: ignore[arg-type]
    axes.axvline(0, color=INK, linewidth=0.8, zorder=1)
    axes.margins(x=0.08)
    panel.name_rows(list(GROUPS.values()), CHANGE)
    panel.title("mean over tasks, 95 % interval")
    keys = [Line2D([], [], linestyle="", markersize=6, label=method, **method_look(method)) for method in methods]
    if controls:
        keys.append(Line2D([], [], linestyle="", marker="o", markersize=3, color=FAINT, label="its matched controls"))
    below: dict[str, Any] = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.12), "ncols": 2, "frameon": False}
    axes.legend(handles=keys, fontsize=8.5, **below)


def _dots(axes: Axes, rows: Sequence[Row], height: float, method: str) -> None:
    """One for each control, spread in height by a fixed pattern so that equal ones can be told apart."""
    known = [row for row in rows if row["delta"] is not None]
    heights = [height + JITTER * ((GOLDEN * (row["control"] + 1)) % 1 - 0.5) for row in known]
    look: dict[str, Any] = {"marker": "o", "markersize": 2.6, "alpha": 0.45, "markeredgewidth": 0, "zorder": 1.5}
    color, values = method_look(method)["color"], [row["delta"] for row in known]
    if known:
        axes.plot(values, heights, linestyle="", color=color, label=f"{method} controls {known[0]['kind']}", **look)


def _bar(axes: Axes, rows: Sequence[Row], height: float, method: str) -> int:
    """A mean change with its interval, if it is known; how many were drawn."""
    known, look = [row for row in rows if row["drop"] is not None], method_look(method)
    for row in known:
        label = f"{method} {row['what']} {row['kind']}"
        axes.plot([-row["drop"]], [height], linestyle="", markersize=6, label=label, **look)
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


def _about(outcome: Row, result: Row) -> list[str]:
    k, width, massive = result["k"], outcome["settings"]["width"], len(result["massive"])
    units = f"{k:,} of {width:,} units ({share_of(k, width)}) set to zero"
    never = [f"the layer's {counted(massive, 'massive unit')} in no set"] if massive else []
    return about(outcome, f"layer {result['layer']}", units, *never)
