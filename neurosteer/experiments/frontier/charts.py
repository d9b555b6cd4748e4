"""The frontier on the page: what is lost at the same disturbance, a line a method."""

from __future__ import annotations

from neurosteer.experiments.scope import Scope
from neurosteer.report.pages.charts import Chart, Series, of_method
from neurosteer.report.pages.curves import Curve, Point, curves_chart
from neurosteer.results import Estimate

from .result import Frontier, FrontierPoint

KL = ("kl", "KL on neutral text (nats per token)")


def charts(result: Frontier, scope: Scope) -> list[Chart]:
    """The own task, beside matched orders; and the others."""
    own, others = [], []
    for method in result.methods:
        rows = [row for row in result.curves if row.method == method]
        own.append(Curve(of_method(method), [Point(row.kl, Estimate(row.own), _beside(row)) for row in rows]))
        others.append(Curve(of_method(method), [Point(row.kl, Estimate(row.others)) for row in rows]))
    kls = sorted({row.kl for row in result.curves})
    matched = [_range(kl, [row for row in result.curves if row.kl == kl]) for kl in kls]
    orders = Curve(Series("matched orders of all methods: mean and range", 7, dashed=True), matched)
    return [
        curves_chart(
            "own",
            "Own task",
            "Mean over tasks of the share of the mean margin that is lost, when as many units go as disturb neutral "
            "text so far.",
            [orders, *own],
            "share of the mean margin lost",
            x=KL,
            on_hover={"controls": "its matched orders"},
        ),
        curves_chart(
            "others",
            "Other tasks: size of the change",
            "Mean over tasks of what other tasks lose or gain.",
            others,
            "share of the mean margin",
            x=KL,
        ),
    ]


def _beside(row: FrontierPoint) -> dict[str, str]:
    return {"controls": f"mean {row.controls:.3g}, {row.controls_low:.3g} to {row.controls_high:.3g}"}


def _range(kl: float, rows: list[FrontierPoint]) -> Point:
    """The matched orders' means over tasks, of whatever method."""
    low, high = min(row.controls_low for row in rows), max(row.controls_high for row in rows)
    return Point(kl, Estimate(sum(row.controls for row in rows) / len(rows), low, high))
