"""Does what is encoded predict what is used? Measured against predicted cells, and how matrices agree."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter

from neurosteer.experiments.experiment import Caption
from neurosteer.experiments.scope import Scope
from neurosteer.report.canvas import DASHED, INK, LEGEND, Look, finish, headline, method_look, new_figure, plain
from neurosteer.report.sheet import Panel, vertical_grid

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
    keys = [_key(method, method_look(method)) for method in result.methods]
    keys += [_key("cell of a task itself", CELL), _key("of two tasks", {**CELL, "markerfacecolor": "none"})]
    figure.legend(handles=keys, ncols=len(keys), **LEGEND)
    name = "Causal transfer · Does what is encoded predict what is used?"
    headline(figure, name, scope.subtitle(f"layer {result.layer}", f"{len(result.measured)} tasks measured"))
    return finish(figure)


def agreement_caption(_: Scope) -> Caption:
    return Caption(
        "Left, measured cells beside their predictions; axes are linear near 0 and logarithmic beyond; on the "
        "dashed line both agree. Right, rank correlations over cells of two different tasks: do transfer of probes "
        "and shared neurons (what is encoded) foretell what an ablation does (what is used)?",
        "Cause and effect between the matrices: a task with a large margin has large changes whoever's neurons go.",
    )


def _key(label: str, look: Look) -> Line2D:
    return Line2D([], [], linestyle="", markersize=6, label=label, **look)


def _draw_cells(axes: Axes, result: CausalTransfer) -> None:
    """Own cells filled, all others hollow; on the dashed line prediction and measurement are the same."""
    limits = [LINEAR, -LINEAR]
    for method in result.methods:
        look = method_look(method)
        for own in (False, True):
            points = [
                (cell.predicted, cell.delta)
                for cell in result.cells_of(method)
                if cell.own is own and cell.predicted is not None and cell.delta is not None
            ]
            limits += [value for point in points for value in point]
            fill = look["color"] if own else "none"
            shape: Look = {"markersize": 6 if own else 4, "markerfacecolor": fill, **look}
            x, y = [predicted for predicted, _ in points], [delta for _, delta in points]
            label = f"{method} {'own' if own else 'other'}"
            axes.plot(x, y, linestyle="", label=label, markeredgewidth=0.8, zorder=3 + own, **shape)
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
    axes.set_title("measured cells", fontsize=10.5, fontweight="bold", color=INK)


def _draw_correlations(axes: Axes, result: CausalTransfer) -> None:
    """Spearman over cells off the diagonal, with the interval over tasks."""
    compared, methods = list(WORDS), result.methods
    for number, method in enumerate(methods):
        shift, look = 0.22 * (number - (len(methods) - 1) / 2), method_look(method)
        known = [
            (row.spearman, compared.index(row.what) + shift, row)
            for row in result.agreement
            if row.method == method and row.spearman is not None
        ]
        values, heights = [value for value, _, _ in known], [height for _, height, _ in known]
        axes.plot(values, heights, linestyle="", markersize=6, label=method, **look)
        for _, height, row in known:
            if row.low is not None and row.high is not None:
                axes.hlines(height, row.low, row.high, color=look["color"], linewidth=1.6)
    axes.axvline(0, color=INK, linewidth=0.8, zorder=1)
    axes.set_xlim(-1.05, 1.05)
    Panel(axes, first=True).name_rows(list(WORDS.values()), "Spearman over cells, 95 % interval over tasks")
    axes.set_title("agreement of matrices, without own cells", fontsize=10.5, fontweight="bold", color=INK)
