"""Does what is encoded predict what is used? Measured against predicted cells, and how matrices agree."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter

from neurosteer.experiments.experiment import Caption
from neurosteer.experiments.scope import Scope
from neurosteer.report.canvas import (
    DASHED,
    INK,
    LEGEND,
    Look,
    draw_known,
    finish,
    headline,
    method_look,
    new_figure,
    panel_title,
    plain,
)
from neurosteer.report.panels import SquarePanel, vertical_grid

from .result import CausalTransfer, Compared

LINEAR = 0.1  # nats about zero that are drawn to scale; beyond, each step is ten times the last
CELL: Look = {"color": INK, "marker": "o"}
MINUS = "−"  # noqa: RUF001  (as at the other axes)
WORDS: Mapping[Compared, str] = {
    "probe transfer ~ causal": "probe transfer\n~ measured",
    "set overlap ~ causal": "shared neurons\n~ measured",
    "predicted ~ measured": "predicted\n~ measured",
    "probe transfer ~ predicted": "probe transfer\n~ predicted",
    "set overlap ~ predicted": "shared neurons\n~ predicted",
}


def draw_agreement(result: CausalTransfer, scope: Scope) -> Figure:
    """On the left every measured cell beside its prediction; on the right rank correlations over cells."""
    figure = new_figure(11.4, 6.2)
    left, right = figure.subplots(1, 2)
    _draw_cells(left, result)
    _draw_correlations(right, result)
    looks: dict[str, Look] = {method: method_look(method) for method in result.methods}
    looks |= {"cell of a task itself": CELL, "of two tasks": {**CELL, "markerfacecolor": "none"}}
    keys = [Line2D([], [], linestyle="", markersize=6, label=label, **look) for label, look in looks.items()]
    figure.legend(handles=keys, ncols=len(keys), **LEGEND)
    name = "Causal transfer · Does what is encoded predict what is used?"
    headline(figure, name, scope.subtitle(f"layer {result.layer}", f"{len(result.measured)} tasks measured"))
    return finish(figure)


def agreement_caption(_: Scope) -> Caption:
    return Caption(
        "First, measured cells beside their predictions; axes are linear near 0 and logarithmic beyond; on the "
        "dashed line both agree. Then, rank correlations over cells of two different tasks: do transfer of probes "
        "and shared neurons (what is encoded) foretell what an ablation does (what is used)?",
        "Cause and effect between the matrices: a task with a large margin has large changes whoever's neurons go.",
    )


def _draw_cells(axes: Axes, result: CausalTransfer) -> None:
    """Own cells filled, all others hollow; on the dashed line prediction and measurement are the same."""
    limits = [LINEAR, -LINEAR]
    shapes: dict[bool, Look] = {False: {"markersize": 4, "markerfacecolor": "none"}, True: {"markersize": 6}}
    for method, (own, shape) in product(result.methods, shapes.items()):
        cells = [cell for cell in result.cells_of(method) if cell.own is own]
        look: Look = {**method_look(method), **shape, "linestyle": "", "markeredgewidth": 0.8, "zorder": 3 + own}
        look["label"] = f"{method} {'own' if own else 'other'}"
        points = draw_known(axes, [cell.predicted for cell in cells], [cell.delta for cell in cells], **look)
        limits += np.asarray(points.get_xydata()).ravel().tolist()
    plain(axes)
    vertical_grid(axes)
    for axis, scale, limit in (
        (axes.xaxis, axes.set_xscale, axes.set_xlim),
        (axes.yaxis, axes.set_yscale, axes.set_ylim),
    ):
        scale("symlog", linthresh=LINEAR)
        limit(1.25 * min(limits), 1.25 * max(limits))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}".replace("-", MINUS)))
    axes.axline((-1e-3, -1e-3), (1e-3, 1e-3), color=INK, linewidth=1.0, linestyle=DASHED, zorder=1)
    axes.set_xlabel("predicted change of the mean margin (nats)")
    axes.set_ylabel("measured change (nats)")
    panel_title(axes, "measured cells")


def _draw_correlations(axes: Axes, result: CausalTransfer) -> None:
    """Spearman over cells off the diagonal, with the interval over tasks."""
    compared, methods = list(WORDS), result.methods
    for number, method in enumerate(methods):
        shift = 0.22 * (number - (len(methods) - 1) / 2)
        rows = [row for row in result.agreement if row.method == method]
        values, heights = [row.spearman for row in rows], [compared.index(row.what) + shift for row in rows]
        look: Look = {**method_look(method), "linestyle": "", "markersize": 6, "label": method}
        marks = draw_known(axes, values, heights, **look)
        for row, height in zip(rows, heights, strict=True):
            if row.low is not None and row.high is not None:
                axes.hlines(height, row.low, row.high, color=marks.get_color(), linewidth=1.6)
    axes.axvline(0, color=INK, linewidth=0.8, zorder=1)
    axes.set_xlim(-1.05, 1.05)
    SquarePanel(axes, first=True).name_rows(list(WORDS.values()), "Spearman over cells, 95 % interval over tasks")
    panel_title(axes, "agreement of matrices, without own cells")
