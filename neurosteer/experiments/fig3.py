"""Figure 3: how many of the units with the largest |t| are enough?

A probe on the k best units of each layer, for a grid of k; claim (a), with figure 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
from matplotlib.figure import Figure

from neurosteer.pairs import Baselines, mean_baselines
from neurosteer.report.canvas import finish, headline, new_figure
from neurosteer.report.numbers import number, share_of
from neurosteer.report.pages.charts import Chart, ordered
from neurosteer.report.pages.curves import curves_chart, word_levels
from neurosteer.report.palette import ordered_looks
from neurosteer.report.table import Table
from neurosteer.results import APART, Verdict
from neurosteer.runner.units import Read
from neurosteer.shown import short_repr
from neurosteer.vocabulary import ENOUGH

from .design import Design
from .experiment import Caption, Drawing, Experiment, Results, Work
from .fig2 import NAME as MASKS
from .fig2 import TASKS, Fig2
from .intervals import TaskSamples
from .scope import Scope
from .shared.layer_axes import draw_dense, draw_line
from .shared.layer_charts import curve_of, dense_curve
from .shared.layer_curves import (
    BesideDense,
    DensePoint,
    beside_dense,
    by_task_rows,
    chance_above_floor,
    dense_points,
    exclusion_notes,
)
from .shared.layer_lines import IN_MEANS, LABEL_GAP, WIDTH, accuracy_panel, grid_table, legend_beside, relative_table
from .shared.layer_probes import FLOOR, LayerProbes
from .task_layers import TaskLayer

NAME = "fig3"
FEW = 0.25  # of the units


@dataclass(frozen=True, kw_only=True)
class _Topk:  # as the last of two bases: its fields come first in the JSON
    layer: int
    k: int
    tasks: int


@dataclass(frozen=True, kw_only=True)
class TopkPoint(BesideDense, _Topk):
    """Probes on the k units of the largest |t| of one layer: means over tasks."""

    __repr__ = short_repr


@dataclass(frozen=True)
class Fig3:
    experiment: str
    ks: tuple[int, ...]
    floor: float
    rows: list[TopkPoint]
    dense: list[DensePoint]
    baselines: Baselines  # means over tasks
    chance_above_floor: float  # how probably a probe that knows nothing passes the floor in the smallest task
    by_task: Annotated[tuple[TaskLayer, ...], APART] = ()  # behind the means

    __repr__ = short_repr


def compute(read: Read, work: Work, scope: Scope) -> Fig3:
    probes, design, samples = LayerProbes.read(read, work.names, work.design), work.design, work.samples
    return Fig3(
        experiment=NAME,
        ks=design.ks,
        floor=FLOOR,
        rows=topk_points(probes, design, samples),
        dense=dense_points(probes, design, samples),
        baselines=mean_baselines([task.baselines for task in scope.tasks]),
        chance_above_floor=chance_above_floor(scope),
        by_task=by_task_rows(probes, {"accuracy": probes.topk}, design.ks, work.names, design),
    )


def topk_points(probes: LayerProbes, design: Design, samples: TaskSamples) -> list[TopkPoint]:
    """One for each layer and k."""
    known = np.isfinite(probes.topk).sum(axis=0)
    beside = beside_dense(probes.topk, probes.topk_validation, probes, samples)
    return [
        TopkPoint(layer=layer, k=k, tasks=int(known[i, j]), **vars(beside[i][j]))
        for i, layer in enumerate(design.layers)
        for j, k in enumerate(design.ks)
    ]


# what it shows


def tables(result: Fig3, scope: Scope) -> list[Table]:
    """Accuracy by layer; and over all layers."""
    heads = {k: f"k = {k:,}" for k in result.ks}
    cells = {(row.layer, row.k): number(row.accuracy.value) for row in result.rows}
    caption = "Test accuracy of the k units of the largest |t|; mean over tasks"
    excluded = {row.layer: row.excluded for row in result.rows}
    points = [(row.k, row.relative, row.relative_tasks) for row in result.rows]
    return [
        grid_table(cells, heads, caption, dense=result.dense, excluded=excluded),
        relative_table(points, heads, "k", result.chance_above_floor),
    ]


def draw(result: Fig3, scope: Scope) -> Figure:
    """One line per k; the k of the recipe is drawn bold."""
    figure = new_figure(WIDTH, 5.4)
    axes = figure.add_subplot()
    chosen, width = scope.settings.k, scope.settings.width
    dense, keys = draw_dense(axes, result.dense), []
    for k, look in zip(result.ks, ordered_looks(len(result.ks)), strict=True):
        bold = {"linewidth": 3.0, "markersize": 7} if k == chosen else {}
        label = f"{k:,}  ({share_of(k, width)})" if k == chosen else f"{k:,}"
        line = [(row.layer, row.accuracy) for row in result.rows if row.k == k]
        keys.append(draw_line(axes, line, look | bold, label, band=k == chosen))
    accuracy_panel(axes, sorted({row.layer for row in result.rows}), result.baselines, gap=0.7 * LABEL_GAP)
    legend_beside(figure, [*reversed(keys), dense], "k")
    means = [f"{words} (k = {chosen:,})" for words in scope.mean_in_words]
    notes = exclusion_notes([row.excluded for row in result.rows], IN_MEANS, result.chance_above_floor)
    subtitle = scope.subtitle(f"{width:,} units a layer", *means, *notes)
    headline(figure, "Fig. 3 · Probes on the k units of the largest |t|", subtitle)
    return finish(figure)


def charts(result: Fig3, scope: Scope) -> list[Chart]:
    """One line per k, with its interval."""
    chosen, width = scope.settings.k, scope.settings.width
    curves = [dense_curve(result.dense)]
    names = [f"{k:,}  ({share_of(k, width)})" if k == chosen else f"{k:,}" for k in result.ks]
    for k, look in zip(result.ks, ordered(names), strict=True):
        broad = replace(look, width=3.5) if k == chosen else replace(look, band=False)
        curves.append(curve_of(broad, [row for row in result.rows if row.k == k], lambda row: row.accuracy))
    return [
        curves_chart(
            "accuracy",
            "Test accuracy of the k units of the largest |t|",
            "A line for each k.",
            curves,
            "test accuracy (share of sentences)",
            on_hover=TASKS,
            levels=word_levels(result.baselines),
        )
    ]


def caption(scope: Scope) -> Caption:
    return Caption(
        "One line per k, from pale (one unit) to strong (all). The bold line is the k of this recipe, about which "
        "the other experiments ask. The broad grey line is the dense probe, dashed lines see only words."
        + scope.bands_in_words,
        "Which units these are, or whether another k of them would read as much (figure 5 asks that).",
    )


def verdicts(results: Results, scope: Scope) -> list[Verdict]:
    """Claim (a): do few units do, with either selection? Only where figure 2 is there too."""
    tops: Fig3 = results[NAME]
    masks: Fig2 | None = results.get(MASKS)
    if masks is None:
        return []
    layers, most = scope.settings.layers, int(FEW * scope.settings.width)
    few_masks = [row for row in masks.rows if row.kept.value is not None and row.kept.value <= FEW]
    few_tops = [row for row in tops.rows if row.k <= most]
    by_mask = {layer for layer in layers if _reaches([row for row in few_masks if row.layer == layer])}
    by_top = {layer for layer in layers if _reaches([row for row in few_tops if row.layer == layer])}
    return [
        Verdict.counted(
            "a",
            "At most 25 % of the units reach 95 % of the dense probe's accuracy, with either selection.",
            f"mean over tasks of accuracy / dense accuracy at least {ENOUGH:.2f}, on test data: at that lambda of "
            f"those that keep at most 25 % of the units, and at that k of at most {most}, which is best on "
            "validation data (tasks whose dense probe reads anything)",
            len(by_mask & by_top),
            len(layers),
            "layers",
            f"Masks do in {len(by_mask)} layers, the largest |t| in {len(by_top)}.",
        )
    ]


def _reaches(points: Sequence[BesideDense]) -> bool:
    """Whether the point that is best on validation data reaches enough on test data."""
    known = [
        (point.relative_validation.value, point.relative.value)
        for point in points
        if point.relative_validation.value is not None
    ]
    best = max(known, key=lambda both: both[0], default=(None, None))[1]
    return best is not None and best >= ENOUGH


EXPERIMENT = Experiment(
    "Figure 3: top-k probes",
    Fig3,
    compute,
    tables,
    Drawing(draw, caption, charts),
    verdicts=verdicts,
    needs={"topk_grid"},
)
