"""Effects, drawn: the change beside those of matched controls, and the dose-response curve."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from .canvas import BLUE, GREEN, GREY, INK, VERMILION, finish, new_figure, title
from .effects import caveats, layers_of, p_value, what_was_done

LOOKS = {"welch": (BLUE, "s"), "l0": (GREEN, "^"), "attribution": (VERMILION, "o")}
KINDS = {"welch": "encoded", "l0": "encoded", "attribution": "used"}


def effect_figure(entries: Sequence[dict[str, Any]], model: str | None = None) -> Figure:
    """The change of the mean margin for each method's neurons, on top of what each of their controls does."""
    figure = new_figure(width=max(4.8, 2.2 + 1.9 * len(entries)))
    axes = figure.add_subplot()
    for place, entry in enumerate(entries):
        _strip(axes, place, entry)
    axes.axhline(0, color=INK, linewidth=1.0, linestyle=(0, (5, 3)), zorder=1)
    axes.set_xlim(-0.6, len(entries) - 0.4)
    axes.set_xticks(range(len(entries)), [_label(entry) for entry in entries])
    axes.set_ylabel("change of the mean margin (nats)")
    _style(axes)
    low, high = axes.get_ylim()
    axes.set_ylim(low, high + 0.16 * (high - low))
    for place, entry in enumerate(entries):
        _caption(axes, place, entry)
    first = entries[0]
    about = [what_was_done(first["edit"])] if len(entries) == 1 else [_shared(entries)]
    title(axes, first["task"], [*([model] if model else []), *about])
    notes = [
        f"grey: matched controls; p is their empirical two-sided one; bars: 95 % bootstrap over {_pairs(first)} pairs"
    ]
    figure.supxlabel(
        "\n".join([*notes, *(caveats(entries) if len(entries) > 1 else caveats(entries)[:-1])]), fontsize=8
    )
    return finish(figure)


def dose_figure(entry: dict[str, Any], model: str | None = None) -> Figure:
    """The change of the mean margin by scale, over the band of the controls; below it the KL on neutral text."""
    figure = new_figure(height=5.4)
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    rows = sorted([*entry["doses"], *_identity(entry)], key=lambda row: row["scale"])
    scales = [row["scale"] for row in rows]
    if rows[0]["controls"] or rows[-1]["controls"]:
        band = [[row["controls"][name] for row in rows] for name in ("delta_low", "delta_high", "delta_mean")]
        top.fill_between(scales, band[0], band[1], color=GREY, alpha=0.28, linewidth=0, label="controls: range")
        top.plot(scales, band[2], color=GREY, marker="d", markersize=4.5, linewidth=1.4, label="controls: mean")
    colour, marker = LOOKS.get(entry["method"], (VERMILION, "o"))
    delta = [row["delta"] for row in rows]
    bars = [[row["delta"] - row["low"] for row in rows], [row["high"] - row["delta"] for row in rows]]
    top.errorbar(
        scales,
        delta,
        yerr=bars,
        color=colour,
        marker=marker,
        linewidth=1.6,
        capsize=3,
        label=f"these {entry['edit']['k']}",
    )
    for axes in (top, bottom):
        axes.axvline(1, color=INK, linewidth=0.9, linestyle=(0, (1, 2)), zorder=0)
        _style(axes)
    top.axhline(0, color=INK, linewidth=1.0, linestyle=(0, (5, 3)), zorder=1)
    top.set_ylabel("change of the\nmean margin (nats)")
    top.legend(frameon=False, fontsize=9)
    bottom.plot(scales, [row["kl"] for row in rows], color=colour, marker=marker, markersize=4, linewidth=1.4)
    bottom.set_ylabel("KL\n(nats/token)")
    bottom.set_ylim(bottom=0)
    bottom.set_xlabel("scale (1 = unedited)")
    edit = entry["edit"]
    reference = "" if edit["kind"] == "zero" else f" about {edit['kind']}"
    about = f"{edit['k']} neurons at {layers_of(edit)} by {entry['method']}, scaled{reference}"
    title(top, entry["task"], [*([model] if model else []), about])
    return finish(figure)


def _strip(axes: Axes, place: int, entry: dict[str, Any]) -> None:
    """The controls of one set as dots, and the set itself with its interval."""
    margin, controls = entry["margin"], entry["controls"]
    if controls:
        deltas = sorted(controls["deltas"])
        axes.vlines(place, deltas[0], deltas[-1], color=GREY, alpha=0.28, linewidth=14, zorder=2)
        spread = [place + (0.05 if i % 2 else -0.05) for i in range(len(deltas))]
        axes.plot(spread, deltas, linestyle="", marker="o", markersize=4, color=GREY, alpha=0.8, zorder=3)
    colour, marker = LOOKS.get(entry["method"], (VERMILION, "o"))
    bars = [[margin["delta"] - margin["low"]], [margin["high"] - margin["delta"]]]
    axes.errorbar(
        [place],
        [margin["delta"]],
        yerr=bars,
        color=colour,
        marker=marker,
        markersize=10,
        capsize=4,
        linewidth=2,
        zorder=4,
    )


def _caption(axes: Axes, place: int, entry: dict[str, Any]) -> None:
    """p and KL above a strip."""
    p = f"p = {p_value(entry['controls']['p'])}" if entry["controls"] else "no controls"
    kl = entry["side_effects"]["kl"]
    axes.annotate(
        f"{p}\nKL {kl:.2g}",
        (place, 1),
        xycoords=("data", "axes fraction"),
        xytext=(0, -4),
        textcoords="offset points",
        ha="center",
        va="top",
        fontsize=9,
        color=INK,
    )


def _label(entry: dict[str, Any]) -> str:
    method, edit = entry["method"], entry["edit"]
    kind = f"{KINDS[method]}: " if method in KINDS else ""
    return f"{kind}{method}\n{edit['k']} at {layers_of(edit)}"


def _shared(entries: Sequence[dict[str, Any]]) -> str:
    """What was done to all of the sets."""
    edit = entries[0]["edit"]
    return f"{what_was_done(edit).partition(':')[0]}, {edit['site']}"


def _identity(entry: dict[str, Any]) -> list[dict[str, Any]]:
    """The unedited model, where no dose measured it."""
    if any(row["scale"] == 1 for row in entry["doses"]):
        return []
    still = {"delta": 0.0, "low": 0.0, "high": 0.0, "kl": 0.0}
    controls = entry["controls"] and {"delta_low": 0.0, "delta_high": 0.0, "delta_mean": 0.0}
    return [{"scale": 1.0, **still, "controls": controls}]


def _style(axes: Axes) -> None:
    axes.yaxis.set_major_locator(MaxNLocator(nbins=8))
    axes.grid(axis="y", color="#E6E6E6", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
