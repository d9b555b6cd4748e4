"""The figure of the frontier: the share of the margin lost against KL, a line a method, beside matched orders."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from neurosteer.experiments.experiment import Caption
from neurosteer.experiments.scope import Scope
from neurosteer.report.canvas import (
    GREY,
    LEGEND,
    draw_known,
    finish,
    headline,
    method_look,
    new_figure,
    panel_title,
    plain,
)
from neurosteer.vocabulary import counted

from .result import Frontier


def draw(result: Frontier, scope: Scope) -> Figure:
    """Left the own task, right the others; the band is of all methods' matched orders."""
    figure = new_figure(9.6, 4.8)
    own, others = figure.subplots(1, 2, sharex=True)
    _band(own, result)
    for method in result.methods:
        rows = [row for row in result.curves if row.method == method]
        look = {**method_look(method), "markersize": 4.5, "linewidth": 1.8, "markevery": 4}
        kls = [0.0, *(row.kl for row in rows)]
        draw_known(own, kls, [0.0, *(row.own for row in rows)], label=method, **look)
        draw_known(others, kls, [0.0, *(row.others for row in rows)], **look)
    for axes, name in ((own, "own task"), (others, "other tasks: size of the change")):
        plain(axes)
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        axes.set_xlabel("KL on neutral text (nats per token)")
        panel_title(axes, name)
    own.set_ylabel("share of the mean margin lost")
    handles, labels = own.get_legend_handles_labels()
    figure.legend(handles, labels, ncols=4, **LEGEND)
    headline(figure, "Frontier · What is lost at the same disturbance", scope.subtitle(*_more(result)))
    return finish(figure)


def _band(axes: Axes, result: Frontier) -> None:
    """From the lowest to the highest of the matched orders' means over tasks, of whatever method."""
    kls = sorted({row.kl for row in result.curves})
    low = [min(row.controls_low for row in result.curves if row.kl == kl) for kl in kls]
    high = [max(row.controls_high for row in result.curves if row.kl == kl) for kl in kls]
    label = f"{counted(result.controls, 'matched order')} a method, range"
    axes.fill_between([0.0, *kls], [0.0, *low], [0.0, *high], color=GREY, alpha=0.25, linewidth=0, label=label)


def _more(result: Frontier) -> list[str]:
    where = f"{len(result.layers)} layers pooled" if result.pooled else f"layer {result.layers[0]}"
    return [where, f"ablated to zero, {result.test_pairs} test pairs"]


def caption(scope: Scope) -> Caption:
    return Caption(
        "One line a method, mean over tasks: its first units are ablated, as many as disturb neutral text by the KL "
        "on the axis. The band is where the means over tasks of matched orders lie, which hold as many units of "
        "every block of like ones. Then, the mean size of what other tasks lose or gain.",
        "Whether the units of two methods are the same, and what a single task loses: intervals over tasks are in "
        "the tables.",
    )
