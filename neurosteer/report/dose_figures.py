"""Dose and response, drawn: the change of the margin at every scale, and what the edit does to neutral text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from neurosteer.references import about, reference_of
from neurosteer.results.effect import Dose, EffectResult
from neurosteer.vocabulary import counted

from .canvas import (
    DASHED,
    DOTTED,
    GREY,
    INK,
    LEGEND,
    ON_WHITE,
    SMALL,
    Look,
    finish,
    method_look,
    new_figure,
    own_style,
    plain,
    short_name,
    title,
)
from .comparing import name_of
from .edit_labels import where, which_neurons

NARROWEST = 0.05  # of the width of the axes, between two ticks


@own_style()
def dose_figure(effect: EffectResult, model: str | None = None) -> Figure:
    """The change of the mean margin (nats) by scale, with 95 % intervals, over the range and mean of the controls.

    Below it the KL on neutral text (nats per token). At scale 1 nothing is edited: that point is 0 by definition
    and drawn hollow. `model` is a name for the subtitle.
    """
    figure = new_figure(height=5.6)
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=[3.2, 1])
    edited = [dose for dose in effect.by_scale if dose.scale != 1]
    doses = sorted([*edited, _unedited(effect)], key=lambda dose: dose.scale)
    for axes in (top, bottom):
        plain(axes)
        axes.axvline(1, color=INK, linewidth=0.9, linestyle=DOTTED, zorder=0)
    keys = _changes(top, doses, effect)
    _divergences(bottom, doses, effect)
    figure.align_ylabels()
    subtitle = [
        *([short_name(model)] if model else []),
        f"{which_neurons(effect.edit)} by {name_of(effect)}",
        effect.edit.site,
        where(effect.edit),
    ]
    title(top, effect.task, subtitle)
    figure.legend(*zip(*keys, strict=True), ncols=2, **LEGEND)
    return finish(figure)


def _changes(axes: Axes, doses: Sequence[Dose], effect: EffectResult) -> list[tuple[Any, str]]:
    """The upper panel; returns what the legend shows."""
    axes.axhline(0, color=INK, linewidth=1.0, linestyle=DASHED, zorder=1)
    keys = [*_controls(axes, doses), _chosen(axes, doses, effect)]
    look: Look = {**SMALL, "va": "top", "bbox": ON_WHITE}
    axes.annotate("unedited", (1, 1), xycoords=("data", "axes fraction"), xytext=(4, -1), **look)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=8))
    axes.set_ylabel("change of the mean margin (nats)")
    return keys


def _divergences(axes: Axes, doses: Sequence[Dose], effect: EffectResult) -> None:
    """The lower panel, and the scales below it."""
    scales, kl = [dose.scale for dose in doses], [dose.kl for dose in doses]
    axes.plot(scales, kl, markersize=4.5, linewidth=1.6, **method_look(name_of(effect)))
    axes.yaxis.set_major_locator(MaxNLocator(nbins=3))
    axes.set_ylim(bottom=-0.06 * axes.get_ylim()[1])
    axes.set_ylabel("KL\n(nats/token)")
    axes.set_xticks(_ticks(scales))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set_xlabel("scale of the activations" + about(reference_of(effect.edit.kind)))


def _controls(axes: Axes, doses: Sequence[Dose]) -> list[tuple[Any, str]]:
    """A band from the lowest to the highest control, and their mean."""
    held = [(dose.scale, dose.controls) for dose in doses if dose.controls]
    if not held:
        return []
    scales, found = [scale for scale, _ in held], [controls for _, controls in held]
    low, high = [one.delta_low for one in found], [one.delta_high for one in found]
    band = axes.fill_between(scales, low, high, color=GREY, alpha=0.28, linewidth=0)
    look: Look = {"color": GREY, "marker": "d", "markersize": 4.5, "linewidth": 1.6}
    (line,) = axes.plot(scales, [one.delta_mean for one in found], label="controls", **look)
    return [((band, line), f"{counted(found[0].n, 'control')}: mean and range")]


def _chosen(axes: Axes, doses: Sequence[Dose], effect: EffectResult) -> tuple[Any, str]:
    """The line through all scales; intervals where something was measured, a hollow marker where nothing was."""
    look: Look = {**method_look(name_of(effect)), "linewidth": 1.6, "markersize": 6}
    (line,) = axes.plot([dose.scale for dose in doses], [dose.delta for dose in doses], label="chosen", **look)
    edited = [dose for dose in doses if dose.scale != 1]
    scales, low, high = ([getattr(dose, name) for dose in edited] for name in ("scale", "low", "high"))
    bars = axes.vlines(scales, low, high, color=line.get_color(), linewidth=2.2)
    axes.plot([1], [0], markerfacecolor="white", **look)
    these = f"this {effect.edit.noun}" if effect.edit.k == 1 else f"these {effect.edit.k:,} {effect.edit.noun}s"
    return (bars, line), f"{these}, with 95 % interval"


def _unedited(effect: EffectResult) -> Dose:
    """The dose of scale 1: nothing is edited, in the neurons or in their controls."""
    held = next((dose.controls for dose in effect.by_scale if dose.controls), None)
    still = held and replace(held, delta_mean=0.0, delta_low=0.0, delta_high=0.0)
    return Dose(scale=1.0, accuracy=effect.accuracy.before, delta=0.0, low=0.0, high=0.0, controls=still, kl=0.0)


def _ticks(scales: Sequence[float]) -> list[float]:
    """The scales themselves, without those that would stand on a neighbour; 1 always."""
    gap = NARROWEST * (scales[-1] - scales[0])
    ticks = [1.0]
    for scale in scales:
        if all(abs(scale - tick) > gap for tick in ticks):
            ticks.append(scale)
    return sorted(ticks)
