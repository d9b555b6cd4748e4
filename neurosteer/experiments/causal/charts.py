"""Causal transfer on the page: measured and predicted cells, means beside controls, and how matrices agree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from neurosteer.experiments.scope import Scope
from neurosteer.report.matrix import as_array, reach_of
from neurosteer.report.numbers import NONE, change, p_value
from neurosteer.report.pages.charts import (
    Chart,
    Choice,
    Row,
    Spec,
    axis,
    by_series,
    chart_of,
    hover,
    level,
    of_method,
    shape_by_series,
)
from neurosteer.report.pages.curves import shown
from neurosteer.report.pages.matrices import FALLS, matrix_chart
from neurosteer.report.pages.ranges import Mark, ranges_chart
from neurosteer.results import Estimate
from neurosteer.vocabulary import CausalMethod, counted

from .agreement_figure import LINEAR, WORDS
from .maps import CHANGE, COLUMNS, GROUPS, LEAST, ROWS
from .result import CausalTransfer, Cell, Quantity

MEANS = "Means count each source once; the bar is the 95 % interval over tasks."


def measured_charts(result: CausalTransfer, scope: Scope) -> list[Chart]:
    """The measured cells, and their means beside those of controls."""
    by_place: dict[tuple[str, str], dict[CausalMethod, Cell]] = {}
    for cell in result.cells:
        by_place.setdefault((cell.source, cell.target), {})[cell.method] = cell
    rows: list[Row] = []
    for (source, target), cells in by_place.items():
        row: Row = {ROWS: source, COLUMNS: target}
        for method, cell in cells.items():
            row |= {method: shown(cell.delta), f"{method} beside": _beside(cell)}
        rows.append(row)
    on_hover = {f"{method} beside": method for method in result.methods}
    cells_chart = _map("cells", "Measured", result, result.measured, rows, on_hover)
    read = f"{MEANS} Small marks: the same means of each set's matched controls."
    marks = [*_means(result, "measured"), *_control_marks(result)]
    means = ranges_chart("means", "Means over tasks, measured", read, marks, CHANGE, levels=_none())
    return [cells_chart, means]


def predicted_charts(result: CausalTransfer, scope: Scope) -> list[Chart]:
    """All cells as attributions predict them, and their means."""
    rows: list[Row] = [
        {ROWS: source, COLUMNS: target} | {method: shown(matrix[i][j]) for method, matrix in result.predicted.items()}
        for i, source in enumerate(result.tasks)
        for j, target in enumerate(result.tasks)
    ]
    on_hover: dict[str, str] = {method: f"{method} (nats)" for method in result.methods}
    cells = _map("predicted", "Predicted to first order", result, result.tasks, rows, on_hover)
    marks = list(_means(result, "predicted"))
    return [
        cells,
        ranges_chart("predicted-means", "Means over tasks, predicted", MEANS, marks, CHANGE, levels=_none()),
    ]


def agreement_charts(result: CausalTransfer, scope: Scope) -> list[Chart]:
    """Every measured cell beside its prediction; and rank correlations over cells."""
    marks = [
        Mark(WORDS[row.what].replace("\n", " "), of_method(row.method), row.estimate, more={"cells": row.cells})
        for what in WORDS
        for row in result.agreement
        if row.what == what
    ]
    x, on_hover = "Spearman over cells of two different tasks", {"cells": "cells"}
    read = "Rank correlation of two matrices; the bar is the 95 % interval over tasks."
    agreement = ranges_chart("agreement", "Agreement of matrices", read, marks, x, on_hover=on_hover, levels=_none())
    return [_beside_predicted(result), agreement]


def _map(
    name: str,
    title: str,
    result: CausalTransfer,
    tasks: Sequence[str],
    rows: Sequence[Row],
    on_hover: Mapping[str, str],
) -> Chart:
    """One map per method and one scale for all."""
    values = [row[method] for row in rows for method in result.methods if row.get(method) is not None]
    reach = reach_of(as_array([values]), LEAST) if values else LEAST
    choice = Choice("shown", "Neurons by", [(method, method) for method in result.methods])
    read = (
        "A row for each task whose neurons are ablated, a column for each task whose margin is read; one method at a "
        "time, on one scale. Point at a cell for its numbers by every method."
    )
    scales = dict.fromkeys(map(str, result.methods), (0.0, reach))
    return matrix_chart(
        name,
        f"{title}: change of the mean margin",
        read,
        tasks,
        rows,
        (ROWS, COLUMNS),
        choice,
        scales,
        on_hover,
        FALLS,
    )


def _beside(cell: Cell) -> str:
    """`-0.86 nats; 99 controls: mean -0.05; p .01`."""
    if cell.delta is None:
        return "no neurons"
    said = f"{change(cell.delta)} nats; {counted(cell.controls, 'control')}: mean {change(cell.controls_mean)}"
    said += f"; p {NONE if cell.p is None else p_value(cell.p)}"
    return said + ("" if cell.q is None else f", q {p_value(cell.q)}")


def _means(result: CausalTransfer, what: Quantity) -> Iterator[Mark]:
    means = result.mean_drops(what)
    for kind, label in GROUPS.items():
        for method in result.methods:
            row = means[method, kind]
            yield Mark(label.replace("\n", " "), of_method(method), row.change, more={"sources": row.sources})


def _control_marks(result: CausalTransfer) -> Iterator[Mark]:
    for row in result.control_means:
        if row.kind in GROUPS:
            yield Mark(GROUPS[row.kind].replace("\n", " "), of_method(row.method), Estimate(row.delta), small=True)


def _none() -> list[Spec]:
    return level(0, "", at="x")


def _beside_predicted(result: CausalTransfer) -> Chart:
    """On the dashed line prediction and measurement are the same."""
    rows: list[Row] = [
        {
            "series": cell.method,
            "source": cell.source,
            "target": cell.target,
            "predicted": shown(cell.predicted),
            "measured": shown(cell.delta),
            "own": cell.own,
        }
        for cell in result.cells
        if cell.predicted is not None and cell.delta is not None
    ]
    methods = [method for method in result.methods if method in {row["series"] for row in rows}]
    series = [of_method(method) for method in methods]
    values = [row[end] for row in rows for end in ("predicted", "measured")]
    ends = (min(values), max(values)) if values else (-1.0, 1.0)
    log = {"type": "symlog", "constant": LINEAR, "nice": True}
    line = {
        "data": {"values": [{"a": end} for end in np.linspace(ends[0], ends[1], 60).tolist()]},
        "mark": {"type": "line", "strokeDash": [4, 4], "color": "var(--faint)"},
        "encoding": {"x": {"field": "a", "type": "quantitative"}, "y": {"field": "a", "type": "quantitative"}},
    }
    marks = {
        "transform": [{"filter": "indexof(off, datum.series) < 0"}],
        "mark": {"type": "point", "opacity": 0.8},
        "encoding": {
            "x": axis("predicted", "predicted change of the mean margin (nats)", scale=log),
            "y": axis("measured", "measured change (nats)", scale=log),
            "color": by_series(series),
            "shape": shape_by_series(series),
            "size": {"condition": {"test": "datum.own", "value": 90}, "value": 35},
            "tooltip": hover(
                ("source", "neurons of"),
                ("target", "margin of"),
                ("series", "by"),
                ("predicted", "predicted"),
                ("measured", "measured"),
            ),
        },
    }
    read = (
        "Each mark is a measured cell, the larger ones those of a task itself. Axes are linear near 0, logarithmic "
        "beyond."
    )
    return chart_of("forecast", "Measured against predicted", read, [line, marks], rows, series=series, height=420)
