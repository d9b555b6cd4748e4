"""Overlap: a heat map for each method, the means of its cells, and how stable the sets are."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from neurosteer.experiments.experiment import Caption
from neurosteer.experiments.scope import Scope
from neurosteer.report.canvas import DASHED, INK, ON_WHITE, SMALL, Look, draw_known, finish, method_look
from neurosteer.report.matrix import as_array, draw_matrix, names_of, reach_of
from neurosteer.report.numbers import number, p_equals, share_of
from neurosteer.report.palette import shares
from neurosteer.report.panels import SquarePanel, new_sheet
from neurosteer.report.table import mean
from neurosteer.vocabulary import PaperMethod

from .result import Overlap

KINDS = {"folds": "other pairs\nof the task", "seeds": "other splits,\nother seeds"}
GROUPS = {"within": "two tasks of\none phenomenon", "across": "two tasks of\ntwo phenomena"}
CHANCE: Look = {"color": INK, "linewidth": 1.2, "linestyle": DASHED}
ACROSS = 0.62  # of a row, over which the dots of its tasks are spread


def draw(result: Overlap, scope: Scope) -> Figure:
    """One heat map per method; below, the means within and across phenomena, and how stable the sets are."""
    k, width = result.k, result.width
    subtitle = scope.subtitle(f"layer {result.layer}", f"{k:,} of {width:,} units ({share_of(k, width)})")
    name, names = "Overlap · Do tasks share their neurons?", names_of(result.tasks, result.phenomena)
    figure, panels = new_sheet(len(result.methods) + 2, name, subtitle, names, foot=0.75)
    for panel, method in zip(panels, result.methods, strict=False):
        _draw_map(panel, result, method)
    _draw_groups(panels[-2], result)
    _draw_stability(panels[-1], result)
    return finish(figure)


def _draw_map(panel: SquarePanel, result: Overlap, method: PaperMethod) -> None:
    matrix, chance = result.matrices[method], result.chance[method]
    values = as_array(matrix)
    off_diagonal = values[np.eye(*values.shape) == 0]
    reach = min(reach_of(off_diagonal, max(4 * (chance or 0), 2 / result.k)), 1.0)
    colours = (shares(), Normalize(0, reach))
    rows = "neurons of" if panel.first else ""
    image = draw_matrix(panel.axes, matrix, result.tasks, result.phenomena, colours, rows=rows, columns="shared with")
    by_chance = "" if chance is None else f" (by chance {number(chance, 3)})"
    panel.colour_bar(image, f"shared part of the {result.k:,}{by_chance}")
    panel.title(method)


def _draw_groups(panel: SquarePanel, result: Overlap) -> None:
    """Mean overlap within and across phenomena, and p of a difference as large by chance."""
    axes, methods = panel.axes, result.methods
    for place, method in enumerate(methods):
        shift = 0.3 * (place - (len(methods) - 1) / 2)
        p, means, rows = result.p[method], (result.within[method], result.across[method]), (shift, 1 + shift)
        label = method if p is None else f"{method}: {p_equals(p)}"
        draw_known(axes, means, rows, linestyle="", markersize=8, label=label, **method_look(method))
        for value, row in zip(means, rows, strict=True):
            if value is not None:
                axes.annotate(number(value, 3), (value, row), xytext=(8, 0), va="center", bbox=ON_WHITE, **SMALL)
                _draw_chance(axes, result.chance[method], row, 0.14)
    panel.name_rows(list(GROUPS.values()), "shared part of the sets")
    panel.title("mean over pairs of tasks")
    axes.margins(x=0.2)
    axes.set_xlim(left=0)
    keys, _ = axes.get_legend_handles_labels()
    drawn = any(chance is not None for chance in result.chance.values())
    keys += [Line2D([], [], label="by chance", **CHANCE)] if drawn else []
    axes.legend(handles=keys, loc="lower right", frameon=False, fontsize=9)


def _draw_stability(panel: SquarePanel, result: Overlap) -> None:
    """Every task as a dot, in the order of the heat maps; a line across at the median, a dashed one at chance."""
    axes = panel.axes
    names: list[str] = []
    for kind, label in KINDS.items():
        for method in result.methods:
            of_method = result.stability_of(method)
            known = [value for row in of_method if (value := row.folds if kind == "folds" else row.seeds) is not None]
            rows = len(names) + ACROSS * (np.arange(len(known)) + 0.5 - len(known) / 2) / max(len(known), 1)
            dots: Look = {**method_look(method), "linestyle": "", "markersize": 3.5, "alpha": 0.75}
            axes.plot(known, rows, label=f"{kind} {method}", markeredgewidth=0, **dots)
            edge = ACROSS / 2 + 0.08
            if known:
                axes.vlines(np.median(known), len(names) - edge, len(names) + edge, color=INK, linewidth=1.6)
            by_chance = mean([row.chance for row in of_method]) if kind == "folds" else result.chance[method]
            _draw_chance(axes, by_chance, len(names), edge)
            names.append(f"{method}:\n{label}")
    panel.name_rows(names, "shared part of the sets; line: median; dashed: by chance")
    panel.title("the same task, found again: one dot a task")
    axes.set_xlim(-0.03, 1.03)


def _draw_chance(axes: Axes, value: float | None, row: float | int, reach: float) -> None:
    """A dashed line across a row, so far above and below its middle, where chance is known."""
    if value is not None:
        axes.vlines(value, row - reach, row + reach, label="_chance", zorder=1.8, **CHANCE)


def caption(scope: Scope) -> Caption:
    return Caption(
        "First, the shared part of the neuron sets of each two tasks, of k; the diagonal is 1 unless a mask leaves "
        "fewer than k open. Then its mean within and across phenomena; p from phenomena dealt at random. Last, the "
        "shared part of two sets of one task: from disjoint folds of its train pairs, and from other splits and "
        "seeds. By chance (dashed) is what two sets A and B share by chance: |A||B| / width "
        "units, averaged over the pairs of sets.",
        "That tasks share a mechanism: units of large variance enter many sets.",
    )
