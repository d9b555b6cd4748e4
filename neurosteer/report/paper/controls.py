"""What the basis and the training contribute: the same curves rotated, and of a model that has learned nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from neurosteer.report.canvas import DASHED, GREY, INK, LEGEND, VERMILION, finish, headline, new_figure

from .about import about, over_tasks
from .floor import IN_COMMON, floor_notes
from .matched import draw_multiples, extent
from .series import accuracy_axis, draw_dense, draw_series, layer_axis, of

Row = Mapping[str, Any]
NAMES = {"neurons": "neurons", "rotated": "randomly rotated basis", "untrained": "untrained model"}
TOP: dict[str, Any] = {"color": VERMILION, "marker": "s", "linewidth": 2.0, "markersize": 5}
RANDOM: dict[str, Any] = {"color": INK, "marker": "d", "linewidth": 1.2, "markersize": 4, "linestyle": DASHED}


def controls_figure(outcome: Row, result: Row) -> Figure:
    """One column per variant: accuracies above, the random units that match the top k below."""
    variants, k = result["variants"], outcome["settings"]["k"]
    figure = new_figure(3.6 * len(variants) + 1.6, 7.4)
    grid = figure.subplots(2, len(variants), sharex=True, sharey="row", squeeze=False, height_ratios=[1, 1])
    upper, lower = (list(row) for row in grid)
    every = [row for variant in variants for row in result["curves"][variant]["fig5"]["rows"]]
    ends = extent(every, outcome["settings"]["sizes"], k)
    keys: dict[str, Any] = {}
    for axes, below, variant in zip(upper, lower, variants, strict=True):
        curves = result["curves"][variant]
        keys |= {str(line.get_label()): line for line in _accuracies(axes, curves, k) if line is not None}
        axes.set_title(NAMES.get(variant, variant), fontsize=10.5, color=INK, fontweight="bold")
        layers = [row["layer"] for row in curves["fig5"]["rows"]]
        layer_axis(axes, layers, named=False, bins=8)
        marks = draw_multiples(below, curves["fig5"]["rows"], *ends)
        keys |= {str(line.get_label()): line for line in marks}
        layer_axis(below, layers, bins=8)
    _scales(upper, lower, k)
    figure.align_ylabels()
    figure.legend(handles=list(keys.values()), ncols=3, **LEGEND)
    about_it = about(outcome, *over_tasks(outcome), *floor_notes(result, every, IN_COMMON))
    headline(figure, "Controls · What do the basis and the training contribute?", about_it)
    return finish(figure)


def _accuracies(axes: Axes, curves: Row, k: int) -> list[Any]:
    dense = draw_dense(axes, curves["fig2"]["dense"])
    top = draw_series(axes, curves["fig5"]["rows"], "top", TOP, f"top {k:,}")
    random = draw_series(axes, of(curves["fig5"]["curves"], "size", k), "accuracy", RANDOM, f"random {k:,}")
    axes.axhline(0.5, color=GREY, linewidth=0.8, zorder=1)
    return [dense, top, random]


def _scales(upper: Sequence[Axes], lower: Sequence[Axes], k: int) -> None:
    """Axes that a row shares are named on the left, and reach as far as the widest of them."""
    bottom, top = [], []
    for axes in upper:
        accuracy_axis(axes)
        low, high = axes.get_ylim()
        bottom.append(low)
        top.append(high)
    upper[0].set_ylim(min(bottom), max(top))
    for axes in upper[1:]:
        axes.set_ylabel("")
    lower[0].set_ylabel(f"random units that match,\nfor each of the top {k:,}")
