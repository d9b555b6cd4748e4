"""Figure 2: how many units do L0 masks keep, and what does a probe on those read?

One probe per task, layer and lambda; claim (d), and with figure 3 claim (a).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator, PercentFormatter

from neurosteer.pairs import Baselines, mean_baselines
from neurosteer.report.canvas import finish, headline, layer_axis, new_figure
from neurosteer.report.numbers import lambda_text, number, percent
from neurosteer.report.pages.charts import Chart, ordered
from neurosteer.report.pages.curves import curves_chart, word_levels
from neurosteer.report.palette import ordered_looks
from neurosteer.report.table import Table
from neurosteer.results import APART, Estimate, Verdict, key
from neurosteer.runner.units import Read
from neurosteer.shown import short_repr

from .design import FEWEST_LAYERS, Design
from .experiment import Caption, Drawing, Experiment, Results, Work
from .intervals import Resampled, TaskSamples
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
from .shared.layer_lines import IN_MEANS, WIDTH, accuracy_panel, grid_table, legend_beside, relative_table
from .shared.layer_probes import FLOOR, LayerProbes
from .task_layers import TaskLayer

NAME = "fig2"
TASKS = {"tasks": "tasks"}  # told of a point


@dataclass(frozen=True, kw_only=True)
class _Masks:  # as the last of two bases: its fields come first in the JSON
    layer: int
    lam: Annotated[float, key("lambda")]
    tasks: int
    kept: Estimate  # share of the layer's units whose gate is open


@dataclass(frozen=True, kw_only=True)
class LayerMasks(BesideDense, _Masks):
    """The masks of one layer at one lambda: means over tasks."""

    __repr__ = short_repr


@dataclass(frozen=True)
class Rise:
    """Spearman of the layer and the mean kept share, with its interval over tasks."""

    lam: Annotated[float, key("lambda")]
    rho: Estimate


@dataclass(frozen=True)
class Fig2:
    experiment: str
    lambdas: tuple[float, ...]
    floor: float
    rows: list[LayerMasks]
    rises: list[Rise]  # by lambda below 1; none of fewer than three layers
    dense: list[DensePoint]
    baselines: Baselines  # means over tasks
    chance_above_floor: float  # how probably a probe that knows nothing passes the floor in the smallest task
    by_task: Annotated[tuple[TaskLayer, ...], APART] = ()  # behind the means

    __repr__ = short_repr


def compute(read: Read, work: Work, scope: Scope) -> Fig2:
    probes, design, samples = LayerProbes.read(read, work.names, work.design), work.design, work.samples
    return Fig2(
        experiment=NAME,
        lambdas=design.lambdas,
        floor=FLOOR,
        rows=mask_points(probes, design, samples),
        rises=_rises(probes, design, samples),
        dense=dense_points(probes, design, samples),
        baselines=mean_baselines([task.baselines for task in scope.tasks]),
        chance_above_floor=chance_above_floor(scope),
        by_task=by_task_rows(
            probes, {"kept": probes.kept, "accuracy": probes.masked}, design.lambdas, work.names, design
        ),
    )


def mask_points(probes: LayerProbes, design: Design, samples: TaskSamples) -> list[LayerMasks]:
    """One for each layer and lambda."""
    kept = samples.means(probes.kept)
    beside = beside_dense(probes.masked, probes.masked_validation, probes, samples)
    return [
        LayerMasks(layer=layer, lam=lam, tasks=int(kept.tasks[i, j]), kept=kept.at(i, j), **vars(beside[i][j]))
        for i, layer in enumerate(design.layers)
        for j, lam in enumerate(design.lambdas)
    ]


def _rises(probes: LayerProbes, design: Design, samples: TaskSamples) -> list[Rise]:
    if len(design.layers) < FEWEST_LAYERS:
        return []
    found = samples.trend(probes.kept)
    return [Rise(lam, found.at(j)) for j, lam in enumerate(design.lambdas) if lam < 1]


# what it shows


def tables(result: Fig2, scope: Scope) -> list[Table]:
    """Kept share and accuracy by layer; and over all layers."""
    cells = {(row.layer, row.lam): f"{percent(row.kept.value)}  {number(row.accuracy.value)}" for row in result.rows}
    caption = "Share of units kept, and test accuracy on them; mean over tasks"
    excluded = {row.layer: row.excluded for row in result.rows}
    heads = {lam: f"λ = {lambda_text(lam)}" for lam in result.lambdas}
    kept = {lam: [row.kept.value for row in result.rows if row.lam == lam] for lam in result.lambdas}
    points = [(row.lam, row.relative, row.relative_tasks) for row in result.rows]
    return [
        grid_table(cells, heads, caption, dense=result.dense, excluded=excluded),
        relative_table(points, heads, "λ", result.chance_above_floor, kept=kept),
    ]


def draw(result: Fig2, scope: Scope) -> Figure:
    """The share of units that the L0 masks keep, and below it what a probe on those reads."""
    figure = new_figure(WIDTH, 7.0)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[1, 1.15])
    layers = sorted({row.layer for row in result.rows})
    dense, keys = draw_dense(lower, result.dense), []
    for lam, look in zip(result.lambdas, ordered_looks(len(result.lambdas)), strict=True):
        rows = [row for row in result.rows if row.lam == lam]
        draw_line(upper, [(row.layer, row.kept) for row in rows], look, lambda_text(lam))
        keys.append(draw_line(lower, [(row.layer, row.accuracy) for row in rows], look, lambda_text(lam)))
    layer_axis(upper, layers, named=False)
    upper.set_ylim(-0.03, 1.05)
    upper.yaxis.set_major_locator(MultipleLocator(0.2))
    upper.yaxis.set_major_formatter(PercentFormatter(1))
    upper.set_ylabel("units kept (share of all)")
    accuracy_panel(lower, layers, result.baselines)
    figure.align_ylabels()
    legend_beside(figure, [*reversed(keys), dense], "λ")
    name = "Fig. 2 · L0 masks: how many units they keep, and what these read"
    notes = exclusion_notes([row.excluded for row in result.rows], IN_MEANS, result.chance_above_floor)
    headline(figure, name, scope.subtitle(*scope.mean_in_words, *notes))
    return finish(figure)


def charts(result: Fig2, scope: Scope) -> list[Chart]:
    """The same, each panel by itself."""
    looks = ordered([f"λ = {lambda_text(lam)}" for lam in result.lambdas])
    by_lambda = [
        (look, [row for row in result.rows if row.lam == lam])
        for lam, look in zip(result.lambdas, looks, strict=True)
    ]
    kept = [curve_of(look, rows, lambda row: row.kept) for look, rows in by_lambda]
    accuracy = [curve_of(look, rows, lambda row: row.accuracy) for look, rows in by_lambda]
    return [
        curves_chart(
            "kept",
            "Units kept",
            "The share of a layer's units whose gate is open, a line for each λ.",
            kept,
            "units kept (share of all)",
            on_hover=TASKS,
        ),
        curves_chart(
            "accuracy",
            "What a probe on those reads",
            "Mean test accuracy, beside the dense probe on all units.",
            [dense_curve(result.dense), *accuracy],
            "test accuracy (share of sentences)",
            on_hover=TASKS,
            levels=word_levels(result.baselines),
        ),
    ]


def caption(scope: Scope) -> Caption:
    return Caption(
        "One line per λ, from pale (sparse) to strong. Above, the share of a layer's units whose gate the L0 penalty "
        "leaves open; below, the test accuracy of the probe on those units. The broad grey line is the dense "
        "probe. Dashed lines are classifiers that see only words, fitted on the same split." + scope.bands_in_words,
        "That the model uses the units kept, or that only they would do: correlated units stand in for each other. "
        "What lies below the dashed lines may be read off the words. Where a layer holds little, what a mask keeps "
        "is arbitrary.",
    )


def verdicts(results: Results, scope: Scope) -> list[Verdict]:
    """Claim (d)."""
    result: Fig2 = results[NAME]
    resampled = scope.settings.resampled
    with_interval = [row.rho for row in result.rises if row.rho.low is not None]
    by_lambda = [f"{_signed(row.rho.value)} at {row.lam:g}{_between(row.rho)}" for row in result.rises]
    reading = [f"Spearman of layer and kept share by lambda: {', '.join(by_lambda)}."] if by_lambda else []
    if result.rises and not with_interval:
        reading += [f"Fewer than {resampled.least} tasks give no interval."]
    elif falling := sum(rho.high is not None and rho.high < 0 for rho in with_interval):
        reading += [f"It falls with the layer, by the same criterion, at {falling} of {len(with_interval)} lambdas."]
    return [
        Verdict.counted(
            "d",
            "Later layers spread the information over more units.",
            f"at a lambda below 1, the mean kept share rises with the layer ({above_zero(resampled)})",
            sum(rho.low is not None and rho.low > 0 for rho in with_interval),
            len(with_interval),
            "lambdas",
            " ".join(reading),
        )
    ]


def above_zero(resampled: Resampled) -> str:
    """The criterion of a trend that rises."""
    return f"95 % interval of Spearman over {resampled.what} above 0"


def _signed(value: float | None) -> str:
    return "unknown" if value is None else f"{value:+.2f}"


def _between(one: Estimate) -> str:
    return "" if one.low is None or one.high is None else f" ({one.low:+.2f} to {one.high:+.2f})"


EXPERIMENT = Experiment(
    "Figure 2: masked probes",
    Fig2,
    compute,
    tables,
    Drawing(draw, caption, charts),
    verdicts=verdicts,
    needs={"masks"},
)
