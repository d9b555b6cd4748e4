"""Figure 6: every task's probe on every task, sparse and dense, and their difference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Patch

from neurosteer.report.canvas import BLUE, DASHED, GREY, INK, VERMILION, finish
from neurosteer.report.numbers import percent

from .about import about, lam, span
from .matrix import Matrix, as_array, draw_matrix, name_rows, names_of, reach_of
from .palette import about as scale_about
from .palette import rising
from .sheet import Panel, new_sheet, vertical_grid

Row = Mapping[str, Any]
TITLES = {
    "accuracy": "test accuracy at threshold 0 (share of sentences)",
    "pairwise": "pairwise test accuracy (share of pairs in which the good sentence scores higher)",
}
MEANS: dict[str, tuple[str, dict[str, Any]]] = {
    "sparse_own": ("itself, sparse", {"color": GREY, "marker": "^", "markersize": 4}),
    "sparse_same": ("same phenomenon, sparse", {"color": BLUE, "marker": "D", "markersize": 3.4}),
    "sparse_other": ("other phenomena, sparse", {"color": VERMILION, "marker": "o", "markersize": 4.4}),
    "dense_other": (
        "other phenomena, dense",
        {"color": INK, "marker": "o", "markersize": 4.4, "markerfacecolor": "none"},
    ),
}
NULL: dict[str, dict[str, Any]] = {
    "sparse": {"facecolor": GREY, "alpha": 0.28, "linewidth": 0},
    "dense": {"facecolor": "none", "edgecolor": INK, "linewidth": 0.9, "linestyle": DASHED},
}
LEAST = 0.02  # what a scale of differences spans at least


def transfer_figure(outcome: Row, result: Row, kind: str = "accuracy") -> Figure:
    """Heat maps of the sparse and of the dense probes, the mean of each row, and the difference."""
    about_it = about(outcome, f"layer {result['layer']}", TITLES[kind], f"{tested_on(result['pairs'])} a cell")
    names = names_of(result["tasks"], result["phenomena"])
    figure, panels = new_sheet(4, "Fig. 6 · Probes trained on one task, tested on another", about_it, names)
    sparse, dense, means, apart = panels
    for panel, probe in ((sparse, "sparse"), (dense, "dense")):
        image = _map(panel, result, result[probe][kind], 0.5, 0.5)
        panel.colour_bar(image, "share correct")
    sparse.title(f"sparse probe ({_kept(result)})")
    dense.title("dense probe")
    _difference(apart, result, kind)
    _row_means(means.axes, result, kind)
    means.title("mean of each row")
    return finish(figure)


def _kept(result: Row) -> str:
    """`λ = .2, 12% of the units`, `λ .2 to .8, 6.1% to 18% of the units`: over the tasks' probes."""
    low, high = (lam(end(result["lambda"])) for end in (min, max))
    fewest, most = (percent(end(result["kept"])) for end in (min, max))
    values = f"λ = {low}" if low == high else f"λ {low} to {high}"
    return f"{values}, {fewest} to {most} of the units"


def tested_on(pairs: Sequence[Sequence[int]]) -> str:
    """`141 to 200 test pairs`."""
    return f"{span(count for row in pairs for count in row)} test pairs"


def _map(panel: Panel, result: Row, matrix: Matrix, middle: float, reach: float) -> AxesImage:
    look = (rising(), scale_about(middle, reach))
    rows = "trained on" if panel.first else ""
    return draw_matrix(panel.axes, matrix, result["tasks"], result["phenomena"], look, rows=rows, columns="tested on")


def _difference(panel: Panel, result: Row, kind: str) -> None:
    values = as_array(result["sparse"][kind]) - as_array(result["dense"][kind])
    image = _map(panel, result, values.tolist(), 0.0, reach_of(values, LEAST))
    panel.colour_bar(image, "difference of shares")
    panel.title("difference: sparse − dense")  # noqa: RUF001  (a minus sign)


def _row_means(axes: Axes, result: Row, kind: str) -> None:
    """One line per training task: its own test, others of its phenomenon, and tasks of other phenomena."""
    suffix = "" if kind == "accuracy" else f"_{kind}"
    for key, (label, look) in MEANS.items():
        known = [
            (row[key + suffix], place) for place, row in enumerate(result["means"]) if row[key + suffix] is not None
        ]
        values, rows = [value for value, _ in known], [place for _, place in known]
        axes.plot(values, rows, label=label, linestyle="", markeredgewidth=0.8, **look)
    keys = [*axes.get_legend_handles_labels()[0], *_null(axes, result["null"], kind)]
    _row_axis(axes, result)
    axes.set_xlabel("mean over the tasks tested on (share correct)", fontsize=9)
    place: dict[str, Any] = {
        "loc": "upper center",
        "bbox_to_anchor": (0.5, -0.12),
        "ncols": 2,
        "frameon": False,
        "fontsize": 8.5,
    }
    axes.legend(handles=keys, **place)


def _null(axes: Axes, null: Row, kind: str) -> list[Patch]:
    """Where the row means of probes of flipped labels lie, sparse and dense: mean and two standard deviations."""
    axes.axvline(0.5, color=INK, linewidth=0.8, zorder=1)
    bands: list[Patch] = []
    for probe, look in NULL.items():
        mean, sd = (null[f"{kind}_{probe}"][name] for name in ("mean", "row_sd"))
        if mean is not None and sd is not None:
            label = f"flipped labels, {probe}: ± 2 sd"
            bands.append(axes.axvspan(mean - 2 * sd, mean + 2 * sd, label=label, zorder=0, **look))
    return bands


def _row_axis(axes: Axes, result: Row) -> None:
    """The rows of the heat map beside."""
    axes.set_ylim(len(result["tasks"]) - 0.5, -0.5)
    name_rows(axes, result["tasks"], result["phenomena"])
    axes.set_ylabel("trained on", fontsize=9)
    vertical_grid(axes)
