"""Figures 2 to 4 have one line per lambda, or per k: their panels, legends and tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from neurosteer.pairs import Baselines
from neurosteer.report.baselines import DRAWN, named
from neurosteer.report.canvas import layer_axis
from neurosteer.report.figures import baseline_lines
from neurosteer.report.numbers import NONE, count_range, number, percent
from neurosteer.report.table import Table, abridged, mean, spread
from neurosteer.results import Estimate
from neurosteer.vocabulary import ENOUGH

from .layer_axes import SIDE_LEGEND, accuracy_axis
from .layer_curves import DensePoint, luck_notes
from .layer_probes import FLOOR

WIDTH = 9.6
LABEL_GAP = 0.049  # of the height of a panel of three inches, between two labels
IN_MEANS = "tasks whose dense probe is below {} on validation data, {} a layer, count here but in no ratio to dense"
P = TypeVar("P")  # a point of the grid: a lambda, or k


def accuracy_panel(axes: Axes, layers: Sequence[int], baselines: Baselines, gap: float = LABEL_GAP) -> None:
    """Accuracy over layers, beside what reads without a model."""
    layer_axis(axes, layers)
    values = named(baselines)
    accuracy_axis(axes, [values[name] for name in DRAWN])
    baseline_lines(axes, baselines, gap)


def legend_beside(figure: Figure, keys: Sequence[Line2D | None], name: str) -> None:
    """Beside the axes, the largest above, as most lines lie; nothing where nothing is drawn."""
    drawn = [one for one in keys if one is not None]
    if drawn:
        figure.legend(handles=drawn, title=name, **SIDE_LEGEND)


def grid_table(
    cells: Mapping[tuple[int, P], str],
    heads: Mapping[P, str],
    caption: str,
    *,
    dense: Sequence[DensePoint] = (),
    excluded: Mapping[int, int] | None = None,
) -> Table:
    """Layers in rows, points of the grid in columns, and beside them what is known of the dense probe."""
    layers = sorted({layer for layer, _ in cells})
    beside = {point.layer: (number(point.accuracy.value), str((excluded or {})[point.layer])) for point in dense}
    names = ("dense", f"tasks below {number(FLOOR)}") if dense else ()
    rows = tuple(
        (
            str(layer),
            *(cells.get((layer, point), NONE) for point in heads),
            *(beside.get(layer, (NONE, NONE)) if dense else ()),
        )
        for layer in spread(layers)
    )
    below = f"; {names[-1]}: whose dense probe reads less on validation data" if names else ""
    return Table(f"{caption}{abridged(layers)}{below}", ("layer", *heads.values(), *names), rows, left=0)


def relative_table(
    points: Sequence[tuple[P, Estimate, int]],  # point, accuracy relative to the dense probe, tasks
    heads: Mapping[P, str],
    sign: str,
    chance: float,  # that luck passes the floor
    *,
    kept: Mapping[P, Sequence[float | None]] | None = None,
) -> Table:
    """Over all layers: what share of the dense probe's accuracy each point reaches, and in how many layers 95 %."""
    rows = []
    for point, head in heads.items():
        here = [(relative.value, tasks) for at, relative, tasks in points if at == point]
        known = [value for value, _ in here if value is not None]
        share = [] if kept is None else [percent(mean(kept[point]))]
        enough = f"{sum(value >= ENOUGH for value in known)} of {len(known)}"
        rows.append((head, *share, number(mean(known)), enough, count_range(tasks for _, tasks in here)))
    shares = () if kept is None else ("units kept",)
    headers = (sign, *shares, "accuracy / dense", "layers with .95 or more", "tasks a layer")
    caption = (
        "Accuracy relative to the dense probe: mean over tasks where that reaches "
        f"{number(FLOOR)} on validation data, then over layers"
    )
    return Table("; ".join([caption, *luck_notes(chance)]), headers, tuple(rows))
