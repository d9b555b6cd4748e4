"""Overlap on the page: every cell, the means of cells, and how stable the sets are."""

from __future__ import annotations

import numpy as np

from neurosteer.experiments.scope import Scope
from neurosteer.report.matrix import as_array, reach_of
from neurosteer.report.numbers import NONE, p_value
from neurosteer.report.pages.charts import Chart, Choice, Row, of_method
from neurosteer.report.pages.curves import shown
from neurosteer.report.pages.matrices import SHARES, matrix_chart
from neurosteer.report.pages.ranges import Mark, ranges_chart
from neurosteer.results import Estimate, Json
from neurosteer.vocabulary import PaperMethod

from .figures import GROUPS, KINDS
from .result import Overlap


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
    on_hover = {"chance": "by chance", "p": "p"}
    return [
        cells,
        ranges_chart(
            "means", "Mean over pairs of tasks", "Within and across phenomena.", means, part, on_hover=on_hover
        ),
        ranges_chart(
            "stability",
            "The same task, found again",
            "Each mark is a task: how much of its set comes again.",
            stable,
            part,
            on_hover={"task": "task"},
        ),
    ]


def _by_chance(result: Overlap, method: PaperMethod) -> dict[str, Json]:
    p = result.p[method]
    return {"chance": shown(result.chance[method]), "p": NONE if p is None else p_value(p)}
