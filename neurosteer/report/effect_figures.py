"""Encoded against used, drawn: the effect of each method's neurons beside those of matched controls."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from neurosteer.rankings import shown_by
from neurosteer.results.effect import Controls, EffectResult
from neurosteer.vocabulary import (
    LESS,
    NOTHING_TO_LOSE,
    TOO_FEW_TO_TELL,
    counted,
    counted_pairs,
)

from .canvas import (
    DASHED,
    FAINT,
    GREY,
    INK,
    ON_WHITE,
    SMALL,
    Look,
    as_written,
    footnotes,
    method_look,
    new_figure,
    own_style,
    plain,
    short_name,
    title,
)
from .comparing import caveats, name_of, selected_on_the_outcome
from .edit_labels import action, layers_of, where, which_neurons
from .numbers import change, divergence, p_equals

ASIDE = 0.09  # of a column: the controls to the left of its middle, the chosen neurons to the right


@own_style()
def effect_figure(effects: Sequence[EffectResult], model: str | None = None, *, ax: Axes | None = None) -> Figure:
    """The change of the mean margin (nats) under each method's neurons, one column per method.

    Grey dots are the control sets, one each, with their range and mean; the large marker is the chosen set with
    its 95 % interval, the hollow one the same without massive units. `model` is a name for the subtitle. `ax` are
    axes of a figure of your own, which is then returned.
    """
    axes = new_figure(width=max(6.4, 2.4 + 2.1 * len(effects))).add_subplot() if ax is None else ax
    plain(axes)
    axes.axhline(0, color=INK, linewidth=1.0, linestyle=DASHED, zorder=1)
    for place, effect in enumerate(effects):
        _controls(axes, place - ASIDE, effect.controls, named=place == 0)
        _chosen(axes, place + (ASIDE if effect.controls else 0.0), effect)
        _caption(axes, place, effect)
    edge = 0.75 if len(effects) == 1 else 0.55
    axes.set_xlim(-edge, len(effects) - 1 + edge)
    axes.set_xticks(range(len(effects)), [_name(effect) for effect in effects])
    axes.tick_params(axis="x", length=0, pad=6)
    axes.margins(y=0.11)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=8))
    axes.set_ylabel("change of the mean margin (nats)")
    axes.annotate("unedited", (1, 0), xycoords=("axes fraction", "data"), xytext=(4, 0), va="center", **SMALL)
    title(axes, effects[0].task, _subtitle(effects, model), room=28.0)
    footnotes(axes, _notes(effects))
    figure = axes.get_figure(root=True)
    assert figure is not None
    as_written(figure if ax is None else axes)
    return figure


def _controls(axes: Axes, x: float, controls: Controls | None, *, named: bool) -> None:
    """Their range as a bar, each set as a dot, their mean as a line across."""
    if controls is None:
        return
    axes.vlines(x, controls.delta_low, controls.delta_high, color=GREY, alpha=0.3, linewidth=13, zorder=2)
    dots: Look = {
        "marker": "o",
        "markersize": 5,
        "color": GREY,
        "markeredgecolor": "white",
        "markeredgewidth": 0.5,
    }
    deltas = controls.deltas
    axes.plot([x] * len(deltas), deltas, linestyle="", label="controls", zorder=3, **dots)
    axes.plot([x], [controls.delta_mean], color=INK, marker="_", markersize=13, markeredgewidth=1.6, zorder=4)
    if named:
        text = counted(controls.n, "control")
        below = (x, controls.delta_low)
        axes.annotate(text, below, xytext=(8, -5), ha="right", va="top", bbox=ON_WHITE, zorder=2, **SMALL)


def _chosen(axes: Axes, x: float, effect: EffectResult) -> None:
    margin, look = effect.margin, method_look(name_of(effect))
    bars = [[margin.delta - margin.low], [margin.high - margin.delta]]
    shape: Look = {"markersize": 10, "capsize": 4, "linewidth": 2, "zorder": 5}
    axes.errorbar([x], [margin.delta], yerr=bars, label=name_of(effect), **shape, **look)
    light = effect.without_massive
    if light is not None:
        hollow: Look = {**look, "linestyle": "", "markerfacecolor": "white", "markersize": 7, "zorder": 4}
        axes.plot([x], [light.delta], label="without massive units", **hollow)
    text = change(margin.delta).replace("-", "−")  # noqa: RUF001  (a minus sign, as at the axis)
    bold: Look = {**SMALL, "fontsize": 9.5, "fontweight": "bold", "color": look["color"]}
    axes.annotate(text, (x, margin.delta), xytext=(11, 0), va="center", bbox=ON_WHITE, zorder=2, **bold)


def _caption(axes: Axes, place: int, effect: EffectResult) -> None:
    """p and KL above a column."""
    controls = effect.controls
    p = "no controls" if controls is None else p_equals(controls.p)
    if controls and controls.direction == LESS:
        p += ", moves less"
    if effect.nothing_to_lose is None or (controls and controls.verdict == TOO_FEW_TO_TELL):
        p = TOO_FEW_TO_TELL
    if effect.nothing_to_lose:
        p = NOTHING_TO_LOSE
    above: Look = {"xycoords": ("data", "axes fraction"), "ha": "center"}
    axes.annotate(p, (place, 1), xytext=(0, 16), **above, **{**SMALL, "fontsize": 10, "fontweight": "bold"})
    kl = divergence(effect.side_effects.kl)
    axes.annotate(f"KL {kl}", (place, 1), xytext=(0, 5), **above, **{**SMALL, "color": FAINT})


def _name(effect: EffectResult) -> str:
    method = name_of(effect)
    return f"{shown_by(method)}{method}\n{effect.edit.k:,} at {layers_of(effect.edit)}"


def _subtitle(effects: Sequence[EffectResult], model: str | None) -> list[str]:
    edit = effects[0].edit
    neurons = [which_neurons(edit)] if len(effects) == 1 else []
    return [*([short_name(model)] if model else []), action(edit), *neurons, edit.site, where(edit)]


def _notes(effects: Sequence[EffectResult]) -> list[str]:
    counts = sorted({effect.controls.n for effect in effects if effect.controls})
    held = " or ".join(f"{n:,}" for n in counts)
    matched = "matched control" + "s" * (counts != [1])
    p = f"p: empirical, two-sided, against {held} {matched} (dots; their range and mean)"
    tested = counted_pairs(effects[0].data.tested, effects[0].groups)
    return [
        p if counts else "no controls (--controls 0): nothing to compare with",
        f"error bars: 95 % bootstrap interval over {tested}",
        "KL(unedited || edited): nats per token of neutral text",
        *(["hollow: without massive units"] if any(effect.without_massive for effect in effects) else []),
        *(caveats(effects) if len(effects) > 1 else selected_on_the_outcome(effects)),
    ]
