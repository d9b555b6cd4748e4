"""Figures 2 and 4 in every configuration of the training, at equal lambda and at equal kept share; their captions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import PercentFormatter

from neurosteer.experiments.experiment import Caption
from neurosteer.experiments.scope import Scope
from neurosteer.experiments.shared.layer_axes import draw_interval
from neurosteer.report.canvas import (
    BLUE,
    DASHED,
    GREEN,
    INK,
    LEGEND,
    VERMILION,
    Look,
    draw_known,
    finish,
    headline,
    layer_axis,
    new_figure,
    panel_title,
)
from neurosteer.report.numbers import lambda_text, percent
from neurosteer.results import Estimate
from neurosteer.vocabulary import L0Start, L0States

from .result import LayerPoint, Sensitivity

COLOURS = {"standardised": BLUE, "raw": VERMILION, "scaled": GREEN}
STYLES = {"cold": "-", "warm": DASHED}
FILLED = {0.0: "full", 1.2: "none"}
KEY_WIDTH = 3.0  # inches of an entry of the legend


@dataclass(frozen=True)
class ConfigurationPanel:
    """A row of the figure."""

    value: Callable[[LayerPoint], Estimate]
    label: str
    scale: Literal["share", "agreement", "ratio"]  # from 0 to 1 in percent; with a line at 0; as it comes


def draw(result: Sensitivity, scope: Scope) -> Figure:
    """A column for each training; above, what masks keep at one lambda, below, how far |t| and gates agree."""
    at = lambda_text(result.lam)
    panels = (
        ConfigurationPanel(lambda row: row.kept, f"units kept at λ = {at}", "share"),
        ConfigurationPanel(
            lambda row: Estimate(row.agreement),
            f"Spearman of |t| and gate,\nshare of what ties allow, λ = {at}",
            "agreement",
        ),
    )
    name = f"What masks owe to their training · at equal λ = {at}"
    return _figure(result, scope, panels, name, [f"equal kept share ({percent(result.share)}): the next figure"])


def caption(scope: Scope) -> Caption:
    return Caption(
        "Several trainings side by side: the paper's loss after several declared numbers of steps, and the loss "
        "with a small penalty on the weights, for many steps at rates that decay. Colour: what masks are trained on, "
        "standardised states, raw ones, or raw ones divided by one number for each layer. Solid lines: weights start "
        "as noise; dashed: at the dense probe's. Gates start half open (log alpha 0: filled, thin) or nearly all "
        "open (hollow, broad). First the share of units kept, then how far |t| and gates agree. Where all lines lie "
        "together, training decides nothing." + scope.bands_in_words,
        "Which training is right: the loss does not say which of two masks with the same loss is meant. At equal λ "
        "masks of different trainings differ in how many units they keep.",
    )


def draw_equal_share(result: Sensitivity, scope: Scope) -> Figure:
    """The same at an equal kept share, and the share that 95 % of the dense probe's accuracy needs."""
    share = percent(result.share)
    panels = (
        ConfigurationPanel(lambda row: row.needed, "units needed for 95 % of\nthe dense accuracy", "share"),
        ConfigurationPanel(
            lambda row: Estimate(row.relative_equal), f"accuracy / dense\nat {share} of the units", "ratio"
        ),
        ConfigurationPanel(
            lambda row: Estimate(row.agreement_equal),
            f"Spearman of |t| and gate, share\nof what ties allow, at {share}",
            "agreement",
        ),
    )
    return _figure(result, scope, panels, f"What masks owe to their training · at {share} of the units kept", [])


def equal_share_caption(scope: Scope) -> Caption:
    return Caption(
        "The same ways to train at the same share of units kept, linear between the λ of the grid. First, the share "
        "that a mask needs to reach 95 % of the dense probe's accuracy on validation data." + scope.bands_in_words,
        "Ways whose masks never keep so many, or so few, units, and layers where less than half of the tasks have "
        "such: there is no line.",
    )


def _figure(
    result: Sensitivity, scope: Scope, panels: Sequence[ConfigurationPanel], name: str, notes: Sequence[str]
) -> Figure:
    trainings = result.trainings
    figure = new_figure(3.1 * len(trainings) + 0.8, 2.9 * len(panels) + 1.2)
    grid = figure.subplots(len(panels), len(trainings), sharex=True, sharey="row", squeeze=False)
    for panel, across in zip(panels, grid, strict=True):
        for axes, training in zip(across, trainings, strict=True):
            for line in result.lines:
                points = [row for row in result.by_layer if row.training == training and row.line == line]
                _draw_line(axes, [(row.layer, panel.value(row)) for row in points], *line)
            layer_axis(axes, result.layers, named=panel is panels[-1], most=7)
            _scale(axes, panel)
        across[0].set_ylabel(panel.label)
    for axes, training in zip(grid[0], trainings, strict=True):
        loss = f"paper's loss, {training}" if training.endswith("steps") else training
        panel_title(axes, loss, fontsize=10)
    columns = max(1, int(figure.get_figwidth() // KEY_WIDTH))
    keys = [
        Line2D([], [], label=f"{line[0]}, {line[1]}, log alpha {line[2]:g}", **_look(*line)) for line in result.lines
    ]
    figure.legend(handles=keys, ncols=columns, **LEGEND)
    headline(figure, name, scope.subtitle(*scope.mean_in_words, *notes))
    return finish(figure)


def _scale(axes: Axes, panel: ConfigurationPanel) -> None:
    if panel.scale == "share":
        axes.set_ylim(-0.03, 1.03)
        axes.yaxis.set_major_formatter(PercentFormatter(1))
    elif panel.scale == "agreement":
        axes.axhline(0, color=INK, linewidth=0.8, zorder=1)


def _draw_line(
    axes: Axes, points: Sequence[tuple[int, Estimate]], states: L0States, start: L0Start, log_alpha: float
) -> None:
    """One value by layer, without the layers where it is not known, and its interval where it has one."""
    layers, values = [layer for layer, _ in points], [one.value for _, one in points]
    look = _look(states, start, log_alpha) | {"label": f"{states}-{start}-{log_alpha}"}
    line = draw_known(axes, layers, values, **look)
    line.set_markevery(max(1, sum(value is not None for value in values) // 6))
    draw_interval(axes, points, line.get_color())


def _look(states: L0States, start: L0Start, log_alpha: float) -> Look:
    return {
        "color": COLOURS[states],
        "linestyle": STYLES[start],
        "linewidth": 1.4,
        "marker": "o",
        "markersize": 4.5,
        "fillstyle": FILLED.get(log_alpha, "left"),
    }
