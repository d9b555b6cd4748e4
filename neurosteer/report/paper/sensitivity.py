"""How masks are trained: figures 2 and 4 in every way, at equal lambda and at equal kept share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import PercentFormatter

from neurosteer.report.canvas import BLUE, DASHED, GREEN, INK, LEGEND, VERMILION, finish, headline, new_figure
from neurosteer.report.numbers import number, percent, signed

from .about import about, lam, over_tasks
from .series import draw_interval, layer_axis
from .table import Table

Row = Mapping[str, Any]
COLOURS = {"standardised": BLUE, "raw": VERMILION, "scaled": GREEN}
STYLES = {"cold": "-", "warm": DASHED}
FILLED = {0.0: "full", 1.2: "none"}
KEY_WIDTH = 3.0  # inches of an entry of the legend
SHARES, AGREEMENTS = ("kept", "needed"), ("agreement", "agreement_equal")
FACTOR_NAMES = {
    "states": "states",
    "start": "start of the weights",
    "log_alpha": "start of the gates",
    "training": "training",
}
CLAIMS = {
    "b": "(b) the two selections agree, at λ = {lam}",
    "b_equal": "(b) at an equal kept share of {share}",
    "d": "(d) later layers keep more units, at equal λ",
    "d_equal": "(d) later layers need more units for 95 % of the dense accuracy",
}


def sensitivity_figure(outcome: Row, result: Row) -> Figure:
    """A column for each training; above, what masks keep at one lambda, below, how far |t| and gates agree."""
    at, share = lam(result["lambda"]), percent(result["share"])
    panels = (
        ("kept", f"units kept at λ = {at}"),
        ("agreement", f"Spearman of |t| and gate,\nshare of what ties allow, λ = {at}"),
    )
    name = f"What masks owe to their training · at equal λ = {at}"
    return _figure(outcome, result, panels, name, [f"equal kept share ({share}): the next figure"])


def equal_share_figure(outcome: Row, result: Row) -> Figure:
    """The same at an equal kept share, and the share that 95 % of the dense probe's accuracy needs."""
    share = percent(result["share"])
    panels = (
        ("needed", "units needed for 95 % of\nthe dense accuracy"),
        ("relative_equal", f"accuracy / dense\nat {share} of the units"),
        ("agreement_equal", f"Spearman of |t| and gate, share\nof what ties allow, at {share}"),
    )
    return _figure(outcome, result, panels, f"What masks owe to their training · at {share} of the units kept", [])


def _figure(
    outcome: Row,
    result: Row,
    panels: Sequence[tuple[str, str]],
    name: str,
    notes: Sequence[str],
) -> Figure:
    trainings = list(dict.fromkeys(row["training"] for row in result["ways"]))
    figure = new_figure(3.1 * len(trainings) + 0.8, 2.9 * len(panels) + 1.2)
    grid = figure.subplots(len(panels), len(trainings), sharex=True, sharey="row", squeeze=False)
    for (key, label), row in zip(panels, grid, strict=True):
        for axes, training in zip(row, trainings, strict=True):
            _panel(axes, [one for one in result["by_layer"] if one["training"] == training], key)
            layer_axis(axes, result["layers"], named=key == panels[-1][0], bins=7)
            if key in SHARES:
                axes.set_ylim(-0.03, 1.03)
                axes.yaxis.set_major_formatter(PercentFormatter(1))
            elif key in AGREEMENTS:
                axes.axhline(0, color=INK, linewidth=0.8, zorder=1)
        row[0].set_ylabel(label)
    for axes, training in zip(grid[0], trainings, strict=True):
        loss = f"paper's loss, {training}" if training.endswith("steps") else training
        axes.set_title(loss, fontsize=10, fontweight="bold", color=INK)
    figure.legend(handles=_keys(result), ncols=max(1, int(figure.get_figwidth() // KEY_WIDTH)), **LEGEND)
    headline(figure, name, about(outcome, *over_tasks(outcome), *notes))
    return finish(figure)


def _panel(axes: Axes, rows: Sequence[Row], key: str) -> None:
    for way in dict.fromkeys((row["states"], row["start"], row["log_alpha"]) for row in rows):
        known = [
            row for row in rows if (row["states"], row["start"], row["log_alpha"]) == way and row[key] is not None
        ]
        look = _look(*way)
        layers, values = [row["layer"] for row in known], [row[key] for row in known]
        axes.plot(layers, values, label="-".join(map(str, way)), markevery=max(1, len(known) // 6), **look)
        if f"{key}_low" in (known or [{}])[0]:
            draw_interval(axes, known, key, look["color"])


def _look(states: str, start: str, log_alpha: float) -> dict[str, Any]:
    return {
        "color": COLOURS[states],
        "linestyle": STYLES[start],
        "linewidth": 1.4,
        "marker": "o",
        "markersize": 4.5,
        "fillstyle": FILLED.get(log_alpha, "left"),
    }


def _keys(result: Row) -> list[Line2D]:
    ways = dict.fromkeys((row["states"], row["start"], row["log_alpha"]) for row in result["ways"])
    return [
        Line2D([], [], label=f"{states}, {start}, log alpha {log_alpha:g}", **_look(states, start, log_alpha))
        for states, start, log_alpha in ways
    ]


def sensitivity_tables(result: Row) -> list[Table]:
    """The verdicts, what they depend on, every way to train, and how far layers differ in scale."""
    names = {
        key: text.format(lam=lam(result["lambda"]), share=percent(result["share"])) for key, text in CLAIMS.items()
    }
    claims = [(names[row["claim"]], row["verdict"], row["text"], _on(row)) for row in result["claims"]]
    told = (
        "Each claim in every way to train. Up: with the whole 95 % interval, the mean agreement over layers is above "
        "half of what ties allow (b), or Spearman of layer and units above 0 (d; at equal λ, at more than half of "
        "them); down: below. A claim depends on a choice where ways that differ in it alone differ by more than "
        "resampling makes likely"
    )
    return [
        Table(told, ("claim", "verdict", "ways", "depends on (ways up)"), tuple(claims), left=4),
        _ways(result),
        _levels(result),
    ]


def _on(claim: Row) -> str:
    """The choices on which a claim depends, strongest first, with the ways that are up by their values."""
    if claim["verdict"] != "depends on training":
        return "-"
    if not claim["on"]:
        return "a combination of choices"
    return "; ".join(
        f"{FACTOR_NAMES[factor]}: "
        + ", ".join(f"{value} {held} of {of}" for value, (held, of) in claim["by"][factor].items())
        for factor in claim["on"]
    )


def _ways(result: Row) -> Table:
    rows = tuple(
        (
            row["states"],
            row["start"],
            f"{row['log_alpha']:g}",
            row["training"],
            number(row["loss"], 3),
            percent(row["kept"]),
            number(row["relative"]),
            _interval(row, "rho"),
            row["d"],
            f"{row['agreeing_layers']} of {row['of_layers']}",
            _interval(row, "beyond_half"),
            row["b"],
            percent(row["needed"]),
            number(row["relative_equal"]),
            _interval(row, "rho_equal"),
            row["d_equal"],
            f"{row['agreeing_layers_equal']} of {row['of_layers_equal']}",
            _interval(row, "beyond_half_equal"),
            row["b_equal"],
        )
        for row in result["ways"]
    )
    share = percent(result["share"])
    headers = (
        *("states", "weights", "log alpha", "training", "loss", "kept", "accuracy / dense"),
        *("Spearman (layer, kept)", "(d)", "layers where |t| and gates agree", "agreement less half", "(b)"),
        *("needed for 95 %", f"accuracy / dense at {share}", "Spearman (layer, needed)", f"(d) at {share}"),
        *(f"layers that agree at {share}", f"agreement less half at {share}", f"(b) at {share}"),
    )
    caption = (
        f"Every way to train, at λ = {lam(result['lambda'])} and, on the right, at equal kept share; means over "
        "tasks and layers. The loss is each training's own: compare within a training"
    )
    return Table(caption, headers, rows, left=4)


def _interval(row: Row, key: str) -> str:
    value, low, high = (row[key], row[f"{key}_low"], row[f"{key}_high"])
    return signed(value) if low is None or high is None else f"{signed(value)} [{signed(low)}, {signed(high)}]"


def _levels(result: Row) -> Table:
    rows = tuple((str(row["layer"]), f"{row['level']:.3g}", number(row["dense"])) for row in result["level"])
    caption = (
        "How far the units of a layer vary (root mean square of their standard deviations, mean over tasks): raw "
        "states grow by this much, and a weight of the same size counts for as much more"
    )
    return Table(caption, ("layer", "standard deviation", "dense accuracy"), rows, left=0)
