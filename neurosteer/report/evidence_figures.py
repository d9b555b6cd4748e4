"""The six answers drawn, each beside its controls and filled where it holds; faithfulness over the share kept."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

from neurosteer.rankings import shown_by
from neurosteer.references import REFERENCE_POINTS
from neurosteer.results.evidence import Answer, EvidenceResult
from neurosteer.vocabulary import counted, counted_pairs

from .canvas import (
    BELOW,
    DASHED,
    DOTTED,
    FAINT,
    GREY,
    INK,
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
from .edit_labels import in_layers
from .numbers import p_equals

UNITS = {
    "encoded": "accuracy above\nthe best baseline",
    "necessary": "share of the margin\nlost without it",
    "sufficient": "share kept\nby it alone",
    "interchangeable": "share swapped,\nbeyond ablation",
    "selective": "share lost, beyond\nsearches for nothing",
    "isolated": "own effect less that\nelsewhere, in sd",
}


@own_style()
def evidence_figure(found: Sequence[EvidenceResult], model: str | None = None, *, ax: Axes | None = None) -> Figure:
    """A row per question: the value with its 95 % interval, filled where it holds, above the range of its controls.

    Several sets of one task stand below one another in each row. `model` is a name for the subtitle, `ax` axes of a
    figure of your own, which is then returned.
    """
    questions = list(dict.fromkeys(question for one in found for question in one.tests))
    height = 1.9 + len(questions) * (0.55 + 0.22 * len(found))
    axes = new_figure(width=8.4, height=height).add_subplot() if ax is None else ax
    plain(axes)
    axes.grid(axis="y", visible=False)
    axes.grid(axis="x", color="#E6E6E6", linewidth=0.8)
    axes.axvline(0, color=INK, linewidth=1.0, linestyle=DASHED, zorder=1)
    axes.axvline(1, color=INK, linewidth=0.8, linestyle=DOTTED, zorder=1)
    for row, question in enumerate(questions):
        for place, one in enumerate(found):
            if question in one.tests:
                y = row + 0.62 * ((place + 0.5) / len(found) - 0.5)
                _row(axes, y, one, one.tests[question])
    axes.set_yticks(range(len(questions)), questions, fontsize=10.5, va="bottom")
    for row, question in enumerate(questions):
        axes.annotate(
            UNITS[question],
            (0, row),
            xycoords=("axes fraction", "data"),
            xytext=(-7, -1),
            ha="right",
            va="top",
            linespacing=1.05,
            annotation_clip=False,
            **{**SMALL, "fontsize": 7.5, "color": FAINT},
        )
    axes.set_ylim(len(questions) - 0.45, -0.55)
    axes.tick_params(axis="y", length=0, pad=7)
    axes.margins(x=0.08)
    title(axes, found[0].task, _subtitle(found, model), room=20.0 if len(found) > 1 else 0.0)
    _legend(axes, found)
    footnotes(axes, _notes(found))
    figure = axes.get_figure(root=True)
    assert figure is not None
    as_written(figure if ax is None else axes)
    return figure


def _row(axes: Axes, y: float, one: EvidenceResult, answer: Answer) -> None:
    look = method_look(one.method or "given")
    if answer.value is None:
        axes.annotate(
            f"cannot tell: {_short(answer.why)}", (0, y), xytext=(6, 0), va="center", **{**SMALL, "color": FAINT}
        )
        return
    if answer.controls:
        below = y + 0.13
        low, high = min(answer.controls), max(answer.controls)
        axes.hlines(below, low, high, color=GREY, alpha=0.35, linewidth=7, zorder=2)
        axes.plot(answer.controls, [below] * answer.n, linestyle="", marker="|", markersize=6, color=GREY, zorder=3)
    ends = (answer.value if answer.low is None else answer.low, answer.value if answer.high is None else answer.high)
    bars = [[answer.value - ends[0]], [ends[1] - answer.value]]
    shape: Look = {"markersize": 8.5, "capsize": 3, "linewidth": 1.8, "zorder": 5, "markeredgewidth": 1.6}
    fill = look["color"] if answer.holds else "white"
    axes.errorbar([answer.value], [y], xerr=bars, markerfacecolor=fill, linestyle="", **shape, **look)
    p = "" if answer.p is None else p_equals(answer.p)
    axes.annotate(
        p if answer.holds is not None else f"{p}, too few to tell",
        (max(ends[1], answer.value), y),
        xytext=(7, 0),
        va="center",
        **SMALL,
    )


def _short(why: str, most: int = 74) -> str:
    return why if len(why) <= most else f"{why[: most - 1].rsplit(' ', 1)[0]}…"


def _legend(axes: Axes, found: Sequence[EvidenceResult]) -> None:
    if len(found) < 2:
        return
    for one in found:
        axes.plot([], [], linestyle="", markersize=8, label=_name(one), **method_look(one.method or "given"))
    above: Look = {"loc": "lower left", "bbox_to_anchor": (0, 1), "borderaxespad": 0.2}
    axes.legend(ncols=len(found), frameon=False, fontsize=9, **above)


def _name(one: EvidenceResult) -> str:
    method = one.method or "given"
    return one.asked_about if one.by == "direction" else f"{shown_by(method)}{method}, {one.k:,} {one.noun}s"


def _subtitle(found: Sequence[EvidenceResult], model: str | None) -> list[str]:
    first = found[0]
    who = [first.asked_about] if len(found) == 1 else []
    named = [short_name(model)] if model else []
    return [*named, *who, in_layers(first.layers), first.site, f"ablated to {REFERENCE_POINTS[first.to].words}"]


def _notes(found: Sequence[EvidenceResult]) -> list[str]:
    first = found[0]
    verdicts = [f"{_name(one)}: {one.verdict}" if len(found) > 1 else one.verdict for one in found]
    counts = sorted({answer.n for one in found for answer in one.tests.values() if answer.n})
    return [
        *verdicts,
        "filled: p at most .05 among the set and its controls (grey), and the interval above 0; dotted: 1, all of it",
        f"{' or '.join(map(str, counts)) or 'no'} controls (of selective: searches on exchanged labels); bars: 95 % "
        f"interval over {counted_pairs(first.data.tested, first.groups)}, of isolated over tasks",
    ]


@own_style()
def faithfulness_figure(
    found: Sequence[EvidenceResult], model: str | None = None, *, ax: Axes | None = None
) -> Figure:
    """f over the share of units that is left as it is: of each ranking, of its reverse, of shuffled orders."""
    axes = new_figure(width=8.4, height=5.2).add_subplot() if ax is None else ax
    plain(axes)
    for level, line in ((0, DASHED), (1, DOTTED)):
        axes.axhline(level, color=INK, linewidth=0.9, linestyle=line, zorder=1)
    for place, one in enumerate(found):
        _line(axes, one, controls=place == 0)
    axes.set_xscale("log")
    axes.set_xlim(0.0009, 1.12)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:g} %"))
    axes.set_xticks([point.share for point in found[0].curve])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_ylabel("share of the preference kept")
    axes.legend(ncols=2, frameon=False, fontsize=9, **BELOW)
    title(axes, found[0].task, [*_subtitle(found, model)[:-1], "all other units moved to their mean"])
    axes.set_xlabel("share of the units left as they are, best first")
    figure = axes.get_figure(root=True)
    assert figure is not None
    as_written(figure if ax is None else axes)
    return figure


def _line(axes: Axes, one: EvidenceResult, *, controls: bool) -> None:
    look, shares = method_look(one.method or "given"), [point.share for point in one.curve]
    colour = look["color"]
    if controls and one.curve[0].controls:
        low, high = ([end(point.controls) for point in one.curve] for end in (min, max))
        count = counted(len(one.curve[0].controls), "shuffled order")
        axes.fill_between(shares, low, high, color=GREY, alpha=0.3, linewidth=0, label=f"{count}, range", zorder=2)
    label = f"{_name(one)}: CPR {one.cpr:.2f}, CMD {one.cmd:.2f}"
    axes.fill_between(
        shares, [p.low for p in one.curve], [p.high for p in one.curve], color=colour, alpha=0.15, linewidth=0
    )
    axes.plot(shares, [p.f for p in one.curve], label=label, linewidth=1.8, markersize=5.5, zorder=4, **look)
    dashed: Look = {"color": colour, "linestyle": DASHED, "linewidth": 1.2, "zorder": 3}
    axes.plot(shares, [p.reverse for p in one.curve], label=f"{one.method or 'given'}, reversed", **dashed)
    own = one.tests.get("sufficient")
    if own is not None and own.value is not None:
        axes.plot(
            [one.k / one.width],
            [own.value],
            linestyle="",
            markersize=11,
            markerfacecolor="white" if not own.holds else colour,
            markeredgewidth=1.8,
            zorder=5,
            **look,
        )
