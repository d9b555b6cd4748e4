"""Accuracy by layer, drawn: what a probe reads at each layer, beside what needs no model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator

from .baselines import DRAWN, named
from .canvas import (
    BLUE,
    DASHED,
    DOTTED,
    GREEN,
    GREY,
    INK,
    LEGEND,
    SMALL,
    VERMILION,
    finish,
    layer_ticks,
    new_figure,
    plain,
    short_name,
    title,
)

LABEL_GAP = 0.036  # of the height of the axes, between two labels at the right edge


def find_figure(entry: dict[str, Any], model: str | None = None) -> Figure:
    """Test accuracy by layer of one task of `neurosteer find`; `model` is a name for the title.

    Bands about the dense and the top-k line are 95 % intervals over test pairs, that about the random sets is their
    range. Dashed lines are the same probes on pairs whose words they never saw (the lexical split). The horizontal
    lines are classifiers that see only words or tokens, fitted on the same split as the solid lines.
    """
    figure = new_figure()
    axes = figure.add_subplot()
    _style(axes, [row["layer"] for row in entry["layers"]])
    keys = _probes(axes, entry)
    _best_layer(axes, entry["best_layer"])
    baseline_lines(axes, entry["baselines"])
    title(axes, entry["task"], _about(entry, model))
    figure.legend(*zip(*keys, strict=True), ncols=3, **LEGEND)
    return finish(figure)


def _style(axes: Axes, layers: Sequence[int]) -> None:
    axes.set_xlim(min(layers) - 0.6, max(layers) + 0.6)
    axes.set_xlabel("layer (block, counted from 0)")
    axes.set_ylabel("test accuracy (share of sentences)")
    layer_ticks(axes, layers)
    axes.yaxis.set_major_locator(MultipleLocator(0.1))
    plain(axes)


def _probes(axes: Axes, entry: dict[str, Any]) -> list[tuple[Any, str]]:
    """Draw every series that has values; returns what the legend shows, in its order."""
    rows, k = entry["layers"], entry["k"]
    series = (
        (("dense",), "dense: all units", BLUE, "o", "-"),
        (("topk",), f"top {k} units", VERMILION, "s", "-"),
        (("l0", "accuracy"), "L0: units kept by the mask", GREEN, "^", "-."),
        (("random", "mean"), f"random {k}: mean and range", GREY, "d", "-"),
        (("new_words", "dense"), "dense, new words", BLUE, "o", "--"),
        (("new_words", "topk"), f"top {k}, new words", VERMILION, "s", "--"),
    )
    keys: list[tuple[Any, str]] = []
    for path, label, colour, marker, dashes in series:
        layers, values = _points(rows, *path)
        if not values:
            continue
        fill = "white" if dashes == "--" else colour
        look: dict[str, Any] = {
            "color": colour,
            "marker": marker,
            "linestyle": dashes,
            "markerfacecolor": fill,
        }
        (line,) = axes.plot(layers, values, label=label, linewidth=1.6, markersize=4.5, **look)
        ends = _ends(rows, path[0]) if len(path) == 1 or path[0] == "random" else None
        keys.append(((_band(axes, ends, colour), line) if ends else line, label))
    axes.set_ylim(min([0.5, *axes.dataLim.intervaly]) - 0.04, 1.07)
    return keys


def _ends(rows: Sequence[dict[str, Any]], name: str) -> list[tuple[int, float, float]]:
    """Layer, lower and upper end of a band: the range of the random draws, or the interval of an accuracy."""
    if name == "random":
        ends = [(row["layer"], row["random"]["low"], row["random"]["high"]) for row in rows]
        return [end for end in ends if end[1] is not None]
    return [(row["layer"], *row["intervals"][name]) for row in rows]


def _band(axes: Axes, ends: Sequence[tuple[int, float, float]], colour: str) -> Any:
    """From the lower to the upper end at each layer; a bar where there is only one layer."""
    layers, low, high = zip(*ends, strict=True)
    if len(layers) == 1:
        return axes.vlines(layers, low, high, color=colour, alpha=0.28, linewidth=9)
    return axes.fill_between(layers, low, high, color=colour, alpha=0.28 if colour == GREY else 0.16, linewidth=0)


def _points(rows: Sequence[dict[str, Any]], *keys: str) -> tuple[list[int], list[float]]:
    """Layers and values of a (nested) key, without the layers where it is null."""
    layers, values = [], []
    for row in rows:
        value: Any = row
        for key in keys:
            value = value[key] if value is not None else None
        if value is not None:
            layers.append(row["layer"])
            values.append(value)
    return layers, values


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


def baseline_lines(axes: Axes, baselines: Mapping[str, Any], gap: float = LABEL_GAP) -> None:
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


def _about(entry: dict[str, Any], model: str | None) -> list[str]:
    split = entry["data"]["split"]
    sizes = " / ".join(f"{split[part]:,}" for part in ("train", "validation", "test"))
    return [
        *([short_name(model)] if model else []),
        f"{split['kind']} split: {sizes} pairs",
        short_name(entry["data"]["source"]),
        f"bands: 95 % interval over {split['test']:,} test pairs",
    ]
