"""Accuracy by layer, drawn: what a probe reads at each layer, beside what needs no model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator

from neurosteer.pairs import Baselines
from neurosteer.results import FindLayer, FindResult

from .baselines import DRAWN, named
from .canvas import (
    ACCURACY,
    BELOW,
    BLUE,
    DASHED,
    DOTTED,
    GREEN,
    GREY,
    INK,
    LEGEND,
    SMALL,
    VERMILION,
    as_written,
    layer_axis,
    new_figure,
    own_style,
    short_name,
    title,
)

LABEL_GAP = 0.036  # of the height of the axes, between two labels at the right edge


@own_style()
def find_figure(found: FindResult, model: str | None = None, *, ax: Axes | None = None) -> Figure:
    """Test accuracy by layer of one task of `neurosteer find`; `model` is a name for the title.

    Bands about the dense and the top-k line are 95 % intervals over test pairs, that about the random sets is their
    range. Dashed lines are the same probes on pairs whose words they never saw (the lexical split). The horizontal
    lines are classifiers that see only words or tokens, fitted on the same split as the solid lines. With `ax` all is
    drawn there, the legend below it, and the figure that it belongs to is returned.
    """
    axes = new_figure().add_subplot() if ax is None else ax
    figure = axes.get_figure(root=True)
    assert figure is not None
    layer_axis(axes, [row.layer for row in found.layers])
    axes.set_ylabel(ACCURACY)
    axes.yaxis.set_major_locator(MultipleLocator(0.1))
    keys = _probes(axes, found)
    _best_layer(axes, found.best_layer)
    baseline_lines(axes, found.baselines)
    title(axes, found.task, _subtitle(found, model))
    handles, labels = zip(*keys, strict=True)
    if ax is None:
        figure.legend(handles, labels, ncols=3, **LEGEND)
    else:
        axes.legend(handles, labels, ncols=2, **{**LEGEND, **BELOW})
    as_written(figure if ax is None else axes)
    return figure


@dataclass(frozen=True)
class _Series:
    """One line: a value of each layer and, where it has a band, the ends of that."""

    label: str
    colour: str
    marker: str
    dashes: str
    value: Callable[[FindLayer], float | None]
    ends: Callable[[FindLayer], tuple[float | None, float | None]] | None = None


def _series_of(topk: int, by: str) -> tuple[_Series, ...]:
    return (
        _Series("dense: all units", BLUE, "o", "-", lambda row: row.dense, lambda row: row.intervals.dense),
        _Series(f"top {topk} {by}s", VERMILION, "s", "-", lambda row: row.topk, lambda row: row.intervals.topk),
        _Series("L0: units kept by the mask", GREEN, "^", "-.", lambda row: row.l0.accuracy if row.l0 else None),
        _Series(
            f"random {topk}: mean and range",
            GREY,
            "d",
            "-",
            lambda row: row.random.mean,
            lambda row: (row.random.low, row.random.high),
        ),
        _Series("dense, new words", BLUE, "o", "--", lambda row: row.new_words.dense if row.new_words else None),
        _Series(
            f"top {topk}, new words", VERMILION, "s", "--", lambda row: row.new_words.topk if row.new_words else None
        ),
    )


def _probes(axes: Axes, found: FindResult) -> list[tuple[Any, str]]:
    """Draw every series that has values; returns what the legend shows, in its order."""
    keys: list[tuple[Any, str]] = []
    for series in _series_of(found.topk, found.by):
        points = [(row, value) for row in found.layers if (value := series.value(row)) is not None]
        if not points:
            continue
        layers = [row.layer for row, _ in points]
        (line,) = axes.plot(
            layers,
            [value for _, value in points],
            label=series.label,
            linewidth=1.6,
            markersize=4.5,
            color=series.colour,
            marker=series.marker,
            linestyle=series.dashes,
            markerfacecolor="white" if series.dashes == "--" else series.colour,
        )
        band = _band(axes, layers, [series.ends(row) for row, _ in points], series.colour) if series.ends else None
        keys.append(((band, line) if band else line, series.label))
    axes.set_ylim(min([0.5, *axes.dataLim.intervaly]) - 0.04, 1.07)
    return keys


def _band(axes: Axes, layers: Sequence[int], ends: Sequence[tuple[Any, Any]], colour: str) -> Any:
    """From the lower to the upper end at each layer; a bar where there is only one layer."""
    low, high = zip(*ends, strict=True)
    if len(layers) == 1:
        return axes.vlines(layers, low, high, color=colour, alpha=0.28, linewidth=9)
    return axes.fill_between(layers, low, high, color=colour, alpha=0.28 if colour == GREY else 0.16, linewidth=0)


def _best_layer(axes: Axes, layer: int) -> None:
    axes.axvline(layer, color=INK, linewidth=0.9, linestyle=DOTTED, zorder=0)
    leftward = layer > sum(axes.get_xlim()) / 2
    axes.annotate(
        f"best layer {layer} (on validation)",
        (layer, 1.0),
        xycoords=("data", "axes fraction"),
        xytext=(-4 if leftward else 4, -1),
        ha="right" if leftward else "left",
        va="top",
        **SMALL,
    )


def baseline_lines(axes: Axes, baselines: Baselines, gap: float = LABEL_GAP) -> None:
    """Horizontal lines, each with its name and value at the right edge, moved apart where they are close."""
    values = named(baselines)
    lines = {label: value for label in DRAWN if (value := values[label]) is not None} | {"chance": 0.5}
    bottom, top = axes.get_ylim()
    names = sorted(lines, key=lambda label: lines[label])
    wanted = [(lines[label] - bottom) / (top - bottom) for label in names]
    for label, height in zip(names, _apart(wanted, gap), strict=True):
        axes.axhline(lines[label], color=INK, linewidth=1.0, linestyle=DASHED, alpha=0.75, zorder=1)
        axes.annotate(
            f"{label} {lines[label]:.3f}".replace(" 0.", " ."),
            (1.0, lines[label]),
            xycoords=("axes fraction", "data"),
            xytext=(1.012, height),
            va="center",
            **{**SMALL, "textcoords": "axes fraction"},
        )


def _apart(heights: Sequence[float], gap: float) -> list[float]:
    """Ascending heights moved as little as needed so that neighbours are `gap` apart and none passes 1."""
    placed: list[float] = []
    for height in heights:
        placed.append(max(height, placed[-1] + gap) if placed else height)
    ceiling = 1.0
    for index in reversed(range(len(placed))):
        placed[index] = min(placed[index], ceiling)
        ceiling = placed[index] - gap
    return placed


def _subtitle(found: FindResult, model: str | None) -> list[str]:
    split = found.data.split
    return [
        *([short_name(model)] if model else []),
        f"{split.kind} split: {split.train:,} / {split.validation:,} / {split.test:,} pairs",
        short_name(found.data.source),
        f"bands: 95 % interval over {split.test:,} test pairs",
    ]
