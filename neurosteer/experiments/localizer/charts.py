"""The localizer on the page: each task in a row."""

from __future__ import annotations

from neurosteer.experiments.scope import Scope
from neurosteer.report.numbers import p_value
from neurosteer.report.pages.charts import Chart, Series, level
from neurosteer.report.pages.ranges import Mark, ranges_chart
from neurosteer.results import Estimate

from .result import Localizer


def charts(result: Localizer, scope: Scope) -> list[Chart]:
    """Each task in a row."""
    looks = [Series(name, place) for name, place in (("before", 0), ("localised units at zero", 1))]
    uniform, matched = Series("uniform sets", 7), Series("matched sets", 2)
    marks = []
    for row in sorted(result.rows, key=lambda row: row.matched.mean - row.after, reverse=True):
        sets = ((uniform, row.uniform), (matched, row.matched))
        values = zip(looks, (row.before, row.after), strict=True)
        marks += [Mark(row.task, look, Estimate(value)) for look, value in values]
        marks += [
            Mark(row.task, one, Estimate(of.mean, of.low, of.high), more={"p": p_value(of.p)}) for one, of in sets
        ]
    return [
        ranges_chart(
            "accuracy",
            "Accuracy before and after",
            "A row for each task, the largest drop beyond matched sets first; bars are ranges over sets, their marks "
            "means.",
            marks,
            "accuracy (mean log probability per token)",
            on_hover={"p": "p beside them"},
            levels=level(0.5, "chance .50", at="x"),
        )
    ]
