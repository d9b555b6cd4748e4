"""The figures of the gym: rankings against what is known, and how often questions hold."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from neurosteer.experiments.experiment import Caption
from neurosteer.experiments.scope import Scope
from neurosteer.report.canvas import (
    BLUE,
    DASHED,
    GREY,
    INK,
    LEGEND,
    VERMILION,
    Look,
    finish,
    headline,
    new_figure,
    panel_title,
    plain,
)
from neurosteer.vocabulary import LEVEL, QUESTIONS, counted

from .result import Gym, QuestionSummary
from .sets import HAND


def draw(result: Gym, scope: Scope) -> Figure:
    """Left, sets by hand, right, what rankings choose: how often each question holds, where true and where not."""
    figure = new_figure(10.4, 4.6)
    for axes, by, name in zip(
        figure.subplots(1, 2, sharex=True, sharey=True),
        (HAND, "rankings"),
        ("sets by hand", f"the best {result.k} of each ranking"),
        strict=True,
    ):
        rows = [row for row in result.questions if row.chosen_by == by]
        _draw_rates(axes, rows)
        panel_title(axes, name)
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, ncols=3, **LEGEND)
    headline(figure, "Gym · How often a question holds where the answer is known", _subtitle(result, scope))
    return finish(figure)


def _draw_rates(axes: Axes, rows: Sequence[QuestionSummary]) -> None:
    for truth, colour, marker, shift, name in (
        (True, BLUE, "o", -0.13, "true: it should hold"),
        (False, VERMILION, "s", 0.13, "not true: it should not"),
    ):
        decided = [row for row in rows if row.truth == truth and row.decided]
        y = [QUESTIONS.index(row.question) + shift for row in decided]
        x = np.array([row.rate for row in decided], dtype=float)
        ends = np.array([(row.low, row.high) for row in decided], dtype=float).reshape(-1, 2).T
        look: Look = {"color": colour, "marker": marker, "linestyle": "none", "markersize": 6, "capsize": 2}
        axes.errorbar(x, y, xerr=np.abs(ends - x), label=name, **look)
        for row, at in zip(decided, y, strict=True):
            axes.annotate(
                f"{row.holds}/{row.decided}",
                (1.03, at),
                xycoords=("axes fraction", "data"),
                va="center",
                fontsize=8,
                color=colour,
                annotation_clip=False,
            )
    axes.axvline(LEVEL, color=GREY, linestyle=DASHED, linewidth=1, zorder=1)
    axes.set_yticks(range(len(QUESTIONS)), QUESTIONS)
    axes.set_ylim(len(QUESTIONS) - 0.5, -0.5)
    axes.set_xlim(-0.03, 1.03)
    axes.xaxis.set_major_formatter(PercentFormatter(1))
    axes.set_xlabel("holds")
    plain(axes)


def caption(scope: Scope) -> Caption:
    return Caption(
        "Each point is the share of sets, over all models, of which a question holds, with an exact 95 % interval; "
        "the counts stand beside. Circles: sets of which it is true by construction, so the share is the power; "
        "squares: sets of which it is not, so it is the rate of false alarms, which should lie at or below the "
        "dashed line (5 %). A question without points could not be told.",
        "How large effects are in trained models, or how many units share the work there. Sets of one or two units "
        "have few ways to stand out: a control that holds the same unit ties with them.",
    )


def draw_rankings(result: Gym, scope: Scope) -> Figure:
    """Left, the areas; right, what is among the best."""
    figure = new_figure(9.4, 4.2)
    left, right = figure.subplots(1, 2)
    names = [row.ranking for row in result.rankings]
    places = np.arange(len(names))
    for of, colour, marker, shift, label in (
        ("used", BLUE, "o", -0.12, "used units"),
        ("twins", VERMILION, "s", 0.12, "redundant twins"),
    ):
        for place, name in zip(places, names, strict=True):
            values = [getattr(row, of) for row in result.graded if row.ranking == name]
            spread = np.linspace(-0.05, 0.05, len(values))
            left.plot(
                place + shift + spread,
                values,
                color=colour,
                marker=marker,
                linestyle="none",
                markersize=4,
                alpha=0.6,
                label=label if place == 0 else None,
            )
    left.axhline(0.5, color=GREY, linewidth=0.8, zorder=1)
    left.set_ylabel("area under the ROC curve")
    left.set_ylim(-0.03, 1.05)
    panel_title(left, "used against not used, each model")
    bottom = np.zeros(len(names))
    parts = (
        ("causal", BLUE, "the preference rests on them"),
        ("decoys", VERMILION, "decoys"),
        ("massive", GREY, "massive"),
    )
    for of, colour, label in parts:
        values = [np.mean([getattr(row, of) for row in result.graded if row.ranking == name]) for name in names]
        right.bar(places, values, bottom=bottom, color=colour, width=0.6, label=label)
        bottom = bottom + np.array(values)
    rest = [np.mean([row.k for row in result.graded if row.ranking == name]) for name in names] - bottom
    right.bar(places, rest, bottom=bottom, color="white", edgecolor=INK, linewidth=0.8, width=0.6, label="others")
    right.set_ylabel(f"of the best {result.k}, mean over models")
    panel_title(right, "what is chosen")
    for axes in (left, right):
        axes.set_xticks(places, [name.replace(", ", ",\n") for name in names], fontsize=9)
        axes.set_xlim(-0.5, len(names) - 0.5)
        plain(axes)
    handles = [*left.get_legend_handles_labels()[0], *right.get_legend_handles_labels()[0]]
    figure.legend(handles, [str(one.get_label()) for one in handles], ncols=6, **{**LEGEND, "columnspacing": 1.4})
    headline(figure, "Gym · Do rankings find the units that are used?", _subtitle(result, scope))
    return finish(figure)


def rankings_caption(scope: Scope) -> Caption:
    return Caption(
        "First, one point for each model: how often a used unit has a higher score than one that is not used (1 is "
        "always, .5 is chance); twins, of which either alone is enough, are scored apart. Then, what is among the "
        "best units of each ranking. Decoys hold the contrast more clearly than used units do; nothing reads them.",
        "That a ranking of what is encoded is wrong: it answers another question. A unit whose score is not above 0 "
        "is never chosen, so that some bars are shorter.",
    )


def _subtitle(result: Gym, scope: Scope) -> list[str]:
    return [
        f"{counted(result.models, 'model')} made by hand",
        f"{scope.tasks[0].pairs:,} pairs",
        counted(result.controls, "matched control"),
        counted(result.nulls, "null search").replace("searchs", "searches"),
    ]
