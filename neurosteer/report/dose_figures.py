"""Dose and response, drawn: the change of the margin at every scale, and what the edit does to neutral text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from .canvas import (
    DASHED,
    DOTTED,
    GREY,
    INK,
    LEGEND,
    ON_WHITE,
    SMALL,
    finish,
    method_look,
    new_figure,
    plain,
    short_name,
    title,
)
from .comparing import name_of
from .deeds import where, which_neurons

Row = Mapping[str, Any]

NARROWEST = 0.05  # of the width of the axes, between two ticks


def dose_figure(entry: Row, model: str | None = None) -> Figure:
    """The change of the mean margin (nats) by scale, with 95 % intervals, over the range and mean of the controls.

    Below it the KL on neutral text (nats per token). At scale 1 nothing is edited: that point is 0 by definition
    and drawn hollow. `model` is a name for the subtitle.
    """
    figure = new_figure(height=5.6)
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=[3.2, 1])
    edited = [row for row in entry["doses"] if row["scale"] != 1]
    rows = sorted([*edited, _unedited(entry)], key=lambda row: row["scale"])
    for axes in (top, bottom):
        plain(axes)
        axes.axvline(1, color=INK, linewidth=0.9, linestyle=DOTTED, zorder=0)
    keys = _changes(top, rows, entry)
    _divergences(bottom, rows, entry)
    figure.align_ylabels()
    edit = entry["edit"]
    about = [
        *([short_name(model)] if model else []),
        f"{which_neurons(edit)} by {name_of(entry)}",
        edit["site"],
        where(edit),
    ]
    title(top, entry["task"], about)
    figure.legend(*zip(*keys, strict=True), ncols=2, **LEGEND)
    return finish(figure)


def _changes(axes: Axes, rows: Sequence[Row], entry: Row) -> list[tuple[Any, str]]:
    """The upper panel; returns what the legend shows."""
    axes.axhline(0, color=INK, linewidth=1.0, linestyle=DASHED, zorder=1)
    keys = [*_controls(axes, rows), _chosen(axes, rows, entry)]
    look: dict[str, Any] = {**SMALL, "va": "top", "bbox": ON_WHITE}
    axes.annotate("unedited", (1, 1), xycoords=("data", "axes fraction"), xytext=(4, -1), **look)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=8))
    axes.set_ylabel("change of the mean margin (nats)")
    return keys


def _divergences(axes: Axes, rows: Sequence[Row], entry: Row) -> None:
    """The lower panel, and the scales below it."""
    scales, kl = ([row[name] for row in rows] for name in ("scale", "kl"))
    axes.plot(scales, kl, markersize=4.5, linewidth=1.6, **method_look(name_of(entry)))
    axes.yaxis.set_major_locator(MaxNLocator(nbins=3))
    axes.set_ylim(bottom=-0.06 * axes.get_ylim()[1])
    axes.set_ylabel("KL\n(nats/token)")
    axes.set_xticks(_ticks(scales))
    axes.xaxis.set_major_formatter("{x:g}")
    references = {"mean": " about their mean", "resample": " about a donor's"}
    axes.set_xlabel("scale of the activations" + references.get(entry["edit"]["kind"], ""))


def _controls(axes: Axes, rows: Sequence[Row]) -> list[tuple[Any, str]]:
    """A band from the lowest to the highest control, and their mean."""
    held = [(row["scale"], row["controls"]) for row in rows if row["controls"]]
    if not held:
        return []
    scales = [scale for scale, _ in held]
    low, high, mean = ([found[name] for _, found in held] for name in ("delta_low", "delta_high", "delta_mean"))
    band = axes.fill_between(scales, low, high, color=GREY, alpha=0.28, linewidth=0)
    (line,) = axes.plot(scales, mean, color=GREY, marker="d", markersize=4.5, linewidth=1.6, label="controls")
    count = max(found.get("n", 0) for _, found in held)
    return [((band, line), f"{count:,} controls: mean and range")]


def _chosen(axes: Axes, rows: Sequence[Row], entry: Row) -> tuple[Any, str]:
    """The line through all scales; intervals where something was measured, a hollow marker where nothing was."""
    look: dict[str, Any] = {**method_look(name_of(entry)), "linewidth": 1.6, "markersize": 6}
    (line,) = axes.plot([row["scale"] for row in rows], [row["delta"] for row in rows], label="chosen", **look)
    edited = [row for row in rows if row["scale"] != 1]
    scales, low, high = ([row[name] for row in edited] for name in ("scale", "low", "high"))
    bars = axes.vlines(scales, low, high, color=look["color"], linewidth=2.2)
    axes.plot([1], [0], markerfacecolor="white", **look)
    return (bars, line), f"these {entry['edit']['k']:,} neurons, with 95 % interval"


def _unedited(entry: Row) -> dict[str, Any]:
    """The row of scale 1: nothing is edited, in the neurons or in their controls."""
    held = any(row["controls"] for row in entry["doses"])
    nothing = {"delta": 0.0, "low": 0.0, "high": 0.0, "kl": 0.0}
    controls = {"delta_mean": 0.0, "delta_low": 0.0, "delta_high": 0.0}
    return {"scale": 1.0, **nothing, "controls": controls if held else None}


def _ticks(scales: Sequence[float]) -> list[float]:
    """The scales themselves, without those that would stand on a neighbour; 1 always."""
    gap = NARROWEST * (scales[-1] - scales[0])
    ticks = [1.0]
    for scale in scales:
        if all(abs(scale - tick) > gap for tick in ticks):
            ticks.append(scale)
    return sorted(ticks)
