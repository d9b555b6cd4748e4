"""Maps of causal transfer: whose neurons matter to whose margin? As attributions predict it, and as measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from neurosteer.experiments.experiment import Caption
from neurosteer.experiments.scope import Scope
from neurosteer.rankings import RANKINGS
from neurosteer.report.canvas import FAINT, INK, Look, draw_known, finish, method_look
from neurosteer.report.matrix import Matrix, as_array, draw_matrix, names_of, reach_of
from neurosteer.report.numbers import p_equals, share_of
from neurosteer.report.palette import falling, symmetric
from neurosteer.report.panels import SquarePanel, new_sheet
from neurosteer.vocabulary import LEVEL, CausalMethod, counted

from .result import CausalTransfer, Cell, ControlMean, Kind, MeanDrop

NUMBERED = 14  # tasks whose cells have room for a number
LEAST = 0.01  # nats; what a colour scale spans at least
JITTER, GOLDEN = 0.18, 0.618034  # height of a band of dots; multiples of it fill the band evenly
CHANGE = "change of the mean margin (nats)"
GROUPS: Mapping[Kind, str] = {
    "own": "the task itself",
    "related": "others of its\nphenomenon",
    "unrelated": "tasks of other\nphenomena",
}
ROWS, COLUMNS = "neurons of (ablated)", "margin of"


def draw_predicted(result: CausalTransfer, scope: Scope) -> Figure:
    """All cells as attributions predict them, one map per method, and their means."""
    subtitle = [*_subtitle(result, scope), "predicted to first order from attributions"]
    name = "Causal transfer, predicted · Whose neurons matter to whose margin?"
    names = names_of(result.tasks, result.phenomena)
    figure, panels = new_sheet(len(result.methods) + 1, name, subtitle, names)
    reach = _one_reach(list(result.predicted.values()))
    for panel, method in zip(panels, result.methods, strict=False):
        _draw_map(panel, result.predicted[method], result.tasks, result.phenomena, reach)
        panel.title(_title(method))
    _draw_means(panels[-1], result, "predicted")
    return finish(figure)


def draw_measured(result: CausalTransfer, scope: Scope) -> Figure:
    """The measured cells, one map per method and one scale for all, and their means beside those of controls.

    Where there are controls enough for single cells, rings mark those of q < .05.
    """
    tests = f"{result.controls} matched controls, up to {result.pairs} test pairs"
    name = "Causal transfer, measured · Whose neurons matter to whose margin?"
    tasks, phenomena = result.measured, result.measured_phenomena()
    subtitle, names = [*_subtitle(result, scope), tests], names_of(tasks, phenomena)
    figure, panels = new_sheet(len(result.methods) + 1, name, subtitle, names)
    cells = {method: result.cells_of(method) for method in result.methods}
    matrices: dict[CausalMethod, list[list[float | None]]] = {}
    for method, own in cells.items():
        deltas = {(cell.source, cell.target): cell.delta for cell in own}
        matrices[method] = [[deltas.get((source, target)) for target in tasks] for source in tasks]
    reach = _one_reach(list(matrices.values()))
    for panel, method in zip(panels, cells, strict=False):
        _draw_map(panel, matrices[method], tasks, phenomena, reach)
        _mark(panel.axes, cells[method], tasks, reach)
        panel.title(_title(method), _tests(result, method))
    _draw_means(panels[-1], result, "measured", result.control_means)
    return finish(figure)


def measured_caption(_: Scope) -> Caption:
    return Caption(
        "Each cell: the change of the column's mean margin, log P(good) minus log P(bad), in nats, while the "
        "neurons of the row's task are set to zero. Red and dark is a drop, on one scale for all maps. Each set has "
        "matched controls of its own, the same for all targets: as many units of every block of like ones, the "
        "set's own not excepted. All own and all other cells are tested as one family each. Single cells (only with "
        "controls enough for them) have q, Benjamini-Hochberg over the family; a ring is q < .05. Beside the maps, "
        "means that count each source once, and as small dots the same means of its controls. No set and "
        "no control holds a massive unit (whose RMS is 10 times the layer's median or more).",
        "That a large drop is specific: an ablated state is off the model's usual path. Nor what massive units do, "
        "which are in no set. Single cells without q are descriptive. Attribution is selected on the outcome "
        "measured here, though on other pairs: hold it against its null searches.",
    )


def predicted_caption(_: Scope) -> Caption:
    return Caption(
        "The same for all pairs of tasks, predicted to first order: minus the sum of the column's attributions over "
        "the row's neurons. The scale ends where its label says.",
        "More than a linear forecast: how far it holds for measured cells is the next figure. Attribution chose its "
        "own sets for this very sum on these very pairs: its own cells are no finding here, and have no interval.",
    )


def _one_reach(matrices: Sequence[Matrix]) -> float:
    """Where the scale of several maps ends: equal changes have equal colours."""
    return reach_of(np.concatenate([as_array(matrix).ravel() for matrix in matrices]), LEAST)


def _tests(result: CausalTransfer, method: CausalMethod) -> str:
    """p of all own and all other cells, and how many single ones stand out where those are judged."""
    ps = {row.family: row.p for row in result.families if row.method == method}
    families = [f"{kind} {p_equals(p)}" for kind in ("own", "other") if (p := ps.get(kind)) is not None]
    counts = [
        f"{count} {kind}"
        for kind in ("own", "other")
        if (count := result.summary[method].stand_out(kind)) is not None
    ]
    rings = [f"q < .05 (rings): {', '.join(counts)}"] if counts else []
    return "; ".join([f"as families: {', '.join(families)}"] * bool(families) + rings)


def _draw_map(
    panel: SquarePanel, matrix: Matrix, tasks: Sequence[str], phenomena: Sequence[str], reach: float
) -> None:
    rows, colours = ROWS if panel.first else "", (falling(), symmetric(0.0, reach))
    image = draw_matrix(panel.axes, matrix, tasks, phenomena, colours, rows=rows, columns=COLUMNS)
    panel.colour_bar(image, CHANGE)


def _mark(axes: Axes, cells: Sequence[Cell], tasks: Sequence[str], reach: float) -> None:
    """A ring where a cell stands out among its controls; the changes as numbers where cells have room for them."""
    place, few = {task: i for i, task in enumerate(tasks)}, len(tasks) <= NUMBERED
    for cell in cells if few else ():
        if cell.delta is not None:
            at = (place[cell.target], place[cell.source] + 0.1)
            colour = "white" if cell.delta < -0.5 * reach else INK
            axes.annotate(_written(cell.delta), at, ha="center", va="center", fontsize=6.2, color=colour)
    ringed = [cell for cell in cells if cell.q is not None and cell.q < LEVEL]
    corner = 0.32 if few else 0.0
    columns, rows = [place[cell.target] for cell in ringed], [place[cell.source] for cell in ringed]
    look: Look = {"s": 12 if few else 5, "facecolors": "white", "edgecolors": INK, "linewidths": 0.7}
    axes.scatter(np.array(columns) + corner, np.array(rows) - corner, label="q < .05", zorder=5, **look)


def _written(delta: float) -> str:
    """A change in as few letters as a cell has room for: `-1.2`, `+.03`."""
    digits = 2 if abs(delta) < 0.995 else 1 if abs(delta) < 99.5 else 0
    text = f"{delta:+.{digits}f}"
    bare = text.lstrip("+-") if float(text) == 0 else text
    return bare.replace("0.", ".", 1).replace("-", "−")  # noqa: RUF001  (a minus sign)


def _title(method: CausalMethod) -> str:
    return f"{method} ({RANKINGS[method].shows})"


def _subtitle(result: CausalTransfer, scope: Scope) -> list[str]:
    k, width, massive = result.k, scope.settings.width, len(result.massive)
    units = f"{k:,} of {width:,} units ({share_of(k, width)}) set to zero"
    left_out = [f"the layer's {counted(massive, 'massive unit')} in no set"] if massive else []
    return scope.subtitle(f"layer {result.layer}", units, *left_out)


def _draw_means(
    panel: SquarePanel,
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
    keys = [Line2D([], [], linestyle="", markersize=6, label=method, **method_look(method)) for method in methods]
    if controls:
        keys.append(Line2D([], [], linestyle="", marker="o", markersize=3, color=FAINT, label="its matched controls"))
    below: Look = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.12), "ncols": 2, "frameon": False}
    axes.legend(handles=keys, fontsize=8.5, **below)


def _draw_dots(axes: Axes, rows: Sequence[ControlMean], height: float) -> None:
    """One for each control, spread in height by a fixed pattern so that equal ones can be told apart."""
    if all(row.delta is None for row in rows):
        return
    method, kind = rows[0].method, rows[0].kind
    heights = [height + JITTER * ((GOLDEN * (row.control + 1)) % 1 - 0.5) for row in rows]
    look: Look = {"markersize": 2.6, "alpha": 0.45, "markeredgewidth": 0, "zorder": 1.5}
    look |= {**method_look(method), "marker": "o", "label": f"{method} controls {kind}"}
    draw_known(axes, [row.delta for row in rows], heights, linestyle="", **look)


def _draw_mean(axes: Axes, row: MeanDrop, height: float) -> bool:
    """A mean change with its interval; whether it is known."""
    change, look = row.change, method_look(row.method)
    if change.value is None:
        return False
    look |= {"linestyle": "", "markersize": 6, "label": f"{row.method} {row.what} {row.kind}"}
    mark = draw_known(axes, [change.value], [height], **look)
    if change.low is not None and change.high is not None:
        axes.hlines(height, change.low, change.high, color=mark.get_color(), linewidth=1.6, zorder=1.9)
    return True
