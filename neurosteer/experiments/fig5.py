"""Figure 5: how many random units are worth the chosen ones?

At each layer the mean accuracy of the top k by |t| is held against that of random sets of growing size; claim (c).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from neurosteer.report.canvas import DASHED, INK, VERMILION, Look, finish, headline, new_figure
from neurosteer.report.numbers import NONE, share_of
from neurosteer.report.palette import ordered_looks
from neurosteer.report.table import Table, abridged, ranged, spread
from neurosteer.results import APART, Estimate, Json
from neurosteer.runner.units import Read
from neurosteer.studies.matching import matching_size

from .design import Design
from .experiment import Caption, Drawing, Experiment, Results, Verdict, Work
from .scope import Scope
from .shared.intervals import TaskSamples, ends
from .shared.layer_axes import BESIDE, accuracy_axis, draw_line, layer_axis
from .shared.layer_curves import by_task_rows, chance_above_floor, estimate, exclusion_notes, luck_notes
from .shared.layer_probes import FLOOR, LayerProbes

NAME = "fig5"
TIMES = 6  # as many random units, in the paper
NO_MATCH = "none"
ARROW = "no number of\nrandom units matches"
EDGE = 0.955  # of the height of the axes: where arrows stand for what no number of random units matches
CHOSEN: Look = {"color": VERMILION, "marker": "s", "linewidth": 3.0, "markersize": 6.5, "zorder": 4}
HOLLOW: Look = {"color": INK, "markerfacecolor": "white", "zorder": 6}
LEFT_OUT = "without tasks whose dense probe is below {} on validation data: {} a layer"


@dataclass(frozen=True)
class Match:
    """One layer: what the top k read, and the number of random units that read as much.

    `equivalent` is that number and `multiple` the same for each chosen unit, both of the mean over tasks; their value
    is None where no number of random units reaches it (`beyond`), their upper end where none reaches that.
    """

    layer: int
    tasks: int
    excluded: int  # tasks whose dense probe reads nothing
    top: Estimate  # accuracy of the top k
    equivalent: Estimate
    multiple: Estimate
    censored: float  # share of resamples that no number of random units matches
    beyond: bool
    median_multiple: float | None  # of single tasks; None where no number matches most of them
    censored_tasks: int

    @property
    def lacks_median(self) -> bool:
        """Whether no random set matches the top k in most tasks."""
        return self.top.value is not None and self.median_multiple is None


@dataclass(frozen=True)
class RandomPoint:
    """Random sets of one size at one layer."""

    layer: int
    size: int
    tasks: int
    accuracy: Estimate


@dataclass(frozen=True)
class Fig5:
    experiment: str
    k: int
    floor: float
    sizes: tuple[int, ...]
    rows: list[Match]
    curves: list[RandomPoint]
    chance_above_floor: float  # how probably a probe that knows nothing passes the floor in the smallest task
    by_task: Annotated[Sequence[dict[str, Json]], APART] = ()


def compute(read: Read, work: Work, scope: Scope) -> Fig5:
    probes, design = LayerProbes.read(read, work.names, work.design), work.design
    matching = Matching.of(probes, design, work.samples)
    return Fig5(
        experiment=NAME,
        k=design.k,
        floor=FLOOR,
        sizes=design.sizes,
        rows=matching.rows(design, work.samples),
        curves=matching.curves(design, work.samples),
        chance_above_floor=chance_above_floor(scope),
        by_task=_by_task(probes, matching, work.names, design),
    )


@dataclass(frozen=True, eq=False)
class Matching:
    """What the top k read beside random sets, where the dense probe reads anything (else NaN)."""

    top: Float[np.ndarray, "task layer"]  # accuracy of the top k
    random: Float[np.ndarray, "task layer size"]  # mean over draws
    size: Float[np.ndarray, "resample layer"]  # that matches the top k's mean over tasks; infinite where none does
    size_by_task: Float[np.ndarray, "task layer"]

    @classmethod
    def of(cls, probes: LayerProbes, design: Design, samples: TaskSamples) -> Matching:
        counted = probes.readable
        top = np.where(counted, probes.chosen, np.nan)
        random = np.where(counted[..., None], probes.random.mean(axis=-1), np.nan)
        goal = samples.means_of_resamples(top)
        size = matching_size(goal, samples.means_of_resamples(random), design.sizes)
        by_task = np.where(counted, matching_size(top, random, design.sizes), np.nan)
        return cls(top, random, np.where(np.isnan(goal), np.nan, size), by_task)

    def rows(self, design: Design, samples: TaskSamples) -> list[Match]:
        """One for each layer."""
        top, (low, high) = samples.means(self.top), ends(self.size[1:], samples.known(self.top))
        rows = []
        for i, layer in enumerate(design.layers):
            own = self.size_by_task[~np.isnan(self.size_by_task[:, i]), i]
            equivalent = self.size[0, i], low[i], high[i]
            middle = float(np.median(own)) if len(own) else np.nan
            rows.append(
                Match(
                    layer=layer,
                    tasks=len(own),
                    excluded=len(self.top) - len(own),
                    top=estimate(top, i),
                    equivalent=Estimate.of(*equivalent),
                    multiple=Estimate.of(*(end / design.k for end in equivalent)),
                    censored=float(np.isposinf(self.size[1:, i]).mean()),
                    beyond=bool(np.isposinf(self.size[0, i])),
                    median_multiple=Estimate.of(middle / design.k).value,
                    censored_tasks=int(np.isposinf(own).sum()),
                )
            )
        return rows

    def curves(self, design: Design, samples: TaskSamples) -> list[RandomPoint]:
        """One for each layer and size."""
        means = samples.means(self.random)
        return [
            RandomPoint(layer, size, int(means.tasks[i, j]), estimate(means, i, j))
            for i, layer in enumerate(design.layers)
            for j, size in enumerate(design.sizes)
        ]


def _by_task(probes: LayerProbes, matching: Matching, tasks: Sequence[str], design: Design) -> list[dict[str, Json]]:
    rows = by_task_rows(probes, {"random": probes.random.mean(axis=-1)}, design.sizes, tasks, design)
    for row, chosen, own in zip(rows, probes.chosen.ravel(), matching.size_by_task.ravel(), strict=True):
        row |= {"top": float(chosen), "equivalent": Estimate.of(own).value, "censored": bool(np.isposinf(own))}
    return rows


# what it shows


def tables(result: Fig5, scope: Scope) -> list[Table]:
    """What matches the top k, layer by layer."""
    k, rows = result.k, result.rows
    headers = ("layer", "tasks", f"top {k:,}", "random units that match", f"for each of the {k:,}", "median task")
    caption = (
        f"Random units that read as much as the top {k:,}, with 95 % intervals; {NO_MATCH}: not even all "
        f"others{abridged(rows)}"
    )
    cells = tuple(
        (
            str(row.layer),
            tasks_cell(row),
            ranged(row.top),
            _open(row, row.equivalent, lambda value: f"{value:,.0f}"),
            multiple_cell(row),
            NO_MATCH if row.lacks_median else times(row.median_multiple),
            f"{row.censored_tasks} of {row.tasks}",
        )
        for row in spread(rows)
    )
    return [
        Table(
            "; ".join([caption, *luck_notes(result.chance_above_floor)]),
            (*headers, "tasks without a match"),
            cells,
            left=0,
        )
    ]


def tasks_cell(row: Match) -> str:
    return f"{row.tasks}" + (f" ({row.excluded} left out)" if row.excluded else "")


def multiple_cell(row: Match) -> str:
    return _open(row, row.multiple, times)


def times(value: float | None) -> str:
    """A multiple, with its sign."""
    return NONE if value is None else f"{value:.1f}×"  # noqa: RUF001  (a multiplication sign)


def _open(row: Match, number: Estimate, written: Callable[[float], str]) -> str:
    """A number with its interval, either of which may have no upper end; a dash where nothing was read."""
    if number.value is None and not row.beyond:
        return NONE
    text = NO_MATCH if number.value is None else written(number.value)
    if number.low is None:
        return text
    return f"{text} [{written(number.low)}, {NO_MATCH if number.high is None else written(number.high)}]"


def csvs(result: Fig5) -> Mapping[str, Sequence[object]]:
    return {"": result.rows, "random": result.curves, "tasks": result.by_task}


def draw(result: Fig5, scope: Scope) -> Figure:
    """Above, accuracy of the top k and of random sets by layer; below, random units for each chosen one.

    Where even the largest random set falls short there is an arrow at the top, and no number.
    """
    figure = new_figure(9.6, 7.4)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[1.25, 1])
    k, width = result.k, scope.settings.width
    keys = []
    for size, look in zip(result.sizes, ordered_looks(len(result.sizes)), strict=True):
        label = f"random {size:,}" + (" (all others)" if size == width - k else "")
        line = [(point.layer, point.accuracy) for point in result.curves if point.size == size]
        keys.append(draw_line(upper, line, look, label, band=False))
    best = [(row.layer, row.top) for row in result.rows]
    top = draw_line(upper, best, CHOSEN, f"top {k:,}  ({share_of(k, width)})")
    layers = [row.layer for row in result.rows]
    layer_axis(upper, layers, named=False)
    accuracy_axis(upper)
    marks = draw_multiples(lower, result.rows, *multiples_extent(result.rows, result.sizes, k))
    layer_axis(lower, layers)
    lower.set_ylabel(f"random units that match,\nfor each of the top {k:,}")
    figure.align_ylabels()
    upper.legend(handles=[one for one in [top, *reversed(keys)] if one is not None], **BESIDE)
    lower.legend(handles=marks, **BESIDE)
    notes = exclusion_notes([row.excluded for row in result.rows], LEFT_OUT, result.chance_above_floor)
    name = f"Fig. 5 · How many random units are worth the top {k:,}?"
    headline(figure, name, scope.subtitle(*scope.mean_in_words, *notes))
    return finish(figure)


def draw_multiples(axes: Axes, rows: Sequence[Match], most: float, top: float) -> list[Line2D]:
    """Multiples with their intervals on a logarithmic axis, named up to `most`; returns what a legend shows of them.

    An arrow at the top is a layer whose top k no random set matches; a bar that ends there, an interval without an
    upper end.
    """
    axes.set_yscale("log", base=2)
    axes.set_ylim(0.8, top)  # what is beyond stands above all that can be matched
    powers = [2**i for i in range(0, 13, 1 if most <= 200 else 2) if 2**i <= 1.1 * most]
    ticks = [power for power in powers if not TIMES / 2 < power < 2 * TIMES]  # 4 and 8 would crowd the 6
    names = {power: f"{power:,}×" for power in ticks}  # noqa: RUF001  (a multiplication sign)
    names[TIMES] = f"paper: {TIMES}×"  # noqa: RUF001
    axes.set_yticks(list(names), list(names.values()))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.axhline(TIMES, color=INK, linewidth=1.0, linestyle=DASHED, zorder=1)
    _draw_intervals(axes, rows)
    return [*_draw_points(axes, rows), *_draw_arrows(axes, rows)]


def multiples_extent(rows: Sequence[Match], sizes: Sequence[int], k: int) -> tuple[float, float]:
    """The largest multiple to name, and the top of the axis.

    The largest random set's, and room for arrows above, where any layer is beyond it or may be.
    """
    shown = [value for row in rows for value in (row.multiple.high, row.median_multiple)]
    known = [value for value in shown if value is not None]
    if len(known) < len(shown):
        most = max([*sizes, 2 * TIMES * k]) / k
        return most, 3.2 * most
    most = max([*known, 2.0 * TIMES])
    return most, 1.2 * most


def _draw_points(axes: Axes, rows: Sequence[Match]) -> list[Line2D]:
    """Of the mean accuracy, and hollow of the median task; what is drawn of them."""
    drawn: list[Line2D] = []
    filled: Look = {"color": VERMILION, "marker": "s", "markersize": 5.5, "zorder": 4}
    series = (
        ([row.multiple.value for row in rows], "of the mean accuracy,\nwith 95 % interval", filled),
        ([row.median_multiple for row in rows], "median task", {**HOLLOW, "marker": "o", "markersize": 4}),
    )
    for values, label, look in series:
        known = [(row.layer, value) for row, value in zip(rows, values, strict=True) if value is not None]
        layers, heights = [layer for layer, _ in known], [value for _, value in known]
        drawn += axes.plot(layers, heights, linestyle="", label=label, **look) if known else []
    return drawn


def _draw_arrows(axes: Axes, rows: Sequence[Match]) -> list[Line2D]:
    """At the top, for layers where there is no multiple; what is drawn of them."""
    drawn: list[Line2D] = []
    filled: Look = {"color": VERMILION, "markersize": 8, "zorder": 5}
    series = (
        ([row.layer for row in rows if row.beyond], EDGE, ARROW, filled),
        (
            [row.layer for row in rows if row.lacks_median],
            EDGE - 0.07,
            f"{ARROW},\nmedian task",
            {**HOLLOW, "markersize": 5},
        ),
    )
    for layers, height, label, look in series:
        place: Look = {"transform": axes.get_xaxis_transform(), "linestyle": "", "marker": "^"}
        drawn += axes.plot(layers, [height] * len(layers), label=label, **place, **look) if layers else []
    return drawn


def _draw_intervals(axes: Axes, rows: Sequence[Match]) -> None:
    """From low to high, or to the top where no random set reaches the upper end."""
    top = axes.get_ylim()[1]
    look: Look = {"color": VERMILION, "linewidth": 2.0, "alpha": 0.55, "zorder": 3}
    for open_, label in ((False, "_closed"), (True, "_open")):
        ends = [
            (row.layer, row.multiple.low, row.multiple.high or top)
            for row in rows
            if row.multiple.low is not None and (row.multiple.high is None) is open_
        ]
        layers, low, high = zip(*ends, strict=True) if ends else ((), (), ())
        axes.vlines(layers, low, high, label=label, **look)


def caption(scope: Scope) -> Caption:
    return Caption(
        "Above, the top k by |t| (bold) beside random sets drawn from the rest, from light (few) to dark (all "
        "others). Below, for each chosen unit the number of random ones that reach the same mean accuracy, "
        "interpolated, on a logarithmic scale, with its 95 % interval; hollow, the median over single "
        "tasks. At 1, as many random units or fewer do. A triangle at the top: not even all other units reach it; a "
        "bar up to the top: the interval has no upper end." + scope.bands_in_words,
        "That what the chosen units say is said by them alone, or that neurons are special: in any basis some "
        "directions say more than others (the controls ask that).",
    )


def verdicts(results: Results, scope: Scope) -> list[Verdict]:
    """Claim (c)."""
    result: Fig5 = results[NAME]
    rows = [row for row in result.rows if row.tasks]
    beyond = sum(row.beyond for row in rows)
    multiples = [row.multiple.value for row in rows if row.multiple.value is not None]
    readings = []
    if multiples:
        worth = f"{np.median(multiples):.1f} times as many random units"
        readings += [f"Where random units match them, the median layer's top {result.k} are worth {worth}."]
    if beyond:
        readings += [f"In {beyond} layers no number of random units does."]
    return [
        Verdict.counted(
            "c",
            "The chosen 1 % is worth 6 times as many random units.",
            f"random sets reach the mean accuracy of the top {result.k} with 6 times as many units or more, or never",
            sum(row.beyond or (row.multiple.value or 0) >= TIMES for row in rows),
            len(rows),
            "layers",
            " ".join(readings) or "The dense probe reads nothing at any layer.",
        )
    ]


EXPERIMENT = Experiment(
    name=NAME,
    heading="Figure 5: chosen against random units",
    needs=frozenset({"random_sets"}),
    result=Fig5,
    compute=compute,
    tables=tables,
    csvs=csvs,
    drawings={NAME: Drawing(draw, caption)},
    verdicts=verdicts,
)
