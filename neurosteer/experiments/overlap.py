"""Do tasks share neurons, and would the same neurons be found again?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from neurosteer.errors import InputError
from neurosteer.neurons import top_set
from neurosteer.report.canvas import DASHED, INK, ON_WHITE, SMALL, Look, draw_known, finish, method_look
from neurosteer.report.matrix import as_array, draw_matrix, names_of, reach_of
from neurosteer.report.numbers import NONE, number, p_equals, p_value, share_of
from neurosteer.report.pages.charts import Chart, Choice, Row, of_method
from neurosteer.report.pages.curves import shown
from neurosteer.report.pages.matrices import SHARES, matrix_chart
from neurosteer.report.pages.ranges import Mark, ranges_chart
from neurosteer.report.palette import shares
from neurosteer.report.sheet import Panel, new_sheet
from neurosteer.report.table import Table, mean
from neurosteer.results import Estimate, Json
from neurosteer.runner.units import Read, UnitResult
from neurosteer.seeds import seed_of
from neurosteer.vocabulary import PAPER_METHODS, PaperMethod

from .design import Design
from .experiment import Caption, Drawing, Experiment, Rows, Task, Work
from .intervals import known_mean
from .scope import Scope
from .shared.one_layer import one_layer_name

NAME = "overlap"
PERMUTATIONS = 9999


@dataclass(frozen=True)
class Stability:
    """The shared part of two sets of one task: from disjoint folds of its train pairs, and from other splits."""

    task: str
    phenomenon: str
    method: PaperMethod
    folds: float
    seeds: float | None  # None where fewer than two other splits are possible
    chance: float  # of two folds


@dataclass(frozen=True)
class SharedPart:
    """A row of the CSV: the neuron sets of two tasks."""

    method: PaperMethod
    task: str
    other: str
    related: bool  # whether they are of one phenomenon
    shared: float  # of k


@dataclass(frozen=True)
class Overlap:
    """By method, the shared part of k of the top k of each two tasks at one layer."""

    experiment: str
    layer: int
    k: int
    width: int
    tasks: list[str]
    phenomena: list[str]
    methods: tuple[PaperMethod, ...]
    matrices: Mapping[PaperMethod, list[list[float]]]
    chance: Mapping[PaperMethod, float | None]  # of two sets drawn by lot; None for one task
    within: Mapping[PaperMethod, float | None]
    across: Mapping[PaperMethod, float | None]
    p: Mapping[PaperMethod, float | None]
    stability: list[Stability]

    def stability_of(self, method: PaperMethod) -> list[Stability]:
        return [row for row in self.stability if row.method == method]


def check(work: Work) -> None:
    """Raises `InputError` where a fold of the train pairs would have fewer than two."""
    fewest = min(work.tasks, key=lambda task: len(task.split.train))
    pairs, folds = len(fewest.split.train), work.design.folds
    if pairs < 2 * folds:
        raise InputError(f"folds {folds} are too many for the {pairs} train pairs of '{fewest.name}'")


def compute(read: Read, work: Work, scope: Scope) -> Overlap:
    design, results = work.design, [read(one_layer_name(task)) for task in work.names]
    sets = {method: chosen_sets(results, method, design.k) for method in PAPER_METHODS}
    matrices = {method: shared(own, own, design.k) for method, own in sets.items()}
    contrasts = [_contrast(matrices[method], work.phenomena, design.seed) for method in PAPER_METHODS]
    within, across, p = (dict(zip(PAPER_METHODS, values, strict=True)) for values in zip(*contrasts, strict=True))
    return Overlap(
        experiment=NAME,
        layer=design.layer,
        k=design.k,
        width=design.width,
        tasks=work.names,
        phenomena=work.phenomena,
        methods=PAPER_METHODS,
        matrices={method: matrix.tolist() for method, matrix in matrices.items()},
        chance={method: _chance(own, design) if len(own) > 1 else None for method, own in sets.items()},
        within=within,
        across=across,
        p=p,
        stability=[
            _stability(result, task, method, design)
            for result, task in zip(results, work.tasks, strict=True)
            for method in PAPER_METHODS
        ],
    )


def chosen_sets(results: Sequence[UnitResult], method: PaperMethod, k: int) -> list[set[int]]:
    """The top k of each task."""
    scores = [np.abs(result.arrays["t" if method == "welch" else method]) for result in results]
    return [top_set(torch.from_numpy(one), k) for one in scores]


def shared(rows: Sequence[set[int]], columns: Sequence[set[int]], k: int) -> np.ndarray:
    """Shared part of k, for each row and column."""
    return np.array([[len(a & b) / k for b in columns] for a in rows])


def _contrast(
    matrix: np.ndarray, phenomena: Sequence[str], seed: int
) -> tuple[float | None, float | None, float | None]:
    """Mean overlap of two tasks of one phenomenon, and of two; p of labels dealt at random (one-sided)."""
    names = np.array(phenomena)
    upper = np.triu_indices(len(names), 1)
    values, same = matrix[upper], names[upper[0]] == names[upper[1]]
    within, across = known_mean(values[same]), known_mean(values[~same])
    if within is None or across is None:
        return within, across, None
    rng, as_large = np.random.default_rng(seed_of(seed, "overlap")), 0
    for _ in range(PERMUTATIONS):
        dealt = rng.permutation(names)
        other = dealt[upper[0]] == dealt[upper[1]]
        as_large += values[other].mean() - values[~other].mean() >= within - across - 1e-12
    return within, across, float((1 + as_large) / (PERMUTATIONS + 1))


def _stability(result: UnitResult, task: Task, method: PaperMethod, design: Design) -> Stability:
    folds = [[_members(row) for row in repeat] for repeat in result.arrays[f"folds_{method}"]]
    seeds = [_members(row) for row in result.arrays[f"seeds_{method}"]]
    return Stability(
        task=task.name,
        phenomenon=task.phenomenon,
        method=method,
        folds=float(np.mean([_mean_overlap(repeat, design.k) for repeat in folds])),
        seeds=_mean_overlap(seeds, design.k) if len(seeds) > 1 else None,
        chance=float(np.mean([_chance(repeat, design) for repeat in folds])),
    )


def _mean_overlap(sets: Sequence[set[int]], k: int) -> float:
    """Mean shared part of each two of the sets."""
    return float(shared(sets, sets, k)[np.triu_indices(len(sets), 1)].mean())


def _members(row: np.ndarray) -> set[int]:
    return {int(unit) for unit in row if unit >= 0}


def _chance(sets: Sequence[set[int]], design: Design) -> float:
    """The mean shared part of k if each two of the sets were drawn by lot, as large as they are."""
    sizes = np.array([len(one) for one in sets], dtype=float)
    upper = np.triu_indices(len(sizes), 1)
    return float(np.outer(sizes, sizes)[upper].mean()) / (design.k * design.width)


# what it shows

KINDS = {"folds": "other pairs\nof the task", "seeds": "other splits,\nother seeds"}
GROUPS = {"within": "two tasks of\none phenomenon", "across": "two tasks of\ntwo phenomena"}
CHANCE: Look = {"color": INK, "linewidth": 1.2, "linestyle": DASHED}
ACROSS = 0.62  # of a row, over which the dots of its tasks are spread


def csvs(result: Overlap) -> Mapping[str, Rows]:
    names, phenomena = result.tasks, result.phenomena
    pairs = [
        SharedPart(method, names[i], names[j], phenomena[i] == phenomena[j], matrix[i][j])
        for method, matrix in result.matrices.items()
        for i, j in product(range(len(names)), repeat=2)
        if names[i] < names[j]
    ]
    return {"": pairs, "stability": result.stability}


def tables(result: Overlap, scope: Scope) -> list[Table]:
    """One row per method."""
    columns: list[tuple[str, Callable[[PaperMethod], str]]] = [
        ("method", str),
        ("one phenomenon", lambda method: number(result.within[method], 3)),
        ("two phenomena", lambda method: number(result.across[method], 3)),
        ("p", lambda method: p_value(result.p[method])),
        ("other pairs", lambda method: number(mean([row.folds for row in result.stability_of(method)]), 3)),
        ("other splits", lambda method: number(mean([row.seeds for row in result.stability_of(method)]), 3)),
        ("chance", lambda method: number(result.chance[method], 3)),
    ]
    return [Table.of("Mean shared part of two sets", result.methods, columns)]


def draw(result: Overlap, scope: Scope) -> Figure:
    """One heat map per method; below, the means within and across phenomena, and how stable the sets are."""
    k, width = result.k, result.width
    subtitle = scope.subtitle(f"layer {result.layer}", f"{k:,} of {width:,} units ({share_of(k, width)})")
    name, names = "Overlap · Do tasks share their neurons?", names_of(result.tasks, result.phenomena)
    figure, panels = new_sheet(len(result.methods) + 2, name, subtitle, names, foot=0.75)
    for panel, method in zip(panels, result.methods, strict=False):
        _draw_map(panel, result, method)
    _draw_groups(panels[-2], result)
    _draw_stability(panels[-1], result)
    return finish(figure)


def _draw_map(panel: Panel, result: Overlap, method: PaperMethod) -> None:
    matrix, chance = result.matrices[method], result.chance[method]
    values = as_array(matrix)
    off_diagonal = values[np.eye(*values.shape) == 0]
    reach = min(reach_of(off_diagonal, max(4 * (chance or 0), 2 / result.k)), 1.0)
    colours = (shares(), Normalize(0, reach))
    rows = "neurons of" if panel.first else ""
    image = draw_matrix(panel.axes, matrix, result.tasks, result.phenomena, colours, rows=rows, columns="shared with")
    by_chance = "" if chance is None else f" (by chance {number(chance, 3)})"
    panel.colour_bar(image, f"shared part of the {result.k:,}{by_chance}")
    panel.title(method)


def _draw_groups(panel: Panel, result: Overlap) -> None:
    """Mean overlap within and across phenomena, and p of a difference as large by chance."""
    axes, methods = panel.axes, result.methods
    for place, method in enumerate(methods):
        shift = 0.3 * (place - (len(methods) - 1) / 2)
        p, means, rows = result.p[method], (result.within[method], result.across[method]), (shift, 1 + shift)
        label = method if p is None else f"{method}: {p_equals(p)}"
        draw_known(axes, means, rows, linestyle="", markersize=8, label=label, **method_look(method))
        for value, row in zip(means, rows, strict=True):
            if value is not None:
                axes.annotate(number(value, 3), (value, row), xytext=(8, 0), va="center", bbox=ON_WHITE, **SMALL)
                _draw_chance(axes, result.chance[method], row, 0.14)
    panel.name_rows(list(GROUPS.values()), "shared part of the sets")
    panel.title("mean over pairs of tasks")
    axes.margins(x=0.2)
    axes.set_xlim(left=0)
    keys, _ = axes.get_legend_handles_labels()
    drawn = any(chance is not None for chance in result.chance.values())
    keys += [Line2D([], [], label="by chance", **CHANCE)] if drawn else []
    axes.legend(handles=keys, loc="lower right", frameon=False, fontsize=9)


def _draw_stability(panel: Panel, result: Overlap) -> None:
    """Every task as a dot, in the order of the heat maps; a line across at the median, a dashed one at chance."""
    axes = panel.axes
    names: list[str] = []
    for kind, label in KINDS.items():
        for method in result.methods:
            of_method = result.stability_of(method)
            known = [value for row in of_method if (value := row.folds if kind == "folds" else row.seeds) is not None]
            rows = len(names) + ACROSS * (np.arange(len(known)) + 0.5 - len(known) / 2) / max(len(known), 1)
            dots: Look = {**method_look(method), "linestyle": "", "markersize": 3.5, "alpha": 0.75}
            axes.plot(known, rows, label=f"{kind} {method}", markeredgewidth=0, **dots)
            edge = ACROSS / 2 + 0.08
            if known:
                axes.vlines(np.median(known), len(names) - edge, len(names) + edge, color=INK, linewidth=1.6)
            by_chance = mean([row.chance for row in of_method]) if kind == "folds" else result.chance[method]
            _draw_chance(axes, by_chance, len(names), edge)
            names.append(f"{method}:\n{label}")
    panel.name_rows(names, "shared part of the sets; line: median; dashed: by chance")
    panel.title("the same task, found again: one dot a task")
    axes.set_xlim(-0.03, 1.03)


def _draw_chance(axes: Axes, value: float | None, row: float | int, reach: float) -> None:
    """A dashed line across a row, so far above and below its middle, where chance is known."""
    if value is not None:
        axes.vlines(value, row - reach, row + reach, label="_chance", zorder=1.8, **CHANCE)


def charts(result: Overlap, scope: Scope) -> list[Chart]:
    """The same, each panel by itself."""
    rows: list[Row] = [
        {"neurons of": task, "shared with": other}
        | {method: shown(matrix[i][j]) for method, matrix in result.matrices.items()}
        for i, task in enumerate(result.tasks)
        for j, other in enumerate(result.tasks)
    ]
    reaches = {
        method: (0.0, min(reach_of(as_array(matrix)[np.eye(len(matrix)) == 0], 2 / result.k), 1.0))
        for method, matrix in result.matrices.items()
    }
    cells = matrix_chart(
        "cells",
        f"Shared part of the top {result.k:,} of each two tasks",
        "The darker, the more of their neurons two tasks share; one method at a time.",
        result.tasks,
        rows,
        ("neurons of", "shared with"),
        Choice("shown", "Neurons by", [(method, method) for method in result.methods]),
        {str(method): scale for method, scale in reaches.items()},
        {str(method): f"{method}: shared" for method in result.methods},
        SHARES,
    )
    known = {method: _by_chance(result, method) for method in result.methods}
    means = [
        Mark(label.replace("\n", " "), of_method(method), Estimate(getattr(result, kind)[method]), more=known[method])
        for kind, label in GROUPS.items()
        for method in result.methods
    ]
    stable = [
        Mark(label.replace("\n", " "), of_method(row.method), Estimate(getattr(row, kind)), more={"task": row.task})
        for kind, label in KINDS.items()
        for row in result.stability
    ]
    part = "shared part of the sets"
    told = {"chance": "by chance", "p": "p"}
    return [
        cells,
        ranges_chart("means", "Mean over pairs of tasks", "Within and across phenomena.", means, part, told=told),
        ranges_chart(
            "stability",
            "The same task, found again",
            "Each mark is a task: how much of its set comes again.",
            stable,
            part,
            told={"task": "task"},
        ),
    ]


def _by_chance(result: Overlap, method: PaperMethod) -> dict[str, Json]:
    p = result.p[method]
    return {"chance": shown(result.chance[method]), "p": NONE if p is None else p_value(p)}


def caption(scope: Scope) -> Caption:
    return Caption(
        "First, the shared part of the neuron sets of each two tasks, of k; the diagonal is 1 unless a mask leaves "
        "fewer than k open. Then its mean within and across phenomena; p from phenomena dealt at random. Last, the "
        "shared part of two sets of one task: from disjoint folds of its train pairs, and from other splits and "
        "seeds. By chance (dashed) is what two sets A and B share by chance: |A||B| / width "
        "units, averaged over the pairs of sets.",
        "That tasks share a mechanism: units of large variance enter many sets.",
    )


EXPERIMENT = Experiment(
    name=NAME,
    heading="Overlap of the neuron sets",
    needs=frozenset({"one_layer", "stability"}),
    result=Overlap,
    compute=compute,
    tables=tables,
    csvs=csvs,
    drawings={NAME: Drawing(draw, caption, charts)},
    check=check,
)
