"""The figures of several models, one for each question: a thin line for each task, a bold one for their mean."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, NullLocator, PercentFormatter

from neurosteer.experiments.experiment import Caption
from neurosteer.experiments.scope import Scope
from neurosteer.report.canvas import (
    ACCURACY,
    BLUE,
    DASHED,
    GREY,
    INK,
    LEGEND,
    VERMILION,
    Look,
    finish,
    headline,
    method_look,
    new_figure,
    panel_title,
    plain,
    short_name,
)
from neurosteer.report.table import spread
from neurosteer.results import Estimate

from .compute import line_of, position
from .result import ENCODED, USED, ModelRow, Models
from .tables import size_in_words

NAMED = 8  # models whose places on the axis are named
FEW = 6  # tasks; of fewer the intervals are those of each
FOLDED = 4  # names that lie side by side
NEAR = 20  # a last place so many times the first needs an axis of powers


@dataclass(frozen=True)
class _Places:
    """Where each model stands on the axis below, and which of them a line joins."""

    result: Models

    def x(self, place: int) -> float:
        models, axis = self.result.models, self.result.axis
        return float(place if axis == "order" else position(models[place], axis))

    def lines(self) -> list[list[int]]:
        models = self.result.models
        keys = [line_of(one, self.result.axis) for one in models]
        return [[i for i, one in enumerate(keys) if one == key] for key in dict.fromkeys(keys)]

    def apply(self, axes: Axes) -> None:
        """Ticks at the models, as many as there is room for."""
        models, axis = self.result.models, self.result.axis
        at = sorted({self.x(i) for i in range(len(models))})
        if axis == "size":
            axes.set_xscale("log")
        elif axis == "step" and at[-1] > NEAR * (at[1] or 1):
            axes.set_xscale("symlog", linthresh=next(one for one in at if one > 0))
        named = {self.x(i): _place_name(models[i], axis) for i in range(len(models))}
        ticks = spread(at, NAMED)
        folded = axis == "order" and len(ticks) > FOLDED
        axes.set_xticks(ticks, [named[one] for one in ticks], rotation=25 if folded else 0)
        axes.plot(at, [0.0] * len(at), alpha=0, transform=axes.get_xaxis_transform())  # the same axis in all panels
        axes.margins(x=0.12)
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_xlabel({"step": "training step", "size": "parameters", "order": ""}[axis])
        plain(axes)


def _place_name(model: ModelRow, axis: str) -> str:
    if axis == "step":
        return f"{model.step:,}"
    return size_in_words(model.parameters) if axis == "size" else short_name(model.model).replace("@", "\n@")


def draw(result: Models, scope: Scope) -> Figure:
    """Left the dense probe, right the top k, each beside the best baseline."""
    figure = new_figure(10.4, 4.8)
    left, right = figure.subplots(1, 2, sharey=True)
    dense, topk = {"color": VERMILION, "marker": "o"}, {"color": BLUE, "marker": "s"}
    known = [mean.known for mean in result.means]
    _panel(left, result, lambda row: row.dense, [mean.dense for mean in result.means], dense, "dense probe")
    _panel(right, result, lambda row: row.topk, [mean.topk for mean in result.means], topk, "top k by welch")
    for axes in (left, right):
        _dashed(axes, result, [one.value for one in known], "best baseline of words or tokens")
        axes.axhline(0.5, color=GREY, linewidth=0.8, zorder=1)
    left.set_ylabel(ACCURACY)
    return _finished(figure, "Models · When is the contrast encoded?", result, scope)


def draw_used(result: Models, scope: Scope) -> Figure:
    """Left what there is to lose, right what is lost of it."""
    figure = new_figure(10.4, 4.8)
    left, right = figure.subplots(1, 2)
    whole: Look = {"color": INK, "marker": "d"}
    _panel(left, result, lambda row: row.margin, [mean.margin for mean in result.means], whole, "unedited margin")
    lost = [mean.lost for mean in result.means]
    _panel(right, result, lambda row: row.lost, lost, method_look(USED), "share of it lost")
    _dashed(right, result, [mean.control for mean in result.means], "lost under matched controls")
    for axes in (left, right):
        axes.axhline(0.0, color=GREY, linewidth=0.8, zorder=1)
    left.set_ylabel("mean margin (nats)")
    right.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    return _finished(figure, "Models · When are the neurons used?", result, scope)


def draw_kept(result: Models, scope: Scope) -> Figure:
    """Each step from one model to the next, at the later one."""
    figure = new_figure(10.4, 4.8)
    places, models = _Places(result), [one.model for one in result.models]
    for axes, method in zip(figure.subplots(1, 2, sharey=True), (ENCODED, USED), strict=True):
        for task in result.tasks:
            rows = [row for row in result.kept if (row.task, row.method) == (task, method)]
            at = {models.index(row.later): row.overlap for row in rows}
            for line in places.lines():
                known = [place for place in line if place in at]
                look: Look = {"color": GREY, "linewidth": 0.7, "alpha": 0.7, "marker": ".", "markersize": 4}
                axes.plot([places.x(i) for i in known], [at[i] for i in known], **look)
        means = {models.index(row.later): row for row in result.kept_means if row.method == method}
        of_means = [means[i].overlap if i in means else Estimate(None) for i in range(len(models))]
        _mean_line(axes, places, of_means, method_look(method), f"mean, top k by {method}")
        _dashed(axes, result, [means[i].chance if i in means else None for i in range(len(models))], "by chance")
        panel_title(axes, f"top k by {method}")
        places.apply(axes)
    figure.axes[0].set_ylabel("overlap with the model before")
    top = 1.25 * max((row.overlap for row in result.kept), default=1.0)
    figure.axes[0].set_ylim(-0.02, min(1.03, max(0.1, top)))
    return _finished(figure, "Models · Do the same neurons stay?", result, scope)


def _panel(
    axes: Axes,
    result: Models,
    value: Callable[..., Estimate],
    means: Sequence[Estimate],
    look: Look,
    name: str,
) -> None:
    """A line for each task, with its intervals where tasks are few, and the mean."""
    places, few = _Places(result), len(result.tasks) < FEW
    order = {one.model: i for i, one in enumerate(result.models)}
    for task in result.tasks:
        at = {order[row.model]: value(row) for row in result.rows if row.task == task}
        for line in places.lines():
            known = [i for i in line if at[i].value is not None]
            thin: Look = {"color": GREY, "linewidth": 0.7, "alpha": 0.8, "label": "each task"}
            if few:
                _with_ends(axes, [places.x(i) for i in known], [at[i] for i in known], capsize=2, **thin)
            else:
                axes.plot([places.x(i) for i in known], [at[i].value or 0.0 for i in known], **thin)
    _mean_line(axes, places, means, look, f"mean, {name}" if name else "mean over tasks")
    if name:
        panel_title(axes, name)
    places.apply(axes)


def _mean_line(axes: Axes, places: _Places, means: Sequence[Estimate], look: Look, name: str) -> None:
    for line in places.lines():
        known = [i for i in line if means[i].value is not None]
        bold: Look = {"linewidth": 2.0, "markersize": 6, "zorder": 3, "capsize": 3, "label": name, **look}
        _with_ends(axes, [places.x(i) for i in known], [means[i] for i in known], **bold)


def _with_ends(axes: Axes, x: Sequence[float], values: Sequence[Estimate], **look: object) -> None:
    """A line with bars for the intervals, where there are any."""
    at = np.array([one.value for one in values], dtype=float)
    low, high = (np.array([np.nan if end is None else end for end in ends]) for ends in _ends(values))
    axes.errorbar(x, at, yerr=np.abs(np.nan_to_num(np.stack([at - low, high - at]))), **look)  # type: ignore[arg-type]


def _ends(values: Sequence[Estimate]) -> tuple[list[float | None], list[float | None]]:
    return [one.low for one in values], [one.high for one in values]


def _dashed(axes: Axes, result: Models, values: Sequence[float | None], name: str) -> None:
    places = _Places(result)
    for line in places.lines():
        known = [(places.x(i), value) for i in line if (value := values[i]) is not None]
        look: Look = {"color": INK, "linestyle": DASHED, "linewidth": 1.2, "marker": "_", "label": name}
        axes.plot([at for at, _ in known], [value for _, value in known], **look)


def _finished(figure: Figure, name: str, result: Models, scope: Scope) -> Figure:
    found = [axes.get_legend_handles_labels() for axes in figure.axes]
    labelled = {label: handle for handles, labels in found for handle, label in zip(handles, labels, strict=True)}
    figure.legend(list(labelled.values()), list(labelled), ncols=4, **LEGEND)
    sizes = sorted({row.k for row in result.models})
    headline(figure, name, scope.subtitle(f"top {', '.join(f'{k:,}' for k in sizes)}", *scope.mean_in_words))
    return finish(figure)


def caption(scope: Scope) -> Caption:
    return Caption(
        "Test accuracy at the layer whose top-k probe is best on validation pairs: of the dense probe, and "
        "of a probe on the top k units by welch. Dashed, the best baseline of words or tokens, chosen on "
        f"validation pairs too.{_bars(scope)}",
        "That the model uses what can be read. A probe also reads what words and the architecture give away: compare "
        "with the baseline and with an untrained model.",
    )


def used_caption(scope: Scope) -> Caption:
    return Caption(
        "First the mean margin of the unedited model, then the share of it that is lost when the top k by "
        "attribution at their best layer are moved to their mean. Dashed, the mean of matched controls. Of that "
        "tasks without a clean preference are left out, so that means may be over fewer tasks in some models."
        f"{_bars(scope)}",
        "That no other neurons carry the preference as well, or that these carry nothing else. A preference need not "
        "be one for grammar: an untrained model may have a small one by its weights, of which a large share is "
        "lost.",
    )


def kept_caption(scope: Scope) -> Caption:
    return Caption(
        "Units that are in the top k of a model and of the one before, as a share of those in either, at the layer "
        "that is best in the later one, and drawn there. Only models of one width are compared. Dashed, what two "
        "sets of these sizes share when they are drawn by lot. Thin lines of the picture: each task.",
        "That neurons which do not stay have lost their part: from other pairs of the same model not all are found "
        "again either (see overlap). Units of large variance enter many sets.",
    )


def _bars(scope: Scope) -> str:
    if len(scope.tasks) < FEW:
        return " Thin lines of the picture: each task, with its 95 % interval over test pairs."
    return f" Thin lines of the picture: each task.{scope.bands_in_words}"
