"""The figure of the localizer: each task before and after, beside sets of as many units."""

from __future__ import annotations

from matplotlib.figure import Figure

from neurosteer.experiments.experiment import Caption
from neurosteer.experiments.scope import Scope
from neurosteer.report.canvas import GREY, INK, VERMILION, finish, headline, new_figure

from .result import Localizer


def draw(result: Localizer, scope: Scope) -> Figure:
    """Each task in a row: before (hollow), after (full), and the ranges of both kinds of sets."""
    rows = sorted(result.rows, key=lambda row: row.after - row.matched.mean, reverse=True)
    figure = new_figure(8.4, max(2.6, 1.6 + 0.24 * len(rows)))
    axes = figure.add_subplot()
    for place, row in enumerate(rows):
        for shift, colour, others in ((0.16, GREY, row.uniform), (-0.16, INK, row.matched)):
            axes.plot([others.low, others.high], [place + shift] * 2, color=colour, linewidth=2.5, alpha=0.45)
            axes.plot(others.mean, place + shift, "|", color=colour, markersize=6)
        axes.plot(row.before, place, "o", color=VERMILION, markerfacecolor="none", markersize=5)
        axes.plot(row.after, place, "o", color=VERMILION, markersize=5)
    axes.axvline(0.5, color=GREY, linewidth=0.8, zorder=1)
    axes.set_yticks(range(len(rows)), [row.task for row in rows], fontsize=7.5)
    axes.set_ylim(-0.7, len(rows) - 0.3)
    axes.set_xlabel("accuracy (mean log probability per token)")
    handles = [
        axes.plot([], [], "o", color=VERMILION, markerfacecolor="none", label="before")[0],
        axes.plot([], [], "o", color=VERMILION, label="localised units at zero")[0],
        axes.plot([], [], color=GREY, linewidth=2.5, alpha=0.45, label="uniform sets")[0],
        axes.plot([], [], color=INK, linewidth=2.5, alpha=0.45, label="matched sets")[0],
    ]
    figure.legend(handles=handles, ncols=4, loc="outside lower center", frameon=False)
    headline(figure, "Localizer · Does a task need the units that localise it?", scope.subtitle())
    return finish(figure)


def caption(scope: Scope) -> Caption:
    return Caption(
        "Each task in a row: its accuracy before and after the units that localise it are set to zero; bars, the "
        "range of the same with units drawn uniformly from all others, and with matched sets.",
        "That units which localise a task are its own: where uniform sets do less and matched ones as much, any "
        "units of that size and spread would do.",
    )
