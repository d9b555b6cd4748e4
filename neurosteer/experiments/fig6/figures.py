"""Figure 6: heat maps of the sparse and of the dense probes, the mean of each row, and the difference."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Patch

from neurosteer.experiments.experiment import Caption
from neurosteer.experiments.scope import Scope
from neurosteer.experiments.shared.transfer_probes import Kind
from neurosteer.report.canvas import BLUE, DASHED, GREY, INK, VERMILION, Look, draw_known, finish
from neurosteer.report.matrix import Matrix, as_array, draw_matrix, name_rows, names_of, reach_of
from neurosteer.report.numbers import count_range, lambda_text, percent
from neurosteer.report.palette import rising, symmetric
from neurosteer.report.panels import SquarePanel, new_sheet, vertical_grid

from .result import Fig6, Probe

TITLES: dict[Kind, str] = {
    "accuracy": "test accuracy at threshold 0 (share of sentences)",
    "pairwise": "pairwise test accuracy (share of pairs in which the good sentence scores higher)",
}
DRAWN: dict[str, tuple[str, Look]] = {
    "sparse_own": ("itself, sparse", {"color": GREY, "marker": "^", "markersize": 4}),
    "sparse_same": ("same phenomenon, sparse", {"color": BLUE, "marker": "D", "markersize": 3.4}),
    "sparse_other": ("other phenomena, sparse", {"color": VERMILION, "marker": "o", "markersize": 4.4}),
    "dense_other": (
        "other phenomena, dense",
        {"color": INK, "marker": "o", "markersize": 4.4, "markerfacecolor": "none"},
    ),
}
NULL: dict[Probe, Look] = {
    "sparse": {"facecolor": GREY, "alpha": 0.28, "linewidth": 0},
    "dense": {"facecolor": "none", "edgecolor": INK, "linewidth": 0.9, "linestyle": DASHED},
}
LEAST = 0.02  # what a scale of differences spans at least


def draw(result: Fig6, scope: Scope) -> Figure:
    """At threshold 0."""
    return _draw(result, scope, "accuracy")


def draw_pairwise(result: Fig6, scope: Scope) -> Figure:
    return _draw(result, scope, "pairwise")


def _draw(result: Fig6, scope: Scope, kind: Kind) -> Figure:
    """Heat maps of the sparse and of the dense probes, the mean of each row, and the difference."""
    subtitle = scope.subtitle(f"layer {result.layer}", TITLES[kind], f"{tested_on(result.pairs)} a cell")
    names = names_of(result.tasks, result.phenomena)
    figure, panels = new_sheet(4, "Fig. 6 · Probes trained on one task, tested on another", subtitle, names)
    sparse, dense, means, difference = panels
    for panel, matrices in ((sparse, result.sparse), (dense, result.dense)):
        image = _draw_map(panel, result, matrices.of(kind), 0.5, 0.5)
        panel.colour_bar(image, "share correct")
    sparse.title(f"sparse probe ({_kept(result)})")
    dense.title("dense probe")
    _draw_difference(difference, result, kind)
    _draw_row_means(means.axes, result, kind)
    means.title("mean of each row")
    return finish(figure)


def tested_on(pairs: Sequence[Sequence[int]]) -> str:
    """`141 to 200 test pairs`."""
    return f"{count_range(count for row in pairs for count in row)} test pairs"


def _kept(result: Fig6) -> str:
    """`λ = .2, 12% of the units`, `λ .2 to .8, 6.1% to 18% of the units`: over the tasks' probes."""
    low, high = (lambda_text(end(result.lambdas)) for end in (min, max))
    fewest, most = (percent(end(result.kept)) for end in (min, max))
    values = f"λ = {low}" if low == high else f"λ {low} to {high}"
    return f"{values}, {fewest} to {most} of the units"


def _draw_map(panel: SquarePanel, result: Fig6, matrix: Matrix, middle: float, reach: float) -> AxesImage:
    look = (rising(), symmetric(middle, reach))
    rows = "trained on" if panel.first else ""
    return draw_matrix(panel.axes, matrix, result.tasks, result.phenomena, look, rows=rows, columns="tested on")


def _draw_difference(panel: SquarePanel, result: Fig6, kind: Kind) -> None:
    values = as_array(result.sparse.of(kind)) - as_array(result.dense.of(kind))
    image = _draw_map(panel, result, values.tolist(), 0.0, reach_of(values, LEAST))
    panel.colour_bar(image, "difference of shares")
    panel.title("difference: sparse − dense")  # noqa: RUF001  (a minus sign)


def _draw_row_means(axes: Axes, result: Fig6, kind: Kind) -> None:
    """One line per training task: its own test, others of its phenomenon, and tasks of other phenomena."""
    places = range(len(result.means))
    for column, (label, look) in DRAWN.items():
        values = [row.of(column, kind) for row in result.means]
        draw_known(axes, values, places, label=label, linestyle="", markeredgewidth=0.8, **look)
    keys = [*axes.get_legend_handles_labels()[0], *_draw_null(axes, result, kind)]
    axes.set_ylim(len(result.tasks) - 0.5, -0.5)
    name_rows(axes, result.tasks, result.phenomena)
    axes.set_ylabel("trained on", fontsize=9)
    vertical_grid(axes)
    axes.set_xlabel("mean over the tasks tested on (share correct)", fontsize=9)
    place: Look = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.12), "ncols": 2}
    axes.legend(handles=keys, frameon=False, fontsize=8.5, **place)


def _draw_null(axes: Axes, result: Fig6, kind: Kind) -> list[Patch]:
    """Where the row means of probes of flipped labels lie, sparse and dense: mean and two standard deviations."""
    axes.axvline(0.5, color=INK, linewidth=0.8, zorder=1)
    bands: list[Patch] = []
    for probe, look in NULL.items():
        null = result.null_of(probe, kind)
        if null.mean is not None and null.row_sd is not None:
            ends = null.mean - 2 * null.row_sd, null.mean + 2 * null.row_sd
            bands.append(axes.axvspan(*ends, label=f"flipped labels, {probe}: ± 2 sd", zorder=0, **look))
    return bands


def caption(scope: Scope) -> Caption:
    return Caption(
        "Rows are training tasks, columns the tasks tested on, grouped by phenomenon. Grey is chance, blue and dark "
        "better, yellow and light worse. A dark row is a probe that transfers broadly, a dark block one that "
        "transfers within its phenomenon. Accuracy at threshold 0 asks whether the very boundary carries over. "
        "Beside the mean of each row, bands say where the same means lie for probes of flipped labels, over all "
        "other tasks: filled for sparse ones, dashed for dense ones. Hold the means over other phenomena against "
        "them; those over fewer tasks spread more. Test pairs with a sentence that a training task has seen are left "
        "out of its cells.",
        "What transfers: sentence length, frequency or a last word shared by two tasks would too. Cells of one row "
        "share a probe, and are no independent findings." + _of_split(scope),
    )


def caption_pairwise(scope: Scope) -> Caption:
    return Caption(
        "The same probes, judged by whether the good sentence of a pair scores higher than the bad one: the "
        "direction alone counts, wherever the boundary lies.",
        "More than figure 6: a high value here beside a low one there means that a direction is shared, and its "
        "threshold is not." + _of_split(scope),
    )


def _of_split(scope: Scope) -> str:
    if scope.data.split != "lexical":
        return ""
    return (
        " Words are held out on the diagonal alone: the training of another task may have seen the words that a task "
        "is tested on."
    )
