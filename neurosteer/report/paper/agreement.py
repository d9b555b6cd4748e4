"""Does what is encoded predict what is used? Measured against predicted cells, and how matrices agree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter

from neurosteer.report.canvas import DASHED, INK, LEGEND, finish, headline, method_look, new_figure, plain

from .about import about
from .sheet import Panel, vertical_grid

Row = Mapping[str, Any]
LINEAR = 0.1  # nats about zero that are drawn to scale; beyond, each step is ten times the last
CELL: dict[str, Any] = {"color": INK, "marker": "o"}
MINUS = "−"  # noqa: RUF001  (as at the other axes)
WORDS = {
    "probe transfer ~ causal": "probe transfer\n~ measured",
    "set overlap ~ causal": "shared neurons\n~ measured",
    "predicted ~ measured": "predicted\n~ measured",
    "probe transfer ~ predicted": "probe transfer\n~ predicted",
    "set overlap ~ predicted": "shared neurons\n~ predicted",
}


def agreement_figure(outcome: Row, result: Row) -> Figure:
    """On the left every measured cell beside its prediction; on the right rank correlations over cells."""
    figure = new_figure(11.4, 6.2)
    left, right = figure.subplots(1, 2)
    _cells(left, result)
    _agreements(right, result)
    keys = [_key(method, method_look(method)) for method in result["methods"]]
    keys += [_key("cell of a task itself", CELL), _key("of two tasks", {**CELL, "markerfacecolor": "none"})]
    figure.legend(handles=keys, ncols=len(keys), **LEGEND)
    layer = f"layer {result['layer']}"
    name = "Causal transfer · Does what is encoded predict what is used?"
    headline(figure, name, about(outcome, layer, f"{len(result['measured'])} tasks measured"))
    return finish(figure)


def _key(label: str, look: Row) -> Line2D:
    return Line2D([], [], linestyle="", markersize=6, label=label, **look)


def _cells(axes: Axes, result: Row) -> None:
    """Own cells filled, all others hollow; on the dashed line prediction and measurement are the same."""
    cells = [cell for cell in result["cells"] if cell["delta"] is not None and cell["predicted"] is not None]
    for method in result["methods"]:
        look = method_look(method)
        for own in (False, True):
            part = [c for c in cells if c["method"] == method and (c["source"] == c["target"]) is own]
            fill = look["color"] if own else "none"
            shape: dict[str, Any] = {"markersize": 6 if own else 4, "markerfacecolor": fill, **look}
            x, y = [cell["predicted"] for cell in part], [cell["delta"] for cell in part]
            label = f"{method} {'own' if own else 'other'}"
            axes.plot(x, y, linestyle="", label=label, markeredgewidth=0.8, zorder=3 + own, **shape)
    plain(axes)
    vertical_grid(axes)
    ends = [LINEAR, -LINEAR, *(cell[name] for cell in cells for name in ("delta", "predicted"))]
    for axis, scale, limit in (
        (axes.xaxis, axes.set_xscale, axes.set_xlim),
        (axes.yaxis, axes.set_yscale, axes.set_ylim),
    ):
        scale("symlog", linthresh=LINEAR)
        limit(1.25 * min(ends), 1.25 * max(ends))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}".replace("-", MINUS)))
    axes.axline((-1e-3, -1e-3), (1e-3, 1e-3), color=INK, linewidth=1.0, linestyle=DASHED, zorder=1)
    axes.set_xlabel("predicted change of the mean margin (nats)")
    axes.set_ylabel("measured change (nats)")
    axes.set_title("measured cells", fontsize=10.5, fontweight="bold", color=INK)


def _agreements(axes: Axes, result: Row) -> None:
    """Spearman over cells off the diagonal, with the interval over tasks."""
    whats = list(dict.fromkeys(row["what"] for row in result["agreement"]))
    methods = result["methods"]
    for number, method in enumerate(methods):
        shift, look = 0.22 * (number - (len(methods) - 1) / 2), method_look(method)
        rows = [row for row in result["agreement"] if row["method"] == method and row["spearman"] is not None]
        heights = [whats.index(row["what"]) + shift for row in rows]
        values = [row["spearman"] for row in rows]
        axes.plot(values, heights, linestyle="", markersize=6, label=method, **look)
        for height, row in zip(heights, rows, strict=True):
            if row["low"] is not None and row["high"] is not None:
                axes.hlines(height, row["low"], row["high"], color=look["color"], linewidth=1.6)
    axes.axvline(0, color=INK, linewidth=0.8, zorder=1)
    axes.set_xlim(-1.05, 1.05)
    Panel(axes, first=True).name_rows(
        [WORDS.get(what, what) for what in whats], "Spearman over cells, 95 % interval over tasks"
    )
    axes.set_title("agreement of matrices, without own cells", fontsize=10.5, fontweight="bold", color=INK)
