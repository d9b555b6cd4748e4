"""Figure 6 on the page: every cell of both kinds of probe, and the mean of each row."""

from __future__ import annotations

from itertools import product

import numpy as np

from neurosteer.experiments.scope import Scope
from neurosteer.experiments.shared.transfer_probes import Kind
from neurosteer.report.matrix import reach_of
from neurosteer.report.pages.charts import FAINT, Chart, Choice, Row, Series, Spec, level
from neurosteer.report.pages.curves import shown
from neurosteer.report.pages.matrices import matrix_chart
from neurosteer.report.pages.ranges import Mark, ranges_chart
from neurosteer.results import Estimate

from .figures import DRAWN, LEAST, TITLES
from .result import PROBES, Fig6

ENDS = ("trained on", "tested on")
DIFFERENCE = "difference"
WORDS = {"sparse": "sparse probe", "dense": "dense probe", DIFFERENCE: "difference: sparse minus dense"}


def charts(result: Fig6, scope: Scope) -> list[Chart]:
    """At threshold 0."""
    return _charts(result, "accuracy")


def charts_pairwise(result: Fig6, scope: Scope) -> list[Chart]:
    return _charts(result, "pairwise")


def _charts(result: Fig6, kind: Kind) -> list[Chart]:
    rows = cells(result, kind)
    differences = [row[DIFFERENCE] for row in rows if row[DIFFERENCE] is not None]
    scales = {"sparse": (0.5, 0.5), "dense": (0.5, 0.5), DIFFERENCE: (0.0, reach_of(np.array(differences), LEAST))}
    matrix = matrix_chart(
        f"{kind}-cells",
        TITLES[kind].split(" (")[0].capitalize(),
        "A row for each training task, a column for each task tested on; one probe at a time, or the difference.",
        result.tasks,
        rows,
        ENDS,
        Choice("shown", "Show", list(WORDS.items())),
        scales,
        {"sparse": "sparse probe", "dense": "dense probe", "pairs": "test pairs"},
    )
    return [matrix, _means(result, kind)]


def cells(result: Fig6, kind: Kind) -> list[Row]:
    """A row for each two tasks."""
    rows: list[Row] = []
    for (i, trained), (j, tested) in product(enumerate(result.tasks), repeat=2):
        sparse, dense = (result.matrices(probe).of(kind)[i][j] for probe in PROBES)
        difference = None if sparse is None or dense is None else shown(sparse - dense)
        values: Row = {"sparse": shown(sparse), "dense": shown(dense), DIFFERENCE: difference}
        rows.append({ENDS[0]: trained, ENDS[1]: tested, **values, "pairs": result.pairs[i][j]})
    return rows


def _means(result: Fig6, kind: Kind) -> Chart:
    marks = []
    for row in result.means:
        for place, (column, (label, _)) in enumerate(DRAWN.items()):
            more: Row = {"phenomenon": row.phenomenon}
            marks.append(Mark(row.task, Series(label, place), Estimate(row.of(column, kind)), more=more))
    return ranges_chart(
        f"{kind}-means",
        "Mean of each row",
        "A row for each training task: what its probes read of itself, of the others of its phenomenon, and of other "
        "phenomena.",
        marks,
        "mean over the tasks tested on (share correct)",
        on_hover={"phenomenon": "phenomenon"},
        levels=[*_null(result, kind), *level(0.5, "chance .50", at="x")],
        stacked=False,
    )


def _null(result: Fig6, kind: Kind) -> list[Spec]:
    """Where the row means of probes of flipped labels lie: filled for sparse ones, dashed for dense ones."""
    bands: list[Spec] = []
    for probe in PROBES:
        null = result.null_of(probe, kind)
        if null.mean is None or null.row_sd is None:
            continue
        text = f"flipped labels, {probe}: mean and 2 standard deviations"
        ends = {"low": shown(null.mean - 2 * null.row_sd), "high": shown(null.mean + 2 * null.row_sd), "text": text}
        filled: Spec = {"opacity": 0.2, "color": FAINT} if probe == "sparse" else {"filled": False, "stroke": FAINT}
        low, high = {"field": "low", "type": "quantitative"}, {"field": "high"}
        bands.append(
            {
                "data": {"values": [ends]},
                "mark": {"type": "rect", "strokeDash": [4, 3], **filled},
                "encoding": {"x": low, "x2": high, "tooltip": {"field": "text"}},
            }
        )
    return bands
