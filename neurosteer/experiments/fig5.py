"""Figure 5: how many random units are worth the chosen ones?

At each layer the mean accuracy of the top k by |t| is held against that of random sets of growing size; claim (c).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
from matplotlib.figure import Figure

from neurosteer.report.canvas import VERMILION, Look, finish, headline, layer_axis, new_figure
from neurosteer.report.numbers import share_of
from neurosteer.report.pages.charts import Chart, Series, ordered
from neurosteer.report.pages.curves import curves_chart
from neurosteer.report.palette import ordered_looks
from neurosteer.report.table import Table, abridged, ranged, spread
from neurosteer.results import APART, Estimate, Verdict
from neurosteer.runner.units import Read
from neurosteer.shown import short_repr

from .design import Design
from .experiment import Caption, Drawing, Experiment, Results, Work
from .scope import Scope
from .shared.layer_axes import BESIDE, accuracy_axis, draw_line
from .shared.layer_charts import curve_of
from .shared.layer_curves import by_task_rows, chance_above_floor, exclusion_notes, luck_notes
from .shared.layer_probes import FLOOR, LayerProbes
from .shared.multiples import (
    NO_MATCH,
    TIMES,
    draw_multiples,
    multiple_cell,
    multiples_chart,
    multiples_extent,
    open_cell,
    tasks_cell,
    times,
)
from .shared.random_matches import Match, Matching, RandomPoint
from .task_layers import TaskLayer, flat

NAME = "fig5"
CHOSEN: Look = {"color": VERMILION, "marker": "s", "linewidth": 3.0, "markersize": 6.5, "zorder": 4}
LEFT_OUT = "without tasks whose dense probe is below {} on validation data: {} a layer"


@dataclass(frozen=True)
class Fig5:
    experiment: str
    k: int
    floor: float
    sizes: tuple[int, ...]
    rows: list[Match]
    curves: list[RandomPoint]
    chance_above_floor: float  # how probably a probe that knows nothing passes the floor in the smallest task
    by_task: Annotated[tuple[TaskLayer, ...], APART] = ()  # behind the means

    __repr__ = short_repr


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


def _by_task(probes: LayerProbes, matching: Matching, tasks: Sequence[str], design: Design) -> tuple[TaskLayer, ...]:
    rows = by_task_rows(probes, {"random": probes.random.mean(axis=-1)}, design.sizes, tasks, design)
    more: list[dict[str, float | None]] = [
        {"top": float(chosen), "equivalent": Estimate.of(size).value, "censored": bool(np.isposinf(size))}
        for chosen, size in zip(probes.chosen.ravel(), matching.size_by_task.ravel(), strict=True)
    ]
    return tuple(replace(row, values={**row.values, **also}) for row, also in zip(rows, more, strict=True))


# what it shows


def tables(result: Fig5, scope: Scope) -> list[Table]:
    """What matches the top k, layer by layer."""
    k = result.k
    caption = (
        f"Random units that read as much as the top {k:,}, with 95 % intervals; {NO_MATCH}: not even all "
        f"others{abridged(result.rows)}"
    )
    columns: list[tuple[str, Callable[[Match], str]]] = [
        ("layer", lambda row: str(row.layer)),
        ("tasks", tasks_cell),
        (f"top {k:,}", lambda row: ranged(row.top)),
        ("random units that match", lambda row: open_cell(row, row.equivalent, lambda value: f"{value:,.0f}")),
        (f"for each of the {k:,}", multiple_cell),
        ("median task", lambda row: NO_MATCH if row.lacks_median else times(row.median_multiple)),
        ("tasks without a match", lambda row: f"{row.censored_tasks} of {row.tasks}"),
    ]
    notes = luck_notes(result.chance_above_floor)
    return [Table.of("; ".join([caption, *notes]), spread(result.rows), columns, left=0)]


def csvs(result: Fig5) -> Mapping[str, Sequence[object]]:
    return {"": result.rows, "random": result.curves, "tasks": flat(result.by_task)}


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


def charts(result: Fig5, scope: Scope) -> list[Chart]:
    """The same, each panel by itself."""
    k, others = result.k, scope.settings.width - result.k
    names = [f"random {size:,}" + (" (all others)" if size == others else "") for size in result.sizes]
    looks = [replace(look, band=False) for look in ordered(names)]
    curves = [
        curve_of(look, [row for row in result.curves if row.size == size], lambda row: row.accuracy)
        for size, look in zip(result.sizes, looks, strict=True)
    ]
    top = curve_of(Series(f"top {k:,}", 1, width=3.5), result.rows, lambda row: row.top)
    return [
        curves_chart(
            "accuracy",
            f"The top {k:,} beside random units",
            "Mean test accuracy of the chosen units, and of random sets drawn from the rest.",
            [*curves, top],
            "test accuracy (share of sentences)",
            on_hover={"tasks": "tasks"},
        ),
        multiples_chart("multiples", k, {f"top {k:,}": result.rows}, result.sizes),
    ]


def caption(scope: Scope) -> Caption:
    return Caption(
        "Above, the top k by |t| (bold) beside random sets drawn from the rest, from pale (few) to strong (all "
        "others). Below, for each chosen unit the number of random ones that reach the same mean accuracy, "
        "interpolated, on a logarithmic scale, with its 95 % interval; hollow or grey, the median over single "
        "tasks. At 1, as many random units or fewer do. A mark at the top: not even all other units reach it; a "
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
    "Figure 5: chosen against random units",
    Fig5,
    compute,
    tables,
    Drawing(draw, caption, charts),
    csvs,
    verdicts,
    needs={"random_sets"},
)
