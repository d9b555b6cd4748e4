"""Figure 4: do |t| and the L0 masks rank the units of a layer alike? Claim (b)."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean
from typing import Annotated

from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MultipleLocator

from neurosteer.report.canvas import DASHED, INK, Look, draw_known, finish, headline, layer_axis, new_figure
from neurosteer.report.numbers import NONE, lambda_text, number
from neurosteer.report.pages.charts import SHOWN, Chart, Spec, axis, by_series, level, ordered
from neurosteer.report.pages.charts import layer_axis as layers_along
from neurosteer.report.pages.curves import Curve, Point, curves_chart, shown
from neurosteer.report.palette import ordered_looks
from neurosteer.report.table import Table
from neurosteer.results import APART, Estimate, Verdict, key
from neurosteer.runner.units import Read
from neurosteer.shown import short_repr
from neurosteer.vocabulary import AGREE

from .design import Design
from .experiment import Caption, Drawing, Experiment, Results, Work
from .intervals import TaskSamples
from .scope import Scope
from .shared.layer_axes import draw_line, extent
from .shared.layer_curves import by_task_rows
from .shared.layer_lines import WIDTH, grid_table, legend_beside
from .shared.layer_probes import LayerProbes
from .task_layers import TaskLayer

NAME = "fig4"
PAPER_LAMBDA = 0.2
MOST = 0.5  # of the tasks, without which those that are known may be unlike the others


@dataclass(frozen=True)
class RankPoint:
    """|t| against gates at one layer and lambda: means over the tasks whose gates are not all equal."""

    layer: int
    lam: Annotated[float, key("lambda")]
    tasks: int
    spearman: Estimate
    limit: Estimate  # the largest that ties of the gates allow
    undefined: int  # tasks whose gates are all equal
    judged: bool  # whether the gates of at least half of the tasks differ

    __repr__ = short_repr


@dataclass(frozen=True)
class Fig4:
    experiment: str
    lambdas: tuple[float, ...]
    rows: list[RankPoint]
    by_task: Annotated[tuple[TaskLayer, ...], APART] = ()  # behind the means

    __repr__ = short_repr


def compute(read: Read, work: Work, scope: Scope) -> Fig4:
    probes, design = LayerProbes.read(read, work.names, work.design), work.design
    values = {"spearman": probes.spearman, "limit": probes.limit}
    return Fig4(
        experiment=NAME,
        lambdas=design.lambdas,
        rows=rank_points(probes, design, work.samples),
        by_task=by_task_rows(probes, values, design.lambdas, work.names, design),
    )


def rank_points(probes: LayerProbes, design: Design, samples: TaskSamples) -> list[RankPoint]:
    """One for each layer and lambda."""
    spearman, limit, of = samples.means(probes.spearman), samples.means(probes.limit), len(probes.dense)
    return [
        RankPoint(
            layer=layer,
            lam=lam,
            tasks=int(spearman.tasks[i, j]),
            spearman=spearman.at(i, j),
            limit=limit.at(i, j),
            undefined=of - int(spearman.tasks[i, j]),
            judged=bool(spearman.tasks[i, j] >= MOST * of),
        )
        for i, layer in enumerate(design.layers)
        for j, lam in enumerate(design.lambdas)
    ]


# what it shows


def tables(result: Fig4, scope: Scope) -> list[Table]:
    """Rank correlation, and the most that it can be."""
    heads = {lam: f"λ = {lambda_text(lam)}" for lam in result.lambdas}
    cells = {(row.layer, row.lam): _cell(row) for row in result.rows}
    caption = (
        "Spearman of |t| and gate, of the most that ties allow; mean over tasks whose gates differ, where these are "
        "at least half"
    )
    return [grid_table(cells, heads, caption)]


def _cell(row: RankPoint) -> str:
    known = row.judged and row.spearman.value is not None
    return f"{number(row.spearman.value)} of {number(row.limit.value)}" if known else NONE


def draw(result: Fig4, scope: Scope) -> Figure:
    """Rank correlation of |t| and gate; dashed, the largest that the ties allow."""
    figure = new_figure(WIDTH, 5.4)
    axes = figure.add_subplot()
    keys = []
    for lam, look in zip(result.lambdas, ordered_looks(len(result.lambdas)), strict=True):
        rows = [row for row in result.rows if row.lam == lam and row.judged]
        keys.append(draw_line(axes, [(row.layer, row.spearman) for row in rows], look, lambda_text(lam)))
        limits = [row.limit.value for row in rows]
        dashes: Look = {"linewidth": 1.0, "linestyle": DASHED, "label": "_limit", "zorder": 1.8}
        dashes |= {**look, "marker": "_" if sum(limit is not None for limit in limits) == 1 else ""}
        draw_known(axes, [row.layer for row in rows], limits, **dashes)
    layer_axis(axes, sorted({row.layer for row in result.rows}))
    axes.axhline(0, color=INK, linewidth=0.8, zorder=1)
    axes.set_ylim(min([0.0, *extent(axes)]) - 0.05, 1.05)
    axes.yaxis.set_major_locator(MultipleLocator(0.2))
    axes.set_ylabel("Spearman's rank correlation of |t| and gate")
    limit = Line2D([], [], color=INK, linewidth=1.0, linestyle=DASHED, label="most that\nties allow")
    legend_beside(figure, [*reversed(keys), *([limit] if any(keys) else [])], "λ")
    name = "Fig. 4 · Do |t| and the L0 masks rank units alike?"
    headline(figure, name, scope.subtitle(*scope.mean_in_words))
    return finish(figure)


def charts(result: Fig4, scope: Scope) -> list[Chart]:
    """Rank correlations, each with the most that its ties allow."""
    curves = []
    looks = ordered([f"λ = {lambda_text(lam)}" for lam in result.lambdas])
    for lam, look in zip(result.lambdas, looks, strict=True):
        rows = [row for row in result.rows if row.lam == lam and row.judged and row.spearman.value is not None]
        limits = [{"limit": shown(row.limit.value), "tasks": row.tasks} for row in rows]
        points = [Point(row.layer, row.spearman, more) for row, more in zip(rows, limits, strict=True)]
        curves += [Curve(look, points)] if points else []
    colour = by_series([curve.series for curve in curves])
    dashes: Spec = {
        "transform": [{"filter": SHOWN}],
        "mark": {"type": "line", "strokeDash": [4, 3], "strokeWidth": 1},
        "encoding": {"x": layers_along(), "y": axis("limit", None), "color": colour},
    }
    return [
        curves_chart(
            "spearman",
            "Rank correlation of |t| and gate",
            "A line for each λ; dashed, the most that ties of the gates allow.",
            curves,
            "Spearman's rank correlation",
            on_hover={"limit": "most that ties allow", "tasks": "tasks"},
            levels=level(0, ""),
            above=[dashes],
        )
    ]


def caption(scope: Scope) -> Caption:
    return Caption(
        "Solid lines: Spearman's rank correlation of |t| and gate over all units of a layer. Dashed, in the same "
        "colour: the largest value that the many gates at exactly 0 and 1 allow. Where all gates are equal, as at "
        "λ = 1, there is no correlation; where they are in more than half of the tasks, there is no line."
        + scope.bands_in_words,
        "That the two would choose the same units: a mask needs only one of several units that say the same, while "
        "|t| ranks each by itself. Compare with the dashed line, not with 1.",
    )


def verdicts(results: Results, scope: Scope) -> list[Verdict]:
    """Claim (b), at the recipe's lambda where the grid has it."""
    result: Fig4 = results[NAME]
    wanted = (scope.settings.lam, PAPER_LAMBDA, result.lambdas[0])
    lam = next(value for value in wanted if value in result.lambdas)
    every = [row for row in result.rows if row.lam == lam]
    both = [
        (row.spearman.value, row.limit.value)
        for row in every
        if row.judged and row.spearman.value is not None and row.limit.value is not None
    ]
    reading = "No gates to compare."
    if both:
        spearman, limit = (fmean(values) for values in zip(*both, strict=True))
        reading = f"Spearman is {spearman:.2f} on average over layers, where ties allow {limit:.2f} at most."
    if unjudged := len(every) - len(both):
        reading += f" {unjudged} of {len(every)} layers cannot be judged."
    return [
        Verdict.counted(
            "b",
            "The two selections agree.",
            f"at lambda {lam:g} the mean Spearman of |t| and gate is at least half of the largest that its ties "
            "allow, in layers where the gates of at least half of the tasks differ",
            sum(spearman / limit >= AGREE for spearman, limit in both),
            len(both),
            "layers",
            reading,
        )
    ]


EXPERIMENT = Experiment(
    "Figure 4: do the two selections agree?",
    Fig4,
    compute,
    tables,
    Drawing(draw, caption, charts),
    verdicts=verdicts,
    needs={"masks"},
)
