"""Controls: what do the basis and the training contribute?

The curves of figures 2, 3 and 5 for the neurons, for the axes of a randomly rotated basis, and for a model of the
same shape with random weights. At each layer all are over the same tasks: those that the dense probe reads in every
variant.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from neurosteer.errors import InputError
from neurosteer.report.canvas import (
    DASHED,
    GREY,
    INK,
    LEGEND,
    VERMILION,
    Look,
    finish,
    headline,
    layer_axis,
    new_figure,
    panel_title,
)
from neurosteer.report.numbers import count_range, number
from neurosteer.report.pages.charts import Chart, Choice, Series
from neurosteer.report.pages.curves import Curve, Point, curves_chart
from neurosteer.report.table import Table, abridged, mean, spread
from neurosteer.results import record
from neurosteer.runner.units import Read
from neurosteer.shown import short_repr

from .design import NEURONS, ROTATED, UNTRAINED
from .experiment import Caption, Drawing, Experiment, Rows, Work
from .fig2 import LayerMasks, mask_points
from .fig3 import TopkPoint, topk_points
from .scope import Scope
from .shared.layer_axes import accuracy_axis, draw_dense, draw_line, extent
from .shared.layer_charts import DENSE
from .shared.layer_curves import DensePoint, chance_above_floor, dense_points, exclusion_notes, luck_notes
from .shared.layer_probes import FLOOR, LayerProbes
from .shared.multiples import (
    NO_MATCH,
    draw_multiples,
    multiple_cell,
    multiples_chart,
    multiples_extent,
    tasks_cell,
    times,
)
from .shared.random_matches import Match, Matching, RandomPoint

NAME = "controls"


@dataclass(frozen=True)
class MaskCurves:
    rows: list[LayerMasks]
    dense: list[DensePoint]

    __repr__ = short_repr


@dataclass(frozen=True)
class TopkCurves:
    rows: list[TopkPoint]

    __repr__ = short_repr


@dataclass(frozen=True)
class MatchCurves:
    rows: list[Match]
    curves: list[RandomPoint]

    __repr__ = short_repr


@dataclass(frozen=True)
class VariantCurves:
    """One variant: what figures 2, 3 and 5 show of it."""

    fig2: MaskCurves
    fig3: TopkCurves
    fig5: MatchCurves

    __repr__ = short_repr


@dataclass(frozen=True)
class BasisAndTraining:
    experiment: str
    floor: float
    variants: list[str]
    curves: Mapping[str, VariantCurves]
    chance_above_floor: float  # how probably a probe that knows nothing passes the floor in the smallest task

    __repr__ = short_repr

    def matches(self) -> list[Match]:
        """Of all variants and layers."""
        return [row for variant in self.variants for row in self.curves[variant].fig5.rows]


def check(work: Work) -> None:
    """Raises `InputError` for masks that are not trained on standardised states."""
    if work.recipe.l0_states not in (None, "standardised"):
        raise InputError(f"controls rotate standardised states: leave l0_states {work.recipe.l0_states} out")


def compute(read: Read, work: Work, scope: Scope) -> BasisAndTraining:
    variants = work.design.variants
    every = {variant: LayerProbes.read(read, work.names, work.design, variant) for variant in variants}
    common = np.logical_and.reduce([probes.readable for probes in every.values()])
    curves = {variant: _curves(probes.where(common), work) for variant, probes in every.items()}
    return BasisAndTraining(NAME, FLOOR, list(variants), curves, chance_above_floor(scope))


def _curves(probes: LayerProbes, work: Work) -> VariantCurves:
    design, samples = work.design, work.samples
    matching = Matching.of(probes, design, samples)
    return VariantCurves(
        MaskCurves(mask_points(probes, design, samples), dense_points(probes, design, samples)),
        TopkCurves(topk_points(probes, design, samples)),
        MatchCurves(matching.rows(design, samples), matching.curves(design, samples)),
    )


# what it shows

NAMES = {NEURONS: "neurons", ROTATED: "randomly rotated basis", UNTRAINED: "untrained model"}
TOP: Look = {"color": VERMILION, "marker": "s", "linewidth": 2.0, "markersize": 5}
RANDOM: Look = {"color": INK, "marker": "d", "linewidth": 1.2, "markersize": 4, "linestyle": DASHED}
IN_COMMON = "only tasks whose dense probe reaches {} on validation data in every variant: {} left out a layer"


def csvs(result: BasisAndTraining) -> Mapping[str, Rows]:
    def of_variants(rows: Mapping[str, Rows]) -> Rows:
        return [{"variant": variant, **record(row)} for variant, own in rows.items() for row in own]

    return {
        "": of_variants({variant: curves.fig5.rows for variant, curves in result.curves.items()}),
        "masks": of_variants({variant: curves.fig2.rows for variant, curves in result.curves.items()}),
        "topk": of_variants({variant: curves.fig3.rows for variant, curves in result.curves.items()}),
    }


def tables(result: BasisAndTraining, scope: Scope) -> list[Table]:
    """Each variant in a row, over all layers; and what the top k are worth in each, layer by layer."""
    return [_by_variant(result, scope), _by_layer(result, scope.settings.k)]


def _by_variant(result: BasisAndTraining, scope: Scope) -> Table:
    rows, k = [], scope.settings.k
    for variant in result.variants:
        curves = result.curves[variant]
        matches = curves.fig5.rows
        multiples = [row.multiple.value for row in matches if row.multiple.value is not None]
        rows.append(
            (
                NAMES[variant],
                number(mean([row.accuracy.value for row in curves.fig2.dense])),
                number(mean([row.top.value for row in matches])),
                number(mean([row.accuracy.value for row in curves.fig5.curves if row.size == k])),
                times(median(multiples) if multiples else None),
                f"{sum(row.beyond for row in matches)} of {len(matches)}",
            )
        )
    headers = ("variant", "dense", f"top {k:,}", f"random {k:,}", "median multiple", "layers without a match")
    left_out = count_range(row.excluded for row in result.matches())
    caption = (
        "Means over layers of the mean test accuracy over tasks: the same in every row, those whose dense probe "
        f"reaches {number(result.floor)} on validation data in every variant ({left_out} left out a layer)"
    )
    return Table("; ".join([caption, *luck_notes(result.chance_above_floor)]), headers, tuple(rows))


def _by_layer(result: BasisAndTraining, k: int) -> Table:
    layers = list(zip(*(result.curves[variant].fig5.rows for variant in result.variants), strict=True))
    rows = tuple((str(row[0].layer), tasks_cell(row[0]), *map(multiple_cell, row)) for row in spread(layers))
    caption = f"Random units for each of the top {k:,}; {NO_MATCH}: not even all others match{abridged(layers)}"
    return Table(caption, ("layer", "tasks", *(NAMES[variant] for variant in result.variants)), rows, left=0)


def draw(result: BasisAndTraining, scope: Scope) -> Figure:
    """One column per variant: accuracies above, the random units that match the top k below."""
    variants, k = result.variants, scope.settings.k
    figure = new_figure(3.6 * len(variants) + 1.6, 7.4)
    grid = figure.subplots(2, len(variants), sharex=True, sharey="row", squeeze=False, height_ratios=[1, 1])
    upper, lower = grid
    every = result.matches()
    reach = multiples_extent(every, scope.settings.sizes, k)
    keys: dict[str, Line2D] = {}
    for axes, below, variant in zip(upper, lower, variants, strict=True):
        curves = result.curves[variant]
        lines = _draw_accuracies(axes, curves, k)
        panel_title(axes, NAMES[variant])
        layers = [row.layer for row in curves.fig5.rows]
        layer_axis(axes, layers, named=False, most=8)
        lines += draw_multiples(below, curves.fig5.rows, *reach)
        keys |= {str(line.get_label()): line for line in lines if line is not None}
        layer_axis(below, layers, most=8)
    accuracy_axis(upper[0], [end for axes in upper for end in extent(axes)])  # the row shares it
    lower[0].set_ylabel(f"random units that match,\nfor each of the top {k:,}")
    figure.align_ylabels()
    figure.legend(handles=list(keys.values()), ncols=3, **LEGEND)
    notes = exclusion_notes([row.excluded for row in every], IN_COMMON, result.chance_above_floor)
    name = "Controls · What do the basis and the training contribute?"
    headline(figure, name, scope.subtitle(*scope.mean_in_words, *notes))
    return finish(figure)


def _draw_accuracies(axes: Axes, curves: VariantCurves, k: int) -> list[Line2D | None]:
    dense = draw_dense(axes, curves.fig2.dense)
    top = draw_line(axes, [(row.layer, row.top) for row in curves.fig5.rows], TOP, f"top {k:,}")
    drawn = [(row.layer, row.accuracy) for row in curves.fig5.curves if row.size == k]
    random = draw_line(axes, drawn, RANDOM, f"random {k:,}")
    axes.axhline(0.5, color=GREY, linewidth=0.8, zorder=1)
    return [dense, top, random]


def charts(result: BasisAndTraining, scope: Scope) -> list[Chart]:
    """Accuracies of one variant at a time; what the top k are worth in all of them."""
    k = scope.settings.k
    top, random = Series(f"top {k:,}", 1, width=3.0), Series(f"random {k:,}", 0, dashed=True)
    curves = []
    for variant in result.variants:
        own, more = result.curves[variant], {"variant": variant}
        curves += [
            Curve(DENSE, [Point(row.layer, row.accuracy, more) for row in own.fig2.dense]),
            Curve(top, [Point(row.layer, row.top, more) for row in own.fig5.rows]),
            Curve(random, [Point(row.layer, row.accuracy, more) for row in own.fig5.curves if row.size == k]),
        ]
    accuracies = curves_chart(
        "accuracy",
        "Accuracies in each variant",
        "Mean test accuracy of the dense probe, of the top k and of as many random units; one variant at a time.",
        curves,
        "test accuracy (share of sentences)",
        choices=[Choice("shown", "Variant", [(variant, NAMES[variant]) for variant in result.variants])],
        filtered="datum.variant == shown",
    )
    matches = {NAMES[variant]: result.curves[variant].fig5.rows for variant in result.variants}
    return [accuracies, multiples_chart("multiples", k, matches, scope.settings.sizes)]


def caption(scope: Scope) -> Caption:
    return Caption(
        "Three variants: the neurons as they are; the standardised states, rotated at random (the rotation comes "
        "after standardisation, so that no massive unit fills every axis); a model of the same shape with random "
        "weights. Of each first the dense probe (grey), the top k and as many random units, then how many random "
        "units the top k are worth. At each layer all means are over the same tasks: those that the dense probe "
        "reads in every variant." + scope.bands_in_words,
        "That neurons are special where the rotated basis looks like the neurons: there the advantage of chosen "
        "units needs no privileged basis. What is read off the untrained model, words give away.",
    )


EXPERIMENT = Experiment(
    "Controls: basis and training",
    BasisAndTraining,
    compute,
    tables,
    Drawing(draw, caption, charts),
    csvs,
    needs={"masks", "topk_grid", "random_sets", "variants"},
    check=check,
)
