"""Figures 2 to 4: one line per lambda, or per k, over the layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MultipleLocator, PercentFormatter

from neurosteer.pairs import Baselines
from neurosteer.report.baselines import DRAWN, named
from neurosteer.report.canvas import DASHED, INK, finish, headline, new_figure
from neurosteer.report.figures import baseline_lines
from neurosteer.results import read_record

from .about import about, lam, over_tasks, share_of
from .floor import IN_MEANS, floor_notes
from .palette import ordered_looks
from .series import SIDE_LEGEND, accuracy_axis, draw_dense, draw_series, extent, layer_axis, of

Row = Mapping[str, Any]
WIDTH = 9.6
LABEL_GAP = 0.049  # of the height of a panel of three inches, between two labels


def masks_figure(outcome: Row, result: Row) -> Figure:
    """Figure 2: the share of units that the L0 masks keep, and below it what a probe on those reads."""
    figure = new_figure(WIDTH, 7.0)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[1, 1.15])
    layers = _layers(result)
    dense = draw_dense(lower, result["dense"])
    keys = []
    for value, look in zip(result["lambdas"], ordered_looks(len(result["lambdas"])), strict=True):
        rows = of(result["rows"], "lambda", value)
        draw_series(upper, rows, "kept", look, lam(value))
        keys.append(draw_series(lower, rows, "accuracy", look, lam(value)))
    layer_axis(upper, layers, named=False)
    upper.set_ylim(-0.03, 1.05)
    upper.yaxis.set_major_locator(MultipleLocator(0.2))
    upper.yaxis.set_major_formatter(PercentFormatter(1))
    upper.set_ylabel("units kept (share of all)")
    _accuracies(lower, layers, result)
    figure.align_ylabels()
    _legend(figure, [*reversed(keys), dense], "λ")
    name = "Fig. 2 · L0 masks: how many units they keep, and what these read"
    notes = floor_notes(result, result["rows"], IN_MEANS)
    headline(figure, name, about(outcome, *over_tasks(outcome), *notes))
    return finish(figure)


def topk_figure(outcome: Row, result: Row) -> Figure:
    """Figure 3: what probes on the k units of the largest |t| read; k of the recipe is drawn bold."""
    figure = new_figure(WIDTH, 5.4)
    axes = figure.add_subplot()
    chosen, width = outcome["settings"]["k"], outcome["settings"]["width"]
    dense, keys = draw_dense(axes, result["dense"]), []
    for k, look in zip(result["ks"], ordered_looks(len(result["ks"])), strict=True):
        bold = {"linewidth": 3.0, "markersize": 7} if k == chosen else {}
        label = f"{k:,}  ({share_of(k, width)})" if k == chosen else f"{k:,}"
        rows = of(result["rows"], "k", k)
        keys.append(draw_series(axes, rows, "accuracy", look | bold, label, band=k == chosen))
    _accuracies(axes, _layers(result), result, gap=0.7 * LABEL_GAP)
    _legend(figure, [*reversed(keys), dense], "k")
    means = [f"{said} (k = {chosen:,})" for said in over_tasks(outcome)]
    notes = floor_notes(result, result["rows"], IN_MEANS)
    about_it = about(outcome, f"{width:,} units a layer", *means, *notes)
    headline(figure, "Fig. 3 · Probes on the k units of the largest |t|", about_it)
    return finish(figure)


def ranks_figure(outcome: Row, result: Row) -> Figure:
    """Figure 4: rank correlation of |t| and gate; dashed, the largest that the ties allow."""
    figure = new_figure(WIDTH, 5.4)
    axes = figure.add_subplot()
    keys = []
    for value, look in zip(result["lambdas"], ordered_looks(len(result["lambdas"])), strict=True):
        rows = [row for row in of(result["rows"], "lambda", value) if row["judged"]]
        keys.append(draw_series(axes, rows, "spearman", look, lam(value)))
        _limit(axes, rows, look["color"])
    layer_axis(axes, _layers(result))
    axes.axhline(0, color=INK, linewidth=0.8, zorder=1)
    axes.set_ylim(min([0.0, *extent(axes)]) - 0.05, 1.05)
    axes.yaxis.set_major_locator(MultipleLocator(0.2))
    axes.set_ylabel("Spearman's rank correlation of |t| and gate")
    limit = Line2D([], [], color=INK, linewidth=1.0, linestyle=DASHED, label="most that\nties allow")
    _legend(figure, [*reversed(keys), *([limit] if any(keys) else [])], "λ")
    headline(figure, "Fig. 4 · Do |t| and the L0 masks rank units alike?", about(outcome, *over_tasks(outcome)))
    return finish(figure)


def _limit(axes: Axes, rows: Sequence[Row], colour: Any) -> None:
    known = [row for row in rows if row["limit"] is not None]
    layers, values = [row["layer"] for row in known], [row["limit"] for row in known]
    marker: dict[str, Any] = {"marker": "_"} if len(known) == 1 else {}
    axes.plot(layers, values, color=colour, linewidth=1.0, linestyle=DASHED, label="_limit", zorder=1.8, **marker)


def _accuracies(axes: Axes, layers: Sequence[int], result: Row, gap: float = LABEL_GAP) -> None:
    layer_axis(axes, layers)
    baselines = read_record(Baselines, result["baselines"])
    values = named(baselines)
    accuracy_axis(axes, [values[name] for name in DRAWN])
    baseline_lines(axes, baselines, gap)


def _layers(result: Row) -> list[int]:
    return sorted({row["layer"] for row in result["rows"]})


def _legend(figure: Figure, keys: Sequence[Line2D | None], name: str) -> None:
    """Beside the axes, the largest above, as most lines lie; nothing where nothing is drawn."""
    drawn = [key for key in keys if key is not None]
    if drawn:
        figure.legend(handles=drawn, title=name, **SIDE_LEGEND)
